"""The stream of chat completion chunks."""

from contextlib import suppress
from typing import Any

from gptgate.core.adapter import Channel, Piece, StreamEvent
from gptgate.core.document import encode_json, read_object
from gptgate.core.errors import MalformedRequest, Reach, UpstreamBroken, UpstreamFailed
from gptgate.core.finding import Origin, Path, Segment, pointer
from gptgate.providers.fields import MAX_CHOICES
from gptgate.providers.openai_common import read_usage
from gptgate.providers.sse import SseEvent, render_event
from gptgate.providers.sse_stream import SseStream
from gptgate.providers.walk import DIALECT_KEYS, INERT, collect, member

DONE = b"[DONE]"
IDENTITY = frozenset({"role", "type", "id", "name"})
"""Strings of a delta that come whole and name something; they do not continue a text."""
TOOL_CALLS = frozenset({"tool_calls", "function_call"})
PARTS = frozenset({"content", "thinking"})
"""Lists of a delta whose items, which have no index, continue each other: Mistral's way to stream text in parts."""


class OpenAIChatStream(SseStream):
    """Reads chunks. A string of a delta continues the channel (choice, its place in the delta)."""

    def __init__(self, *, wants_usage: bool, limit: int, choices: int = MAX_CHOICES) -> None:
        super().__init__(limit)
        self._wants_usage = wants_usage
        self._most = choices
        self._head: dict[str, Any] = {}
        self._tier: Any = None
        self._strings: list[tuple[str, str]] = []
        self._string_segments: tuple[Segment, ...] = ()

    def place(self, channel: Channel) -> str:
        return pointer(("choices", channel[0], "message", *channel[1:]))

    def flush(self, channel: Channel, text: str) -> bytes:
        value: Any = text
        for step in reversed(channel[1:]):
            value = _inside(step, value)
        head: dict[str, Any] = {
            key: self._head[key] for key in ("id", "object", "created", "model") if key in self._head
        }
        choice: dict[str, Any] = {"index": channel[0], "delta": value, "finish_reason": None}
        return render_event("", encode_json({**head, "choices": [choice]}))

    def _event(self, event: SseEvent) -> StreamEvent:
        if event.data == DONE:
            self.complete = True
            return StreamEvent(b"data: [DONE]\n\n", "", event.data, closes=None)
        if not event.data:
            # A comment or a field without data: nothing that a client needs, and nothing that was inspected.
            return StreamEvent(event.raw, event.name, event.data, drop=True)
        try:
            document = read_object(event.data)
        except MalformedRequest:
            raise UpstreamBroken("The provider sent a stream event that is not JSON.", reach=Reach.ANSWERED) from None
        if document.get("error") is not None:
            raise UpstreamFailed("The provider ended the stream with an error.", reach=Reach.ANSWERED)
        return self._chunk(event, document)

    def _chunk(self, event: SseEvent, document: dict[str, Any]) -> StreamEvent:
        pieces: list[Piece] = []
        whole: list[Segment] = []
        closes: list[int] = []
        repeats: list[Path] = []
        self._head = document
        choices: list[Any] = []
        strings: list[tuple[str, str]] = []
        for key, value in document.items():
            if key == "choices" and type(value) is list:
                choices = value
            elif type(value) is str:
                strings.append((key, value))
            else:
                member(key, value, (), Origin.ASSISTANT, whole)
        model = document.get("model")
        if type(model) is str and model:
            self.model = model
        for index, choice in enumerate(choices):
            self._choice(choice, index, pieces, whole, closes, repeats)
        # Some providers name it with the first chunk, and not with the one of the usage.
        tier = document.get("service_tier")
        self._tier = self._tier if tier is None else tier
        usage = document.get("usage")
        drop = False
        if usage is not None:
            self.reported = True
            self.usage = read_usage(usage, service_tier=self._tier)
            drop = not choices and not self._wants_usage
            if choices and not closes:
                self.so_far = self.usage
        return StreamEvent(
            event.raw if not event.name else render_event("", event.data),
            "",
            event.data,
            tuple(pieces),
            (*self._repeated(strings), *whole) if whole else self._repeated(strings),
            tuple((number,) for number in closes),
            drop,
            tuple(repeats),
        )

    def _repeated(self, strings: list[tuple[str, str]]) -> tuple[Segment, ...]:
        """Segments of the strings beside the choices: as long as these stay the same, the very same tuple."""
        if strings != self._strings:
            segments: list[Segment] = []
            for key, value in strings:
                member(key, value, (), Origin.ASSISTANT, segments)
            self._strings, self._string_segments = strings, tuple(segments)
        return self._string_segments

    def _choice(
        self,
        choice: Any,
        position: int,
        pieces: list[Piece],
        whole: list[Segment],
        closes: list[int],
        repeats: list[Path],
    ) -> None:
        path: Path = ("choices", position)
        if type(choice) is not dict:
            collect(choice, path, Origin.ASSISTANT, whole)
            return
        number = choice.get("index")
        if number is None:
            number = position
        if type(number) is not int or not 0 <= number < self._most:
            # Who reads no index would put together what was judged apart.
            raise UpstreamBroken("The provider sent a choice that nobody asked for.", reach=Reach.ANSWERED)
        for key, value in choice.items():
            if key == "index":
                continue
            if key == "delta" and type(value) is dict:
                _delta(value, (*path, key), (number,), pieces, whole)
            elif key == "finish_reason" and value is not None:
                if value:
                    closes.append(number)
                if type(value) is not str or value not in INERT:
                    member(key, value, path, Origin.ASSISTANT, whole)
            elif key == "logprobs" and value is not None:
                repeats.append((*path, key))
                collect(value, (*path, key), Origin.ASSISTANT, whole)
            else:
                member(key, value, path, Origin.ASSISTANT, whole)


