"""Redaction: the found characters are gone, and a placeholder says of what kind they were.

In JSON text (the arguments of a tool call) valid JSON stays valid JSON. Inside a string literal a span becomes the bare
placeholder, and a quote that a span covers stays. Outside of strings:

- a span that begins where a number begins makes the whole number a string: ``{"n": "[redacted:pii.card]"}``;
- a span that begins inside a number removes the rest of it and leaves the shortest number that the characters before
  it allow: ``-4111…`` becomes ``-0``, ``54111…`` becomes ``5``. What came before may have been sent already when the
  text is a stream, so no rule here looks back;
- the letters of ``true``, ``false`` and ``null`` are completed, for the first one tells the others;
- brackets, commas, colons and white space stay.

All of this depends only on the text and the spans and never on where a stream was cut. It presumes that no span begins
or ends inside an escape sequence.
"""

import re
from collections.abc import Sequence

Span = tuple[int, int, str]
"""Characters ``[start, end)`` and the kind of what stands there."""

_IN_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BARE = re.compile(r'[^ \t\n\r{}\[\],:"]+')
_UP_TO_LAST_SEPARATOR = re.compile(r".*[ \t\n\r{}\[\],:]", re.DOTALL)
_NUMBER_START = re.compile(r"-?[0-9][0-9.eE+-]*|-")
_LITERALS = ("true", "false", "null")
_BARE_KEPT = 32
"""How much of an unquoted token is remembered. Literals are shorter; of a number only form and last character count."""


def placeholder(kind: str) -> str:
    """What stands in the place of a finding of this kind."""
    return f"[redacted:{kind}]"


def redact_text(text: str, spans: Sequence[Span], is_json: bool = False) -> str:
    """The text with a placeholder in the place of each group of overlapping spans; of all spans, in any order.

    A group has the kind of its earliest span, of these the longest, of these the first in the alphabet. Spans that only
    touch are not merged. Raises ValueError for a span that is empty or not inside the text: it could not be cut out.
    """
    if not spans:
        return text
    return StreamRedactor(is_json).apply(text, spans)


class StreamRedactor:
    """Redacts one text that comes in pieces.

    The concatenation of the results equals `redact_text` of the concatenation of the pieces, wherever the pieces were
    cut, as long as no span straddles a cut. `StreamScanner` guarantees that for kinds that are held back.
    """

    __slots__ = ("_bare", "_escaped", "_in_string", "_is_json", "_offset", "_swallow")

    def __init__(self, is_json: bool) -> None:
        self._is_json = is_json
        self._offset = 0
        self._in_string = False
        self._escaped = False
        self._bare = ""
        self._swallow = False

    def apply(self, released: str, spans: Sequence[Span]) -> str:
        """The next piece, redacted. `spans` count from the beginning of the whole text and lie inside this piece.

        Raises ValueError for a span that is empty or not inside the piece.
        """
        base = self._offset
        self._offset = base + len(released)
        if not self._is_json:
            return released if not spans else _plain(released, _merge(spans, base, len(released)))
        if not spans:
            return self._keep(released)
        out: list[str] = []
        position = 0
        for start, end, kind in _merge(spans, base, len(released)):
            out.append(self._keep(released[position:start]))
            self._cut(released[start:end], placeholder(kind), out)
            position = end
        out.append(self._keep(released[position:]))
        return "".join(out)

    def _keep(self, text: str) -> str:
        """Text outside of all spans: passed on, but for the rest of a token whose beginning was redacted."""
        size = len(text)
        position = 0
        if self._swallow and size:
            rest = _BARE.match(text)
            position = rest.end() if rest else 0
            if position == size:
                return ""
            self._end_token()
        begin = position
        while position < size:
            if self._in_string:
                position = self._through_string(text, position)
                continue
            quote = text.find('"', position)
            if quote < 0:
                self._note_bare(text, position)
                break
            self._end_token()
            self._in_string = True
            position = quote + 1
        return text[begin:] if begin else text

    def _through_string(self, text: str, position: int) -> int:
        """Move on inside a string literal: past its closing quote, or to the end of the text."""
        if self._escaped:
            self._escaped = False
            position += 1
        match = _IN_STRING.match(text, position)
        position = match.end() if match else position
        if position < len(text):
            # The pattern stops only before the closing quote or before a backslash that is the last character.
            if text[position] == '"':
                self._in_string = False
            else:
                self._escaped = True
            position += 1
        return position

    def _note_bare(self, text: str, position: int) -> None:
        """Remember the unquoted token that the text, which holds no more quotes, ends in."""
        separator = _UP_TO_LAST_SEPARATOR.match(text, position)
        token = text[separator.end() :] if separator else self._bare + text[position:]
        self._bare = token if len(token) <= _BARE_KEPT else token[: _BARE_KEPT - 1] + token[-1]

    def _end_token(self) -> None:
        self._bare = ""
        self._swallow = False

    def _cut(self, text: str, mark: str, out: list[str]) -> None:
        """Text that a span covers: its content goes, the structure of the JSON around it stays."""
        size = len(text)
        position = 0
        while position < size:
            if self._in_string:
                begin = position
                position = self._through_string(text, position)
                closed = not self._in_string
                if position - closed > begin:
                    out.append(mark)
                if closed:
                    out.append('"')
                continue
            token = _BARE.match(text, position)
            if token:
                out.append(self._cut_bare(mark))
                position = token.end()
                continue
            self._end_token()
            self._in_string = text[position] == '"'
            out.append(text[position])
            position += 1

    def _cut_bare(self, mark: str) -> str:
        """What an unquoted token becomes from here on; the rest of it will be swallowed."""
        if self._swallow:
            return ""
        self._swallow = True
        before = self._bare
        if not before:
            return f'"{mark}"'
        if _NUMBER_START.fullmatch(before):
            return "" if before[-1].isdigit() else "0"
        for literal in _LITERALS:
            if literal.startswith(before):
                return literal[len(before) :]
        return mark


class PlaceholderRedaction:
    """Implements `Redaction`: findings give way to placeholders, nothing can be restored."""

    def text(self, text: str, spans: Sequence[Span], is_json: bool) -> str:
        """As `redact_text`."""
        return redact_text(text, spans, is_json)

    def stream(self, is_json: bool) -> StreamRedactor:
        """A redactor for one text that comes in pieces."""
        return StreamRedactor(is_json)


def _merge(spans: Sequence[Span], base: int, size: int) -> list[Span]:
    """Groups of overlapping spans in order, relative to `base`."""
    merged: list[Span] = []
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1], span[2])):
        start, end = start - base, end - base
        if not 0 <= start < end <= size:
            raise ValueError("a span to redact is empty or not inside the text")
        if merged and start < merged[-1][1]:
            first = merged[-1]
            merged[-1] = (first[0], max(first[1], end), first[2])
        else:
            merged.append((start, end, kind))
    return merged


def _plain(text: str, merged: Sequence[Span]) -> str:
    out: list[str] = []
    position = 0
    for start, end, kind in merged:
        out.append(text[position:start])
        out.append(placeholder(kind))
        position = end
    out.append(text[position:])
    return "".join(out)
