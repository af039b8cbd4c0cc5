"""Numbers whose meaning stands beside them: how words before a value make it a finding."""

import re
from collections.abc import Callable
from typing import NamedTuple

from gptgate.detectors.pattern import Pattern

_BETWEEN = r"[ \t\r\n|:=\"'`#.,;()\[\]{}<>/*_?!\\-]{1,24}"
"""Enough for the rule under the head of a table."""

_WORD = r"[A-Za-z\x80-\xf4]{1,20}"

GAP = rf"(?:[_ -]?(?:number|num|nr|no|id))?(?:{_BETWEEN}{_WORD}){{0,3}}{_BETWEEN}"
"""Between a keyword and its value: signs, and at most three words without digits."""

NUMBER_END = r"(?:[^A-Za-z0-9.-]|[.-][^A-Za-z0-9])"
"""No number, word or decimal goes on."""


_EDGE_END = "[^A-MO-QSU-Za-mo-qsu-z0-9]"
"""The last byte of every left edge, escapes too. One class and a word are cheap to look for."""

_FOLLOWS = "(?:[^A-Za-z0-9]|n[uro]|id)"
"""What every gap begins with: a sign, or ``number``, ``nr``, ``no`` or ``id``. Without it ``sin`` is sought in
``since``, and most ordinary texts would be searched for numbers."""


def in_utf8(*words: str) -> str:
    """The words as alternatives, in the cases given: patterns are of bytes and know no case beyond ASCII."""
    return "|".join("".join(_escaped(byte) for byte in word.encode()) for word in words)


def _escaped(byte: int) -> str:
    return f"\\x{byte:02x}" if byte > 0x7F else re.escape(chr(byte))


class Form(NamedTuple):
    """How a number is written.

    `bare` is the form that is recognised wherever it stands; empty: none is distinct enough. `beside` is the form that
    needs one of the `words` before it. `accept` gets the match; where both forms match, it is found once.
    """

    kind: str
    bare: str
    beside: str
    words: str
    accept: Callable[[bytes], bool]
    points: int = 50

    def patterns(self) -> tuple[Pattern, ...]:
        """One pattern for each form."""
        found = []
        if self.bare:
            found.append(bare(self.kind, self.bare, self.points, self.accept))
        if self.beside:
            found.append(beside(self.kind, self.words, self.beside, self.points, self._only_beside()))
        return tuple(found)

    def _only_beside(self) -> Callable[[bytes], bool]:
        accept = self.accept
        if not self.bare:
            return accept
        is_bare = re.compile(self.bare.encode()).fullmatch
        return lambda match: is_bare(match) is None and accept(match)


def bare(kind: str, body: str, points: int, accept: Callable[[bytes], bool] | None) -> Pattern:
    """The pattern of a value that says itself what it is."""
    return Pattern(
        kind=kind, body=body, points=points, right=NUMBER_END, trigger=f"{_EDGE_END}(?:{body})", accept=accept
    )


def beside(
    kind: str, words: str, body: str, points: int, accept: Callable[[bytes], bool] | None, gap: str = GAP
) -> Pattern:
    """The pattern of a value with one of the words (alternatives, in any case) before it.

    `gap` begins with a sign, or as `GAP` does.
    """
    return Pattern(
        kind=kind,
        prefix=f"(?:{words}){gap}",
        body=body,
        points=points,
        right=NUMBER_END,
        ignore_case=True,
        trigger=f"{_EDGE_END}(?:{words}){_FOLLOWS}",
        accept=accept,
    )
