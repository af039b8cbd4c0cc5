"""The stream of Messages events."""

from typing import Any

from gptgate.core.adapter import Channel, Piece, StreamEvent
from gptgate.core.document import encode_json, read_object
from gptgate.core.errors import (
    MalformedRequest,
    Reach,
    UpstreamBroken,
    UpstreamFailed,
    UpstreamOverloaded,
)
from gptgate.core.finding import Origin, Path, Segment, pointer
from gptgate.providers.anthropic_common import GROWING, REPORTED, read_usage, seen_use
from gptgate.providers.sse import SseEvent, render_event
from gptgate.providers.sse_stream import SseStream
from gptgate.providers.walk import DIALECT_KEYS, collect, member

TEXT_FIELDS = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}
"""Field of a delta (or of a block's start) that is a growing text → the delta type that carries it."""
WHOLE = frozenset({"type", "signature"})
"""Strings of a delta that come whole."""

_DELTAS = frozenset({"text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta"})


class AnthropicStream(SseStream):
    """Reads events. A string of a block's delta continues the channel (block index, field)."""

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit)
        self._types: dict[Channel, str] = {}
        self._reported: dict[str, Any] = {}
        self._seen: list[str] = []

    def place(self, channel: Channel) -> str:
        return pointer(("content", *channel))

    def flush(self, channel: Channel, text: str) -> bytes:
        field = str(channel[1])
        # A type that no dialect has may be anything, a secret too: it was judged where it came, and is not repeated.
        kind = self._types.get(channel, "")
        delta = {"type": kind if kind in _DELTAS else TEXT_FIELDS.get(field, field + "_delta"), field: text}
        event = {"type": "content_block_delta", "index": channel[0], "delta": delta}
        return render_event("content_block_delta", encode_json(event))

    def _event(self, event: SseEvent) -> StreamEvent:
        if not event.data:
            return StreamEvent(event.raw, event.name, event.data, drop=True)
        try:
            document = read_object(event.data)
        except MalformedRequest:
            raise UpstreamBroken("The provider sent a stream event that is not JSON.", reach=Reach.ANSWERED) from None
        kind = document.get("type")
        if kind == "error" or event.name == "error":
            error = document.get("error")
            overloaded = type(error) is dict and error.get("type") == "overloaded_error"
            failure = UpstreamOverloaded if overloaded else UpstreamFailed
            raise failure("The provider ended the stream with an error.", reach=Reach.ANSWERED)
        pieces: list[Piece] = []
        whole: list[Segment] = []
        closes: tuple[Channel, ...] | None = ()
        block = document.get("index", 0)
        known = event.name in KNOWN_EVENTS or (type(kind) is str and kind in KNOWN_EVENTS)
        if type(block) is not int or (known and event.name not in ("", kind)):
            # Two readers would take it for different things: by its name or its type, for this block or that.
            raise UpstreamBroken("The provider sent a stream event that contradicts itself.", reach=Reach.ANSWERED)
        for key, value in document.items():
            if key in ("delta", "content_block") and kind in ("content_block_delta", "content_block_start"):
                self._growing(value, (key,), block, pieces, whole)
            elif key == "message" and kind == "message_start" and type(value) is dict:
                self._message(value, pieces, whole)
            elif key != "type" or type(value) is not str or value not in KNOWN_EVENTS:
                member(key, value, (), Origin.ASSISTANT, whole)
        if kind == "content_block_start" and (used := seen_use(document.get("content_block"))):
            self._seen.append(used)
        if kind == "content_block_stop":
            closes = ((block,),)
        elif kind == "message_start":
            self._started(document)
        elif kind == "message_delta":
            self._ended(document.get("usage"))
            delta = document.get("delta")
            if type(delta) is dict and delta.get("stop_reason") is not None:
                closes = None
            else:
                # Some servers report on the way, too: the answer goes on.
                self.so_far = self.usage
        elif kind == "message_stop":
            closes = None
            self.complete = True
        name = event.name
        if len(name) > 64 or (name and name not in KNOWN_EVENTS):
            whole.append(Segment(("event",), Origin.ASSISTANT, name, True))
        return StreamEvent(event.raw, name, event.data, tuple(pieces), tuple(whole), closes)

    def _growing(self, value: Any, path: Path, block: int, pieces: list[Piece], whole: list[Segment]) -> None:
        if type(value) is not dict:
            collect(value, path, Origin.ASSISTANT, whole)
            return
        kind = value.get("type")
        called = type(kind) is str and kind.endswith("tool_use")
        origin = Origin.TOOL_CALL if called else Origin.ASSISTANT
        for key, child in value.items():
            grows = key in TEXT_FIELDS or (path == ("delta",) and key not in WHOLE)
            if grows and type(child) is str:
                channel: Channel = (block, key)
                if type(kind) is str and path == ("delta",):
                    self._types[channel] = kind
                if key not in DIALECT_KEYS:
                    whole.append(Segment((*path, key), origin, key, True))
                is_json = key == "partial_json"
                whose = Origin.TOOL_CALL if is_json else origin
                pieces.append(Piece(channel, (*path, key), child, is_json, whose))
            else:
                member(key, child, path, origin, whole)

    def _message(self, message: dict[str, Any], pieces: list[Piece], whole: list[Segment]) -> None:
        """A message that begins with content already, which the blocks' deltas continue."""
        for key, child in message.items():
            if key == "content" and type(child) is list:
                for index, item in enumerate(child):
                    self._growing(item, ("message", key, index), index, pieces, whole)
            else:
                member(key, child, ("message",), Origin.ASSISTANT, whole)

    def _started(self, document: dict[str, Any]) -> None:
        message = document.get("message")
        if type(message) is dict:
            model = message.get("model")
            self.model = model if type(model) is str else ""
            usage = message.get("usage")
            self.reported = self.reported or usage is not None
            if type(usage) is dict:
                # What the start says of the output and of tools is not final: it must not stand for that where it is
                # missing.
                self.so_far = read_usage(usage)
                self._reported = {key: usage[key] for key in REPORTED if key in usage and key not in GROWING}

    def _ended(self, usage: Any) -> None:
        """`message_delta` has the final counts, cumulative; those that it leaves out are the start's."""
        self.reported = self.reported or usage is not None
        if type(usage) is dict:
            self._reported.update({key: usage[key] for key in REPORTED if usage.get(key) is not None})
        self.usage = read_usage(self._reported, self._seen)


KNOWN_EVENTS = frozenset(
    {
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)
