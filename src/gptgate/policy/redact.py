"""Rewriting: in the place of found characters stands a mark, which `gptgate.policy.marks` writes.

Overlapping cuts are one: it has the kind of the earliest of them, and the strongest of their effects. Where several
texts came together so, a mask would show pieces of one in the shape of another, so they are redacted.

In JSON text (the arguments of a tool call) valid JSON stays valid JSON. Inside a string literal a cut becomes the bare
mark, escaped, and a quote that a cut covers stays. A cut over more than one string or number is redacted, whatever its
effect: it is no value. Outside of strings:

- a cut that begins where a number begins makes the whole number a string: ``{"n": "[redacted:pii.card]"}``;
- a cut that begins inside a number removes the rest of it and leaves the shortest number that the characters before
  it allow: ``-4111…`` becomes ``-0``, ``54111…`` becomes ``5``. What came before may have been sent already when the
  text is a stream, so no rule here looks back;
- the letters of ``true``, ``false`` and ``null`` are completed, for the first one tells the others;
- brackets, commas, colons and white space stay.

Any other text may hold JSON too, as answers in JSON mode do. There a number that is cut out whole becomes a string when
it stands as a value: after a name in quotes and a colon, or in a list there.

All of this depends only on the text and the cuts and never on where a stream was divided. It presumes that no cut
begins or ends inside an escape sequence.
"""

import json
import re
from collections.abc import Sequence

from gptgate.core.ports import Cut, Pseudonyms
from gptgate.core.snapshot import STRENGTH, Effect
from gptgate.policy.marks import Marks
from gptgate.policy.pseudonym import SessionPseudonyms, session_key

_IN_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BARE = re.compile(r'[^ \t\n\r{}\[\],:"]+')
_UP_TO_LAST_SEPARATOR = re.compile(r".*[ \t\n\r{}\[\],:]", re.DOTALL)
_NUMBER_START = re.compile(r"-?[0-9][0-9.eE+-]*|-")
_VALUE_FOLLOWS = re.compile(r'(\\{0,7}")[ \t\r\n]*:[ \t\r\n]*(?:\[[0-9, \t\r\n]*)?\Z')
_BEFORE_KEPT = 256
_BEFORE_TRIMMED = 1024
"""Characters before a piece are cut to those that count when they are so many, not with every word."""
_LITERALS = ("true", "false", "null")
_BARE_KEPT = 32
"""How much of an unquoted token is remembered. Literals are shorter; of a number only form and last character count."""


class StreamRedactor:
    """Rewrites one text that comes in pieces.

    The concatenation of the results equals the result for the concatenation of the pieces, wherever the pieces were
    divided, as long as no cut straddles a division. `StreamScanner` guarantees that for kinds that are held back.
    """

    __slots__ = ("_bare", "_before", "_escaped", "_in_string", "_is_json", "_marks", "_offset", "_swallow")

    def __init__(self, marks: Marks, is_json: bool) -> None:
        self._marks = marks
        self._is_json = is_json
        self._offset = 0
        self._in_string = False
        self._escaped = False
        self._bare = ""
        self._before = ""
        self._swallow = False

    def apply(self, released: str, cuts: Sequence[Cut]) -> str:
        """The next piece, rewritten. `cuts` count from the beginning of the whole text and lie inside this piece.

        Raises ValueError for a cut that is empty or not inside the piece.
        """
        base = self._offset
        self._offset = base + len(released)
        if not cuts:
            if self._is_json:
                return self._keep(released)
            before = self._before + released
            self._before = before if len(before) <= _BEFORE_TRIMMED else before[-_BEFORE_KEPT:]
            return released
        before = self._before[-_BEFORE_KEPT:]
        out: list[str] = []
        position = 0
        for cut in _merge(cuts, base, len(released)):
            kept, covered = released[position : cut.start], released[cut.start : cut.end]
            if self._is_json:
                out.append(self._keep(kept))
                self._cut(covered, self._json_mark(cut, covered), out)
            else:
                mark = self._marks.write(cut.effect, cut.kind, covered)
                quote = _quote_of(covered, before, released[max(cut.start - _BEFORE_KEPT, 0) : cut.start])
                out += (kept, quote, mark, quote)
            position = cut.end
        rest = released[position:]
        self._before = (before + released[-_BEFORE_KEPT:])[-_BEFORE_KEPT:]
        out.append(self._keep(rest) if self._is_json else rest)
        return "".join(out)

    def _json_mark(self, cut: Cut, covered: str) -> str:
        """What stands for a cut in JSON text, escaped for the inside of a string."""
        if cut.effect is not Effect.REDACT:
            value = self._value(covered)
            if value is not None:
                return json.dumps(self._marks.write(cut.effect, cut.kind, value))[1:-1]
        return self._marks.write(Effect.REDACT, cut.kind, "")

    def _value(self, covered: str) -> str | None:
        """What the covered characters mean: inside one string literal, or one unquoted token; else None."""
        if not self._in_string:
            return covered if _BARE.fullmatch(covered) else None
        if self._escaped or not _IN_STRING.fullmatch(covered):
            return None
        try:
            return str(json.loads(f'"{covered}"', strict=False))
        except ValueError:
            return None

    def _keep(self, text: str) -> str:
        """Text outside of all cuts: passed on, but for the rest of a token whose beginning was redacted."""
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
        return text[begin:]

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
        """Text that a cut covers: its content goes, the structure of the JSON around it stays."""
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


class Rewriting:
    """Implements `Redaction` under the secret of an installation."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._marks = Marks(secret)

    def text(self, text: str, cuts: Sequence[Cut], is_json: bool, pseudonyms: Pseudonyms | None = None) -> str:
        """The text with a mark in the place of each group of overlapping cuts; of all cuts, in any order.

        Cuts that only touch are not merged. Raises ValueError for a cut that is empty or not inside the text, and for
        one to pseudonymise where there are no `pseudonyms`.
        """
        if not cuts:
            return text
        marks = self._marks if pseudonyms is None else Marks(self._secret, pseudonyms)
        return StreamRedactor(marks, is_json).apply(text, cuts)

    def stream(self, is_json: bool) -> StreamRedactor:
        """A redactor for one text that comes in pieces."""
        return StreamRedactor(self._marks, is_json)

    def pseudonyms(self, app: str, session: str) -> SessionPseudonyms:
        """The pseudonyms of one session of an app."""
        return SessionPseudonyms(session_key(self._secret, app, session))


def _quote_of(covered: str, before: str, kept: str) -> str:
    """The quote that a mark needs on either side: for a number in the place of a value, that of the name."""
    if not (covered.isascii() and covered.isdigit()):
        return ""
    name = _VALUE_FOLLOWS.search((before + kept)[-_BEFORE_KEPT:])
    return name[1] if name else ""


def _merge(cuts: Sequence[Cut], base: int, size: int) -> list[Cut]:
    """Groups of overlapping cuts in order, relative to `base`."""
    merged: list[Cut] = []
    for start, end, kind, effect in sorted(cuts, key=lambda cut: (cut.start, -cut.end, cut.kind)):
        start, end = start - base, end - base
        if not 0 <= start < end <= size:
            raise ValueError("a cut is empty or not inside the text")
        if not merged or start >= merged[-1].end:
            merged.append(Cut(start, end, kind, effect))
            continue
        first = merged[-1]
        strongest = max(first.effect, effect, key=STRENGTH.__getitem__)
        if strongest is Effect.MASK and (start, end) != (first.start, first.end):
            strongest = Effect.REDACT
        merged[-1] = Cut(first.start, max(first.end, end), first.kind, strongest)
    return merged
