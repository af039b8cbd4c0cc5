"""What an adapter is: one endpoint of one dialect, read and written without any I/O."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from gptgate.core.errors import UpstreamError
from gptgate.core.facts import ChatRequest, Permit, RawRequest, Usage
from gptgate.core.finding import Origin, Path, Segment
from gptgate.core.snapshot import ModelSpec, ProviderSpec
from gptgate.core.wire import Dialect, Endpoint

Channel = tuple[str | int, ...]
"""The name of one growing text of a stream, such as ``(0, "content")``."""


class Piece(Struct, frozen=True):
    """A part of a growing text, in these words: the string at `path` of the event continues `channel`."""

    channel: Channel
    path: Path
    text: str
    is_json: bool
    origin: Origin = Origin.ASSISTANT


class Answer(Struct, frozen=True):
    """A whole answer. `usage` is None when the provider reports none that can be believed."""

    document: dict[str, Any]
    segments: tuple[Segment, ...]
    model: str
    usage: Usage | None


class StreamEvent(Struct, frozen=True):
    """One event of a stream, understood.

    `closes`: channels that begin like one of these are complete with this event; None means all of them. `whole` are
    strings that do not continue anything. `drop`: the caller did not ask for this event. `repeats` are paths that say
    the text again in another form, such as token log-probabilities. `around`: the data before and after the text of the
    only piece, where that is known, quotes included.
    """

    raw: bytes
    name: str
    data: bytes
    pieces: tuple[Piece, ...] = ()
    whole: tuple[Segment, ...] = ()
    closes: tuple[Channel, ...] | None = ()
    drop: bool = False
    repeats: tuple[Path, ...] = ()
    around: tuple[bytes, bytes] | None = None


class StreamCodec(Protocol):
    """Reads one stream. Pure and stateful; `usage`, `model` and `complete` are what was learnt so far. `so_far` is the
    last usage that was reported on the way, before the answer's end. `reported`: there was a usage, be it one that
    cannot be believed.

    `failure` ends the stream after the events that came before it in the same bytes.
    """

    model: str
    usage: Usage | None
    so_far: Usage | None
    reported: bool
    complete: bool
    failure: UpstreamError | None

    def feed(self, data: bytes) -> list[StreamEvent]:
        """The events that `data` completes. Raises UpstreamBroken or UpstreamFailed when the first one is bad."""
        ...

    def place(self, channel: Channel) -> str:
        """Where the channel's whole text stands in the answer, as a JSON Pointer."""
        ...

    def flush(self, channel: Channel, text: str) -> bytes:
        """An event of this dialect that carries more text of a channel."""
        ...


class Adapter(Protocol):
    """One endpoint. `can_stream` says whether it has a streaming form; `billed` whether a call costs money."""

    endpoint: Endpoint
    dialect: Dialect
    path: str
    can_stream: bool
    billed: bool

    def read(self, raw: RawRequest, document: dict[str, Any]) -> ChatRequest:
        """Understand a request. Raises InvalidField."""
        ...

    def encode(self, permit: Permit, model: ModelSpec, provider: ProviderSpec) -> bytes:
        """The body for the provider: the original with the permit's edits and those that the route needs."""
        ...

    def decode(self, document: dict[str, Any]) -> Answer:
        """Understand a whole answer."""
        ...

    def repeats(self, edited: Sequence[Path], document: dict[str, Any]) -> Mapping[Path, bytes]:
        """Edits of the places that repeat an edited text in another form, such as token log-probabilities."""
        ...

    def stream(self, request: ChatRequest, limit: int) -> StreamCodec:
        """A codec for one stream; `limit` bounds one event in bytes."""
        ...
