"""How long the texts of a stream are that its provider sends whole, where others send pieces: local servers do so.

Nobody's answer is taken for longer than it is: what names or describes it, and what says it again, counts nothing.
"""

from gptgate.core.adapter import StreamEvent
from gptgate.core.finding import Path
from gptgate.pipeline.outgrowth import AROUND_TOKENS

MAX_PLACES = 1024
CHOICES = "choices"
ASIDE = frozenset({"id", "name", "type", "annotations", "content_filter_results", "logprobs"})
"""Steps to what stands in a choice and is none of its words. A tool's name is among what stands around a text."""
HEAD = frozenset({"id", "model", "object", "service_tier", "system_fingerprint", "obfuscation"})
"""Strings beside the choices that are never words; some are others in each event."""


class WholeTexts:
    """Counts for one stream."""

    __slots__ = ("_beside", "_places")

    def __init__(self) -> None:
        self._beside: dict[Path, str] = {}
        self._places: set[Path] = set()

    def count(self, event: StreamEvent) -> tuple[int, int]:
        """The characters that this event says whole, and the bytes that they may be besides, with what is around.

        A string beside the choices is said once as long as it stays the same.
        """
        chars = more = 0
        beside: dict[Path, str] = {}
        for segment in event.whole:
            path, text = segment.path, segment.text
            if segment.is_key or segment.media:
                continue
            if len(path) == 1:
                beside[path] = text
                counts = path[0] not in HEAD and self._beside.get(path) != text
            else:
                counts = path[:1] == (CHOICES,) and ASIDE.isdisjoint(path)
            if counts:
                chars += len(text)
                more += 0 if text.isascii() else 3 * len(text)
                if path not in self._places and len(self._places) < MAX_PLACES:
                    self._places.add(path)
                    more += AROUND_TOKENS
        self._beside = beside
        return chars, more
