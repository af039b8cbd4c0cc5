"""Ledgers by apps and months, the budget that every gateway has."""

from collections.abc import Mapping

from msgspec.structs import replace

from gptgate.core.budgets import APP_MONTH, BudgetCharge, Spend, Spent
from gptgate.core.facts import Reservation
from gptgate.core.ports import Ledger
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.windows import month_start_ms


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
