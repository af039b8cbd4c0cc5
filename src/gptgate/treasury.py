"""The ledger, in step with the records, the operators' top-ups and the configuration."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from gptgate.core.budgets import BudgetSpec, Crossing
from gptgate.core.ports import Clock
from gptgate.cost.amounts import shown
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.windows import Slots
from gptgate.storage.errors import StorageError
from gptgate.storage.events import BUDGET_THRESHOLD, record_event
from gptgate.storage.spending import Spending
from gptgate.telemetry.metrics import Metrics


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
        self._top_ups_seen = self._corrections_seen = 0
        self._reports: set[asyncio.Task[None]] = set()
        self.ledger = MemoryLedger(self.report) if ledger is None else ledger
        self.shared: Callable[[Sequence[BudgetSpec], bool], None] = lambda _budgets, _topped_up: None
        """Told the budgets when amounts have changed, and whether accounts were topped up."""

    def start(self, budgets: Sequence[BudgetSpec]) -> None:
        """Count what the records say was spent in the windows in force, and in those before. Raises StorageError.

        Windows are those of now or of the newest record, whichever is earlier: a clock that is set right after the
        start (a machine without a battery for it) would otherwise find the budgets of its window untouched.
        """
        now_ms = self._clock.wall_ms()
        with self._spending.moment():
            then_ms = min(now_ms, self._spending.newest_ms() or now_ms)
            for budget in budgets:
                since_ms = Slots(budget).before(then_ms)
                self.ledger.restore(budget, self._spending.of(budget, since_ms), now_ms)
            # Those until now are in the sums.
            self._corrections_seen = self._spending.correction_count()
        self._budgets = tuple(budgets)
        self._take_top_ups()

    def uncounted(self, budgets: Sequence[BudgetSpec]) -> list[str]:
        """Those of the budgets that nothing was counted for so far: only a start can count what they have spent."""
        counted = [budget.counts for budget in self._budgets]
        return [budget.name for budget in budgets if budget.counts not in counted]

    def change(self, budgets: Sequence[BudgetSpec]) -> None:
        """Take over new amounts; none of the budgets may be `uncounted`. Raises StorageError."""
        self._budgets = tuple(budgets)
        self._take_top_ups()

    def refresh(self) -> None:
        """See the top-ups and corrections that were made meanwhile. Raises StorageError."""
        if self._spending.top_up_count() != self._top_ups_seen:
            self._take_top_ups()
        if self._spending.correction_count() != self._corrections_seen:
            for place, correction in self._spending.corrections(self._corrections_seen):
                self.ledger.correct(self._budgets, correction)
                self._corrections_seen = place

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
            await asyncio.to_thread(record_event, self._folder, self._clock.wall_ms(), BUDGET_THRESHOLD, fields)
        except StorageError as error:
            self._logger.error("the event of a budget's threshold is not on record", problem=error.message)
