"""The headers that tell a caller how its limits stand, in both dialects."""

from datetime import UTC, datetime, timedelta

from gptgate.core.limit import TOKEN_UNITS, Standing, Unit
from gptgate.core.wire import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REQUESTS = frozenset({Unit.REQUESTS})
_INPUT, _OUTPUT = frozenset({Unit.INPUT_TOKENS}), frozenset({Unit.OUTPUT_TOKENS})
_Names = tuple[frozenset[Unit], str, str, str]
"""What is counted, and the headers that say the limit, what is left of it, and when it is whole again."""

_OPENAI: tuple[_Names, ...] = (
    (_REQUESTS, "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    (TOKEN_UNITS, "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
)
_ANTHROPIC: tuple[_Names, ...] = (
    (
        _REQUESTS,
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ),
    (
        TOKEN_UNITS,
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
    ),
    (
        _INPUT,
        "anthropic-ratelimit-input-tokens-limit",
        "anthropic-ratelimit-input-tokens-remaining",
        "anthropic-ratelimit-input-tokens-reset",
    ),
    (
        _OUTPUT,
        "anthropic-ratelimit-output-tokens-limit",
        "anthropic-ratelimit-output-tokens-remaining",
        "anthropic-ratelimit-output-tokens-reset",
    ),
)


def limit_headers(standing: tuple[Standing, ...], dialect: Dialect, now_ms: int) -> list[tuple[str, str]]:
    """For each thing that is counted, the tightest limit: the one with the least left, and of these the last to be
    whole again. Nothing where there is no limit.

    When it is whole again is a time from now in the OpenAI dialect, and an instant in the Anthropic one.
    """
    if not standing:
        return []
    anthropic = dialect is Dialect.ANTHROPIC
    headers: list[tuple[str, str]] = []
    for units, limit, remaining, reset in _ANTHROPIC if anthropic else _OPENAI:
        found = [one for one in standing if one.unit in units]
        if found:
            tight = min(found, key=_tightness)
            reset_ms = -(-tight.full_in_ns // 1_000_000)
            when = instant(now_ms + reset_ms) if anthropic else duration(reset_ms)
            headers += ((limit, str(tight.limit)), (remaining, str(tight.remaining)), (reset, when))
    return headers


def _tightness(one: Standing) -> tuple[int, int]:
    return one.remaining, -one.full_in_ns


def duration(total_ms: int) -> str:
    """A time as OpenAI writes it: ``6m0s``, ``1h0m30s``, ``1.5s``, ``20ms``."""
    if total_ms < 1000:
        return f"{total_ms}ms" if total_ms else "0s"
    seconds, ms = divmod(total_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{ms:03d}".rstrip("0") if ms else ""
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{head}{seconds}{fraction}s"


def instant(at_ms: int) -> str:
    """RFC 3339 in UTC, to the second, rounded up: before it the limit is not whole."""
    return f"{_EPOCH + timedelta(seconds=-(-at_ms // 1000)):%Y-%m-%dT%H:%M:%SZ}"
