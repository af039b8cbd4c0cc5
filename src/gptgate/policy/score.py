"""The risk score: a whole number that says how much of what kind was found, and why."""

from gptgate.core.facts import Inspection
from gptgate.core.finding import Finding

MAX_CATEGORY = 90
"""No single category alone reaches the top of the scale."""

MAX_SCORE = 100


def assess(findings: tuple[Finding, ...]) -> Inspection:
    """The findings with their score (0 to 100) and its parts, sorted by category.

    A category is what stands before the first dot of a kind (``pii`` of ``pii.email``). It counts its strongest
    finding in full and a quarter of the sum of all others, rounded down, at most 90. The score is the sum of the
    parts, at most 100. Adding a finding never lowers it; the order of the findings does not matter.
    """
    if not findings:
        return NOTHING
    strongest: dict[str, int] = {}
    total: dict[str, int] = {}
    for finding in findings:
        category = finding.kind.partition(".")[0]
        points = finding.points
        total[category] = total.get(category, 0) + points
        if points > strongest.get(category, 0):
            strongest[category] = points
    parts = []
    for category in sorted(total):
        top = strongest.get(category, 0)
        parts.append((category, min(top + (total[category] - top) // 4, MAX_CATEGORY)))
    score = min(sum(points for _, points in parts), MAX_SCORE)
    return Inspection(findings=findings, score=score, parts=tuple(parts))


NOTHING = Inspection(findings=(), score=0, parts=())
"""The inspection in which nothing was found."""
