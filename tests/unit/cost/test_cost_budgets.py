"""Many budgets on one request: all or none, each in its own unit and window."""

import pytest
from msgspec.structs import replace

from gptgate.core.budgets import (
    NOTHING,
    SLOT_MS,
    BudgetCharge,
    BudgetMode,
    BudgetSpec,
    Crossing,
    Dimension,
    Spend,
    Spent,
    TopUp,
    Unit,
    Window,
)
from gptgate.core.errors import BudgetExceeded
from gptgate.cost import ledger as ledger_module
from gptgate.cost.ledger import MemoryLedger

NOV = 1_793_491_200_000  # 2026-11-01T00:00:00Z, a Sunday
DAY_MS = 86_400_000
TEAM = BudgetSpec(name="team", scope=(Dimension.TEAM,), unit=Unit.USD, window=Window.MONTH, amount=100)
TOKENS = BudgetSpec(name="tokens", scope=(), unit=Unit.TOKENS, window=Window.DAY, amount=1000)
REQUESTS = BudgetSpec(name="requests", scope=(Dimension.APP,), unit=Unit.REQUESTS, window=Window.LIFETIME, amount=2)
WEEK = BudgetSpec(name="week", scope=(), unit=Unit.USD, window=Window.ROLLING, over_ms=7 * DAY_MS, amount=100)
ALL = [BudgetCharge(TEAM, ("acme",)), BudgetCharge(TOKENS, ()), BudgetCharge(REQUESTS, ("shop",))]


def spend(nano: int = 0, tokens: int = 0) -> Spend:
    return Spend(nano=nano, tokens=tokens, requests=1)


def test_a_request_is_charged_in_every_budget_in_its_unit() -> None:
    ledger = MemoryLedger()
    ledger.reserve("r", "shop", ALL, spend(30, 400), NOV)
    assert [ledger.spent(charge, NOV) for charge in ALL] == [30, 400, 1]
    assert [ledger.left(charge, NOV) for charge in ALL] == [70, 600, 1]


@pytest.mark.parametrize(
    ("wanted", "refused_by"),
    [(spend(101, 1), "team"), (spend(1, 1001), "tokens")],
)
def test_what_one_budget_refuses_is_charged_in_none(wanted: Spend, refused_by: str) -> None:
    ledger = MemoryLedger()
    with pytest.raises(BudgetExceeded, match=f"the budget '{refused_by}'") as caught:
        ledger.reserve("r", "shop", ALL, wanted, NOV)
    assert caught.value.limit == refused_by
    assert [ledger.spent(charge, NOV) for charge in ALL] == [0, 0, 0]
    assert ledger.open_reservations == 0


def test_the_last_budget_refuses_too_and_says_what_it_counts() -> None:
    ledger = MemoryLedger()
    for number in range(2):
        ledger.reserve(str(number), "shop", ALL, spend(1, 1), NOV)
    with pytest.raises(BudgetExceeded) as caught:
        ledger.reserve("r", "shop", ALL, spend(1, 1), NOV)
    assert caught.value.message == (
        "the budget 'requests' of shop is 2 requests, of which nothing is left; this request may take up to 1 request"
    )
    assert [ledger.spent(charge, NOV) for charge in ALL] == [2, 2, 2]


def test_settling_gives_back_in_every_budget_and_only_once() -> None:
    ledger = MemoryLedger()
    held = ledger.reserve("r", "shop", ALL, spend(90, 900), NOV)
    ledger.settle(held, spend(5, 50))
    ledger.settle(held, spend(99, 999))
    assert [ledger.spent(charge, NOV) for charge in ALL] == [5, 50, 1]
    unused = ledger.reserve("s", "shop", ALL, spend(90, 900), NOV)
    ledger.settle(unused, NOTHING)
    assert [ledger.spent(charge, NOV) for charge in ALL] == [5, 50, 1]


def test_a_soft_budget_counts_and_refuses_nothing() -> None:
    soft = BudgetCharge(replace(TEAM, mode=BudgetMode.SOFT), ("acme",))
    ledger = MemoryLedger()
    ledger.reserve("r", "shop", [soft], spend(1000), NOV)
    assert (ledger.spent(soft, NOV), ledger.left(soft, NOV)) == (1000, None)


def test_a_settlement_goes_to_the_window_in_which_the_request_began() -> None:
    ledger = MemoryLedger()
    (_, day, _) = ALL
    held = ledger.reserve("r", "shop", ALL, spend(1, 900), NOV + DAY_MS - 1)
    ledger.reserve("s", "shop", ALL, spend(1, 900), NOV + DAY_MS)
    ledger.settle(held, spend(1, 100))
    assert (ledger.spent(day, NOV), ledger.spent(day, NOV + DAY_MS)) == (100, 900)


