"""The events of a stream differ, nearly all, from the one before in nothing but one text. Those need no parser.

An event that was read the careful way, and carried one piece of text and nothing else of interest, is remembered as the
bytes before and after that text. Another event with the same bytes around a text that needs no unescaping is the same
JSON with another text in that place: the same members in the same order, so the same meaning, duplicates excluded.
"""

import re

from gptgate.core.adapter import Piece, StreamEvent
from gptgate.core.finding import Segment
from gptgate.providers.sse import SseEvent

_NOT_PLAIN = re.compile(rb'[\x00-\x1f"\\]')
"""Bytes that end a JSON string, escape, or may not stand in one (RFC 8259, section 7)."""


class Repetition:
    """Remembers one event's surroundings."""

    __slots__ = ("_after", "_before", "_name", "_piece", "_whole")

    def __init__(self) -> None:
        self._before = b""
        self._after = b""
        self._name = ""
        self._piece: Piece | None = None
        self._whole: tuple[Segment, ...] = ()

    def learn(self, event: StreamEvent) -> None:
        """Remember an event that was read the careful way, when it can be recognised by its surroundings.

        Without a backslash in the data, the text stands there as it is; where it stands once between quotes, it stands
        in its place.
        """
        self._piece = None
        if len(event.pieces) != 1 or event.closes != () or event.drop or event.repeats or b"\\" in event.data:
            return
        piece = event.pieces[0]
        quoted = b'"' + piece.text.encode() + b'"'
        if piece.is_json or event.data.count(quoted) != 1:
            return
        before, after = event.data.split(quoted)
        self._before, self._after, self._name, self._piece = before + b'"', b'"' + after, event.name, piece
        self._whole = event.whole

    def match(self, event: SseEvent) -> StreamEvent | None:
        """The event, understood, when it differs from the remembered one in its text only."""
        piece, data = self._piece, event.data
        before, after = self._before, self._after
        end = len(data) - len(after)
        if piece is None or end < len(before) or not (data.startswith(before) and data.endswith(after)):
            return None
        text = data[len(before) : end]
        if event.name != self._name or _NOT_PLAIN.search(text):
            return None
        try:
            words = text.decode()
        except UnicodeDecodeError:
            return None
        again = Piece(piece.channel, piece.path, words, False)
        return StreamEvent(event.raw, event.name, data, (again,), self._whole, around=(before, after))
