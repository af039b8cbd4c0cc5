"""How limits stand, in the words of both dialects."""

import pytest

from gptgate.core.limit import Standing, Unit
from gptgate.core.wire import Dialect
from gptgate.pipeline.limit_headers import duration, instant, limit_headers

SECOND_NS = 1_000_000_000
STANDING = (
    Standing(Unit.REQUESTS, 60, 59, SECOND_NS),
    Standing(Unit.REQUESTS, 1000, 12, 360 * SECOND_NS),
    Standing(Unit.INPUT_TOKENS, 5000, 4000, 12_000_000_001),
    Standing(Unit.TOTAL_TOKENS, 9000, 100, 59 * SECOND_NS),
)


def test_openai() -> None:
    assert limit_headers(STANDING, Dialect.OPENAI, 0) == [
        ("x-ratelimit-limit-requests", "1000"),
        ("x-ratelimit-remaining-requests", "12"),
        ("x-ratelimit-reset-requests", "6m0s"),
        ("x-ratelimit-limit-tokens", "9000"),
        ("x-ratelimit-remaining-tokens", "100"),
        ("x-ratelimit-reset-tokens", "59s"),
    ]


def test_anthropic() -> None:
    found = dict(limit_headers(STANDING, Dialect.ANTHROPIC, 1_800_000_000_000))
    assert found["anthropic-ratelimit-requests-limit"] == "1000"
    assert found["anthropic-ratelimit-requests-reset"] == "2027-01-15T08:06:00Z"
    assert found["anthropic-ratelimit-tokens-remaining"] == "100"
    assert found["anthropic-ratelimit-input-tokens-remaining"] == "4000"
    assert found["anthropic-ratelimit-input-tokens-reset"] == "2027-01-15T08:00:13Z"
    assert "anthropic-ratelimit-output-tokens-limit" not in found


@pytest.mark.parametrize("dialect", Dialect)
def test_no_limit_no_header(dialect: Dialect) -> None:
    assert limit_headers((), dialect, 0) == []


def test_of_two_with_as_much_left_the_later_one_is_told() -> None:
    late = Standing(Unit.REQUESTS, 7, 0, 9 * SECOND_NS)
    found = dict(limit_headers((Standing(Unit.REQUESTS, 3, 0, SECOND_NS), late), Dialect.OPENAI, 0))
    assert found["x-ratelimit-limit-requests"] == "7"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0s"),
        (20, "20ms"),
        (1000, "1s"),
        (1500, "1.5s"),
        (8572, "8.572s"),
        (60_000, "1m0s"),
        (360_000, "6m0s"),
        (3_600_000, "1h0m0s"),
        (86_400_000, "24h0m0s"),
        (3_630_010, "1h0m30.01s"),
    ],
)
def test_durations(ms: int, text: str) -> None:
    assert duration(ms) == text


def test_instants_are_never_early() -> None:
    assert instant(1_800_000_000_000) == "2027-01-15T08:00:00Z"
    assert instant(1_800_000_000_001) == "2027-01-15T08:00:01Z"
