"""Cases beside a policy: what goes in, what should come of it, and how that differs from what does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml
from msgspec import Meta, Struct

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.policy_trial import Bench, Trial, Unfit, Verdict
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Effect
from gptgate.core.wire import Dialect

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


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a case; no `differences` when it holds."""

    name: str
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


def read_suite(path: Path) -> Suite:
    """Raises CommandError for a file that is no suite."""
    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(found, Suite)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", exit_code=USAGE) from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        problem = " ".join(str(error).split())
        raise CommandError(f"{path} is no file of cases: {problem}", exit_code=USAGE) from None


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
