"""The ledger and the records together: whatever the order of requests, crashes, restarts, turns of the window and
top-ups, nothing is overspent, nothing is counted twice, and nothing that was reserved is lost.
"""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import Struct

from gptgate.core.budgets import NOTHING, BudgetCharge, BudgetSpec, Dimension, Spend, TopUp, Unit, Window
from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import Reservation, Usage
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.windows import Slots
from gptgate.storage.spending import Spending, add_top_up
from gptgate.storage.sqlite import SqliteStore
from storage_samples import FixedClock, end, intent

APPS = ("mail", "shop")
DAY_MS = 86_400_000
START_MS = FixedClock().wall_ms()
AMOUNT = 100


def budgets_of(amount: int) -> tuple[BudgetSpec, ...]:
    """A day of each app in dollars, and all that all of them may ever send, in tokens."""
    day = BudgetSpec(name="day", scope=(Dimension.APP,), unit=Unit.USD, window=Window.DAY, amount=amount)
    ever = BudgetSpec(name="ever", scope=(), unit=Unit.TOKENS, window=Window.LIFETIME, amount=5 * amount)
    return (day, ever)


class Asked(Struct):
    """What the model knows of one request: at most `reserved`, and `cost` once it has settled."""

    app: str
    at_ms: int
    reserved: int
    reservation: Reservation
    cost: int | None = None
    recorded: bool = False
    """Whether its end is durable; until then a crash turns it into an abandoned one, which costs the ceiling."""


