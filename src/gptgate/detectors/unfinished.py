"""Where the tail of a growing text may still become a match.

Everything here is derived from the patterns: a beginning of a match is a word of the language that `grammar.unfinished`
or `grammar.sketched` gives, so nothing has to be said by hand for a new pattern, and nothing can be forgotten.

The tail is tried forwards from each place where a match can begin. Backwards from its end, thousands of positions in
all patterns would be possible at once; from a beginning very few are, and the automata stay small.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from itertools import chain

from gptgate.detectors.engine import compile_fullmatch
from gptgate.detectors.grammar import heads, members
from gptgate.detectors.pattern import Pattern

_BYTES = [bytes([code]) for code in range(0x100)]
_WORDS = b"".join(byte for byte in _BYTES if byte.isalnum())
_NO_WORDS = bytes(range(0x100)).translate(None, _WORDS)
_BACKSLASH = 0x5C
_SHORT = 512
REMEMBERED = 16
"""Bytes of the longest tails of which it is remembered whether they begin a match."""
_MEMO = 16384
_HEAD = 4
"""Bytes, a left edge among them, by which most places are told not to begin a match."""


class Beginnings:
    """All beginnings of the matches of some patterns."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.reach = max(pattern.reach for pattern in patterns)
        self.are_solid = all(pattern.is_solid for pattern in patterns)
        self._patterns = patterns
        self.openings = tuple(sorted(frozenset[bytes]().union(*map(_openings, patterns))))
        """The one or two bytes that may follow a left edge. (An escape on the left takes two bytes itself.)"""

    @cached_property
    def is_alive(self) -> Callable[[bytes, int], bool]:
        """Whether the bytes from there on begin a match. The automaton is made when it is first asked for."""
        # Each part says for itself whether case matters, whatever the automaton's default is.
        parts = [f"(?{'i' if pattern.ignore_case else '-i'}:{pattern.beginnings})" for pattern in self._patterns]
        return compile_fullmatch("|".join(parts))


def _openings(pattern: Pattern) -> frozenset[bytes]:
    def taken(source: str) -> list[bytes]:
        return [_BYTES[code] for code in members(source, pattern.ignore_case)]

    after = {head[1:] for head in heads(pattern.tree, 3) if b" " in taken(head[0])}
    bytes_of = {source: taken(source) for head in after for source in head}
    first = {byte for head in after for byte in bytes_of[head[0]]}
    pairs = {(one, two) for head in after for one in bytes_of[head[0]] for two in bytes_of[head[1]]}
    return frozenset(first).union(_pair(*pair) for pair in pairs)


@cache
def _pair(one: bytes, two: bytes) -> bytes:
    """Two bytes as one object for all who begin with them: there are ten times as many openings as pairs."""
    return one + two


