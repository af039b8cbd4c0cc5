"""Requests that wait for what others hold, instead of being refused for it."""

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from gptgate.core.budgets import BudgetCharge
from gptgate.core.errors import OverBudget
from gptgate.core.ports import Ledger
from gptgate.core.snapshot import ServerSpec

T = TypeVar("T")
Account = tuple[str, tuple[str, ...]]
"""A budget's name and the account's key."""
POLL_S = 0.25
"""Everybody who waits looks this often whether it fits: only the first of a line is told of each settlement, and of
those of other gateways that share the budgets nobody is."""
MOST_OVERTAKINGS = 8
"""So often the first of a line is overtaken; then the line stands behind it."""
SHARE = 4
"""One app may take this part of the places to wait in: a quarter."""


class _Waiter:
    __slots__ = ("account", "app", "arrival", "overtaken", "turn")

    def __init__(self, app: str, account: Account, arrival: int) -> None:
        self.app, self.account, self.arrival = app, account, arrival
        self.overtaken = 0
        self.turn = asyncio.Event()


class Crowd:
    """A line for each account, and in it for each app. Belongs to one event loop and outlives a change of Snapshot.

    Who fits passes, whoever else waits, so that a large request does not stop the small ones; but the first of a line
    is overtaken by its own app a bounded number of times. No app ever stands behind another. Who waits holds nothing of
    any budget, so waiting cannot lock anybody out. How many wait, of each app too, and how long, is bounded.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lines: dict[tuple[str, Account], list[_Waiter]] = {}
        self._waiting: Counter[str] = Counter()
        self._arrivals = 0

    def __len__(self) -> int:
        return self._waiting.total()

    def before(self, app: str, charges: Sequence[BudgetCharge]) -> Account | None:
        """One of these accounts for which somebody waits who was overtaken often enough: the app stands behind."""
        for budget, key in charges if self._lines else ():
            line = self._lines.get((app, (budget.name, key)))
            if line and line[0].overtaken >= MOST_OVERTAKINGS:
                return line[0].account
        return None

    def passed(self, app: str, charges: Sequence[BudgetCharge]) -> None:
        """A request that did not wait holds what it needs of these accounts."""
        for budget, key in charges if self._lines else ():
            line = self._lines.get((app, (budget.name, key)))
            if line:
                line[0].overtaken += 1

    def admits(self, app: str, server: ServerSpec) -> bool:
        """Whether one more of the app may wait."""
        most = server.budget_waiters
        return bool(server.budget_wait_ms) and len(self) < most and self._waiting[app] < max(1, most // SHARE)

    async def wait(self, app: str, account: Account, attempt: Callable[[bool], Awaitable[T]], wait_ms: int) -> T:
        """Attempt again whenever it is this one's turn or it may overtake, and at last when the time is over. The
        attempt is told whether it may wait on. Raises what it raises: OverBudget only when the time is over, or when no
        waiting can help."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_ms / 1000
        self._arrivals += 1
        waiter = _Waiter(app, account, self._arrivals)
        self._waiting[app] += 1
        self._stand(waiter)
        self._ledger.when_settled = self._call
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(deadline, loop.time() + POLL_S)):
                        await waiter.turn.wait()
                waiter.turn.clear()
                over = loop.time() >= deadline
                if not (over or self._may_try(waiter)):
                    continue
                try:
                    found = await attempt(not over)
                except OverBudget as refusal:
                    if over or refusal.crowd is None:
                        raise
                    if refusal.crowd != waiter.account:
                        self._leave(waiter)
                        waiter.account = refusal.crowd
                        self._stand(waiter)
                else:
                    first = self._first(waiter)
                    if first is not waiter:
                        first.overtaken += 1
                    return found
        finally:
            self._leave(waiter)
            self._waiting[app] -= 1
            if not self._waiting[app]:
                del self._waiting[app]
            self._call()
            if not self._lines:
                self._ledger.when_settled = None

    def _stand(self, waiter: _Waiter) -> None:
        insort(self._lines.setdefault((waiter.app, waiter.account), []), waiter, key=lambda each: each.arrival)

    def _leave(self, waiter: _Waiter) -> None:
        line = self._lines[waiter.app, waiter.account]
        line.remove(waiter)
        if not line:
            del self._lines[waiter.app, waiter.account]

    def _first(self, waiter: _Waiter) -> _Waiter:
        return self._lines[waiter.app, waiter.account][0]

    def _may_try(self, waiter: _Waiter) -> bool:
        first = self._first(waiter)
        return first is waiter or first.overtaken < MOST_OVERTAKINGS

    def _call(self) -> None:
        """It is the turn of whoever has waited longest in each line."""
        for line in self._lines.values():
            line[0].turn.set()