def test_what_was_spent_leaves_a_rolling_window_after_its_length() -> None:
    ledger, charge = MemoryLedger(), BudgetCharge(WEEK, ())
    for day in range(7):
        ledger.settle(ledger.reserve(str(day), "shop", [charge], spend(10), NOV + day * DAY_MS), spend(10))
    assert ledger.spent(charge, NOV + 6 * DAY_MS) == 70
    assert ledger.spent(charge, NOV + 7 * DAY_MS) == 70
    assert ledger.spent(charge, NOV + 7 * DAY_MS + SLOT_MS) == 60
    assert ledger.spent(charge, NOV + 13 * DAY_MS + SLOT_MS) == 0


def test_a_clock_that_steps_back_finds_what_was_spent() -> None:
    ledger, charge = MemoryLedger(), BudgetCharge(WEEK, ())
    ledger.settle(ledger.reserve("r", "shop", [charge], spend(100), NOV), spend(100))
    assert ledger.spent(charge, NOV + 8 * DAY_MS) == 0
    for at_ms in (NOV, NOV - DAY_MS):
        with pytest.raises(BudgetExceeded):
            ledger.reserve("s", "shop", [charge], spend(1), at_ms)


def test_a_reservation_that_outlasts_its_rolling_window_settles_there() -> None:
    ledger, charge = MemoryLedger(), BudgetCharge(WEEK, ())
    held = ledger.reserve("r", "shop", [charge], spend(100), NOV)
    assert ledger.spent(charge, NOV + 30 * DAY_MS) == 0
    ledger.settle(held, spend(40))
    assert ledger.spent(charge, NOV + 30 * DAY_MS) == 0
    ledger.reserve("s", "shop", [charge], spend(100), NOV + 30 * DAY_MS)


def test_a_top_up_adds_to_one_account_in_one_window() -> None:
    ledger, charge, other = MemoryLedger(), BudgetCharge(TEAM, ("acme",)), BudgetCharge(TEAM, ("other",))
    ledger.reserve("r", "shop", [charge], spend(100), NOV)
    top_ups = [TopUp("team", ("acme",), NOV + 5, 20), TopUp("team", ("acme",), NOV + 6, 1), TopUp("gone", (), NOV, 9)]
    ledger.set_top_ups([TEAM], top_ups)
    ledger.set_top_ups([TEAM], top_ups)
    assert (ledger.left(charge, NOV), ledger.left(other, NOV)) == (21, 100)
    assert ledger.left(charge, NOV + 31 * DAY_MS) == 100
    ledger.reserve("s", "shop", [charge], spend(21), NOV)
    with pytest.raises(BudgetExceeded, match=r"is \$0\.000000121, of which nothing is left"):
        ledger.reserve("t", "shop", [charge], spend(1), NOV)
    ledger.set_top_ups([TEAM], [])
    assert ledger.left(charge, NOV) == 0


def test_an_amount_that_was_set_is_that_amount_whatever_is_configured_and_was_added_before() -> None:
    ledger, charge = MemoryLedger(), BudgetCharge(TEAM, ("acme",))
    dearer = BudgetCharge(replace(TEAM, amount=1000), ("acme",))
    added, later = (TopUp("team", ("acme",), NOV + at, 20) for at in (5, 9))
    set_to = [TopUp("team", ("acme",), NOV + at, -50, 70) for at in (6, 7)]
    ledger.set_top_ups([TEAM], [added, *set_to])
    assert (ledger.left(charge, NOV), ledger.left(dearer, NOV)) == (70, 70)
    ledger.set_top_ups([TEAM], [added, *set_to, later])
    assert (ledger.left(charge, NOV), ledger.left(dearer, NOV)) == (90, 90)
    ledger.set_top_ups([TEAM], [added, TopUp("team", ("acme",), NOV + 6, -120, 0)])
    assert ledger.left(charge, NOV) == 0
    assert ledger.left(charge, NOV + 31 * DAY_MS) == 100


