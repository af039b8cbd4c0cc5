"""A changed amount holds for the budget that it was given for, and for no other of its name."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Dimension, TopUp, Unit, Window
from gptgate.cost.ledger import MemoryLedger
from gptgate.storage.folder import create_folder
from gptgate.storage.schema import connect, migrate
from gptgate.storage.spending import Spending, add_top_up, set_amount

AT_MS = 1_793_491_200_000
USD = BudgetSpec(name="b", scope=(Dimension.APP,), unit=Unit.USD, window=Window.MONTH, amount=100)
OTHERS = [
    replace(USD, unit=Unit.TOKENS),
    replace(USD, unit=Unit.REQUESTS),
    replace(USD, window=Window.DAY),
    replace(USD, window=Window.LIFETIME),
    replace(USD, scope=(Dimension.TEAM,)),
]
SAME = [replace(USD, amount=7), replace(USD, time_zone="Europe/Berlin"), replace(USD, match=((Dimension.APP, ("x",)),))]
Change = Callable[[Path, BudgetSpec], None]


def add(folder: Path, budget: BudgetSpec) -> None:
    add_top_up(folder, TopUp.given(budget, ("x",), AT_MS, 12_000_000_000), "ada")


def put(folder: Path, budget: BudgetSpec) -> None:
    set_amount(folder, "ada", lambda _: TopUp.given(budget, ("x",), AT_MS, 12_000_000_000 - 100, 12_000_000_000))


def left(folder: Path, budget: BudgetSpec) -> int | None:
    """After a start with this budget."""
    ledger = MemoryLedger()
    with closing(Spending(folder)) as spending:
        ledger.set_top_ups([budget], spending.top_ups())
    return ledger.left(BudgetCharge(budget, ("x",)), AT_MS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(connect(create_folder(tmp_path), busy_ms=1000)) as connection:
        migrate(connection)
    return tmp_path


@pytest.mark.parametrize("change", [add, put])
def test_an_amount_is_none_of_another_unit_window_or_scope(folder: Path, change: Change) -> None:
    change(folder, USD)
    assert [left(folder, other) for other in OTHERS] == [100] * len(OTHERS)
    # It was given for this one, so it counts again when this one is back.
    assert left(folder, USD) in (12_000_000_100, 12_000_000_000)


@pytest.mark.parametrize("change", [add, put])
@pytest.mark.parametrize("other", OTHERS, ids=lambda budget: f"{budget.unit}-{budget.window}-{budget.scope[0]}")
def test_neither_is_it_the_other_way_round(folder: Path, change: Change, other: BudgetSpec) -> None:
    change(folder, other)
    assert left(folder, USD) == 100
    assert left(folder, other) in (12_000_000_100, 12_000_000_000)


def test_it_is_kept_when_anything_else_of_the_budget_changes(folder: Path) -> None:
    put(folder, USD)
    assert [left(folder, same) for same in SAME] == [12_000_000_000] * len(SAME)


def test_one_from_before_this_was_written_down_is_kept(folder: Path) -> None:
    add_top_up(folder, TopUp("b", ("x",), AT_MS, 5), "ada")
    assert [left(folder, budget) for budget in (USD, *OTHERS)] == [105] * (1 + len(OTHERS))


def test_the_order_of_a_scope_says_whose_the_names_are() -> None:
    one = replace(USD, scope=(Dimension.TEAM, Dimension.APP))
    given = TopUp.given(one, ("red", "shop"), AT_MS, 5)
    assert given.holds_for(one)
    assert not given.holds_for(replace(one, scope=(Dimension.APP, Dimension.TEAM)))


def test_two_configurations_in_force_at_once_each_have_their_own(folder: Path) -> None:
    """While requests of the one before are under way."""
    tokens = OTHERS[0]
    put(folder, USD)
    ledger = MemoryLedger()
    with closing(Spending(folder)) as spending:
        ledger.set_top_ups([USD, tokens], spending.top_ups())
    assert ledger.left(BudgetCharge(USD, ("x",)), AT_MS) == 12_000_000_000
    assert ledger.left(BudgetCharge(tokens, ("x",)), AT_MS) == 100
