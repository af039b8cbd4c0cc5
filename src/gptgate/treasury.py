"""The ledger, in step with the records, the operators' top-ups and the configuration."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Crossing, Spend, Spent, charges_by_names
from gptgate.core.ports import Clock
from gptgate.cost.amounts import shown
from gptgate.cost.ledger import Held, MemoryLedger
from gptgate.cost.windows import Slots
from gptgate.pipeline.charged import ChargedBudgets
from gptgate.storage.errors import StorageError
from gptgate.storage.events import BUDGET_THRESHOLD, record_event
from gptgate.storage.spending import Spending, names_of
from gptgate.storage.sqlite import SqliteStore
from gptgate.telemetry.metrics import Metrics

RESTORED_AT_ONCE = 1000
"""So many sums are taken over between two turns of the event loop."""


class Treasury:
    """Owns the ledger of a running gateway. Belongs to the event loop's thread; the caller must `close`."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        metrics: Metrics,
        logger: FilteringBoundLogger,
        ledger: MemoryLedger | None = None,
    ) -> None:
        """`folder` is that of an open store, which has ended what a crash left open. Raises StorageError.

        `ledger` is that of a gateway that shares its counters; it reports nothing, so that is left to `report`.
        """
        self._folder, self._clock, self._metrics, self._logger = folder, clock, metrics, logger
        self._spending = Spending(folder)
        self._budgets: tuple[BudgetSpec, ...] = ()
        """All that are counted: those of every Snapshot that has requests."""
        self._live: list[ChargedBudgets] = []
        self._entering: tuple[BudgetSpec, ...] = ()
        """Those of a configuration that comes. The requests that one of them is counted for may all end before."""
        self._unrestored: tuple[BudgetSpec, ...] = ()
        """Those of them whose sums are being read, with the corrections that are in these."""
        self._top_ups_seen = self._corrections_seen = 0
        self._reports: set[asyncio.Task[None]] = set()
        self._one_by_one = asyncio.Lock()
        self.ledger = MemoryLedger(self.report) if ledger is None else ledger
        self.shared: Callable[[Sequence[BudgetSpec], bool], None] = lambda _budgets, _topped_up: None
        """Told the budgets that are counted, and whether what they have spent, or may, must be told anew."""
        self.adopt: Callable[[str, Sequence[BudgetCharge]], None] = self.ledger.adopt
        """Lets a reservation count in more accounts."""

    def start(self, budgets: Sequence[BudgetSpec]) -> None:
        """Count what the records say was spent in the windows in force, and in those before. Raises StorageError."""
        now_ms = self._clock.wall_ms()
        with self._spending.moment():
            for budget, spent in zip(budgets, _spent_in_force(self._spending, budgets, now_ms), strict=True):
                self.ledger.restore(budget, spent, now_ms)
            # Those until now are in the sums.
            self._corrections_seen = self._spending.correction_count()
        self._budgets = tuple(budgets)
        self._take_top_ups()

    def install(self, charged: ChargedBudgets) -> None:
        """Requests are charged to these from now on; all of them are counted, by `start` or `entering`.

        Raises StorageError, and then nothing has changed.
        """
        self._live.append(charged)
        self._recount()
        try:
            self._take_top_ups()
        except StorageError:
            self.retire(charged)
            raise

    def retire(self, charged: ChargedBudgets) -> None:
        """No request is charged to these any more."""
        self._live.remove(charged)
        self._recount()

    @asynccontextmanager
    async def entering(self, budgets: Sequence[BudgetSpec], store: SqliteStore) -> AsyncIterator[None]:
        """Have counted all of the budgets when this gives way, for `install` to follow; without it they are forgotten
        at the end. Raises StorageError.

        Requests go on meanwhile. From one moment on all of them count in the budgets that are new: those in flight,
        and those to come. What had ended before is in the records once the store has written its ends. Of what ends
        while the records are read some is in them too: it is taken off, since it would count twice.
        """
        counted = {budget.counts for budget in self._budgets}
        fresh = tuple(budget for budget in budgets if budget.counts not in counted)
        self._entering, self._unrestored = tuple(budgets), fresh
        try:
            if fresh:
                heard = self._count_from_now(fresh, store)
                await store.ends_written()
                sums, corrections = await asyncio.to_thread(self._spent_before, fresh, heard)
                self.ledger.overheard = None
                await self._restore(fresh, sums, corrections)
            yield
        finally:
            self.ledger.overheard = None
            self._entering = self._unrestored = ()
            self._recount()

    def _count_from_now(self, fresh: Sequence[BudgetSpec], store: SqliteStore) -> list[tuple[Held, Spend]]:
        """What is settled from here on, as it comes."""
        self.ledger.begin(fresh)
        self._share()
        heard: list[tuple[Held, Spend]] = []
        self.ledger.overheard = heard
        counting = [budget.counting() for budget in fresh]
        for intent in store.open_intents():
            self.adopt(intent.id, charges_by_names(counting, names_of(intent)))
        return heard

    def _spent_before(
        self, fresh: Sequence[BudgetSpec], heard: list[tuple[Held, Spend]]
    ) -> tuple[list[list[Spent]], int]:
        """What had been settled before `heard` began, of each budget, and how many corrections are in it. Blocks, in a
        thread of its own."""
        with closing(Spending(self._folder)) as spending, spending.moment():
            sums = [list(spent) for spent in _spent_in_force(spending, fresh, self._clock.wall_ms())]
            # Whatever is in the records that were read was settled, and heard, before they were.
            settled = tuple(heard)
            known = spending.ended([held.reservation.id for held, _ in settled])
            corrections = spending.correction_count()
        place = {budget.counts: spent for budget, spent in zip(fresh, sums, strict=True)}
        for held, spend in settled:
            if held.reservation.id in known:
                for (budget, key), _, _ in held.lines:
                    if budget.counts in place:
                        place[budget.counts].append(Spent(key, held.at_ms, -spend.of(budget.unit)))
        return sums, corrections

    async def _restore(self, fresh: Sequence[BudgetSpec], sums: list[list[Spent]], corrections: int) -> None:
        now_ms = self._clock.wall_ms()
        for budget, spent in zip(fresh, sums, strict=True):
            for start in range(0, len(spent), RESTORED_AT_ONCE):
                self.ledger.restore(budget, spent[start : start + RESTORED_AT_ONCE], now_ms)
                await asyncio.sleep(0)
        # The others have seen these corrections, or see them now.
        self.refresh()
        for place, correction in self._spending.corrections(corrections):
            if place <= self._corrections_seen:
                self.ledger.correct(fresh, correction)
        # All later ones come to these as to the others.
        self._unrestored = ()

    def _recount(self) -> None:
        """Count what any Snapshot with requests decides by, and nothing else."""
        known = {budget.counts for budget in self._budgets}
        self._budgets = _each_once(budget for charged in self._live for budget in charged.own)
        self.ledger.keep(self._counted())
        self._share()
        self.shared(self._budgets, any(budget.counts not in known for budget in self._budgets))

    def _share(self) -> None:
        for charged in self._live:
            charged.count(self._counted())

    def _counted(self) -> tuple[BudgetSpec, ...]:
        return _each_once((*self._entering, *self._budgets))

    def refresh(self) -> None:
        """See the top-ups and corrections that were made meanwhile. Raises StorageError."""
        if self._spending.top_up_count() != self._top_ups_seen:
            self._take_top_ups()
        if self._spending.correction_count() != self._corrections_seen:
            unrestored = {budget.counts for budget in self._unrestored}
            corrected = [budget for budget in self._counted() if budget.counts not in unrestored]
            for place, correction in self._spending.corrections(self._corrections_seen):
                self.ledger.correct(corrected, correction)
                self._corrections_seen = place
            self.shared(self._budgets, True)

    async def close(self) -> None:
        """Wait for the reports that are under way."""
        await asyncio.gather(*self._reports)
        self._spending.close()

    def _take_top_ups(self) -> None:
        seen, self._top_ups_seen = self._top_ups_seen, self._spending.top_up_count()
        self.ledger.set_top_ups(self._budgets, self._spending.top_ups())
        self.shared(self._budgets, seen != self._top_ups_seen)

    def report(self, crossing: Crossing) -> None:
        """A threshold is a line, a count and an event."""
        budget = crossing.budget
        self._metrics.add_threshold(budget.name, crossing.percent)
        self._logger.warning(
            "a budget has reached a threshold",
            budget=budget.name,
            account=list(crossing.key),
            percent=crossing.percent,
            spent=shown(budget.unit, crossing.spent),
            amount=shown(budget.unit, crossing.amount),
        )
        fields = {
            "budget": budget.name,
            "key": list(crossing.key),
            "unit": budget.unit.value,
            "window_ms": crossing.window_ms,
            "percent": crossing.percent,
            "spent": crossing.spent,
            "amount": crossing.amount,
        }
        task = asyncio.get_running_loop().create_task(self._record(fields))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def _record(self, fields: Mapping[str, object]) -> None:
        try:
            async with self._one_by_one:  # in the order in which they were reached
                await asyncio.to_thread(record_event, self._folder, self._clock.wall_ms(), BUDGET_THRESHOLD, fields)
        except StorageError as error:
            self._logger.error("the event of a budget's threshold is not on record", problem=error.message)


def _each_once(budgets: Iterable[BudgetSpec]) -> tuple[BudgetSpec, ...]:
    """One for all that count the same: the last."""
    return tuple({budget.counts: budget for budget in budgets}.values())


def _spent_in_force(spending: Spending, budgets: Sequence[BudgetSpec], now_ms: int) -> Iterator[list[Spent]]:
    """What each has spent in the windows in force, and in those before. Raises StorageError.

    Windows are those of now or of the newest record, whichever is earlier: a clock that is set right after the start (a
    machine without a battery for it) would otherwise find the budgets of its window untouched.
    """
    then_ms = min(now_ms, spending.newest_ms() or now_ms)
    for budget in budgets:
        yield spending.of(budget, Slots(budget).before(then_ms))
