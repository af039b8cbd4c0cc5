"""Tells the counters what requests turned out to be, after their answers."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

from gptgate.core.budgets import Crossing
from gptgate.core.errors import CountersUnavailable
from gptgate.shared.hold import Line, SharedHold, State
from gptgate.shared.link import CHARGE, JOIN
from gptgate.shared.membership import Membership
from gptgate.shared.names import Entry, amount_of

AT_ONCE = 16


class Notice(NamedTuple):
    """What a finished request gives back or takes besides. `bar`: should its charge come yet, it is refused.

    `now_us` is the time that rates go by; None: the server's own.
    """

    id: str
    keys: list[str]
    entries: list[Entry]
    hold: SharedHold | None
    bar: bool = False
    now_us: int | None = None


class Settler:
    """A queue, bounded by the requests in flight: when the counters are silent, nothing new is admitted.

    Nothing is tried twice. What could not be told puts this gateway's sums in doubt, so it joins again, and tells all.
    """

    def __init__(self, membership: Membership, report: Callable[[Crossing], None]) -> None:
        self._membership, self._report = membership, report
        self._waiting: deque[Notice] = deque()
        self._told: dict[tuple[str, str], int] = {}
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        # The sums that a gateway tells anew hold all that was settled until then.
        membership.rejoined = self._waiting.clear

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, notice: Notice) -> None:
        """Never blocks, never fails."""
        self._waiting.append(notice)
        self._empty.clear()
        self._more.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._more.wait()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                await asyncio.gather(*(self._settle(one) for one in batch))
            self._more.clear()
            self._empty.set()

    async def drained(self) -> None:
        """Wait until nothing waits."""
        await self._empty.wait()

    async def _settle(self, notice: Notice) -> None:
        membership = self._membership
        told = [entry for entry in notice.entries if entry["kind"] == "budget"]
        ask: Entry = {
            "gateway": membership.gateway,
            "id": notice.id,
            "give": notice.entries,
            "tell": told if notice.hold else [],
        }
        if notice.bar:
            ask["bar"] = True
        if notice.now_us is not None:
            ask["now"] = notice.now_us
        generation = membership.generation
        try:
            ask["epoch"] = await membership.epoch()
            if generation != membership.generation:
                return  # what this gateway tells anew has it
            ask["process"] = membership.process
            code, *rest = await membership.call(CHARGE, notice.keys, ask)
            if code == "done" and notice.hold is not None:
                await self._look_at_thresholds(notice.hold, cast("list[list[str]]", rest[0]))
        except CountersUnavailable:
            code = "lost"
        if code == "lost" and generation == membership.generation:
            membership.doubt()

    async def _look_at_thresholds(self, hold: SharedHold, states: list[list[str]]) -> None:
        for line, state in zip(hold.lines, states, strict=True):
            crossing = _crossing(line, State.of(state))
            if crossing is not None and await self._is_first(line, crossing):
                self._report(crossing)

    async def _is_first(self, line: Line, crossing: Crossing) -> bool:
        """Whether no gateway has reported it."""
        place = (line.account.name, line.account.slot)
        rolling = bool(line.account.first)
        if not rolling and self._told.get(place, 0) >= crossing.percent:
            return False
        membership = self._membership
        keys = membership.join_keys()
        keys.place(line.account.name)
        field = "told" if rolling else f"told:{line.account.slot}"
        ask: Entry = {"step": "report", "epoch": membership.joined, "field": field, "percent": crossing.percent}
        if rolling:
            ask["rolling"] = True
        answer = (await membership.call(JOIN, keys.names, ask))[0]
        if len(self._told) > 10_000:
            self._told.clear()
        if answer != "lost":
            self._told[place] = crossing.percent
        return answer == "first"


def _crossing(line: Line, state: State) -> Crossing | None:
    budget, key = line.charge
    amount = amount_of(budget, key)
    if not budget.thresholds or not amount:
        return None
    limit, settled = state.limit(amount), state.spent - state.held
    percent = max((each for each in budget.thresholds if settled * 100 >= limit * each), default=0)
    window = 0 if line.account.first else int(line.account.slot)
    # A rolling window that has fallen below its thresholds is told too: they are due again.
    return Crossing(budget, key, window, percent, settled, limit) if percent or line.account.first else None
