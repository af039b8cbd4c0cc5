"""Cases beside a policy: what goes in, what should come of it, and how that differs from what does."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.faults import fault
from gptgate.cli.policy_trial import Bench, Trial, Unfit, Verdict
from gptgate.cli.text import clean, counted
from gptgate.config.problem import did_you_mean, shown
from gptgate.core.classifier import kinds_of
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Effect, Snapshot
from gptgate.core.wire import Dialect
from gptgate.detectors import KINDS
from gptgate.policy.own import OWN_RULES

Score = Annotated[int, Meta(ge=0, le=100)]


class Range(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whole numbers from `min` to `max`, both among them."""

    min: Score = 0
    max: Score = 100


class Expected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What should come of a case. What is not written is not looked at. Rules and kinds are compared as sets."""

    effect: Effect | None = None
    rules: tuple[str, ...] | None = None
    shadowed: tuple[str, ...] | None = None
    findings: tuple[str, ...] | None = None
    score: Range | None = None


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One case. Exactly one of `prompt`, `messages`, `body` and `answer` says what is judged."""

    name: str
    expect: Expected
    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    body: dict[str, Any] | None = None
    answer: str | None = None
    origin: Origin = Origin.USER
    dialect: Dialect = Dialect.OPENAI
    app: str = ""
    model: str = ""

    def trial(self) -> Trial:
        """Raises Unfit for a case that judges nothing, or several things."""
        given = [value for value in (self.prompt, self.messages, self.body, self.answer) if value is not None]
        if len(given) != 1:
            raise Unfit("a case has one of prompt, messages, body and answer")
        body = self.body
        if self.messages is not None:
            body = {"messages": self.messages, **({"max_tokens": 1024} if self.dialect is Dialect.ANTHROPIC else {})}
        return Trial(
            text=self.prompt or "",
            body=body,
            answer=self.answer,
            origin=self.origin,
            dialect=self.dialect,
            app=self.app,
            model=self.model,
        )


class Suite(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of cases. `config` is the configuration's path, from the file's own folder."""

    tests: Annotated[list[Case], Meta(min_length=1)]
    config: str = ""


WORDS: dict[str, tuple[str, ...]] = {
    "effect": tuple(Effect),
    "origin": tuple(Origin),
    "dialect": tuple(Dialect),
    "": tuple(dict.fromkeys(name for one in (Case, Expected, Range, Suite) for name in one.__struct_fields__)),
}
"""What may stand in a field → the words; all fields under the empty name."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a case; no `differences` when it holds."""

    name: str
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """A suite and where its cases stand."""

    path: Path
    suite: Suite
    lines: tuple[int, ...]

    def require_known(self, snapshot: Snapshot) -> None:
        """Raises CommandError, with every place, for rules and kinds that the configuration does not have: what they
        are expected to do would say nothing."""
        rules = {rule.id for rule in (*OWN_RULES, *snapshot.rules)}
        kinds = {*KINDS, *(f"custom.{spec.name}" for spec in snapshot.custom)}
        for name, classifier in snapshot.classifiers.items():
            kinds.update(kinds_of(name, classifier.labels))
        problems = []
        for case, line in zip(self.suite.tests, self.lines, strict=True):
            expected = case.expect
            named = [("rule", name, rules) for name in (*(expected.rules or ()), *(expected.shadowed or ()))]
            named += [("kind of finding", name, kinds) for name in expected.findings or ()]
            for what, name, known in named:
                if name.removesuffix(":failed") not in known:
                    near = did_you_mean(name, sorted(known))
                    hint = f" (hint: {near})" if near else ""
                    problems.append(f"{self.path}:{line}: {case.name}: no {what} is called {shown(name)}{hint}")
        if problems:
            raise _unusable(self.path, problems)


def read_suite(path: Path) -> SuiteFile:
    """Raises CommandError for a file that is no suite, with every mistake and its line."""
    try:
        text = path.read_text(encoding="utf-8")
        root, found = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", exit_code=USAGE) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark is not None else f"{path}"
        raise _unusable(path, [f"{place}: not YAML: {error.problem or error.context}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _unusable(path, [f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
    tests = found.get("tests") if isinstance(found, dict) else None
    if not isinstance(tests, list):
        raise _unusable(path, [f"{path}:1: a file of cases has a list 'tests'"])
    nodes = _nodes_of(root, len(tests))
    lines = tuple(1 if node is None else node.start_mark.line + 1 for node in nodes)
    problems = []
    for test, node, begins in zip(tests, nodes, lines, strict=True):
        problem, line = _problem(test, node)
        if problem:
            problems.append(f"{path}:{line or begins}: {problem}")
    if problems:
        raise _unusable(path, problems)
    try:
        return SuiteFile(path, msgspec.convert(found, Suite), lines)
    except msgspec.ValidationError as error:
        problem, line = fault(error, WORDS, root)
        raise _unusable(path, [f"{path}:{line or 1}: {problem}"]) from None


def _problem(test: object, node: yaml.Node | None) -> tuple[str, int]:
    """What is wrong with a case, empty for nothing; and on which line, 0 for that of the case."""
    try:
        case = msgspec.convert(test, Case)
    except msgspec.ValidationError as error:
        return fault(error, WORDS, node)
    if case.expect == Expected():
        return "`expect` expects nothing, so it would always hold", 0
    return "", 0


def _nodes_of(root: yaml.Node | None, number: int) -> tuple[yaml.Node | None, ...]:
    """Where each case stands in the file; None where it cannot be told."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "tests" and len(value.value) == number:
            return tuple(value.value)
    return (None,) * number


def _unusable(path: Path, problems: Sequence[str]) -> CommandError:
    """The error of a file with these mistakes, which are printed, a line each."""
    for problem in problems:
        print(clean(problem), file=sys.stderr)
    message = f"{path} is no file of cases: {counted(len(problems), 'mistake')}"
    return CommandError(message, hint="mend the lines named above", exit_code=USAGE)


def run_case(bench: Bench, case: Case) -> Outcome:
    """Judge a case and compare."""
    try:
        verdict = bench.judge(case.trial())
    except Unfit as unfit:
        return Outcome(name=case.name, differences=(f"cannot be judged: {unfit}",))
    return Outcome(name=case.name, differences=tuple(differences(case.expect, verdict)))


def differences(expected: Expected, verdict: Verdict) -> list[str]:
    """Each difference in a line of its own; ``-`` stands before what is missing, ``+`` before what is too much."""
    decision, inspection = verdict.decision, verdict.inspection
    found: list[str] = []
    if expected.effect is not None and decision.effect is not expected.effect:
        found.append(f"effect: expected {expected.effect}, got {decision.effect}")
    kinds = tuple(dict.fromkeys(finding.kind for finding in inspection.findings))
    for what, wanted, got in (
        ("rules", expected.rules, decision.rules),
        ("shadowed", expected.shadowed, decision.shadowed),
        ("findings", expected.findings, kinds),
    ):
        if wanted is not None:
            found += [f"{what}: {line}" for line in _compared(wanted, got)]
    score = expected.score
    if score is not None and not score.min <= inspection.score <= score.max:
        parts = " + ".join(f"{points} {name}" for name, points in inspection.parts) or "nothing"
        found.append(f"score: expected {score.min} to {score.max}, got {inspection.score} ({parts})")
    return found


def _compared(wanted: Sequence[str], got: Sequence[str]) -> list[str]:
    missing = [f"- {name}" for name in wanted if name not in got]
    return missing + [f"+ {name}" for name in got if name not in wanted]