def _delta(
    value: dict[str, Any],
    path: Path,
    channel: Channel,
    pieces: list[Piece],
    whole: list[Segment],
    origin: Origin = Origin.ASSISTANT,
) -> None:
    for key, child in value.items():
        kind = type(child)
        whose = Origin.TOOL_CALL if key in TOOL_CALLS else origin
        if key not in DIALECT_KEYS:
            whole.append(Segment((*path, key), whose, key, True))
        if kind is str:
            if key in IDENTITY:
                if child not in INERT:
                    member(key, child, path, whose, whole)
            else:
                pieces.append(Piece((*channel, key), (*path, key), child, key == "arguments", whose))
        elif kind is dict:
            _delta(child, (*path, key), (*channel, key), pieces, whole, whose)
        elif kind is list:
            for index, item in enumerate(child):
                step = _step(key, item)
                if step is None:
                    if key == "tool_calls":
                        _refuse_part_of_call(item)
                    collect(item, (*path, key, index), whose, whole)
                else:
                    _delta(item, (*path, key, index), (*channel, key, step), pieces, whole, whose)
        else:
            collect(child, (*path, key), whose, whole)


def _step(key: str, item: Any) -> str | int | None:
    """How a channel names this item of the list under `key`: by its index, or by its type; None for an item that is
    whole."""
    if type(item) is not dict:
        return None
    number = item.get("index")
    if type(number) is int:
        return number
    kind = item.get("type")
    return f"[{kind}]" if key in PARTS and number is None and type(kind) is str else None


def _refuse_part_of_call(call: Any) -> None:
    """Refuse a call that says no number and is not all there: some clients would put its parts together by their place,
    which were judged apart. Servers that send no numbers send whole calls.
    """
    function = call.get("function") if type(call) is dict and "custom" not in call else None
    if type(function) is dict:
        arguments = function.get("arguments")
        if type(arguments) is not str or not arguments:
            return
        with suppress(MalformedRequest):
            read_object(arguments.encode())
            return
    raise UpstreamBroken("The provider sent parts of a tool call without its number.", reach=Reach.ANSWERED)


def _inside(step: str | int, value: Any) -> Any:
    """The delta one level up: under a key, or in a list whose items say their own index or type."""
    if isinstance(step, int):
        return [{"index": step, **value}]
    if step[:1] == "[" and type(value) is dict:
        return [{"type": step[1:-1], **value}]
    return {step: value}
