"""A decision's working as a tree: the score and its parts, what was found where, which rules fired and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gptgate.cli.text import clean
from gptgate.core.finding import Finding
from gptgate.core.snapshot import RuleSpec

MAX_FINDINGS = 50
"""Findings of one part that the tree shows."""


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree and what stands below it."""

    text: str
    below: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side of a request comes to. `parts` is empty where they were not recorded."""

    effect: str
    score: int
    parts: Sequence[tuple[str, int]]
    findings: Sequence[Finding]
    rules: Sequence[str]
    shadowed: Sequence[str]
    failures: Sequence[str]


def side_node(title: str, side: Side, specs: Mapping[str, RuleSpec] | None) -> Node:
    """One side. `specs` are the rules of the configuration that decided; None where it is not at hand."""
    root = Node(f"{title}: {side.effect}")
    root.below.append(_score(side))
    if side.rules:
        root.below.append(Node("rules that fired", [_rule(name, specs) for name in side.rules]))
    else:
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
        head = f"{category}: {points[category]} points" if category in points else category
        below = [Node(_finding(one)) for one in found[:MAX_FINDINGS]]
        if len(found) > MAX_FINDINGS:
            below.append(Node(f"and {len(found) - MAX_FINDINGS} more"))
        node.below.append(Node(head, below))
    return node


def _finding(finding: Finding) -> str:
    read = f", read as {finding.view}" if finding.view else ""
    where = f"{finding.origin.value} {finding.place or '/'}, characters {finding.start} to {finding.end}"
    return f"{finding.points} {finding.kind} in {where}, by {finding.detector}{read}"


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
        yield f"with {spec.min_points} points or more"
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
