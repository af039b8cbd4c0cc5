"""What every `Ledger` promises."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from gptgate.core.budgets import APP_MONTH, BudgetCharge
from gptgate.core.errors import BudgetExceeded
from gptgate.core.ports import Ledger
from ledger_parts import LedgerOnDisk, ledger_with, reserve, spent, usd
from shared_parts import LedgerThere, months

Make = Callable[[Mapping[tuple[str, str], int]], Ledger]
LEDGERS = ("memory", "sqlite", "server")
NOV = 1_793_491_200_000  # 2026-11-01T00:00:00Z
DEC = NOV + 30 * 86_400_000


@pytest.fixture(params=LEDGERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    if request.param == "memory":
        yield ledger_with
    elif request.param == "sqlite":
        made: list[LedgerOnDisk] = []

        def on_disk(initial: Mapping[tuple[str, str], int]) -> Ledger:
            made.append(LedgerOnDisk(tmp_path / str(len(made)), initial))
            return made[-1]

        yield on_disk
        for ledger in made:
            ledger.close()
    else:
        member = request.getfixturevalue("member")
        yield lambda initial: LedgerThere(member(budgets=[APP_MONTH], spent=months(initial)))


def test_what_was_spent_before_counts(make: Make) -> None:
    ledger = make({("shop", "2026-11"): 60})
    assert spent(ledger, "shop", "2026-11") == 60
    with pytest.raises(BudgetExceeded) as caught:
        reserve(ledger, "r", "shop", 100, 41, NOV)
    assert caught.value.limit == "apps.shop.budget"
    reserve(ledger, "r", "shop", 100, 40, NOV)
    assert spent(ledger, "shop", "2026-11") == 100


def test_two_reservations_that_do_not_both_fit_never_both_pass(make: Make) -> None:
    ledger = make({})
    reserve(ledger, "a", "shop", 100, 60, NOV)
    with pytest.raises(BudgetExceeded):
        reserve(ledger, "b", "shop", 100, 41, NOV)
    assert spent(ledger, "shop", "2026-11") == 60


def test_what_is_left_if_nothing_were_held_counts_what_is_settled_only(make: Make) -> None:
    ledger = make({("shop", "2026-11"): 30})
    reserve(ledger, "a", "shop", 100, 60, NOV)
    charge = BudgetCharge(replace(APP_MONTH, amount=100), ("shop",))
    assert (ledger.left(charge, NOV), ledger.left(charge, NOV, freed=True)) == (10, 70)


def test_a_reservation_names_its_request_app_month_and_amount(make: Make) -> None:
    reservation = reserve(make({}), "r", "shop", None, 7, NOV)
    assert (reservation.id, reservation.app, reservation.window, reservation.nano) == ("r", "shop", "2026-11", 7)


def test_settling_gives_back_what_was_not_needed(make: Make) -> None:
    ledger = make({})
    ledger.settle(reserve(ledger, "a", "shop", 100, 90, NOV), usd(5))
    assert spent(ledger, "shop", "2026-11") == 5
    reserve(ledger, "b", "shop", 100, 95, NOV)


def test_settling_twice_changes_nothing(make: Make) -> None:
    ledger = make({})
    reservation = reserve(ledger, "a", "shop", 100, 90, NOV)
    ledger.settle(reservation, usd(50))
    for other in (0, 50, 90):
        ledger.settle(reservation, usd(other))
        assert spent(ledger, "shop", "2026-11") == 50


def test_a_cost_above_the_reservation_is_recorded_as_it_is(make: Make) -> None:
    ledger = make({})
    ledger.settle(reserve(ledger, "a", "shop", 100, 90, NOV), usd(130))
    assert spent(ledger, "shop", "2026-11") == 130
    with pytest.raises(BudgetExceeded):
        reserve(ledger, "b", "shop", 100, 1, NOV)


def test_settling_the_whole_keeps_all_of_it_spent(make: Make) -> None:
    ledger = make({})
    reservation = reserve(ledger, "a", "shop", 100, 90, NOV)
    ledger.settle(reservation, usd(reservation.nano))
    assert spent(ledger, "shop", "2026-11") == 90


def test_the_cost_belongs_to_the_month_of_the_reservation(make: Make) -> None:
    ledger = make({})
    reservation = reserve(ledger, "a", "shop", None, 90, DEC - 1)
    reserve(ledger, "b", "shop", None, 7, DEC)
    ledger.settle(reservation, usd(50))
    assert (spent(ledger, "shop", "2026-11"), spent(ledger, "shop", "2026-12")) == (50, 7)


def test_each_month_has_the_whole_budget(make: Make) -> None:
    ledger = make({})
    reserve(ledger, "a", "shop", 100, 100, DEC - 1)
    reserve(ledger, "b", "shop", 100, 100, DEC)


def test_apps_do_not_share(make: Make) -> None:
    ledger = make({})
    reserve(ledger, "a", "shop", 100, 100, NOV)
    reserve(ledger, "b", "mail", 100, 100, NOV)
    assert spent(ledger, "other", "2026-11") == 0


def test_without_a_limit_it_only_counts(make: Make) -> None:
    ledger = make({})
    reserve(ledger, "a", "shop", None, 10**18, NOV)
    assert spent(ledger, "shop", "2026-11") == 10**18


def test_what_costs_nothing_fits_always(make: Make) -> None:
    ledger = make({("shop", "2026-11"): 101})
    assert reserve(ledger, "a", "shop", 100, 0, NOV).nano == 0
    assert reserve(ledger, "b", "mail", 0, 0, NOV).nano == 0


def test_negative_amounts_are_errors_and_change_nothing(make: Make) -> None:
    ledger = make({})
    with pytest.raises(ValueError, match="negative"):
        reserve(ledger, "a", "shop", 100, -1, NOV)
    reservation = reserve(ledger, "a", "shop", 100, 10, NOV)
    with pytest.raises(ValueError, match="negative"):
        ledger.settle(reservation, usd(-1))
    assert spent(ledger, "shop", "2026-11") == 10
    ledger.settle(reservation, usd(3))
    assert spent(ledger, "shop", "2026-11") == 3


def test_extending_holds_more(make: Make) -> None:
    ledger = make({})
    reservation = reserve(ledger, "a", "shop", 100, 10, NOV)
    extended = ledger.extend(reservation, usd(60))
    assert (extended.id, extended.app, extended.window, extended.nano) == ("a", "shop", "2026-11", 60)
    assert spent(ledger, "shop", "2026-11") == 60
    with pytest.raises(BudgetExceeded):
        reserve(ledger, "b", "shop", 100, 41, NOV)
    reserve(ledger, "b", "shop", 100, 40, NOV)


def test_an_extension_that_does_not_fit_is_refused_and_what_was_held_stays_held(make: Make) -> None:
    ledger = make({("shop", "2026-11"): 30})
    reservation = reserve(ledger, "a", "shop", 100, 10, NOV)
    other = reserve(ledger, "b", "shop", 100, 40, NOV)
    with pytest.raises(
        BudgetExceeded,
        match=r"^the monthly budget of shop is \$0\.0000001, of which \$0\.00000002 is left besides the \$0\.00000001 "
        r"that this request holds; in all it may cost up to \$0\.000000031$",
    ) as caught:
        ledger.extend(reservation, usd(31))
    assert caught.value.limit == "apps.shop.budget"
    assert spent(ledger, "shop", "2026-11") == 80
    assert ledger.extend(reservation, usd(30)).nano == 30
    ledger.settle(other, usd(0))
    assert ledger.extend(reservation, usd(70)).nano == 70
    assert spent(ledger, "shop", "2026-11") == 100


def test_extending_twice_by_as_much_or_to_less_changes_nothing(make: Make) -> None:
    ledger = make({})
    reservation = reserve(ledger, "a", "shop", 100, 10, NOV)
    extended = ledger.extend(reservation, usd(60))
    assert ledger.extend(reservation, usd(60)) == ledger.extend(extended, usd(5)) == extended
    assert spent(ledger, "shop", "2026-11") == 60


@pytest.mark.parametrize("cost", [0, 50, 60, 75])
def test_what_was_extended_is_settled_whole(make: Make, cost: int) -> None:
    ledger = make({})
    extended = ledger.extend(reserve(ledger, "a", "shop", 100, 10, NOV), usd(60))
    for _ in range(2):
        ledger.settle(extended, usd(cost))
        assert spent(ledger, "shop", "2026-11") == cost
    reserve(ledger, "b", "shop", 100, 100 - cost, NOV)


def test_what_is_settled_cannot_be_extended(make: Make) -> None:
    ledger = make({})
    reservation = reserve(ledger, "a", "shop", 100, 10, NOV)
    ledger.settle(reservation, usd(10))
    with pytest.raises(ValueError, match="extended"):
        ledger.extend(reservation, usd(60))
    assert spent(ledger, "shop", "2026-11") == 10


def test_an_extension_belongs_to_the_month_of_the_reservation(make: Make) -> None:
    ledger = make({})
    reservation = reserve(ledger, "a", "shop", 100, 90, DEC - 1)
    reserve(ledger, "b", "shop", 100, 95, DEC)
    ledger.extend(reservation, usd(100))
    assert (spent(ledger, "shop", "2026-11"), spent(ledger, "shop", "2026-12")) == (100, 95)


def test_who_asks_for_it_is_told_of_each_settlement_once(make: Make) -> None:
    ledger = make({})
    told: list[str] = []
    ledger.when_settled = lambda: told.append("settled")
    held = reserve(ledger, "r", "shop", 100, 40, NOV)
    assert told == []
    ledger.settle(held, usd(10))
    ledger.settle(held, usd(10))
    assert told == ["settled"]
