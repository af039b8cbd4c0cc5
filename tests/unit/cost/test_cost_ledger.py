"""The ledger in memory: what is special about it."""

import pytest

from gptgate.core.errors import BudgetExceeded
from gptgate.cost.windows import month_of, month_start_ms
from ledger_parts import ledger_with, reserve, spent, usd

NOV = 1_793_491_200_000  # 2026-11-01T00:00:00Z
USD = 1_000_000_000


@pytest.mark.parametrize(
    ("at_ms", "window"),
    [
        (0, "1970-01"),
        (NOV - 1, "2026-10"),
        (NOV, "2026-11"),
        (NOV + 30 * 86_400_000 - 1, "2026-11"),
        (NOV + 30 * 86_400_000, "2026-12"),
    ],
)
def test_the_window_is_the_utc_month(at_ms: int, window: str) -> None:
    assert month_of(at_ms) == window


@pytest.mark.parametrize("window", ["1970-01", "2026-11", "2026-12", "2028-02"])
def test_a_month_begins_at_its_first_millisecond(window: str) -> None:
    start = month_start_ms(window)
    assert month_of(start) == window
    assert start == 0 or month_of(start - 1) < window


@pytest.mark.parametrize("window", ["", "2026", "2026-13", "2026-11-01", "november"])
def test_what_is_no_month_is_an_error(window: str) -> None:
    with pytest.raises(ValueError):
        month_start_ms(window)


def test_the_refusal_says_app_budget_rest_and_ceiling_in_dollars() -> None:
    ledger = ledger_with({("shop", "2026-11"): 11 * USD + USD // 2})
    with pytest.raises(BudgetExceeded) as caught:
        reserve(ledger, "r", "shop", 12 * USD + USD // 2, USD + 14_000, NOV)
    assert caught.value.message == (
        "the monthly budget of shop is $12.50, of which $1.00 is left; this request may cost up to $1.000014"
    )


def test_a_rest_below_zero_is_told_as_it_is() -> None:
    with pytest.raises(BudgetExceeded, match="of which nothing is left"):
        reserve(ledger_with({("shop", "2026-11"): USD * 3 // 2}), "r", "shop", USD, 1, NOV)


def test_what_settlements_took_beyond_their_reservations_is_counted() -> None:
    ledger = ledger_with({})
    ledger.settle(reserve(ledger, "a", "shop", None, 10, NOV), usd(4))
    assert ledger.overrun_nano == 0
    over = reserve(ledger, "b", "shop", None, 10, NOV)
    ledger.settle(over, usd(17))
    ledger.settle(over, usd(99))
    assert ledger.overrun_nano == 7
    assert spent(ledger, "shop", "2026-11") == 21


def test_the_same_request_is_given_the_reservation_it_has() -> None:
    ledger = ledger_with({})
    first = reserve(ledger, "r", "shop", 10, 10, NOV)
    assert reserve(ledger, "r", "shop", 10, 10, NOV) is first
    assert (spent(ledger, "shop", "2026-11"), ledger.open_reservations) == (10, 1)
    ledger.settle(first, usd(1))
    assert ledger.open_reservations == 0


@pytest.mark.parametrize(("app", "nano"), [("other", 10), ("shop", 11)])
def test_an_id_with_another_app_or_amount_is_an_error(app: str, nano: int) -> None:
    ledger = ledger_with({})
    reserve(ledger, "r", "shop", None, 10, NOV)
    with pytest.raises(ValueError, match="another reservation"):
        reserve(ledger, "r", app, None, nano, NOV)
    assert spent(ledger, app, "2026-11") == (10 if app == "shop" else 0)


def test_the_initial_table_is_copied() -> None:
    initial = {("shop", "2026-11"): 5}
    ledger = ledger_with(initial)
    reserve(ledger, "r", "shop", None, 10, NOV)
    assert initial == {("shop", "2026-11"): 5}
