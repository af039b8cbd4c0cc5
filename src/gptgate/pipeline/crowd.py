"""Requests that wait for what others hold, instead of being refused for it."""

import asyncio
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
"""Where several gateways share budgets, nobody tells this one what the others have settled."""


class _Waiter:
    __slots__ = ("account", "turn")

    def __init__(self, account: Account) -> None:
        self.account = account
        self.turn = asyncio.Event()


class Crowd:
    """First come, first served at each account. Belongs to one event loop and outlives a change of Snapshot.

    Who waits holds nothing of any budget, so waiting cannot lock anybody out. How many wait, and how long, is bounded.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[_Waiter] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def before(self, charges: Sequence[BudgetCharge]) -> Account | None:
        """One of these accounts for which somebody waits already: who comes later stands behind."""
        if not self._waiting:
            return None
        accounts = {(charge.budget.name, charge.key) for charge in charges}
        return next((waiter.account for waiter in self._waiting if waiter.account in accounts), None)

    def admits(self, server: ServerSpec) -> bool:
        """Whether one more may wait."""
        return bool(server.budget_wait_ms) and len(self._waiting) < server.budget_waiters

    async def wait(
        self, account: Account, attempt: Callable[[], Awaitable[T]], wait_ms: int, *, shared: bool = False
    ) -> T:
        """Attempt again whenever it is this one's turn, and at last when the time is over. Raises what the attempt
        raises: OverBudget only when the time is over, or when no waiting can help."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_ms / 1000
        waiter = _Waiter(account)
        self._waiting.append(waiter)
        self._ledger.when_settled = self._call
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(deadline, loop.time() + POLL_S) if shared else deadline):
                        await waiter.turn.wait()
                over = loop.time() >= deadline
                if not (over or waiter.turn.is_set() or self._is_first(waiter)):
                    continue
                waiter.turn.clear()
                try:
                    return await attempt()
                except OverBudget as refusal:
                    if over or refusal.crowd is None:
                        raise
                    waiter.account = refusal.crowd
        finally:
            self._waiting.remove(waiter)
            self._call()
            if not self._waiting:
                self._ledger.when_settled = None

    def _is_first(self, waiter: _Waiter) -> bool:
        return next(each for each in self._waiting if each.account == waiter.account) is waiter

    def _call(self) -> None:
        """It is the turn of whoever has waited longest at each account."""
        called: set[Account] = set()
        for waiter in self._waiting:
            if waiter.account not in called:
                called.add(waiter.account)
                waiter.turn.set()
