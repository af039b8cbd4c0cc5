"""A compiled pattern in its detector."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gptgate.core.finding import Finding, Origin
from gptgate.detectors.engine import CompiledPattern, Finder
from gptgate.detectors.pattern import Pattern
from gptgate.detectors.stretches import OVERLAP, SIZE, Stretch, are_local, everywhere, stretches


@dataclass(frozen=True, slots=True)
class Lane:
    """A compiled pattern, the name of its detector, and whose words it looks at."""

    compiled: CompiledPattern
    detector: str
    origins: frozenset[Origin]

    def is_held(self, held: frozenset[str]) -> bool:
        """Whether one of these kind patterns (``pii.email``, ``secret.*``, ``*``) takes the kind."""
        return covers(held, self.compiled.pattern.kind)

    def matches(self, data: bytes, stretches: Iterable[Stretch]) -> Iterator[tuple[int, int]]:
        """Spans of bodies whose left edge begins in one of these stretches of the data, which are in order."""
        free = 0
        for since, before in stretches:
            for start, end in self.compiled.matches(data, since, before, free):
                yield start, end
                free = end

    def finding(self, origin: Origin, place: str, start: int, end: int, segment: int = 0, view: str = "") -> Finding:
        """The finding of a match at these characters."""
        pattern = self.compiled.pattern
        return Finding(pattern.kind, origin, place, start, end, self.detector, pattern.points, segment, view)


class LaneGroup(NamedTuple):
    """Lanes that look at the words of the same origins, by their indexes, and what finds them.

    `is_local`, `long`: see `gptgate.detectors.stretches`.
    """

    origins: frozenset[Origin]
    lanes: frozenset[int]
    finder: Finder
    is_local: bool
    long: frozenset[int]

    @classmethod
    def of(cls, origins: frozenset[Origin], patterns: Mapping[int, Pattern], finder: Finder) -> "LaneGroup":
        """The group of lanes with these patterns."""
        long = frozenset(index for index, pattern in patterns.items() if pattern.reach > OVERLAP)
        return cls(origins, frozenset(patterns), finder, are_local(patterns.values()), long)

    def look(self, data: bytes) -> Mapping[int, Sequence[Stretch]]:
        """Where each of the lanes that may find something has to search."""
        if self.is_local and len(data) > 2 * SIZE:
            return stretches(self.finder, data, self.long)
        return everywhere(self.finder, data)


def covers(patterns: frozenset[str], kind: str) -> bool:
    """Whether one of these kind patterns takes the kind."""
    return any(kind == one or (one.endswith("*") and kind.startswith(one[:-1])) for one in patterns)


def in_order(finding: Finding) -> tuple[int, int, int, str]:
    """Sort key: segment, start, end, kind."""
    return finding.segment, finding.start, finding.end, finding.kind