class Restarts(RuleBasedStateMachine):
    """One gateway's money. A request counts one token for each nano-dollar, so both budgets can be followed."""

    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="restarts-"))
        self.loop = asyncio.new_event_loop()
        self.asked: dict[str, Asked] = {}
        self.added: dict[tuple[str, int], int] = {}
        self.number = self.lives = 0
        self.now_ms = START_MS
        self.budgets = budgets_of(AMOUNT)
        self.folder = self.root / "0"
        self._start()

    def _start(self) -> None:
        self.store = SqliteStore.open(self.folder, clock=FixedClock(), timeout_ms=60_000)
        self.ledger = MemoryLedger()
        spending = Spending(self.folder)
        for budget in self.budgets:
            since_ms = Slots(budget).before(self.now_ms)
            self.ledger.restore(budget, spending.of(budget, since_ms), self.now_ms)
        self.ledger.set_top_ups(self.budgets, spending.top_ups())
        spending.close()

    def _charges(self, app: str) -> list[BudgetCharge]:
        day, ever = self.budgets
        return [BudgetCharge(day, (app,)), BudgetCharge(ever, ())]

    def _counted(self, app: str | None, at_ms: int) -> int:
        """What the model says: real costs of what has settled, ceilings of everything else."""
        return sum(
            one.reserved if one.cost is None else one.cost
            for one in self.asked.values()
            if app is None or (one.app == app and one.at_ms // DAY_MS == at_ms // DAY_MS)
        )

    def _limit(self, app: str, at_ms: int | None = None) -> int:
        return AMOUNT + self.added.get((app, (self.now_ms if at_ms is None else at_ms) // DAY_MS), 0)

    @rule(app=st.sampled_from(APPS), amount=st.integers(1, 60), goes=st.booleans())
    def reserve(self, app: str, amount: int, goes: bool) -> None:
        """Passes exactly when it fits; a request that then gets no durable intent gives all of it back."""
        fits = (
            self._counted(app, self.now_ms) + amount <= self._limit(app)
            and self._counted(None, 0) + amount <= 5 * AMOUNT
        )
        self.number += 1
        name, spend = f"r{self.number}", Spend(nano=amount, tokens=amount, requests=1)
        try:
            held = self.ledger.reserve(name, app, self._charges(app), spend, self.now_ms)
        except BudgetExceeded:
            assert not fits
            return
        assert fits
        again = self.ledger.reserve(name, app, self._charges(app), spend, self.now_ms)
        assert again == held
        if not goes:
            self.ledger.settle(held, NOTHING)
            return
        started = intent(name, app=app, at_ms=self.now_ms, reserved_nano=amount, reserved_tokens=amount)
        self.loop.run_until_complete(self.store.begin(started, None))
        self.asked[name] = Asked(app, self.now_ms, amount, held)

    def _open(self) -> list[str]:
        return [name for name, one in self.asked.items() if one.cost is None]

    @precondition(lambda self: self._open())
    @rule(data=st.data(), amount=st.integers(1, 80), dies=st.booleans())
    def extend(self, data: st.DataObject, amount: int, dies: bool) -> None:
        """Passes exactly when it fits, and is on record before it counts for the caller: a crash before that leaves
        what was reserved, one after it what was extended. Asked twice it is the same."""
        name = data.draw(st.sampled_from(self._open()))
        one = self.asked[name]
        more = max(amount - one.reserved, 0)
        fits = not more or (
            self._counted(one.app, one.at_ms) + more <= self._limit(one.app, one.at_ms)
            and self._counted(None, 0) + more <= 5 * AMOUNT
        )
        spend = Spend(nano=amount, tokens=amount, requests=1)
        try:
            extended = self.ledger.extend(one.reservation, spend)
        except BudgetExceeded:
            assert not fits
            return
        assert fits
        assert self.ledger.extend(one.reservation, spend) == extended
        if dies:
            self.crash()
            return
        tokens = Usage(input_tokens=0, output_tokens=extended.tokens)
        for _ in range(2):
            self.loop.run_until_complete(self.store.extend(extended, tokens))
        one.reserved, one.reservation = extended.nano, extended

    @precondition(lambda self: self._open())
    @rule(data=st.data(), share=st.integers(0, 100), other=st.integers(0, 200))
    def settle(self, data: st.DataObject, share: int, other: int) -> None:
        """Once; whatever a second settlement says changes nothing."""
        name = data.draw(st.sampled_from(self._open()))
        one = self.asked[name]
        one.cost = one.reserved * share // 100
        for cost in (one.cost, other):
            self.ledger.settle(one.reservation, Spend(nano=cost, tokens=cost, requests=1))

    @rule()
    def ends_become_durable(self) -> None:
        for name, one in self.asked.items():
            if one.cost is not None and not one.recorded:
                one.recorded = True
                usage = Usage(input_tokens=one.cost)
                self.store.finish(
                    end(name, app=one.app, cost_nano=one.cost, usage=usage, usage_source="provider"), None
                )

    async def _quiet(self) -> None:
        while self.store.stats().waiting_ends or self.store.stats().pending_rows:
            await asyncio.sleep(0.001)

    @rule()
    def crash(self) -> None:
        """The disk as it is, and nothing else, is what the next process finds."""
        self.loop.run_until_complete(self._quiet())
        self.lives += 1
        before, self.folder = self.folder, self.root / str(self.lives)
        shutil.copytree(before, self.folder)
        self.loop.run_until_complete(self.store.close(60_000))
        for one in self.asked.values():
            if not one.recorded:
                one.cost, one.recorded = one.reserved, True
        self._start()

    @rule()
    def restart(self) -> None:
        """In order: what has settled is on record by then."""
        self.ends_become_durable()
        self.loop.run_until_complete(self.store.close(60_000))
        for one in self.asked.values():
            if not one.recorded:
                one.cost, one.recorded = one.reserved, True
        self._start()

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now_ms += hours * 3_600_000

    @rule(app=st.sampled_from(APPS), amount=st.integers(1, 50))
    def top_up(self, app: str, amount: int) -> None:
        add_top_up(self.folder, TopUp("day", (app,), self.now_ms, amount), "test")
        key = (app, self.now_ms // DAY_MS)
        self.added[key] = self.added.get(key, 0) + amount
        spending = Spending(self.folder)
        self.ledger.set_top_ups(self.budgets, spending.top_ups())
        spending.close()

    @invariant()
    def the_ledger_says_what_is_true_and_nobody_is_over(self) -> None:
        for app in APPS:
            counted = self._counted(app, self.now_ms)
            assert self.ledger.spent(self._charges(app)[0], self.now_ms) == counted <= self._limit(app)
        total = self._counted(None, 0)
        assert self.ledger.spent(self._charges("shop")[1], self.now_ms) == total <= 5 * AMOUNT

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.close(60_000))
        self.loop.close()
        shutil.rmtree(self.root)


TestRestarts = Restarts.TestCase
TestRestarts.settings = settings(
    max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
