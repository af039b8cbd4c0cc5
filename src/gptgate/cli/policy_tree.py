"""A decision's working as a tree: the score and its parts, what was found where, which rules fired and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from gptgate.cli.story import where
from gptgate.cli.text import clean, counted
from gptgate.core.errors import GuardFailed, InternalFault
from gptgate.core.events import End, Intent
from gptgate.core.finding import Finding
from gptgate.core.snapshot import RuleSpec

UNDECIDED = frozenset({GuardFailed.code, InternalFault.code})
MAX_FINDINGS = 50
"""Findings of one part that the tree shows."""


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree and what stands below it."""

    text: str
    below: list["Node"] = field(default_factory=list)


class Side(Struct, frozen=True, kw_only=True):
    """What one side of a request comes to. `effect` is empty where nothing was decided on it. `parts` is empty where
    they were not recorded."""

    effect: str
    score: int
    parts: Sequence[tuple[str, int]]
    findings: Sequence[Finding]
    rules: Sequence[str]
    shadowed: Sequence[str]
    failures: Sequence[str]


def sides_of(intent: Intent, end: End | None) -> dict[str, Side]:
    """The sides of a recorded request that were looked at: the answer's only where one came."""
    decided = intent.circumstances is not None
    asked = Side(
        effect=intent.effect if decided else "",
        score=intent.score,
        parts=intent.parts,
        findings=intent.findings,
        rules=intent.rules,
        shadowed=intent.shadowed,
        failures=intent.failures,
    )
    if end is None or not end.attempts:
        return {"request": asked}
    answer = Side(
        effect=answer_effect(end),
        score=end.score,
        parts=(),
        findings=end.findings,
        rules=end.rules,
        shadowed=end.shadowed,
        failures=end.failures,
    )
    return {"request": asked, "answer": answer}


def answer_effect(end: End) -> str:
    """The effect on a request to which an answer came, of both sides; empty where a guard failed before the end of the
    answer was decided on."""
    return "" if end.code in UNDECIDED else end.effect


def outcome(end: End | None) -> str:
    """How a request ended, in a line: what its caller was given, and which guard failed where one did."""
    if end is None:
        return "open: it has no end yet"
    status = f"status {end.status}" if end.status else "nobody knows what the caller was given"
    said = [f"{end.state.value}, {status}", end.code, f"refused by {end.limit}" if end.limit else "", unanswered(end)]
    return ", ".join(part for part in said if part)


def unanswered(end: End) -> str:
    """Which guard could not answer, and why; empty where all did."""
    if not end.failed_guard:
        return f"because of {end.failure}" if end.failure else ""
    return f"because {end.failed_guard} could not answer" + (f": {end.failure}" if end.failure else "")


def rows(side: Side) -> Iterator[tuple[str, object]]:
    """A side line by line: what it is that is said, and what it says."""
    yield "effect", side.effect
    yield "score", side.score
    for name, points in side.parts:
        yield "part", f"{points} {name}"
    for one in side.findings:
        yield "finding", _finding(one)
    for what, named in (("rule", side.rules), ("shadowed", side.shadowed), ("failure", side.failures)):
        for name in named:
            yield what, name


def side_node(title: str, side: Side, specs: Mapping[str, RuleSpec] | None) -> Node:
    """One side. `specs` are the rules of the configuration that decided; None where it is not at hand."""
    root = Node(f"{title}: {side.effect or 'not decided on'}")
    root.below.append(_score(side))
    if side.rules:
        root.below.append(Node("rules that fired", [_rule(name, specs) for name in side.rules]))
    elif side.effect:
        root.below.append(Node("no rule fired"))
    if side.shadowed:
        root.below.append(Node("rules that would have fired", [_rule(name, specs) for name in side.shadowed]))
    if side.failures:
        root.below.append(Node("guards that failed and were let pass: " + ", ".join(side.failures)))
    return root


def _score(side: Side) -> Node:
    parts = " + ".join(f"{points} {name}" for name, points in side.parts)
    node = Node(f"risk score {side.score}" + (f" = {parts}, at most 100" if parts else ""))
    categories: dict[str, list[Finding]] = {}
    for finding in side.findings:
        categories.setdefault(finding.kind.partition(".")[0], []).append(finding)
    points = dict(side.parts)
    for category in sorted(categories):
        found = sorted(categories[category], key=lambda one: -one.points)
        head = f"{category}: {counted(points[category], 'point')}" if category in points else category
        below = [Node(_finding(one)) for one in found[:MAX_FINDINGS]]
        if len(found) > MAX_FINDINGS:
            below.append(Node(f"and {len(found) - MAX_FINDINGS} more"))
        node.below.append(Node(head, below))
    return node


def _finding(finding: Finding) -> str:
    read = f", read as {finding.view}" if finding.view else ""
    return f"{finding.points} {finding.kind} in {where(finding)}, by {finding.detector}{read}"


def _rule(name: str, specs: Mapping[str, RuleSpec] | None) -> Node:
    spec = None if specs is None else specs.get(name.removesuffix(":failed"))
    if spec is None:
        return Node(name)
    node = Node(f"{name}: {spec.effect}")
    node.below.extend(Node(reason) for reason in reasons(spec))
    return node


def reasons(spec: RuleSpec) -> Iterator[str]:
    """The conditions of a rule in words; all of them hold where it fired."""
    if spec.findings or spec.origins:
        where = f" in words of {', '.join(spec.origins)}" if spec.origins else ""
        yield f"found {' or '.join(spec.findings) or 'anything'}{where}"
    if spec.min_points:
        yield f"with {counted(spec.min_points, 'point')} or more"
    if spec.min_score:
        yield f"risk score {spec.min_score} or more"
    if spec.when:
        yield "when " + " ".join(spec.when.split())
    for what, names in (("app", spec.apps), ("model", spec.models)):
        if names:
            yield f"{what} {' or '.join(names)}"
    if spec.layer != "organisation":
        yield f"layer {spec.layer}"
    if spec.rollout_percent < 100:
        yield f"acts on {spec.rollout_percent} percent of the requests"
    if spec.message:
        yield f"message: {spec.message}"


def lines(node: Node, before: str = "", below: str = "") -> Iterator[str]:
    """The tree as lines for a terminal."""
    yield before + clean(node.text)
    for place, child in enumerate(node.below):
        last = place == len(node.below) - 1
        yield from lines(child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))
