"""An OpenTelemetry collector: entries as log records, by OTLP over HTTP in its JSON encoding (OTLP 1.x)."""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from gptgate.core.beside import SinkSpec
from gptgate.core.sinks import LogLine, SinkRefused
from gptgate.sinks.post import Poster

INFO = 9
"""The protocol's number of that severity: an entry says what happened, not how bad it is."""
TRACEPARENT = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class _Body(Struct, frozen=True):
    id: str = ""
    traceparent: str = ""


class _Entry(Struct, frozen=True):
    body: _Body = _Body()


class _Line(Struct, frozen=True):
    entry: _Entry


class _Partial(Struct, frozen=True):
    rejected: str | int = msgspec.field(default=0, name="rejectedLogRecords")


class _Answer(Struct, frozen=True):
    partial: _Partial = msgspec.field(default=_Partial(), name="partialSuccess")


_LINE = msgspec.json.Decoder(_Line)
_ANSWER = msgspec.json.Decoder(_Answer)


class OtlpSink:
    """One record for each entry: its body is the line that the export has, its attributes say which one it is, and an
    intent whose caller named a trace belongs to that.

    A credential is sent as a bearer token. The protocol asks not to send again what a collector has rejected a part of:
    it has the rest, and would reject the part again.
    """

    def __init__(self, spec: SinkSpec, secret: str) -> None:
        self._poster = Poster(spec.to, spec.timeout_ms, "collector")
        self._headers = {"Content-Type": "application/json"}
        if secret:
            self._headers["Authorization"] = f"Bearer {secret}"

    def resume(self, position: int) -> int:
        return position

    def deliver(self, lines: Sequence[LogLine]) -> None:
        answer = self._poster.post(msgspec.json.encode(request_of(lines)), self._headers)
        rejected = _rejected(answer)
        if rejected > 0:
            raise SinkRefused(min(rejected, len(lines)))

    def close(self) -> None:
        self._poster.close()


def request_of(lines: Sequence[LogLine]) -> dict[str, object]:
    """An ExportLogsServiceRequest. Its 64-bit numbers are text, its ids hexadecimal, as the encoding wants them."""
    scope = {"scope": {"name": "gptgate.audit"}, "logRecords": [_record(line) for line in lines]}
    resource = {"attributes": [_text("service.name", "gptgate")]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}


def _record(line: LogLine) -> dict[str, object]:
    body = _body(line.data)
    at_ns = str(line.at_ms * 1_000_000)
    attributes: list[dict[str, object]] = [{"key": "gptgate.log.index", "value": {"intValue": str(line.index)}}]
    if body.id:
        attributes.append(_text("gptgate.request.id", body.id))
    record: dict[str, object] = {
        "timeUnixNano": at_ns,
        "observedTimeUnixNano": at_ns,
        "severityNumber": INFO,
        "severityText": "INFO",
        "eventName": f"gptgate.{line.kind}",
        "body": {"stringValue": line.data.decode()},
        "attributes": attributes,
    }
    trace = TRACEPARENT.fullmatch(body.traceparent)
    if trace is not None:
        record |= {"traceId": trace[1], "spanId": trace[2]}
    return record


def _body(data: bytes) -> _Body:
    """What the record says of the request. Of an event too large for the log only the line itself."""
    try:
        return _LINE.decode(data).entry.body
    except msgspec.ValidationError:
        return _Body()


def _text(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": value}}


def _rejected(answer: bytes) -> int:
    """How many records an ExportLogsServiceResponse says were not taken. An answer that is none says nothing of it."""
    try:
        return int(_ANSWER.decode(answer).partial.rejected)
    except (msgspec.DecodeError, ValueError):
        return 0
