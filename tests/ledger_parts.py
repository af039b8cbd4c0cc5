"""Ledgers by apps and months, the budget that every gateway has."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from gptgate.core.budgets import APP_MONTH, BudgetCharge, Spend, Spent
from gptgate.core.facts import Reservation, Usage
from gptgate.core.ports import Ledger
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.windows import month_of, month_start_ms
from gptgate.storage.spending import Spending
from gptgate.storage.sqlite import SqliteStore
from storage_samples import SystemClock, end, intent


def ledger_with(initial: Mapping[tuple[str, str], int]) -> MemoryLedger:
    """A ledger that starts with these nano-dollars by (app, month)."""
    ledger = MemoryLedger()
    spent = [Spent((app,), month_start_ms(month), nano) for (app, month), nano in initial.items()]
    ledger.restore(APP_MONTH, spent, 0)
    return ledger


def reserve(ledger: Ledger, request_id: str, app: str, limit_nano: int | None, nano: int, at_ms: int) -> Reservation:
    """Reserve nano-dollars in the month of an app that has this budget."""
    own = {} if limit_nano is None else {app: limit_nano}
    return ledger.reserve(request_id, app, [BudgetCharge(replace(APP_MONTH, amounts=own), (app,))], usd(nano), at_ms)


def usd(nano: int) -> Spend:
    """One request that costs so much."""
    return Spend(nano=nano, tokens=0, requests=1)


def spent(ledger: Ledger, app: str, month: str) -> int:
    """Settled and reserved in a month of an app."""
    return ledger.spent(BudgetCharge(APP_MONTH, (app,)), month_start_ms(month))


class LedgerOnDisk:
    """The `Ledger` port with its records in SQLite. `close` checks that a restart finds what was settled and held."""

    def __init__(self, folder: Path, initial: Mapping[tuple[str, str], int]) -> None:
        self.when_settled: Callable[[], None] | None = None
        self._folder, self._loop = folder, asyncio.new_event_loop()
        self._ids: set[str] = set()
        self._store = self._opened()
        for (app, month), nano in initial.items():
            self._begin(f"before {app} {month}", app, nano, month_start_ms(month))
            self._store.finish(end(f"before {app} {month}", app=app, cost_nano=nano, usage_source="provider"), None)
        self._restart()

    def reserve(
        self, request_id: str, app: str, charges: Sequence[BudgetCharge], spend: Spend, at_ms: int
    ) -> Reservation:
        reservation = self._ledger.reserve(request_id, app, charges, spend, at_ms)
        if request_id not in self._ids:
            self._begin(request_id, app, spend.nano, at_ms)
        return reservation

    def extend(self, reservation: Reservation, spend: Spend) -> Reservation:
        extended = self._ledger.extend(reservation, spend)
        self._loop.run_until_complete(self._store.extend(extended, Usage()))
        return extended

    def settle(self, reservation: Reservation, spend: Spend) -> None:
        self._ledger.when_settled = self.when_settled
        self._ledger.settle(reservation, spend)
        ended = end(reservation.id, app=reservation.app, cost_nano=spend.nano, usage_source="provider")
        self._store.finish(ended, None)

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        return self._ledger.left(charge, at_ms, freed=freed)

    def spent(self, charge: BudgetCharge, at_ms: int) -> int:
        return self._ledger.spent(charge, at_ms)

    def close(self) -> None:
        before = self._amounts()
        self._restart()
        assert self._amounts() == before
        self._loop.run_until_complete(self._store.close(5000))
        self._loop.close()

    def _begin(self, request_id: str, app: str, nano: int, at_ms: int) -> None:
        self._ids.add(request_id)
        row = intent(request_id, app=app, at_ms=at_ms, window=month_of(at_ms), reserved_nano=nano)
        self._loop.run_until_complete(self._store.begin(row, None))

    def _opened(self) -> SqliteStore:
        return SqliteStore.open(self._folder, clock=SystemClock(), timeout_ms=20_000)

    def _restart(self) -> None:
        """What is open is ended as abandoned, and stays spent."""
        self._loop.run_until_complete(self._store.close(20_000))
        self._store = self._opened()
        self._ledger = MemoryLedger()
        with closing(Spending(self._folder)) as spending:
            self._ledger.restore(APP_MONTH, spending.of(APP_MONTH, 0), 0)

    def _amounts(self) -> dict[tuple[str, ...], dict[int, int]]:
        book = self._ledger._book(APP_MONTH)
        found = {key: {slot: held for slot, held in one.amounts.items() if held} for key, one in book.accounts.items()}
        return {key: amounts for key, amounts in found.items() if amounts}