class Unfinished:
    """For several sets of patterns: where the earliest match begins that the text's end does not yet decide."""

    def __init__(self, beginnings: Iterable[Beginnings]) -> None:
        self._all = tuple(beginnings)
        self._solid = _Opened(each for each in self._all if each.are_solid)
        self._spaced = _Opened(each for each in self._all if not each.are_solid)
        # Where a left edge can begin: before the last word, where nothing solid can be undecided, and from there on.
        self._early = _spots(self._spaced)
        self._late = _spots(self._spaced, self._solid)
        self._by_head: dict[bytes, tuple[Beginnings, ...]] = {}
        self._by_word: dict[bytes, tuple[Beginnings, ...]] = {}
        self._same: dict[tuple[Beginnings, ...], tuple[Beginnings, ...]] = {}
        """Of equal tuples one: heads and words are many, what begins with them is not."""
        self.reach = max((each.reach for each in self._all), default=1)
        self._known: dict[bytes, bool] = {}
        short = [each.reach for each in self._all if each.reach <= _SHORT]
        self._short_reach = max(short, default=1)
        self._long = Unfinished(each for each in self._all if each.reach > _SHORT) if short else self

    def begin(self, data: bytes) -> int:
        """The first byte that may be the left edge of an undecided match; at most the last byte.

        All matches with an earlier left edge are decided. Never further from the end than the longest reach.
        """
        size, by_head, known = len(data), self._by_head, self._known
        space = max(data.rfind(b" "), data.rfind(b"\n"), 0)
        first = max(0, size - self.reach + 1)
        early = self._early.finditer(data, first, space + 1)
        for spot in chain(early, self._late.finditer(data, max(first, space))):
            at = spot.start()
            head = data[at : at + _HEAD]
            candidates = by_head.get(head)
            if candidates is None:
                candidates = self._beginning(head)
            if at >= space:
                candidates = self._solid.after(head) + candidates
            elif candidates:
                candidates = self._after_word(data, at, candidates)
            if not candidates:
                # Nearly every place in prose.
                continue
            # Trying automata is what costs here, and the last words of texts repeat.
            tail = data[at:] if size - at <= REMEMBERED else b""
            alive = known.get(tail)
            if alive is None:
                # In these automata long repeats have no bound: what is out of reach of the end is decided.
                alive = any(at > size - each.reach and each.is_alive(data, at) for each in candidates)
                if tail and len(known) < _MEMO:
                    known[tail] = alive
            if alive:
                return at
        return size - 1

    def is_known_to_begin(self, word: bytes) -> bool:
        """Whether it is known that the last word of a text, with the space before it, may begin a match there."""
        return self._known.get(word, False) and word.startswith(b" ") and word.count(b" ") == 1 and b"\n" not in word

    def begins_nothing_spaced(self, word: bytes) -> bool:
        """Whether nothing with white space inside begins in a word between two spaces, whatever comes after it."""
        for spot in self._early.finditer(word):
            at = spot.start()
            head = word[at : at + _HEAD]
            candidates = self._by_head.get(head) if len(head) == _HEAD else self._spaced.after(head)
            if candidates is None:
                candidates = self._beginning(head)
            # What goes on to its end may go on behind it: "call", but not "call me", which nothing begins with.
            if any(each.is_alive(word, at) for each in candidates):
                return False
        return True

    def begin_at_latest(self, data: bytes) -> int:
        """A byte not after the one that `begin` gives, for less work: short matches may begin all over their reach."""
        least = max(0, len(data) - self._short_reach)
        return min(least, self._long.begin(data)) if self._long.reach > 1 else least

    def _beginning(self, head: bytes) -> tuple[Beginnings, ...]:
        """Those with white space in their matches that may begin with these bytes: what begins one begins with a
        beginning of one."""
        return self._remember(self._by_head, head, self._spaced.after(head))

    def _after_word(self, data: bytes, at: int, candidates: tuple[Beginnings, ...]) -> tuple[Beginnings, ...]:
        """Those of the candidates that may begin with the word that stands there and the space behind it."""
        word = data[at : data.find(b" ", at + 1) + 1]
        if not _HEAD < len(word) <= REMEMBERED:
            return candidates
        found = self._by_word.get(word)
        return self._remember(self._by_word, word, candidates) if found is None else found

    def _remember(
        self, memo: dict[bytes, tuple[Beginnings, ...]], beginning: bytes, candidates: tuple[Beginnings, ...]
    ) -> tuple[Beginnings, ...]:
        """Those of the candidates that may begin with these bytes."""
        found = tuple(each for each in candidates if each.is_alive(beginning, 0))
        if len(memo) < _MEMO:
            found = memo[beginning] = self._same.setdefault(found, found)
        return found


class _Opened:
    """Beginnings by what follows the left edge."""

    def __init__(self, beginnings: Iterable[Beginnings]) -> None:
        # What begins with much is tried first: in an unfinished word it is nearly always alive.
        self._all = tuple(sorted(beginnings, key=lambda each: -len(each.openings)))
        self._by_opening: dict[bytes, tuple[Beginnings, ...]] = {}
        for each in self._all:
            for opening in each.openings:
                self._by_opening[opening] = (*self._by_opening.get(opening, ()), each)

    @property
    def firsts(self) -> bytes:
        """The bytes of which one follows every left edge."""
        return bytes(sorted({opening[0] for opening in self._by_opening}))

    def after(self, head: bytes) -> tuple[Beginnings, ...]:
        """Those that may begin with these bytes, a left edge first. An escape may be followed by anything."""
        return self._all if head[0] == _BACKSLASH else self._by_opening.get(head[1:3], ())


def _spots(*opened: _Opened) -> "re.Pattern[bytes]":
    """Where a left edge can begin: before what may follow one, which is a sign or stands behind one (`Pattern` sees to
    it), and where an escape may be one."""
    firsts = b"".join(each.firsts for each in opened)
    words, signs = firsts.translate(None, _NO_WORDS), firsts.translate(None, _WORDS)
    options = [rb"\\"]
    if words:
        options.append(rb"[^A-Za-z0-9](?=[%b])" % re.escape(words))
    if signs:
        options.append(rb"(?s:.)(?=[%b])" % re.escape(signs))
    return re.compile(b"|".join(options))
