"""Accounts of budgets by the configuration and by what was changed in the window in force."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from gptgate.cli.text import clean
from gptgate.core.budgets import BudgetSpec, TopUp
from gptgate.cost.account import Account
from gptgate.cost.amounts import NOT_NAMED, shown, shown_value
from gptgate.cost.windows import Slots
from gptgate.storage.spending import Spending


def configured_amount(budget: BudgetSpec, key: tuple[str, ...]) -> int | None:
    """What an account may spend by the configuration; None where it has no budget."""
    return budget.amounts.get(key[0], budget.amount) if key else budget.amount


def slot_at(budget: BudgetSpec, at_ms: int) -> int:
    """The slot of the window that is in force then."""
    return Slots(budget).slot(at_ms)


def changed_accounts(budget: BudgetSpec, top_ups: Sequence[TopUp], now_ms: int) -> dict[tuple[str, ...], Account]:
    """The accounts whose amount was changed in the window in force."""
    changed: dict[tuple[str, ...], Account] = {}
    for top_up in top_ups:
        if top_up.holds_for(budget) and slot_at(budget, top_up.at_ms) == slot_at(budget, now_ms):
            changed.setdefault(top_up.key, Account()).change(slot_at(budget, now_ms), top_up)
    return changed


def account_name(key: tuple[str, ...]) -> str:
    """As people are told it."""
    return clean(", ".join(map(shown_value, key))) or "everybody"


def kept_amounts(data: Path, budgets: Sequence[BudgetSpec], now_ms: int) -> Iterator[str]:
    """A line for every account that has another amount than the configuration states, because somebody set it.

    Raises StorageError.
    """
    with closing(Spending(data)) as spending:
        top_ups = spending.top_ups()
    for budget in budgets:
        for key, account in sorted(changed_accounts(budget, top_ups, now_ms).items()):
            slot = slot_at(budget, now_ms)
            configured, set_to = configured_amount(budget, key), account.set_to.get(slot)
            if configured is not None and set_to is not None and set_to != configured:
                again = shlex.join([budget.name, *(value or NOT_NAMED for value in key), "--configured"])
                amount, stated = shown(budget.unit, account.limit(configured, slot)), shown(budget.unit, configured)
                said = f"budget {budget.name}: {account_name(key)} keeps {amount}, which was set for this window"
                yield f"{said}, not the {stated} of the file (hint: gptgate budget set {again})"
