"""Server-sent events as they arrive: bytes cut anywhere → whole events (WHATWG HTML, section 9.2)."""

from msgspec import Struct

from gptgate.core.errors import Reach, UpstreamBroken

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""A stream may begin with one; it belongs to no event."""


class SseEvent(Struct, frozen=True):
    """One event. `raw` is what arrived, with its closing blank line, so that it can be passed on unchanged."""

    raw: bytes
    name: str
    data: bytes


class SseSplitter:
    """Cuts a byte stream into events. Holds at most `limit` bytes of an unfinished event."""

    __slots__ = ("_begun", "_buffer", "_limit")

    def __init__(self, limit: int) -> None:
        self._begun = False
        self._buffer = b""
        self._limit = limit

    def pending(self) -> bool:
        """Whether an unfinished event is held."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that `data` completes. Raises UpstreamBroken when an event outgrows the limit."""
        buffer = self._buffer + data if self._buffer else data
        if not self._begun:
            if BYTE_ORDER_MARK.startswith(buffer):
                self._buffer = buffer
                return []
            self._begun = True
            buffer = buffer.removeprefix(BYTE_ORDER_MARK)
        if b"\r" in buffer:
            # A carriage return at the very end may be half of a CRLF: it waits for the next byte.
            tail = b"\r" if buffer.endswith(b"\r") else b""
            buffer = buffer[: len(buffer) - len(tail)].replace(b"\r\n", b"\n").replace(b"\r", b"\n") + tail
        *blocks, rest = buffer.split(b"\n\n")
        if len(rest) > self._limit:
            raise UpstreamBroken("The provider sent a stream event that is too large.", reach=Reach.ANSWERED)
        self._buffer = rest
        return [_parse(block) for block in blocks if block]


def _parse(block: bytes) -> SseEvent:
    if block.startswith(b"data: ") and b"\n" not in block:
        return SseEvent(block + b"\n\n", "", block[6:])
    name = ""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    # Written anew: a comment, an id or an odd spelling beside the data would otherwise pass uninspected. A line break
    # between data lines can only stand between JSON tokens, where a space means the same.
    joined = b" ".join(data)
    return SseEvent(render_event(name, joined), name, joined)


def render_event(name: str, data: bytes) -> bytes:
    """The bytes of one event. `data` holds no line break (compact JSON never does)."""
    if name:
        return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"