def test_a_threshold_is_reported_once_in_a_window_and_only_for_what_is_settled() -> None:
    told: list[Crossing] = []
    ledger = MemoryLedger(told.append)
    budget = replace(TEAM, thresholds=(50, 80, 100))
    charge = BudgetCharge(budget, ("acme",))
    first = ledger.reserve("a", "shop", [charge], spend(100), NOV)
    assert told == []
    ledger.settle(first, spend(49))
    assert told == []
    ledger.settle(ledger.reserve("b", "shop", [charge], spend(1), NOV), spend(1))
    ledger.settle(ledger.reserve("c", "shop", [charge], spend(1), NOV), spend(1))
    assert told == [Crossing(budget, ("acme",), NOV, 50, 50, 100)]
    ledger.settle(ledger.reserve("d", "shop", [charge], spend(49), NOV), spend(49))
    assert [crossing.percent for crossing in told] == [50, 100]
    later = NOV + 31 * DAY_MS
    ledger.settle(ledger.reserve("e", "shop", [charge], spend(60), later), spend(60))
    assert [(crossing.percent, crossing.spent) for crossing in told[2:]] == [(50, 60)]


def test_a_threshold_of_a_rolling_window_is_due_again_after_the_spending_fell_below_it() -> None:
    told: list[Crossing] = []
    ledger = MemoryLedger(told.append)
    charge = BudgetCharge(replace(WEEK, thresholds=(50,)), ())
    for number, at_ms in enumerate((NOV, NOV + 1, NOV + 20 * DAY_MS)):
        nano = 50 if number != 1 else 1
        ledger.settle(ledger.reserve(str(number), "shop", [charge], spend(nano), at_ms), spend(nano))
    assert len(told) == 1
    ledger.settle(ledger.reserve("low", "shop", [charge], spend(1), NOV + 40 * DAY_MS), spend(1))
    ledger.settle(ledger.reserve("high", "shop", [charge], spend(50), NOV + 40 * DAY_MS), spend(50))
    assert len(told) == 2


def test_what_was_settled_before_a_start_counts_and_its_thresholds_are_not_told_again() -> None:
    told: list[Crossing] = []
    ledger = MemoryLedger(told.append)
    budget = replace(TEAM, thresholds=(50, 90))
    charge = BudgetCharge(budget, ("acme",))
    ledger.restore(budget, [Spent(("acme",), NOV, 40), Spent(("acme",), NOV + DAY_MS, 20)], NOV + 2 * DAY_MS)
    assert ledger.spent(charge, NOV + 5 * DAY_MS) == 60
    ledger.settle(ledger.reserve("a", "shop", [charge], spend(1), NOV), spend(1))
    assert told == []
    ledger.settle(ledger.reserve("b", "shop", [charge], spend(39), NOV), spend(39))
    assert [crossing.percent for crossing in told] == [90]


def test_an_app_that_makes_sessions_up_takes_no_room_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MAX_APP_ACCOUNTS", 8)
    ledger = MemoryLedger()
    scope = (Dimension.APP, Dimension.SESSION)
    budget = BudgetSpec(name="s", scope=scope, unit=Unit.USD, window=Window.DAY, amount=100)

    def ask(app: str, session: int, cost: int, at_ms: int = NOV) -> None:
        name = f"{app} {session}"
        reservation = ledger.reserve(name, app, [BudgetCharge(budget, (app, str(session)))], spend(5), at_ms)
        ledger.settle(reservation, spend(cost))

    for session in range(20):
        ask("free", session, cost=0, at_ms=NOV + session * 60_000)  # what holds nothing is forgotten
    for session in range(8):
        ask("shop", session, cost=1)
    with pytest.raises(BudgetExceeded, match="too many accounts"):
        ask("shop", 8, cost=1)
    ask("shop", 7, cost=1)
    ask("other", 8, cost=1)


def test_accounts_whose_windows_are_over_are_forgotten_and_their_number_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_module, "SWEEP_AT", 4)
    monkeypatch.setattr(ledger_module, "MAX_ACCOUNTS", 8)
    ledger = MemoryLedger()
    session = BudgetSpec(name="s", scope=(Dimension.SESSION,), unit=Unit.USD, window=Window.DAY, amount=100)
    for number in range(8):
        name = f"session {number}"
        ledger.settle(ledger.reserve(name, "shop", [BudgetCharge(session, (name,))], spend(1), NOV), spend(1))
    with pytest.raises(BudgetExceeded, match="too many accounts"):
        ledger.reserve("new", "shop", [BudgetCharge(session, ("new",))], spend(1), NOV)
    assert ledger.spent(BudgetCharge(session, ("session 0",)), NOV) == 1
    ledger.reserve("new", "shop", [BudgetCharge(session, ("new",))], spend(1), NOV + 2 * DAY_MS)
    assert ledger.spent(BudgetCharge(session, ("session 0",)), NOV) == 0
