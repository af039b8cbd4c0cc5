"""Rules that decide nothing or can never fire are remarked on; others are left alone."""

import pytest
from msgspec.structs import replace

from gptgate.core.finding import Origin
from gptgate.core.snapshot import Effect, RuleSpec, Stage
from gptgate.detectors.registry import REPORTED_IN
from gptgate.installed import read_config_text
from gptgate.policy.lint import lint

BASE = """\
version: 1
providers: [{name: sim, kind: simulator}]
models: [{name: m, provider: sim}, {name: n, provider: sim}]
teams: [{name: t, policy: {rules: [@TEAM@]}}, {name: empty, policy: {rules: [@EMPTY@]}}]
apps: [{name: a, team: t, models: [m], policy: {rules: [@APP@]}}, {name: b, team: t, models: [m]}]
policy: {rules: [@RULES@]}
"""


def remarks(rules: str, team: str = "", empty: str = "", app: str = "") -> list[tuple[str, str]]:
    text = BASE.replace("@RULES@", rules).replace("@TEAM@", team).replace("@EMPTY@", empty).replace("@APP@", app)
    return [(remark.rule, remark.code) for remark in lint(read_config_text(text, "f"), REPORTED_IN)]


BARE = "version: 1"
ASSISTANTS, TOOLS = frozenset({Origin.ASSISTANT}), frozenset({Origin.TOOL_CALL})


def spec(id: str, pattern: str, *origins: Origin) -> RuleSpec:
    return RuleSpec(
        id=id,
        stage=Stage.RESPONSE,
        effect=Effect.FLAG,
        findings=(pattern,),
        origins=origins,
        min_score=0,
        apps=(),
        models=(),
        message="",
    )


def rule(id: str, effect: str = "flag", stage: str = "request", **more: str) -> str:
    extra = "".join(f", {name}: {value}" for name, value in more.items())
    return f"{{id: {id}, stage: {stage}, effect: {effect}{extra}}}"


EMAIL, PII = '"pii.email"', '"pii.*"'


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("a", findings=f"[{PII}]"), rule("b", findings=f"[{EMAIL}]")], [("b", "decides_nothing")]),
        ([rule("b", findings=f"[{EMAIL}]"), rule("a", findings=f"[{PII}]")], [("b", "decides_nothing")]),
        ([rule("a", findings=f"[{PII}]"), rule("b", findings=f"[{PII}]")], [("b", "duplicate")]),
        ([rule("a", "deny", findings=f"[{PII}]"), rule("b", findings=f"[{EMAIL}]")], [("b", "decides_nothing")]),
        ([rule("a", "redact", findings=f"[{PII}]"), rule("b", "mask", findings=f"[{EMAIL}]")],
         [("b", "decides_nothing")]),
        ([rule("a", "mask", findings=f"[{PII}]"), rule("b", "redact", findings=f"[{EMAIL}]")], []),
        ([rule("a", "redact", findings=f"[{PII}]"), rule("b", findings=f"[{EMAIL}]")], []),
        ([rule("a", findings=f"[{EMAIL}]"), rule("b", findings=f"[{PII}]", min_points="5")], []),
        ([rule("a", findings=f"[{PII}]", min_points="5"), rule("b", findings=f"[{PII}]", min_points="6")],
         [("b", "decides_nothing")]),
        ([rule("a", findings=f"[{PII}]", mode="shadow"), rule("b", findings=f"[{PII}]")], []),
        ([rule("a", findings=f"[{PII}]", rollout_percent="50"), rule("b", findings=f"[{PII}]")], []),
        ([rule("a", findings=f"[{PII}]", rollout_percent="0")], [("a", "acts_on_nothing")]),
        ([rule("a", findings=f"[{PII}]", apps="[a]"), rule("b", findings=f"[{PII}]")], [("a", "decides_nothing")]),
        ([rule("a", findings=f"[{PII}]", when="request.stream"), rule("b", findings=f"[{PII}]", apps="[a]")], []),
        ([rule("a", findings=f"[{PII}]", origins="[user]"), rule("b", findings=f"[{PII}]", origins="[user, system]")],
         [("a", "decides_nothing")]),
        ([rule("a", models="[n]")], [("a", "no_model")]),
        ([rule("a", models="[m, n]")], []),
        ([rule("a", stage="response", findings=f"[{PII}]", origins="[user]")], [("a", "no_origin")]),
        ([rule("a", findings='["attack.override"]', origins="[system]")], [("a", "no_finding")]),
        ([rule("a", findings='["attack.override"]', origins="[system, user]")], []),
        ([rule("a", findings='["*"]', stage="response")], []),
        ([rule("a", stage="response", findings='["exfil.link"]', origins="[assistant, user]")], []),
        ([rule("a", findings=f"[{PII}]", apps="[a, b]"), rule("b", findings=f"[{PII}]", apps="[a, b]", min_score="1")],
         [("b", "decides_nothing")]),
        ([rule("a", "redact", findings=f"[{PII}]"), rule("b", "pseudonymise", findings=f"[{EMAIL}]")],
         [("b", "decides_nothing")]),
        ([rule("a", "deny", findings=f"[{PII}]"), rule("b", "redact", findings=f"[{PII}]")],
         [("b", "decides_nothing")]),
        ([rule("a", models="[n]"), rule("b", models="[n]")], [("a", "no_model"), ("b", "no_model")]),
        ([rule("a"), rule("b", when="request.stream")], [("b", "decides_nothing")]),
        ([rule("a"), rule("b", findings=f"[{PII}]")], [("b", "decides_nothing")]),
        ([rule("a", findings='["*"]'), rule("b", findings=f"[{PII}]")], [("b", "decides_nothing")]),
        ([rule("a", findings=f"[{PII}]"), rule("b", findings='["*"]')], [("a", "decides_nothing")]),
        ([rule("a", findings=f"[{PII}]"), rule("b", findings=f"[{EMAIL}]", origins="[user]", stage="response")],
         [("b", "no_origin")]),
        ([rule("a", min_score="9"), rule("b", findings=f"[{PII}]"), rule("c", findings=f"[{EMAIL}]")],
         [("c", "decides_nothing")]),
        ([rule("a", findings=f"[{PII}]"), rule("b", findings=f"[{PII}]"), rule("c", findings=f"[{PII}]")],
         [("b", "duplicate"), ("c", "duplicate")]),
        ([rule("a", findings=f"[{EMAIL}]"), rule("b", findings=f"[{EMAIL}]"), rule("c", findings=f"[{PII}]")],
         [("a", "decides_nothing"), ("b", "duplicate")]),
        ([rule("a", when='"time.hour >= 25"')], [("a", "never_true")]),
        ([rule("a", when='"!(25 <= time.hour) && request.stream"')], [("a", "never_true")]),
        ([rule("a", when='"time.hour >= 22 && time.hour < 6"')], [("a", "never_true")]),
        ([rule("a", when='"time.hour >= 22 || time.hour < 6"')], []),
        ([rule("a", when='"!(time.hour >= 6 && time.hour < 22)"')], []),
        ([rule("a", when='"risk.score > -1"')], [("a", "always_true")]),
        ([rule("a", when='"risk.score != 101"')], [("a", "always_true")]),
        ([rule("a", when='"has(risk.parts.attack) && risk.parts.attack > 90"')], [("a", "never_true")]),
        ([rule("a", when='"time.hour + 5 > 24 && time.weekday == 7 && usage.spent_nano > 0x10"')], []),
        ([rule("a", when='"false"')], [("a", "constant")]),
        ([rule("a", when='"1 > 2"')], [("a", "constant")]),
        ([rule("a", when='"request.stream && false"')], [("a", "always_false")]),
        ([rule("a", when='"request.stream == false"')], []),
    ],
)  # fmt: skip
def test_what_is_remarked_on(rules: list[str], expected: list[tuple[str, str]]) -> None:
    assert remarks(", ".join(rules)) == expected


