"""The facts that a condition can name: every name, its type, what it means, and where it comes from."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from gptgate.core.facts import Inspection, PolicyFacts

Source = Callable[[PolicyFacts, Inspection], Any]


class Fact(Struct, frozen=True):
    """One fact. `type` is CEL's name of its type."""

    name: str
    type: str
    meaning: str
    read: Source


def _finding_maps(_facts: PolicyFacts, inspection: Inspection) -> list[dict[str, object]]:
    return [
        {
            "kind": found.kind,
            "origin": found.origin.value,
            "place": _readable(found.place),
            "points": found.points,
            "detector": found.detector,
            "view": found.view,
        }
        for found in inspection.findings
    ]


def _spent_percent(facts: PolicyFacts, _inspection: Inspection) -> int:
    return facts.spent_nano * 100 // facts.budget_nano if facts.budget_nano else 0


def _readable(text: str) -> str:
    """Without what the engine cannot hold: a lone surrogate, which no UTF-8 has, and a NUL, at which it would cut the
    text off. Both become the replacement character.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


FACTS: tuple[Fact, ...] = (
    Fact("principal.team", "string", "The team of the app.", lambda f, _: f.team),
    Fact("principal.app", "string", "The app of the key.", lambda f, _: f.app),
    Fact("principal.key_id", "string", "The public id of the key.", lambda f, _: f.key_id),
    Fact(
        "principal.end_user",
        "string",
        "On whose behalf, as the application says; empty when it does not.",
        lambda f, _: _readable(f.end_user),
    ),
    Fact("request.endpoint", "string", "`chat`, `embeddings`, `messages` or `count_tokens`.", lambda f, _: f.endpoint),
    Fact("request.dialect", "string", "`openai` or `anthropic`.", lambda f, _: f.dialect),
    Fact("request.stream", "bool", "Whether a stream is asked for.", lambda f, _: f.stream),
    Fact(
        "request.max_output_tokens",
        "int",
        "The bound that the request sets on its answer; 0 for none.",
        lambda f, _: f.max_output_tokens,
    ),
    Fact("request.choices", "int", "How many answers are asked for.", lambda f, _: f.choices),
    Fact("request.media", "int", "How many parts are not text: images, audio, files.", lambda f, _: f.media),
    Fact(
        "request.tools",
        "list(string)",
        "The names of the tools that the model may call; an empty text for one without a name.",
        lambda f, _: [_readable(name) for name in f.tools],
    ),
    Fact("model.name", "string", "The public name of the model.", lambda f, _: f.model),
    Fact("model.upstream_name", "string", "The provider's name of it.", lambda f, _: f.upstream_model),
    Fact("model.provider", "string", "The provider that answers.", lambda f, _: f.provider),
    Fact("model.location", "string", "`local` or `cloud`: where the prompt goes.", lambda f, _: f.location),
    Fact(
        "session",
        "string",
        "The conversation, as the header `x-gptgate-session` names it; empty without it.",
        lambda f, _: _readable(f.session),
    ),
    Fact(
        "usage.spent_nano",
        "int",
        "What the app has spent and reserved this month before this request, in billionths of a US dollar.",
        lambda f, _: f.spent_nano,
    ),
    Fact("usage.budget_nano", "int", "The app's budget of the month; 0 for none.", lambda f, _: f.budget_nano),
    Fact("usage.spent_percent", "int", "The spent part of the budget, rounded down; 0 without one.", _spent_percent),
    Fact("time.hour", "int", "The hour of the request's arrival in UTC, 0 to 23.", lambda f, _: f.hour),
    Fact("time.weekday", "int", "The day of the week in UTC: 1 is Monday, 7 is Sunday.", lambda f, _: f.weekday),
    Fact("risk.score", "int", "The risk score of this side, 0 to 100.", lambda _, i: i.score),
    Fact(
        "risk.parts",
        "map(string, int)",
        "The parts of the score by name; a category without findings is not in it.",
        lambda _, i: dict(i.parts),
    ),
    Fact(
        "kinds",
        "map(string, int)",
        "How many findings there are of each kind; a kind without any is not in it.",
        lambda _, i: dict(Counter(found.kind for found in i.findings)),
    ),
    Fact("findings", "list(map(string, dyn))", "All findings, each with the members below.", _finding_maps),
    Fact(
        "failures",
        "list(string)",
        "Guards that could not answer where the configuration says `on_failure: open`.",
        lambda _, i: list(i.failures),
    ),
)

BY_NAME = {fact.name: fact for fact in FACTS}

FINDING_MEMBERS = {
    "kind": "The kind, such as `pii.email`.",
    "origin": "Whose words it stands in, such as `tool_result`.",
    "place": "Where, as a JSON Pointer.",
    "points": "Its weight in the score, 0 to 100.",
    "detector": "Which detector found it.",
    "view": "How the text had to be read to find it, such as `base64`; empty for the text as it stands.",
}
"""The members of each of `findings`: texts, but for `points`."""

FUNCTIONS = {
    "size": "Length of a text, a list or a map.",
    "contains": "`text.contains(part)`.",
    "startsWith": "`text.startsWith(part)`.",
    "endsWith": "`text.endsWith(part)`.",
    "matches": "`text.matches(pattern)`: an RE2 pattern is found somewhere in the text.",
    "has": "`has(map.key)`: the key is in the map.",
    "exists": "`list.exists(x, condition)`: true for at least one.",
    "exists_one": "`list.exists_one(x, condition)`: true for exactly one.",
    "all": "`list.all(x, condition)`: true for every one.",
    "filter": "`list.filter(x, condition)`: those of which it is true.",
    "map": "`list.map(x, value)`: the value of each.",
}
"""The functions that a condition may call. Those of the language that read a clock or make fractions are not here."""

MACROS = frozenset({"exists", "exists_one", "all", "filter", "map"})
"""Functions whose first argument names a variable."""
