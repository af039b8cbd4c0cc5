"""What the stream codecs share: bytes → events, by the short way where an event is known, else read with care."""

from abc import ABC, abstractmethod

from gptgate.core.adapter import StreamEvent
from gptgate.core.errors import UpstreamError
from gptgate.core.facts import Usage
from gptgate.providers.repetition import Repetition
from gptgate.providers.sse import SseEvent, SseSplitter


class SseStream(ABC):
    """The dialect-free half of `core.adapter.StreamCodec`. A codec says how one event is read."""

    def __init__(self, limit: int) -> None:
        self.model = ""
        self.usage: Usage | None = None
        self.so_far: Usage | None = None
        self.reported = self.complete = False
        self.failure: UpstreamError | None = None
        self._splitter = SseSplitter(limit)
        self._same = Repetition()

    def feed(self, data: bytes) -> list[StreamEvent]:
        """The events that `data` completes; see `core.adapter.StreamCodec.feed`."""
        if not self._splitter.pending():
            same = self._same.match(data)
            if same is not None:
                return [same]
        understood: list[StreamEvent] = []
        for event in self._splitter.feed(data):
            try:
                understood.append(self._same.match(event.raw) or self._learn(event))
            except UpstreamError as failure:
                if not understood:
                    raise
                self.failure = failure
                break
        return understood

    def _learn(self, event: SseEvent) -> StreamEvent:
        understood = self._event(event)
        self._same.learn(understood)
        return understood

    @abstractmethod
    def _event(self, event: SseEvent) -> StreamEvent:
        """Read one event with care. Raises UpstreamError."""
