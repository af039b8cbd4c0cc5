"""The settings of rules, packs and own patterns: a part of the tables of `config.schema`."""

from gptgate.config.shape import Field, Group, Many
from gptgate.config.types import (
    BOOL,
    CONDITION,
    KIND_PATTERN,
    KIND_WORD,
    MODEL_NAME,
    PACK_NAME,
    RULE_ID,
    SMALL_NAME,
    count_type,
    enum_type,
    text_type,
)
from gptgate.core.finding import Origin
from gptgate.core.snapshot import WRITABLE, WRITABLE_OBLIGATIONS, Effect, Mode, Stage

_CAP = count_type(1, 10_000_000)

OBLIGATION_FIELDS: dict[str, Field] = {
    "max_output_tokens": Field("max_output_tokens", _CAP, "Caps the answer.", absent="no cap"),
    "strip_tools": Field("strip_tools", BOOL, "Takes the tools away.", "false"),
    "route_to": Field("route_to", MODEL_NAME, "The model that answers instead.", absent="the one that was asked for"),
    "notice": Field("notice", text_type("text", 1000), "Added to the system's text.", absent="nothing is added"),
    "canary": Field("canary", BOOL, "Plants a token in the system's text that is known again anywhere.", "false"),
}
OBLIGATIONS = Group(tuple(OBLIGATION_FIELDS[name] for name in WRITABLE_OBLIGATIONS))
_OBLIGATIONS = (Field("obligations", OBLIGATIONS, "What it asks for besides.", "{}"),) if WRITABLE_OBLIGATIONS else ()

RULE_FIELDS = (
    Field("id", SMALL_NAME, "The rule's name in records and reasons; unique in the whole file.", required=True),
    Field("stage", enum_type(Stage), "Which side it looks at.", required=True),
    Field("effect", enum_type(Effect, frozenset(Effect) - frozenset(WRITABLE)), "What it does.", required=True),
    Field("findings", Many(KIND_PATTERN), "Fires on findings of these kinds.", absent="not a condition"),
    Field("origins", Many(enum_type(Origin)), "Counts findings in these words only.", absent="all origins"),
    Field("min_score", count_type(0, 100), "Fires from this risk score on.", "0"),
    Field("min_points", count_type(0, 90), "Fires when the findings it matches have these points together.", "0"),
    Field("when", CONDITION, "Fires when this CEL expression is true.", absent="not a condition"),
    Field("apps", Many(SMALL_NAME), "Fires for these apps.", absent="all apps"),
    Field("models", Many(MODEL_NAME), "Fires for these models.", absent="all models"),
    Field("message", text_type("text", 500), "What a denied caller is told.", absent="a general sentence"),
    Field("public", BOOL, "Whether the general sentence names the rule.", "true"),
    Field("mode", enum_type(Mode), "`shadow`: decided and recorded, not acted on.", "enforce"),
    Field("rollout_percent", count_type(0, 100), "On which share of the requests it acts.", "100"),
    Field("overridable", BOOL, "Whether a lower layer may switch it off.", "false"),
    Field("overrides", Many(RULE_ID), "Rules of upper layers that do not hold where this one does.", absent="none"),
    *_OBLIGATIONS,
)
RULE = Group(RULE_FIELDS)
_RULES = Many(RULE, key="id")
LAYER = Group(
    (Field("rules", _RULES, "Rules for these callers alone, written as `policy.rules`.", "[]", as_elsewhere=True),)
)
CUSTOM = Group(
    (
        Field("name", KIND_WORD, "Findings have the kind `custom.` and this name.", required=True),
        Field("words", Many(text_type("text", 100)), "What is looked for, as words.", absent="a pattern"),
        Field("pattern", text_type("text", 500), "What is looked for, as a pattern.", absent="words"),
        Field("ignore_case", BOOL, "Whether small and capital letters are the same.", "true"),
        Field("points", count_type(0, 100), "What a finding weighs in the risk score.", "0"),
        Field("origins", Many(enum_type(Origin)), "Whose words are looked at.", absent="everybody's"),
    )
)
POLICY = Group(
    (
        Field("packs", Many(PACK_NAME), "Built-in rules that come before the file's own.", "[]"),
        Field("custom", Many(CUSTOM, key="name"), "Words and patterns of your own.", "[]"),
        Field("rules", _RULES, "The rules for everybody, in the order in which they are reported.", "[]"),
    )
)
PACK = Group(
    (
        Field("pack", SMALL_NAME, "The pack's name.", required=True),
        Field("version", count_type(1, 1_000_000), "Its version.", required=True),
        Field("description", text_type("text", 200), "What it is for.", required=True),
        Field("rules", _RULES, "Its rules.", required=True),
    )
)
"""A built-in pack of rules: the layout of the files in `packs`."""
