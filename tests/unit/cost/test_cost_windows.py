"""When what was spent stops to count."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.budgets import SLOT_MS, BudgetSpec, Unit, Window
from gptgate.cost.windows import Slots

DAY_MS = 86_400_000
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Asia/Beirut",
)
CALENDAR = (Window.DAY, Window.WEEK, Window.MONTH)


def slots(window: Window, zone: str = "UTC", over_ms: int = 0) -> Slots:
    return Slots(BudgetSpec(name="b", scope=(), unit=Unit.USD, window=window, time_zone=zone, over_ms=over_ms))


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("window", "zone", "at", "begin"),
    [
        (Window.DAY, "UTC", "2026-11-25T23:59:59.999+00:00", "2026-11-25T00:00:00+00:00"),
        (Window.DAY, "Europe/Berlin", "2026-11-25T23:00:00+00:00", "2026-11-26T00:00:00+01:00"),
        (Window.WEEK, "UTC", "2026-11-29T23:59:59+00:00", "2026-11-23T00:00:00+00:00"),
        (Window.WEEK, "Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-23T00:00:00+01:00"),
        (Window.MONTH, "UTC", "2026-12-31T23:59:59+00:00", "2026-12-01T00:00:00+00:00"),
        (Window.MONTH, "America/New_York", "2026-12-01T04:59:59+00:00", "2026-11-01T00:00:00-04:00"),
        # Midnight did not exist in Sao Paulo on the day on which summer time began.
        (Window.DAY, "America/Sao_Paulo", "2018-11-04T12:00:00-02:00", "2018-11-04T01:00:00-02:00"),
    ],
)
def test_calendar_windows_begin_at_local_midnight(window: Window, zone: str, at: str, begin: str) -> None:
    assert slots(window, zone).slot(ms(at)) == ms(begin)


@given(
    window=st.sampled_from(CALENDAR),
    zone=st.sampled_from(ZONES),
    moments=st.lists(st.integers(0, 4_000_000_000_000), min_size=2, max_size=6),
)
def test_windows_have_no_gap_and_no_overlap(window: Window, zone: str, moments: list[int]) -> None:
    used = slots(window, zone)
    for at_ms in moments:
        begin = used.slot(at_ms)
        assert begin <= at_ms
        # Asked in any order, by any object, the answer is the same; and the window's own beginning lies in it.
        assert slots(window, zone).slot(at_ms) == slots(window, zone).slot(begin) == begin
        assert begin % SLOT_MS == 0 or at_ms < 200_000_000_000
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(zone))
        start = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=begin)).astimezone(ZoneInfo(zone))
        if window is Window.DAY:
            assert start.date() == local.date()
        elif window is Window.MONTH:
            assert (start.year, start.month) == (local.year, local.month)
        else:
            assert start.isocalendar()[:2] == local.isocalendar()[:2]


@given(st.integers(0, 4_000_000_000_000), st.integers(DAY_MS, 30 * DAY_MS), st.integers(0, 40 * DAY_MS))
def test_a_rolling_window_counts_its_length_and_at_most_a_quarter_of_an_hour_more(
    at_ms: int, over_ms: int, later_ms: int
) -> None:
    rolling = slots(Window.ROLLING, over_ms=over_ms)
    counts = rolling.slot(at_ms) >= rolling.first(at_ms + later_ms)
    if later_ms < over_ms // SLOT_MS * SLOT_MS:
        assert counts
    if later_ms >= over_ms + SLOT_MS:
        assert not counts


def test_a_lifetime_is_one_window() -> None:
    assert {slots(Window.LIFETIME).slot(at) for at in (0, 1, 10**13)} == {0}


def test_absurd_times_have_a_window() -> None:
    assert slots(Window.MONTH).slot(10**18) > 0
    assert slots(Window.MONTH).slot(-5) == 0
