"""A guard that answers nonsense has failed. What detectors and rewriting say is looked at before anybody acts on it."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from gptgate.core.approvals import Approval
from gptgate.core.classifier import Opinion
from gptgate.core.errors import GuardFailed
from gptgate.core.facts import Decision, Inspection
from gptgate.core.finding import Finding, Segment

Fact = TypeVar("Fact")
MAX_POINTS = 100
WHOSE: Mapping[type, str] = {
    Inspection: "score",
    Decision: "policy",
    Opinion: "classifiers",
    Approval: "approvals",
    tuple: "detectors",
    str: "rewriting",
}
"""Kind of a fact → the guard that gives it."""
NONSENSE = "A guard gave an answer that cannot be."


def sound(kind: type[Fact], fact: Fact) -> Fact:
    """A guard's answer, which is of its kind. Raises GuardFailed for another, before it is noted anywhere."""
    if not isinstance(fact, kind):
        raise GuardFailed(
            NONSENSE, guard=WHOSE.get(kind, "guards"), why=f"{type(fact).__name__} in the place of {kind.__name__}"
        )
    return fact


def sound_findings(found: tuple[Finding, ...], segments: Sequence[Segment]) -> tuple[Finding, ...]:
    """The findings, each of which lies in one of these texts. Raises GuardFailed for anything else.

    No answer at all is one of them: it must not be taken for a text in which nothing was found.
    """
    count = len(segments)
    for one in sound(tuple, found):
        inside = 0 <= one.segment < count and 0 <= one.start <= one.end <= len(segments[one.segment].text)
        if not inside or not 0 <= one.points <= MAX_POINTS:
            raise GuardFailed(NONSENSE, guard=f"detector {one.detector}", why="it reports something where nothing is")
    return found


def sound_rewriting(before: str, after: str) -> str:
    """The rewritten text. Raises GuardFailed where nothing was rewritten: what a rule takes out would be sent."""
    if sound(str, after) == before:
        raise GuardFailed(NONSENSE, guard="rewriting", why="a text that was to be rewritten came back as it was")
    return after
