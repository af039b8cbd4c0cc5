"""The events of a stream differ, nearly all, from the one before in nothing but one text. Those need no parser.

An event that was read the careful way, and carried one piece of text and nothing else of interest, is remembered as the
bytes before and after that text. Another event with the same bytes around a text that needs no unescaping is the same
JSON with another text in that place: the same members in the same order, so the same meaning, duplicates excluded.
"""

import re

from gptgate.core.adapter import Piece, StreamEvent
from gptgate.core.finding import Segment

_NOT_PLAIN = re.compile(rb'[\x00-\x1f"\\]')
"""Bytes that end a JSON string, escape, or may not stand in one (RFC 8259, section 7)."""


class Repetition:
    """Remembers one event's surroundings."""

    __slots__ = ("_after", "_around", "_before", "_name", "_piece", "_prefix", "_whole")

    def __init__(self) -> None:
        self._before = b""
        self._after = b""
        self._prefix = 0
        self._around = (b"", b"")
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
        at = event.data.find(quoted)
        # Looked for from both ends: the text of ``"content":":"`` stands there twice, overlapping.
        if piece.is_json or at < 0 or at != event.data.rfind(quoted):
            return
        before, after = event.data[:at], event.data[at + len(quoted) :]
        self._around = (before + b'"', b'"' + after)
        head = event.raw.removesuffix(event.data + b"\n\n")
        self._before, self._after, self._prefix = head + self._around[0], self._around[1] + b"\n\n", len(head)
        self._name, self._piece, self._whole = event.name, piece, event.whole

    def match(self, raw: bytes) -> StreamEvent | None:
        """The event, understood, when its bytes differ from those of the remembered one in its text only."""
        piece = self._piece
        if piece is None or not (raw.startswith(self._before) and raw.endswith(self._after)):
            return None
        text = raw[len(self._before) : len(raw) - len(self._after)]
        if len(text) + len(self._before) + len(self._after) != len(raw) or _NOT_PLAIN.search(text):
            return None
        try:
            words = text.decode()
        except UnicodeDecodeError:
            return None
        again = Piece(piece.channel, piece.path, words, False, piece.origin)
        return StreamEvent(raw, self._name, raw[self._prefix : -2], (again,), self._whole, around=self._around)
