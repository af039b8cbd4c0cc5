"""The risk score: a whole number that says how much of what kind was found, and why."""

from collections.abc import Collection, Iterator, Sequence

from gptgate.core.facts import Inspection, PolicyFacts
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Stage

MAX_CATEGORY = 90
"""No single category alone reaches the top of the scale."""

MAX_SCORE = 100

UNTRUSTED = frozenset({Origin.TOOL_RESULT, Origin.OTHER})
"""Whose words are often a stranger's."""

CONTEXT = {
    "context.untrusted_origin": 10,
    "context.tools_in_reach": 5,
    "context.outside": 5,
}
"""Points for the circumstances of findings: an attack in the words of a stranger; an attack on a model that may call
tools; personal data on its way to a model in the cloud."""


def assess(
    findings: tuple[Finding, ...], failures: tuple[str, ...] = (), facts: PolicyFacts | None = None
) -> Inspection:
    """The findings with their score (0 to 100) and its parts, sorted by name.

    A category is what stands before the first dot of a kind (``pii`` of ``pii.email``). It counts its strongest
    finding in full and a quarter of the sum of all others, rounded down, at most 90. To these come the points of
    `CONTEXT` where `facts` are given. The score is the sum of the parts, at most 100. Adding a finding never lowers it;
    the order of the findings does not matter.
    """
    if not findings:
        return Inspection(findings=(), score=0, parts=(), failures=failures) if failures else NOTHING
    points: dict[str, list[int]] = {}
    for finding in findings:
        points.setdefault(finding.kind.partition(".")[0], []).append(finding.points)
    parts = [(category, weigh(points[category])) for category in sorted(points)]
    if facts is not None:
        parts = sorted([*parts, *((name, CONTEXT[name]) for name in _context(findings, points.keys(), facts))])
    score = min(sum([part for _, part in parts]), MAX_SCORE)
    return Inspection(findings=findings, score=score, parts=tuple(parts), failures=failures)


def weigh(points: Sequence[int]) -> int:
    """Points of several findings together: the strongest in full and a quarter of the others, at most 90."""
    top = max(points)
    return min(top + (sum(points) - top) // 4, MAX_CATEGORY)


def _context(findings: Sequence[Finding], categories: Collection[str], facts: PolicyFacts) -> Iterator[str]:
    """The names of the circumstances that hold. Each holds because of some finding, so more findings never end one."""
    if "attack" in categories:
        if any(one.origin in UNTRUSTED and one.kind.startswith("attack.") for one in findings):
            yield "context.untrusted_origin"
        if facts.tools:
            yield "context.tools_in_reach"
    if "pii" in categories and facts.stage is Stage.REQUEST and facts.location == "cloud":
        yield "context.outside"


NOTHING = Inspection(findings=(), score=0, parts=())
"""The inspection in which nothing was found."""
