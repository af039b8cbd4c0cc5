"""The risk score: a whole number that says how much of what kind was found, and why."""

from collections.abc import Sequence

from gptgate.core.facts import Inspection
from gptgate.core.finding import Finding

MAX_CATEGORY = 90
"""No single category alone reaches the top of the scale."""

MAX_SCORE = 100


def assess(findings: tuple[Finding, ...], failures: tuple[str, ...] = ()) -> Inspection:
    """The findings with their score (0 to 100) and its parts, sorted by category.

    A category is what stands before the first dot of a kind (``pii`` of ``pii.email``). It counts its strongest
    finding in full and a quarter of the sum of all others, rounded down, at most 90. The score is the sum of the
    parts, at most 100. Adding a finding never lowers it; the order of the findings does not matter.
    """
    if not findings:
        return Inspection(findings=(), score=0, parts=(), failures=failures) if failures else NOTHING
    points: dict[str, list[int]] = {}
    for finding in findings:
        points.setdefault(finding.kind.partition(".")[0], []).append(finding.points)
    parts = tuple((category, weigh(points[category])) for category in sorted(points))
    score = min(sum([part for _, part in parts]), MAX_SCORE)
    return Inspection(findings=findings, score=score, parts=parts, failures=failures)


def weigh(points: Sequence[int]) -> int:
    """Points of several findings together: the strongest in full and a quarter of the others, at most 90."""
    top = max(points)
    return min(top + (sum(points) - top) // 4, MAX_CATEGORY)


NOTHING = Inspection(findings=(), score=0, parts=())
"""The inspection in which nothing was found."""
