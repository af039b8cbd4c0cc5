"""Times on the command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.times import END_OF_TIME_MS, future_ms, month_start_ms, past_ms, show_ms, span_ms, to_seconds

NOW_MS = 1_793_534_400_123
"""2026-11-01T12:00:00.123Z."""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW_MS - 90_000),
        ("30m", NOW_MS - 1_800_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 604_800_000),
        ("2w", NOW_MS - 1_209_600_000),
        ("999999w", 0),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01t00:00:01.5z", 1500),
        ("1970-01-01 02:00:00+02:00", 0),
        ("1970-01-01T00:00:00.123456789Z", 123),
        ("1969-12-31T23:59:59Z", -1000),
        ("2026-11-01T12:00:00.123Z", NOW_MS),
    ],
)
def test_spans_count_back_from_now_and_moments_stand_for_themselves(text: str, moment: int) -> None:
    assert past_ms("--since", text, NOW_MS) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2",
        "h",
        "-2h",
        "2 h",
        "1.5h",
        "2y",
        "9999999d",
        "2h\n",
        "٢h",
        "2026-11-01T12:00:00",
        "2026-11-01T12:00Z",
        "2026-W44-1",
        "20261101",
        "2026-13-01",
        "2026-02-30",
        "2026-11-01T24:30:00Z",
        "2026-11-01T12:00:60Z",
        "2026-11-01T12:00:00+99:00",
        "0000-01-01",
        "\x1b[2J",
    ],
)
def test_anything_else_is_wrong_usage_named_with_its_option(text: str) -> None:
    with pytest.raises(CommandError) as raised:
        past_ms("--since", text, NOW_MS)
    assert raised.value.exit_code == USAGE
    assert raised.value.message.startswith("--since: ")
    assert raised.value.message.isprintable()
    assert raised.value.hint


def test_a_span_ahead_counts_on_from_now() -> None:
    assert future_ms("--expires", "90d", NOW_MS) == NOW_MS + 90 * 86_400_000
    assert future_ms("--expires", "2026-11-02", NOW_MS) == 1_793_577_600_000


@pytest.mark.parametrize("text", ["0s", "2026-11-01", "1970-01-01", "2026-11-01T12:00:00.123Z", "999999w"])
def test_an_expiry_lies_ahead_and_in_a_year_that_can_be_written(text: str) -> None:
    with pytest.raises(CommandError) as raised:
        future_ms("--expires", text, NOW_MS)
    assert raised.value.exit_code == USAGE


def test_spans() -> None:
    assert span_ms("--overlap", "24h") == 86_400_000
    assert span_ms("--overlap", "0s") == 0
    with pytest.raises(CommandError, match="--overlap"):
        span_ms("--overlap", "2026-11-02")


@pytest.mark.parametrize("now", ["2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z"])
def test_the_month_begins_at_its_first_moment_in_utc(now: str) -> None:
    assert show_ms(month_start_ms(past_ms("now", now, 0))) == "2026-11-01T00:00:00.000Z"


@given(st.integers(min_value=-62_135_596_800_000, max_value=END_OF_TIME_MS - 1))
def test_a_moment_that_is_shown_reads_back_as_itself(moment: int) -> None:
    assert past_ms("--since", show_ms(moment), NOW_MS) == moment


def test_narrow_times() -> None:
    assert to_seconds(show_ms(NOW_MS)) == "2026-11-01T12:00:00Z"
    assert to_seconds(None) == ""
