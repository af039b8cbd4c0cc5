"""A compiled pattern in its detector."""

from dataclasses import dataclass
from typing import NamedTuple

from gptgate.core.finding import Finding, Origin
from gptgate.detectors.engine import CompiledPattern, Finder


@dataclass(frozen=True, slots=True)
class Lane:
    """A compiled pattern, the name of its detector, and whose words it looks at."""

    compiled: CompiledPattern
    detector: str
    origins: frozenset[Origin]

    def is_held(self, held: frozenset[str]) -> bool:
        """Whether one of these kind patterns (``pii.email``, ``secret.*``, ``*``) takes the kind."""
        return covers(held, self.compiled.pattern.kind)

    def finding(self, origin: Origin, place: str, start: int, end: int, segment: int = 0, view: str = "") -> Finding:
        """The finding of a match at these characters."""
        pattern = self.compiled.pattern
        return Finding(pattern.kind, origin, place, start, end, self.detector, pattern.points, segment, view)


class LaneGroup(NamedTuple):
    """Lanes that look at the words of the same origins, by their indexes, and what finds them."""

    origins: frozenset[Origin]
    lanes: frozenset[int]
    finder: Finder


def covers(patterns: frozenset[str], kind: str) -> bool:
    """Whether one of these kind patterns takes the kind."""
    return any(kind == one or (one.endswith("*") and kind.startswith(one[:-1])) for one in patterns)


def in_order(finding: Finding) -> tuple[int, int, int, str]:
    """Sort key: segment, start, end, kind."""
    return finding.segment, finding.start, finding.end, finding.kind
