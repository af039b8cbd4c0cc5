"""Amounts and refusals in words."""

from gptgate.core.budgets import APP_MONTH, BudgetCharge, BudgetSpec, Unit
from gptgate.core.money import format_usd
from gptgate.core.words import counted

NOT_NAMED = "(not named)"
"""Stands for a value of a scope that the request did not name."""


def refusal(charge: BudgetCharge, limit: int, left: int, needed: int, held: int = 0) -> str:
    """Why a request does not fit, or what one needs besides what it has `held`."""
    budget, key = charge
    unit = budget.unit
    if budget.name == APP_MONTH.name:
        whose = f"the monthly budget of {key[0]}"
    elif budget.guard:
        whose = f"the limit '{budget.name}' of session {key[-1]}"
    else:
        whose = f"the budget '{budget.name}'" + (f" of {', '.join(map(shown_value, key))}" if key else "")
    verb = "cost" if unit is Unit.USD else "take"
    rest = (
        f"{shown(unit, left)} {'is' if unit is Unit.USD or left == 1 else 'are'} left"
        if left > 0
        else "nothing is left"
    )
    if held:
        own = f"besides the {shown(unit, held)} that this request holds; in all it"
        return f"{whose} is {shown(unit, limit)}, of which {rest} {own} may {verb} up to {shown(unit, held + needed)}"
    return f"{whose} is {shown(unit, limit)}, of which {rest}; this request may {verb} up to {shown(unit, needed)}"


def too_many(budget: BudgetSpec) -> str:
    """Why a request whose account is new is refused."""
    return f"the budget '{budget.name}' has too many accounts to open another one in this window"


def shown_value(value: str) -> str:
    """A scope's value; one that the request did not name has a word."""
    return value or NOT_NAMED


def shown(unit: Unit, amount: int) -> str:
    """Exact, without the zeros that say nothing: ``$12.50``, ``$0.000014``, ``1200 tokens``."""
    if unit is not Unit.USD:
        return counted(amount, unit.value)
    whole, _, decimals = format_usd(amount).partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}${whole}.{decimals.rstrip('0'):0<2}"
