"""What is guarded where: every route, dialect and stream against every guard, under one Snapshot."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from gptgate.core.kept import CONTENTS
from gptgate.core.snapshot import Effect, Snapshot, Stage
from gptgate.core.wire import PATHS, Dialect, Endpoint

GENERATING = frozenset({Endpoint.CHAT, Endpoint.MESSAGES})


class Guard(StrEnum):
    """The columns of the table, in the order of the request path."""

    AUTHENTICATE = "authenticate"
    AUTHORIZE = "authorize"
    LIMITS = "limits"
    INSPECT_REQUEST = "inspect request"
    POLICY_REQUEST = "policy request"
    BUDGET = "budget"
    RECORD = "record"
    INSPECT_ANSWER = "inspect answer"
    POLICY_ANSWER = "policy answer"


class Holds(StrEnum):
    """ON: enforced. OFF: the gateway can, but this configuration asks for nothing. NONE: nothing there to guard."""

    ON = "on"
    OFF = "off"
    NONE = "none"


class Cell(Struct, frozen=True):
    """One guard on one route. `text` says what holds, or why not."""

    guard: Guard
    holds: Holds
    text: str


class Row(Struct, frozen=True, kw_only=True):
    """One route in one dialect. `stream` is ``yes``, ``no``, or ``–`` where the endpoint has no streams."""

    endpoint: Endpoint
    path: str
    dialect: Dialect
    stream: str
    cells: tuple[Cell, ...]


def coverage(snapshot: Snapshot) -> tuple[Row, ...]:
    """The table for `gptgate config check`: all routes, each with a cell for every guard."""
    rows: list[Row] = []
    for path, (endpoint, _, dialect) in PATHS.items():
        dialects = tuple(Dialect) if endpoint is Endpoint.MODELS else (dialect,)
        streams = ("no", "yes") if endpoint in GENERATING else ("–",)
        rows.extend(
            Row(
                endpoint=endpoint,
                path=path,
                dialect=each,
                stream=stream,
                cells=_cells(snapshot, endpoint, each, stream),
            )
            for each in dialects
            for stream in streams
        )
    return tuple(rows)


def _cells(snapshot: Snapshot, endpoint: Endpoint, dialect: Dialect, stream: str) -> tuple[Cell, ...]:
    head = (
        Cell(Guard.AUTHENTICATE, Holds.ON, "API key"),
        Cell(Guard.AUTHORIZE, Holds.ON, _authorize(snapshot, endpoint, dialect)),
    )
    if endpoint is Endpoint.MODELS:
        nothing = {guard: Cell(guard, Holds.NONE, why) for guard, why in _MODELS.items()}
        held = {
            Guard.LIMITS: _limits(snapshot),
            Guard.RECORD: Cell(Guard.RECORD, Holds.ON, "one entry, intent and end"),
        }
        return head + tuple((nothing | held)[guard] for guard in Guard if guard not in (cell.guard for cell in head))
    return (
        *head,
        _limits(snapshot),
        Cell(Guard.INSPECT_REQUEST, Holds.ON, "every string of the body"),
        _policy(snapshot, Guard.POLICY_REQUEST, Stage.REQUEST),
        _budget(snapshot, endpoint),
        Cell(Guard.RECORD, Holds.ON, f"intent before, end after; {_texts(snapshot)}"),
        *_answer(snapshot, endpoint, stream),
    )


_MODELS = {
    Guard.INSPECT_REQUEST: "no body to inspect",
    Guard.POLICY_REQUEST: "no body to decide on",
    Guard.BUDGET: "costs nothing",
    Guard.INSPECT_ANSWER: "names from the configuration only",
    Guard.POLICY_ANSWER: "names from the configuration only",
}


def _authorize(snapshot: Snapshot, endpoint: Endpoint, dialect: Dialect) -> str:
    if endpoint is Endpoint.MODELS:
        return "lists only what the key may use"
    speaking = sum(dialect in snapshot.providers[model.provider].dialects for model in snapshot.models.values())
    speak = "speaks" if len(snapshot.models) == 1 else "speak"
    return f"app and key; {_share(speaking, len(snapshot.models), 'model')} {speak} this dialect"


def _limits(snapshot: Snapshot) -> Cell:
    limited = sum(any(not spec.apps or name in spec.apps for spec in snapshot.limits) for name in snapshot.apps)
    return _of_apps(Guard.LIMITS, limited, snapshot, "limited")


def _budget(snapshot: Snapshot, endpoint: Endpoint) -> Cell:
    if endpoint is Endpoint.COUNT_TOKENS:
        return Cell(Guard.BUDGET, Holds.NONE, "counting tokens costs nothing")
    with_budget = sum(app.monthly_budget_nano is not None for app in snapshot.apps.values())
    cell = _of_apps(Guard.BUDGET, with_budget, snapshot, "with a budget")
    others = [budget.guard for budget in snapshot.budgets[1:]]
    counts = ((others.count(""), "of `budgets`"), (len(others) - others.count(""), "of `guards.session`"))
    more = [f"{count} {what}" for count, what in counts if count]
    return Cell(Guard.BUDGET, Holds.ON, "; ".join((cell.text, *more))) if more else cell


def _share(number: int, of: int, what: str) -> str:
    return f"{number} of {of} {what}" + ("" if of == 1 else "s")


def _of_apps(guard: Guard, number: int, snapshot: Snapshot, what: str) -> Cell:
    return Cell(guard, Holds.ON if number else Holds.OFF, f"{_share(number, len(snapshot.apps), 'app')} {what}")


def _policy(snapshot: Snapshot, guard: Guard, stage: Stage) -> Cell:
    effects = [rule.effect for rule in snapshot.rules if rule.stage is stage]
    if not effects:
        return Cell(guard, Holds.OFF, "no rule")
    counts = ((effect, effects.count(effect)) for effect in Effect)
    return Cell(guard, Holds.ON, ", ".join(f"{count} {effect}" for effect, count in counts if count))


def _texts(snapshot: Snapshot) -> str:
    """How many apps' texts are kept how, and those of which classes otherwise."""
    apps = snapshot.apps.values()
    said = [f"texts: {_kept([app.content for app in apps])}"]
    by_class = sorted((name, content) for app in apps for name, content in app.class_content)
    for name in dict.fromkeys(name for name, _ in by_class):
        said.append(f"with {name}: {_kept([content for other, content in by_class if other == name])}")
    return "; ".join(said)


def _kept(contents: Sequence[str]) -> str:
    return ", ".join(f"{contents.count(word)} {word}" for word in CONTENTS if word in contents) or "no app"


def _answer(snapshot: Snapshot, endpoint: Endpoint, stream: str) -> tuple[Cell, Cell]:
    if stream == "yes":
        inspect = "every string, held back until it is judged"
    elif endpoint is Endpoint.EMBEDDINGS:
        inspect = "every string but the vectors, which hold no words"
    else:
        inspect = "every string of the answer"
    return (
        Cell(Guard.INSPECT_ANSWER, Holds.ON, inspect),
        _policy(snapshot, Guard.POLICY_ANSWER, Stage.RESPONSE),
    )
