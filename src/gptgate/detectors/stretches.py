"""Which stretches of a long text are searched for a pattern: those alone in which its sign stands.

A fast engine says only that the sign is somewhere. In a long text that is true of dozens of patterns, each by a word or
two of thousands, and searching all of it for each of them is most of the work. So the engine is asked about one block
after the other, each with what a match may reach over behind it.
"""

from collections.abc import Iterable, Sequence

from gptgate.detectors.engine import Finder
from gptgate.detectors.grammar import longest, parse
from gptgate.detectors.pattern import Pattern

SIZE = 4096
"""Bytes of a block."""
OVERLAP = 512
"""Bytes behind a block that are looked at with it: what begins in a block and has no more than these is whole there."""

Stretch = tuple[int, int]
"""A match's left edge may begin from the first place on and before the second."""


def are_local(patterns: Iterable[Pattern]) -> bool:
    """Whether the sign of a match of any of these stands whole in one of the blocks, wherever the match stands."""
    return all(
        pattern.reach <= OVERLAP
        or (not pattern.is_foreign and bool(pattern.trigger) and 0 < (longest(parse(pattern.trigger)) or 0) <= OVERLAP)
        for pattern in patterns
    )


def stretches(finder: Finder, data: bytes, long: frozenset[int]) -> dict[int, list[Stretch]]:
    """Of patterns that are local: where each that may match has to be searched for, from left to right.

    `long` are those that reach over more than `OVERLAP`: where their sign stands says too little of where they begin.
    """
    found: dict[int, list[Stretch]] = {}
    size = len(data)
    for begin in range(0, max(size - OVERLAP, 1), SIZE):
        seen = begin + SIZE + OVERLAP
        end = begin + SIZE if seen < size else size
        for hit in frozenset(finder.hits(data[begin:seen])):
            known = found.setdefault(hit, [])
            known.append((known.pop()[0] if known and known[-1][1] == begin else begin, end))
    for hit in long & found.keys():
        found[hit] = [(0, size)]
    return found


def everywhere(finder: Finder, data: bytes) -> dict[int, Sequence[Stretch]]:
    """All of a text for each pattern that may match in it."""
    return dict.fromkeys(finder.hits(data), ((0, len(data)),))