def test_layers_are_looked_at_too() -> None:
    assert remarks(rule("a", findings=f"[{PII}]"), rule("b", findings=f"[{EMAIL}]")) == [("b", "decides_nothing")]
    assert remarks(rule("a", findings=f"[{EMAIL}]"), rule("b", findings=f"[{PII}]")) == []
    assert remarks("", "", rule("e")) == [("e", "no_caller")]
    assert remarks("", app=rule("p")) == []
    assert remarks("", app=rule("p", models="[n]")) == [("p", "no_model")]


def test_kinds_are_told_apart_by_their_dots_and_words_by_who_can_say_them() -> None:
    def codes(*rules: RuleSpec) -> list[tuple[str, str]]:
        found = lint(replace(read_config_text(BARE, "f"), rules=rules), {"a.x": ASSISTANTS, "ab.x": TOOLS})
        return [(remark.rule, remark.code) for remark in found]

    assert codes(spec("r", "a.*")) == []
    assert codes(spec("r", "a.*", Origin.TOOL_CALL)) == [("r", "no_finding")]
    assert codes(spec("r", "ab.*", Origin.USER, Origin.ASSISTANT)) == [("r", "no_finding")]
    assert codes(spec("r", "ab.*", Origin.TOOL_CALL)) == []
    assert codes(spec("r", "a.*"), spec("s", "ab.x")) == []
    assert codes(spec("r", "a.*"), spec("s", "a.x")) == [("s", "decides_nothing")]


def test_the_built_in_packs_are_clean() -> None:
    for pack in ("baseline", "gdpr", "developer-tools"):
        found = read_config_text(f"version: 1\npolicy: {{packs: [{pack}]}}", "f")
        assert lint(found, REPORTED_IN) == ()


def test_a_rule_of_an_app_is_for_the_models_of_that_app() -> None:
    text = BASE
    for marker in ("@RULES@", "@TEAM@", "@EMPTY@", "@APP@"):
        text = text.replace(marker, "")
    text = text.replace("{name: b, team: t, models: [m]}", "{name: b, team: t, models: [n]}")
    snapshot = read_config_text(text, "f")
    for app, expected in (("a", ["no_model"]), ("b", [])):
        only = replace(spec("r", "*"), layer=f"app:{app}", models=("n",))
        assert [remark.code for remark in lint(replace(snapshot, rules=(only,)), REPORTED_IN)] == expected
