"""Log lines: one JSON object per request, and the operator's messages. Never a text, a secret, or a matched span.

Request lines go to standard output and are made from the audit events alone. Operational messages go to standard error.
"""

import contextlib
import re
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import BinaryIO, TextIO, cast

import msgspec
import structlog
from msgspec import Struct
from structlog.typing import FilteringBoundLogger

from gptgate.core.events import End, EndState, Intent, overrun_nano
from gptgate.telemetry.metrics import duration_us, overhead_us

LONGEST_FOREIGN_TEXT = 128
"""The most of a caller's or provider's own word (end user, answered model) that a line repeats."""


class RequestLine(Struct, frozen=True, kw_only=True, tag="request", tag_field="event"):
    """One request. Money is in nano-dollars, durations in microseconds; `score` is the request's, `answer_score` the
    answer's; `findings` counts both sides by kind. `failed_guard` could not answer; `failure` says why. `overhead_us`
    is null where it is not known."""

    at: datetime
    id: str
    team: str
    app: str
    key_id: str
    end_user: str
    endpoint: str
    stream: bool
    model: str
    answered_model: str
    provider: str
    status: int
    code: str
    failed_guard: str
    failure: str
    state: EndState
    effect: str
    rules: tuple[str, ...]
    findings: dict[str, int]
    score: int
    answer_score: int
    input_tokens: int
    output_tokens: int
    cache_read: int
    cache_write: int
    usage_source: str
    cost_nano_usd: int
    reserved_nano_usd: int
    overrun_nano_usd: int
    attempts: int
    duration_us: int
    overhead_us: int | None
    timings_us: dict[str, int]
    config_digest: str


class UnauthenticatedLine(Struct, frozen=True, kw_only=True, tag="unauthenticated", tag_field="event"):
    """A caller who was refused before it was known who calls. `suppressed` counts those since the last such line that
    got none."""

    at: datetime
    code: str
    client: str
    suppressed: int


Line = RequestLine | UnauthenticatedLine
_ENCODER = msgspec.json.Encoder()
_HIDDEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What a terminal obeys or does not show, and JSON lets stand: controls beyond ASCII's, marks of direction."""


def instant(unix_ms: int) -> datetime:
    """A Unix time in milliseconds as a UTC instant."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


def foreign(text: str) -> str:
    """A caller's or provider's own word as a line may hold it: bounded, and encodable whatever it is made of.

    Without this, one lone surrogate would take its whole batch of lines with it.
    """
    text = text[:LONGEST_FOREIGN_TEXT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def shown(lines: bytes) -> bytes:
    """The same JSON for eyes, too: what a terminal would obey, or hide, stands there as an escape."""
    if lines.isascii() and b"\x7f" not in lines:
        return lines
    return _HIDDEN.sub(lambda char: f"\\u{ord(char[0]):04x}", lines.decode()).encode()


def request_line(intent: Intent, end: End, model: str) -> RequestLine:
    """The line of one request. `model` is the model's name as it may be shown: a configured one."""
    usage = end.usage
    rules = intent.rules + end.rules
    counts = dict(intent.finding_counts)
    for kind, number in end.finding_counts:
        counts[kind] = counts.get(kind, 0) + number
    return RequestLine(
        at=instant(end.at_ms),
        id=intent.id,
        team=intent.team,
        app=intent.app,
        key_id=intent.key_id,
        end_user=foreign(intent.end_user),
        endpoint=intent.endpoint,
        stream=intent.stream,
        model=model,
        answered_model=foreign(end.answered_model),
        provider=intent.provider,
        status=end.status,
        code=end.code,
        failed_guard=end.failed_guard,
        failure=end.failure,
        state=end.state,
        effect=end.effect,
        rules=tuple(dict.fromkeys(rules)) if rules else (),
        findings=counts,
        score=intent.score,
        answer_score=end.score,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        usage_source=end.usage_source,
        cost_nano_usd=end.cost_nano,
        reserved_nano_usd=intent.reserved_nano,
        overrun_nano_usd=overrun_nano(intent, end),
        attempts=end.attempts,
        duration_us=duration_us(intent, end),
        overhead_us=overhead_us(end),
        timings_us=end.timings_us,
        config_digest=intent.config_digest,
    )


class LineWriter:
    """Writes lines to a binary stream. `add` belongs to one thread; `flush` may run in any.

    A stream that cannot be written (closed pipe, full disk) never raises into the gateway: its lines are counted as
    lost, and the audit store still has the records. A stream whose reader has stopped reading blocks `flush`.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """A buffered stream must not be used by anybody else: the interpreter waits for its lock when it exits."""
        self._stream = stream
        self._waiting: deque[Line] = deque()
        self._lock = threading.Lock()

    def add(self, line: Line) -> None:
        """Queue a line for the next flush."""
        self._waiting.append(line)

    def __len__(self) -> int:
        return len(self._waiting)

    def flush(self) -> int:
        """Write all queued lines; returns how many were lost."""
        with self._lock:
            return self._write()

    def relieve(self) -> int:
        """Write all queued lines, unless another thread is stuck in doing so: then they are thrown away, for memory is
        finite and nobody may wait for a reader who has stopped. Returns how many were lost."""
        if not self._lock.acquire(blocking=False):
            return len(self._take())
        try:
            return self._write()
        finally:
            self._lock.release()

    def _take(self) -> list[Line]:
        # Taken one by one: `add` may run beside this, and a swapped list would lose what it appends meanwhile.
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def _write(self) -> int:
        lines = self._take()
        if not lines:
            return 0
        rest = memoryview(shown(_ENCODER.encode_lines(lines)))
        try:
            while rest:
                written: int | None = self._stream.write(rest)
                if written is None:  # a descriptor that somebody made non-blocking is full
                    return len(lines)
                rest = rest[written:]
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed under us
            return len(lines)
        return 0


class LastResort:
    """Standard error for the operator's messages. Where it is gone too (its reader has ended), nobody is left to be
    told, and what was to be said must not fail for it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def get_logger(stream: TextIO | None = None) -> FilteringBoundLogger:
    """A logger for operational messages: JSON lines with time and level, to standard error.

    The caller must not pass texts of requests or answers, nor secrets, as fields.
    """
    logger = structlog.wrap_logger(
        structlog.PrintLogger(cast(TextIO, LastResort(sys.stderr if stream is None else stream))),
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    return cast(FilteringBoundLogger, logger)
