"""Cases beside a policy: what goes in, what should come of it, and how that differs from what does."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.faults import Step, faults, line_at, node_at
from gptgate.cli.policy_trial import Bench, Trial, Unfit, Verdict
from gptgate.cli.text import clean, counted
from gptgate.config.kind_names import near_kind
from gptgate.config.problem import did_you_mean, shown
from gptgate.core.classifier import kinds_of
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Effect, Snapshot
from gptgate.core.wire import Dialect
from gptgate.detectors import KINDS
from gptgate.policy.own import OWN_RULES

KIND = "kind of finding"
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

    @property
    def judged(self) -> int:
        """How many things it judges."""
        return sum(value is not None for value in (self.prompt, self.messages, self.body, self.answer))

    def trial(self) -> Trial:
        """What it judges, which is one thing."""
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
    """A file of cases, which are looked at one by one. `config` is the configuration's path, from the file's own
    folder."""

    tests: Annotated[list[Any], Meta(min_length=1)]
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
    """A file that has a list of cases, each with its node; they may have mistakes."""

    path: Path
    found: dict[str, Any]
    root: yaml.Node

    @property
    def config(self) -> str:
        """The configuration that it names, or nothing."""
        named = self.found.get("config")
        return named if isinstance(named, str) else ""

    def cases(self, snapshot: Snapshot) -> list[Case]:
        """All cases. Raises CommandError when anything is wrong with the file, and prints every mistake with its line:
        names that this configuration does not have too, since what they are expected to do would say nothing."""
        mistakes = self.mistakes(snapshot)
        if mistakes:
            raise unusable(self.path, mistakes)
        return [msgspec.convert(test, Case) for test in self.found["tests"]]

    def mistakes(self, snapshot: Snapshot | None) -> list[str]:
        """All that is wrong, in the order of the lines. Without a configuration nothing is said of names."""
        found = [(line, said) for said, line in faults(self.found, Suite, WORDS, self.root)]
        known = {} if snapshot is None else names_in(snapshot)
        lines: dict[str, int] = {}
        for place, test in enumerate(self.found["tests"]):
            node = node_at(self.root, ("tests", place))
            begins = line_at(node, ()) or 1
            found += [(line or begins, said) for said, line in _mistakes_of(test, known, node)]
            name = test.get("name") if isinstance(test, dict) else None
            if isinstance(name, str) and name in lines:
                said = f"the case on line {lines[name]} is called {shown(name)} too"
                found.append((line_at(node, ("name",)) or begins, said))
            elif isinstance(name, str):
                lines[name] = begins
        return [f"{self.path}:{line}: {said}" for line, said in sorted(found, key=lambda one: one[0])]


def names_in(snapshot: Snapshot) -> dict[tuple[str, ...], tuple[str, Collection[str]]]:
    """Where a case names something of the configuration → what it is, and all that may stand there."""
    rules = ("rule", {rule.id for rule in (*OWN_RULES, *snapshot.rules)})
    kinds = {*KINDS, *(f"custom.{spec.name}" for spec in snapshot.custom)}
    for name, classifier in snapshot.classifiers.items():
        kinds.update(kinds_of(name, classifier.labels))
    return {
        ("app",): ("app", {"", *snapshot.apps}),
        ("model",): ("model", {"", *snapshot.models}),
        ("expect", "rules"): rules,
        ("expect", "shadowed"): rules,
        ("expect", "findings"): (KIND, kinds),
    }


def read_suite(path: Path) -> SuiteFile:
    """Raises CommandError for a file that has no list of cases."""
    try:
        text = path.read_text(encoding="utf-8")
        root, found = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", exit_code=USAGE) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark is not None else f"{path}"
        raise unusable(path, [f"{place}: not YAML: {error.problem or error.context}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise unusable(path, [f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
    if root is None or not isinstance(found, dict) or not isinstance(found.get("tests"), list):
        raise unusable(path, [f"{path}:1: a file of cases has a list 'tests'"])
    return SuiteFile(path, found, root)


def _mistakes_of(
    test: object, known: Mapping[tuple[str, ...], tuple[str, Collection[str]]], node: yaml.Node | None
) -> Iterator[tuple[str, int]]:
    """What is wrong with a case; and on which line, 0 for that of the case."""
    wrong = list(faults(test, Case, WORDS, node))
    yield from wrong
    if not wrong:
        case = msgspec.convert(test, Case)
        if case.expect == Expected():
            yield "`expect` expects nothing, so it would always hold", 0
        if case.judged != 1:
            yield "a case has one of prompt, messages, body and answer", 0
    for way, (what, names) in known.items():
        for steps, name in _texts_at(test, way):
            if name.removesuffix(":failed") not in names:
                near = near_kind(name, names) if what == KIND else did_you_mean(name, sorted(names))
                yield f"no {what} is called {shown(name)}" + (f" (hint: {near})" if near else ""), line_at(node, steps)


def _texts_at(value: object, way: Sequence[str]) -> Iterator[tuple[tuple[Step, ...], str]]:
    """The text, or the texts of the list, that stand there, each with the way to it; what else stands there is no
    name, which is said elsewhere."""
    for step in way:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        yield tuple(way), value
    for place, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, str):
            yield (*way, place), item


def unusable(path: Path, problems: Sequence[str]) -> CommandError:
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
