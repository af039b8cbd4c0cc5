"""Times as people write them on a command line, and as they are shown."""

import re
from datetime import UTC, datetime, timedelta

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.text import clean

UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME_MS = 253_402_300_800_000
"""The first millisecond of the year 10000, which no time that can be written reaches."""

_SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339, section 5.6; a leap second (:60) is not accepted, Unix time has no place for it.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_HINT = "a span such as 90s, 30m, 2h, 7d; a UTC date such as 2026-11-01; or RFC 3339 such as 2026-11-01T12:00:00Z"


def past_ms(option: str, text: str, now_ms: int) -> int:
    """The moment that `text` names, in Unix milliseconds; a span counts back from now, to 1970 at most.

    Raises CommandError.
    """
    span = _span_ms(text)
    return max(0, now_ms - span) if span is not None else _moment_ms(option, text)


def future_ms(option: str, text: str, now_ms: int) -> int:
    """The moment that `text` names, which must lie ahead; a span counts on from now. Raises CommandError."""
    span = _span_ms(text)
    moment = now_ms + span if span is not None else _moment_ms(option, text)
    if moment <= now_ms:
        raise CommandError(f"{option}: {clean(text)} is not in the future", hint=_HINT, exit_code=USAGE)
    if moment >= END_OF_TIME_MS:
        raise CommandError(f"{option}: {clean(text)} is past the year 9999", hint=_HINT, exit_code=USAGE)
    return moment


def span_ms(option: str, text: str) -> int:
    """A span of time in milliseconds, zero allowed. Raises CommandError."""
    span = _span_ms(text)
    if span is None:
        raise CommandError(
            f"{option}: {clean(text)!r} is not a span of time", hint="such as 90s, 30m, 24h, 7d", exit_code=USAGE
        )
    return span


def month_start_ms(now_ms: int) -> int:
    """The first moment of the UTC month that `now_ms` lies in."""
    now = EPOCH + timedelta(milliseconds=now_ms)
    return _to_ms(datetime(now.year, now.month, 1, tzinfo=UTC))


def month_end_ms(now_ms: int) -> int:
    """When the UTC month of this moment ends."""
    return month_start_ms(month_start_ms(now_ms) + 32 * 86_400_000)


def show_ms(moment_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds: ``2026-11-01T12:00:00.000Z``."""
    moment = EPOCH + timedelta(milliseconds=moment_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_seconds(shown: object) -> str:
    """A time of `show_ms` without its milliseconds, for narrow tables; nothing stays nothing."""
    return f"{str(shown)[:19]}Z" if shown else ""


def _span_ms(text: str) -> int | None:
    match = _SPAN.fullmatch(text)
    return int(match[1]) * UNITS_MS[match[2]] if match else None


def _moment_ms(option: str, text: str) -> int:
    try:
        if _DATE.fullmatch(text):
            return _to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))
        if _RFC3339.fullmatch(text):
            return _to_ms(datetime.fromisoformat(text.upper()))
    except ValueError as error:
        raise CommandError(f"{option}: {text} is no time: {error}", hint=_HINT, exit_code=USAGE) from None
    raise CommandError(f"{option}: {clean(text)!r} is not a time", hint=_HINT, exit_code=USAGE)


def _to_ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
