"""Conditions in CEL, by Google's engine. The one module that knows it.

The engine returns an error in the course of an evaluation as a value, a text, which is true to Python. So only `True`
itself is true here, only `False` false, and everything else is a `ConditionError`.
"""

import re
from collections.abc import Iterable

from cel_expr_python import cel
from msgspec.structs import replace

from gptgate.core.condition import ConditionFault, ConditionReport
from gptgate.core.facts import Inspection, PolicyFacts
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Stage
from gptgate.policy.expression import MAX_CHARACTERS, faults, place_of, uses
from gptgate.policy.operands import names, patterns
from gptgate.policy.score import NOTHING, assess
from gptgate.policy.vocabulary import BY_NAME, FACTS

_TYPES = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "bool": cel.Type.BOOL,
    "list(string)": cel.Type.List(cel.Type.STRING),
    "map(string, int)": cel.Type.Map(cel.Type.STRING, cel.Type.INT),
    "list(map(string, dyn))": cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN)),
}
_ENVIRONMENT = cel.NewEnv(variables={fact.name: _TYPES[fact.type] for fact in FACTS})
_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")


_READ_FIRST = "ask first: 'attack' in risk.parts && …, size(findings) > 0 && …"
_DIVIDE_FIRST = "ask first: usage.budget_nano > 0 && …"
_REASONS = (
    ("by zero", "it divides by zero", _DIVIDE_FIRST),
    ("invalid regular expression", "it matches with a pattern that is none", ""),
    ("Key not found", "it reads a key that is not there", _READ_FIRST),
    ("Index error", "it reads an element that is not there", _READ_FIRST),
    ("overflow", "it reaches a number of more than 64 bits", ""),
)
"""Part of an error of the engine → our words, and what helps."""


class ConditionError(Exception):
    """A condition gave neither true nor false. `why` says it without any word of a request, which ``str`` may hold;
    `hint` says what helps."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        known = (reason[1:] for reason in _REASONS if reason[0] in said)
        self.why, self.hint = next(known, ("it gives neither true nor false", ""))


class Circumstances:
    """The facts of one decision as the engine reads them; made ready when the first condition asks."""

    __slots__ = ("_activation", "_facts", "_inspection", "_names")

    def __init__(self, facts: PolicyFacts, inspection: Inspection, names: Iterable[str]) -> None:
        """`names` are the facts that the conditions to come look at."""
        self._facts = facts
        self._inspection = inspection
        self._names = names
        self._activation: cel.Activation | None = None

    @property
    def activation(self) -> cel.Activation:
        """Raises ConditionError when the engine cannot hold a fact."""
        if self._activation is None:
            values = {name: BY_NAME[name].read(self._facts, self._inspection) for name in self._names}
            try:
                self._activation = _ENVIRONMENT.Activation(values)
            except (RuntimeError, TypeError, ValueError, OverflowError) as error:
                raise ConditionError(f"the facts cannot be read: {error}") from None
        return self._activation


class Condition:
    """A compiled condition. `uses` names the facts that it looks at."""

    __slots__ = ("_program", "uses")

    def __init__(self, text: str) -> None:
        """Raises ValueError for a text that `examine` finds fault with."""
        report = examine(text)
        if report.faults:
            raise ValueError(report.faults[0].message)
        self._program = _ENVIRONMENT.compile(text)
        self.uses = report.uses

    def holds(self, circumstances: Circumstances) -> bool:
        """Whether it is so. Raises ConditionError when the engine does not say."""
        return _evaluate(self._program, circumstances)


def examine(text: str) -> ConditionReport:
    """What a condition looks at, and what is wrong with it: size, syntax, names, types, words that no rule may hold,
    and whether it can be evaluated on a request without findings and on one with.
    """
    if not text.strip() or len(text) > MAX_CHARACTERS:
        message = f"a condition has 1 to {MAX_CHARACTERS} characters"
        return ConditionReport(uses=frozenset(), faults=(ConditionFault(0, 0, message),))
    found = faults(text) or _compile_faults(text) or _pattern_faults(text) or _trial_faults(text)
    return ConditionReport(uses=uses(text), faults=tuple(found), names=() if found else names(text))


def _compile_faults(text: str) -> list[ConditionFault]:
    try:
        program = _ENVIRONMENT.compile(text)
    except TypeError:
        return [ConditionFault(0, 0, "holds a character that is no text")]
    except RuntimeError as error:
        return _reported(str(error))
    if program.return_type() != cel.Type.BOOL:
        return [ConditionFault(1, 1, f"gives {_type_name(program)}, not true or false", "compare it with something")]
    return []


def _reported(message: str) -> list[ConditionFault]:
    """The engine's own words, with their places."""
    found = []
    for line, column, what in _ERROR.findall(message):
        known = int(line) > 0
        what = what.removesuffix(" (in container '')").removesuffix(" [INVALID_ARGUMENT]")
        found.append(ConditionFault(int(line) if known else 0, int(column) if known else 0, what))
    return found or [ConditionFault(0, 0, message.partition("\n")[0])]


def _type_name(program: cel.Expression) -> str:
    return f"a value of type {program.return_type().name().lower()}"


def _pattern_faults(text: str) -> list[ConditionFault]:
    """Patterns that are written out and are none, wherever they stand: one that is seldom asked is found here."""
    found = []
    for word in patterns(text):
        try:
            _evaluate(_ENVIRONMENT.compile(f"''.matches({word.text})"), Circumstances(_PLAIN, NOTHING, ()))
        except ConditionError as error:
            why = str(error).partition("regular expression: ")[2]
            found.append(ConditionFault(*place_of(text, word.at), f"is no pattern: {why}", "patterns are those of RE2"))
    return found


def _trial_faults(text: str) -> list[ConditionFault]:
    program = _ENVIRONMENT.compile(text)
    for facts, inspection, when in _TRIALS:
        try:
            _evaluate(program, Circumstances(facts, inspection, uses(text)))
        except ConditionError as error:
            return [ConditionFault(1, 1, f"cannot be evaluated {when}: {error.why}", error.hint)]
    return []


def _evaluate(program: cel.Expression, circumstances: Circumstances) -> bool:
    activation = circumstances.activation
    try:
        value = program.eval(activation).value()
    except RuntimeError as error:
        raise ConditionError(str(error)) from None
    if value is True:
        return True
    if value is False:
        return False
    raise ConditionError(str(value))


_PLAIN = PolicyFacts(
    stage=Stage.REQUEST,
    request_id="",
    team="t",
    app="a",
    key_id="k",
    end_user="",
    endpoint="chat",
    dialect="openai",
    stream=False,
    max_output_tokens=0,
    choices=1,
    media=0,
    tools=("tool",),
    model="m",
    upstream_model="m",
    provider="p",
    location="cloud",
    session="",
    spent_nano=0,
    budget_nano=0,
    hour=0,
    weekday=1,
)
_FULL = replace(
    _PLAIN,
    end_user="u",
    endpoint="messages",
    dialect="anthropic",
    stream=True,
    max_output_tokens=1,
    media=1,
    location="local",
    session="s",
    spent_nano=1,
    budget_nano=2,
)
_SOME = tuple(Finding(kind, Origin.USER, "/x", 0, 1, "d", 50) for kind in ("attack.x", "pii.email", "secret.x"))
_TRIALS = (
    (_PLAIN, NOTHING, "when nothing was found"),
    (_PLAIN, assess(_SOME), "when something was found"),
    (_FULL, NOTHING, "on a request with a user, a session and a budget"),
)
"""What a condition is tried on: requests without findings and with some, that say little and much."""
