"""The ledger while one configuration replaces another."""

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Dimension, Spend, Spent, TopUp, Unit, Window
from gptgate.cost.ledger import MemoryLedger

AT_MS = 1_793_491_200_000
APP = BudgetSpec(name="b", scope=(Dimension.APP,), unit=Unit.TOKENS, window=Window.MONTH, amount=100)
TEAM = BudgetSpec(name="b", scope=(Dimension.TEAM,), unit=Unit.REQUESTS, window=Window.MONTH, amount=100)
OF_APP, OF_TEAM = BudgetCharge(APP, ("shop",)), BudgetCharge(TEAM, ("red",))
CEILING, REAL = Spend(tokens=40, requests=1), Spend(tokens=7, requests=1)


def test_budgets_of_one_name_that_count_different_things_are_apart() -> None:
    ledger = MemoryLedger()
    ledger.reserve("a", "shop", [OF_APP], CEILING, AT_MS)
    ledger.reserve("b", "shop", [OF_TEAM], CEILING, AT_MS)
    assert (ledger.spent(OF_APP, AT_MS), ledger.spent(OF_TEAM, AT_MS)) == (40, 1)


def test_a_reservation_that_is_adopted_is_settled_everywhere_once() -> None:
    ledger = MemoryLedger()
    reservation = ledger.reserve("a", "shop", [OF_APP], CEILING, AT_MS)
    ledger.begin([TEAM])
    ledger.adopt("a", [OF_TEAM])
    assert ledger.spent(OF_TEAM, AT_MS) == 1
    ledger.settle(reservation, REAL)
    ledger.settle(reservation, CEILING)
    assert (ledger.spent(OF_APP, AT_MS), ledger.spent(OF_TEAM, AT_MS)) == (7, 1)
    ledger.adopt("a", [OF_TEAM])
    assert ledger.spent(OF_TEAM, AT_MS) == 1


def test_what_is_reserved_in_a_budget_that_comes_back_counts_there_once() -> None:
    ledger = MemoryLedger()
    heard = ledger.overheard = []
    reservation = ledger.reserve("a", "shop", [OF_APP, OF_TEAM], CEILING, AT_MS)
    ledger.keep([APP])
    ledger.begin([TEAM])
    ledger.adopt("a", [OF_TEAM])
    ledger.settle(reservation, REAL)
    assert ledger.spent(OF_TEAM, AT_MS) == 1
    assert [charge for charge, _, _ in heard[0][0].lines] == [OF_APP, OF_TEAM]


def test_what_is_reserved_in_a_budget_that_is_gone_can_be_settled() -> None:
    ledger = MemoryLedger()
    reservation = ledger.reserve("a", "shop", [OF_APP, OF_TEAM], CEILING, AT_MS)
    ledger.keep([APP])
    ledger.settle(reservation, REAL)
    assert (ledger.spent(OF_APP, AT_MS), ledger.spent(OF_TEAM, AT_MS)) == (7, 0)
    assert ledger.open_reservations == 0


def test_a_budget_that_begins_anew_knows_nothing_but_what_it_is_told() -> None:
    ledger = MemoryLedger()
    ledger.reserve("a", "shop", [OF_APP], CEILING, AT_MS)
    ledger.begin([APP])
    ledger.restore(APP, [Spent(("shop",), AT_MS, 50), Spent(("shop",), AT_MS, -20)], AT_MS)
    assert ledger.spent(OF_APP, AT_MS) == 30


def test_top_ups_of_another_scope_are_none_of_an_account() -> None:
    """A budget of the same name had another scope once."""
    ledger = MemoryLedger()
    ledger.set_top_ups([APP], [TopUp("b", ("red", "shop"), AT_MS, 5), TopUp("b", ("shop",), AT_MS, 9)])
    assert set(ledger._book(APP).accounts) == {("shop",)}
    assert ledger.left(OF_APP, AT_MS) == 109
