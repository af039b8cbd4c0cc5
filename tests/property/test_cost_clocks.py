"""A clock that jumps, back too, over turns of windows and of summer time: what is admitted is what a recount admits."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit, Window
from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import Reservation
from gptgate.cost.ledger import MemoryLedger

HOUR_MS = 3_600_000
SLOT_MS = 900_000
ZONE = "Europe/Berlin"
OVER_MS = 48 * HOUR_MS
TURNS = (1_774_746_000_000, 1_792_890_000_000, 1_793_487_600_000)
"""2026: the clock goes forward on March 29, goes back on October 25, and November begins, in Berlin."""
AMOUNT = 100


def budget(window: Window) -> BudgetSpec:
    over_ms = OVER_MS if window is Window.ROLLING else 0
    return BudgetSpec(name="b", scope=(), unit=Unit.USD, window=window, amount=AMOUNT, time_zone=ZONE, over_ms=over_ms)


def together(window: Window, spent_ms: int, now_ms: int) -> bool:
    """Whether what was spent then counts now, by the calendar and nothing else."""
    if window is Window.LIFETIME:
        return True
    if window is Window.ROLLING:
        return spent_ms // SLOT_MS * SLOT_MS >= now_ms // SLOT_MS * SLOT_MS - OVER_MS
    one, other = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(ZoneInfo(ZONE)).date()
        for ms in (spent_ms, now_ms)
    )
    if window is Window.DAY:
        return one == other
    if window is Window.WEEK:
        return one.isocalendar()[:2] == other.isocalendar()[:2]
    return (one.year, one.month) == (other.year, other.month)


STEPS = st.lists(
    st.tuples(
        st.integers(-30 * HOUR_MS, 30 * HOUR_MS),
        st.integers(1, 60),
        st.sampled_from(["keep", "settle", "extend"]),
        st.integers(0, 80),
    ),
    min_size=3,
    max_size=25,
)


@pytest.mark.parametrize("window", [Window.DAY, Window.WEEK, Window.MONTH, Window.ROLLING, Window.LIFETIME])
@given(turn=st.sampled_from(TURNS), steps=STEPS)
def test_a_clock_that_jumps_over_a_turn_opens_no_budget_twice(
    window: Window, turn: int, steps: list[tuple[int, int, str, int]]
) -> None:
    spec, ledger = budget(window), MemoryLedger()
    charge = BudgetCharge(spec, ())
    spent: list[tuple[int, int]] = []
    held: list[tuple[int, Reservation]] = []

    def counted(now_ms: int) -> int:
        return sum(amount for at_ms, amount in spent if together(window, at_ms, now_ms))

    for number, (jump, cost, then, other) in enumerate(steps):
        now_ms = turn + jump
        assert ledger.spent(charge, now_ms) == counted(now_ms)
        try:
            reservation = ledger.reserve(f"r{number}", "app", [charge], Spend(nano=cost), now_ms)
        except BudgetExceeded:
            assert counted(now_ms) + cost > AMOUNT
            continue
        assert counted(now_ms) + cost <= AMOUNT
        spent.append((now_ms, cost))
        held.append((len(spent) - 1, reservation))
        if then == "keep":
            continue
        # Any that is open, not only the last: it began under another clock.
        place, reservation = held[other % len(held)]
        begun_ms, before = spent[place]
        if then == "settle":
            held.remove((place, reservation))
            ledger.settle(reservation, Spend(nano=other))
            spent[place] = (begun_ms, other)
            continue
        more = max(other, before)
        try:
            ledger.extend(reservation, Spend(nano=more))
        except BudgetExceeded:
            assert counted(begun_ms) - before + more > AMOUNT
        else:
            assert more == before or counted(begun_ms) - before + more <= AMOUNT
            spent[place] = (begun_ms, more)
