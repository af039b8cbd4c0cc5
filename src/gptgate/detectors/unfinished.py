"""Where the tail of a growing text may still become a match.

Everything here is derived from the patterns: a beginning of a match is a word of the language that `grammar.unfinished`
gives, so nothing has to be said by hand for a new pattern, and nothing can be forgotten.
"""

import re
from collections.abc import Sequence

import re2

from gptgate.detectors.engine import compile_bytes
from gptgate.detectors.grammar import unfinished
from gptgate.detectors.pattern import Pattern

_EDGES = re.compile(rb"[^A-Za-z0-9]")
_BACKSLASH = 0x5C


class Unfinished:
    """For a set of patterns: where the earliest match begins that the text's end does not yet decide."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        phrases = [pattern for pattern in patterns if pattern.is_phrase]
        tokens = [pattern for pattern in patterns if not pattern.is_phrase]
        self._phrases = _Phrases(phrases) if phrases else None
        self._tokens = _Tokens(tokens) if tokens else None

    def begin(self, data: bytes, since: int) -> int:
        """The first byte from `since` on that may be the left edge of an undecided match, or the length of `data`.

        All matches with an earlier left edge are decided. Never further from the end than the longest reach.
        """
        at = len(data) if self._tokens is None else max(since, self._tokens.begin(data))
        return at if self._phrases is None else min(at, self._phrases.begin(data, since))


class _Tokens:
    """Patterns that are known by their characters. One automaton runs backwards from the end of the text.

    RE2 does so for a pattern that is anchored at the end only, and gives the leftmost beginning: in linear time, and
    looking no further than the tail that is alive.
    """

    _SHORT = 512

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        short = [pattern for pattern in patterns if pattern.reach <= self._SHORT]
        long = [pattern for pattern in patterns if pattern.reach > self._SHORT]
        self._any = _at_end(patterns)
        self._groups = [(_at_end(group), max(p.reach for p in group)) for group in (short, long) if group]
        self._safe = min(reach for _, reach in self._groups)

    def begin(self, data: bytes) -> int:
        at, size = _start(self._any, data), len(data)
        if size - at < self._safe:
            return at
        # Long repeats are without bound in these automata: what is further away than a match can reach is decided.
        return min(max(_start(regex, data), size - reach + 1) for regex, reach in self._groups)


class _Phrases:
    """Patterns that begin with a word. From the end, a thousand positions in a hundred phrases are possible at once;
    from the beginning of a word very few are, so that each word of the undecided tail is tried forwards."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._regex = compile_bytes(_any_unfinished(patterns), ignore_case=True)
        self._reach = max(pattern.reach for pattern in patterns)
        characters = [bytes([code]) for code in range(0x20, 0x7F)]
        first = [char for char in characters if self._is_alive(b" " + char, 0)]
        second = [char + more for char in first for more in characters if self._is_alive(b" " + char + more, 0)]
        self._openers = frozenset(first + second)

    def begin(self, data: bytes, since: int) -> int:
        size = len(data)
        for edge in _EDGES.finditer(data, max(since, size - self._reach + 1)):
            at = edge.start()
            opens = at + 1 == size or data[at] == _BACKSLASH or data[at + 1 : at + 3].lower() in self._openers
            if opens and self._is_alive(data, at):
                return at
        return size

    def _is_alive(self, data: bytes, at: int) -> bool:
        return self._regex.fullmatch(data, at) is not None


def _any_unfinished(patterns: Sequence[Pattern]) -> str:
    # The group's own flag decides on case, whatever the automaton's default is.
    options = [f"(?{'i' if pattern.ignore_case else '-i'}:{unfinished(pattern.tree)})" for pattern in patterns]
    return f"(?:{'|'.join(options)})"


def _at_end(patterns: Sequence[Pattern]) -> "re2._Regexp":
    return compile_bytes(_any_unfinished(patterns) + r"\z", ignore_case=False)


def _start(regex: "re2._Regexp", data: bytes) -> int:
    start: int = regex.search(data).start()
    return start
