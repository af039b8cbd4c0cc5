"""A shortcut for streams of prose: what is known of a word is not found out again.

Most pieces of a stream are a word behind a space, and so is what was held back before: the word may become a secret as
long as it goes on. When another follows, all that the engines would say of the first depends on it alone, but for what
has spaces inside; and nearly no word begins such a thing. What is not known to be so is looked at as before.
"""

import re

from gptgate.detectors.engine import Finder
from gptgate.detectors.unfinished import REMEMBERED, Unfinished

_WORD = re.compile(rb" [!-\[\]-~]{2,%d}" % (REMEMBERED - 1))
"""A space and printable ASCII. A backslash is an escape's left edge, perhaps."""
_MEMO = 16384


class Prose:
    """What is known of words, for patterns that are held back together. The same for all streams; bounded."""

    __slots__ = ("_begins", "_dull", "_finder", "_unfinished")

    def __init__(self, unfinished: Unfinished, finder: Finder) -> None:
        self._unfinished = unfinished
        self._finder = finder
        self._begins: set[bytes] = set()
        """Words that may be the beginning of a match."""
        self._dull: dict[bytes, bool] = {}
        """Whether no match begins in a word."""

    def goes_on(self, tail: bytes, piece: bytes) -> bool:
        """Whether no match begins in the tail, and one may begin with the piece's first byte: `Unfinished.begin` of
        both would be the length of the tail. False where that is not known."""
        if piece not in self._begins:
            if not self._unfinished.is_known_to_begin(piece):
                return False
            self._begins.add(piece)
        dull = self._dull.get(tail)
        if dull is None:
            dull = _WORD.fullmatch(tail) is not None and self._is_dull(tail + b" ")
            if len(tail) <= REMEMBERED and len(self._dull) < _MEMO:
                self._dull[tail] = dull
        return dull

    def _is_dull(self, word: bytes) -> bool:
        """Whether no match begins in the word, whatever comes after the space that ends it."""
        return self._unfinished.begins_nothing_spaced(word) and len(self._finder.hits(word)) == 0
