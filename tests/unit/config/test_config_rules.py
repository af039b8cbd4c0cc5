"""Rules with conditions, in layers, from packs: what loads, and what is refused where."""

import json

import pytest

from gptgate.config.packs import PACKS, load_pack
from gptgate.config.problem import ConfigError
from gptgate.config.starter import starter_yaml
from gptgate.core.snapshot import Effect, Mode, RuleSpec, Snapshot
from gptgate.installed import read_config_text

BASE = """\
version: 1
providers: [{name: sim, kind: simulator}]
models: [{name: m, provider: sim}]
"""
PLACES = """\
teams: [{name: t}, {name: u}]
apps: [{name: a, team: t}, {name: b, team: u}]
"""


def load(text: str) -> Snapshot:
    return read_config_text(BASE + text, "f.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return str(caught.value).splitlines()


def one(**rule: object) -> str:
    """A file with one rule, on line 6."""
    return PLACES + "policy: {rules: [" + json.dumps({"id": "r", "stage": "request", "effect": "flag", **rule}) + "]}"


def test_everything_that_a_rule_can_say() -> None:
    found = load(
        one(
            effect="deny",
            findings=["attack.*"],
            min_points=60,
            when='principal.team == "t"',
            public=False,
            rollout_percent=5,
            overridable=True,
        )
    ).rules[0]
    assert (found.min_points, found.when, found.public) == (60, 'principal.team == "t"', False)
    assert (found.mode, found.rollout_percent, found.overridable) == (Mode.ENFORCE, 5, True)


CASES = {
    "unknown fact": (
        one(when="principal.ap == 'x'"),
        "f.yaml:6: policy.rules[0].when: line 1, column 1: no fact is called principal.ap",
    ),
    "unknown member": (
        one(when="findings.exists(f, f.kid == 'x')"),
        "f.yaml:6: policy.rules[0].when: line 1, column 22: a finding has no member kid "
        "(hint: known: kind, origin, place, points, detector, view)",
    ),
    "syntax": (one(when="risk.score >"), "f.yaml:6: policy.rules[0].when: line 1, column 13: Syntax error"),
    "types": (
        one(when="risk.score > 'x'"),
        "f.yaml:6: policy.rules[0].when: line 1, column 12: found no matching overload for '_>_'",
    ),
    "no bool": (one(when="risk.score"), "f.yaml:6: policy.rules[0].when: line 1, column 1: gives a value of type int"),
    "a clock": (
        one(when="timestamp('2030-01-01T00:00:00Z') == timestamp('2030-01-01T00:00:00Z')"),
        "f.yaml:6: policy.rules[0].when: line 1, column 1: the function 'timestamp' is not for rules",
    ),
    "a fraction": (
        one(when="1.5 > 1.0"),
        "f.yaml:6: policy.rules[0].when: line 1, column 1: fractions are not for rules",
    ),
    "fails on nothing": (
        one(when="kinds['pii.email'] > 2"),
        "f.yaml:6: policy.rules[0].when: line 1, column 1: cannot be evaluated when nothing was found: it reads a key",
    ),
    "a kind that nothing finds": (
        one(when="'pii.emial' in kinds"),
        'f.yaml:6: policy.rules[0].when: line 1, column 1: no kind of finding is called "pii.emial" '
        '(hint: did you mean "pii.email"?)',
    ),
    "a kind of a finding that nothing finds": (
        one(when="findings.exists(f, f.kind.startsWith('pij.'))"),
        'f.yaml:6: policy.rules[0].when: line 1, column 38: no kind of finding begins with "pij."',
    ),
    "a location that is none": (
        one(when='model.location == "clud"'),
        'f.yaml:6: policy.rules[0].when: line 1, column 19: no location is called "clud" (hint: did you mean "cloud"?)',
    ),
    "an app that is none": (
        one(when='!(principal.app in ["a", "x"])'),
        "f.yaml:6: policy.rules[0].when: line 1, column 26: no app",
    ),
    "a team that is none": (
        one(when='"x" != principal.team'),
        "f.yaml:6: policy.rules[0].when: line 1, column 1: no team",
    ),
    "an endpoint that is none": (
        one(when='request.endpoint == "completions"'),
        'f.yaml:6: policy.rules[0].when: line 1, column 21: no endpoint is called "completions" (hint: known: chat,',
    ),
    "an origin that is none": (
        one(when='findings.exists(f, f.origin == "tool")'),
        'f.yaml:6: policy.rules[0].when: line 1, column 32: no origin is called "tool"',
    ),
    "a part of the score that is none": (
        one(when="has(risk.parts.attak)"),
        'f.yaml:6: policy.rules[0].when: line 1, column 16: no part of the risk score is called "attak" (hint: did you',
    ),
    "a classifier that is none": (
        one(when='"external.x" in failures'),
        'f.yaml:6: policy.rules[0].when: line 1, column 1: no classifier is called "external.x"',
    ),
    "a pattern that is seldom asked": (
        one(when='principal.end_user != "" && principal.end_user.matches("[")'),
        "f.yaml:6: policy.rules[0].when: line 1, column 56: is no pattern: missing ]: [",
    ),
    "too long": (
        one(when="true" + " && true" * 300),
        "f.yaml:6: policy.rules[0].when: a condition has 1 to 2000 characters",
    ),
    "empty": (one(when=" "), "f.yaml:6: policy.rules[0].when: expected a CEL expression"),
    "in a block": (
        PLACES + "policy:\n  rules:\n    - id: r\n      stage: request\n      effect: flag\n      when: |\n"
        "        request.stream ||\n          model.nam == 'x'\n",
        "f.yaml:13: policy.rules[0].when: line 2, column 3: no fact is called model.nam",
    ),
    "redact by findings of the answer": (
        one(stage="response", effect="redact", findings=["pii.*"], when="size(findings) > 3"),
        "f.yaml:6: policy.rules[0].when: a stream's text is released before the score and the findings of the whole",
    ),
    "redact by points of the answer": (
        one(stage="response", effect="redact", findings=["pii.*"], min_points=3),
        "f.yaml:6: policy.rules[0].min_points: a stream's text is released before",
    ),
    "points of nothing": (
        one(min_points=3),
        "f.yaml:6: policy.rules[0].min_points: has no effect without findings, whose points it counts",
    ),
    "public without refusal": (one(public=False), "f.yaml:6: policy.rules[0].public: has no effect: only a denied"),
    "public beside a message": (
        one(effect="deny", public=False, message="No."),
        "f.yaml:6: policy.rules[0].public: has no effect beside a message",
    ),
    "rollout of a shadow": (
        one(mode="shadow", rollout_percent=5),
        "f.yaml:6: policy.rules[0].rollout_percent: has no effect: a shadow acts on no request",
    ),
    "an effect nobody enforces": (one(effect="allowed_on_failure"), "f.yaml:6: policy.rules[0].effect: "),
    "unknown pack": ("policy: {packs: [basline]}", 'f.yaml:4: policy.packs[0]: no pack is called "basline"'),
    "version of a pack": ("policy: {packs: [baseline@99]}", "f.yaml:4: policy.packs[0]: version 99 of this pack"),
    "pack twice": (
        "policy: {packs: [baseline, baseline@4]}",
        'f.yaml:4: policy.packs[1]: the pack "baseline" is named',
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_refused_is_named_with_its_place(text: str, expected: str) -> None:
    found = problems(text)
    assert found[0].startswith(expected)
    assert {line.partition(": ")[0] for line in found} == {expected.partition(": ")[0]}


def layers(upper: str, team: str = "", app: str = "") -> str:
    """A file with rules of the organisation (from line 5), of team ``t`` (line 7) and of app ``a`` (line 9)."""
    return (
        f"policy:\n  rules: [{upper}]\nteams:\n  - {{name: t, policy: {{rules: [{team}]}}}}\n  - {{name: u}}\n"
        f"apps:\n  - {{name: a, team: t, policy: {{rules: [{app}]}}}}\n  - {{name: b, team: u}}"
    )


OPEN = "{id: up, stage: request, effect: deny, overridable: true}"


def flag(id: str, more: str = "") -> str:
    return f"{{id: {id}, stage: request, effect: flag{more}}}"


def test_layers_become_one_list() -> None:
    found = load(layers(OPEN, flag("mid", ", overrides: [up]"), flag("low", ", overrides: [up]")))
    assert [(rule.id, rule.layer) for rule in found.rules] == [
        ("up", "organisation"),
        ("mid", "team:t"),
        ("low", "app:a"),
    ]
    assert found.rules[1].overrides == ("up",)


LAYER_CASES = {
    "closed rule": (
        layers(flag("up"), flag("mid", ", overrides: [up]")),
        'f.yaml:7: teams[0].policy.rules[0].overrides[0]: "up" does not let itself be overridden '
        "(hint: overridable: true at that rule allows it)",
    ),
    "unknown rule": (
        layers(OPEN, flag("mid", ", overrides: [upp]")),
        'f.yaml:7: teams[0].policy.rules[0].overrides[0]: no rule is called "upp" (hint: did you mean "up"?)',
    ),
    "upwards": (
        layers("{id: up, stage: request, effect: flag, overrides: [low]}", "", flag("low")),
        'f.yaml:5: policy.rules[0].overrides[0]: "low" is not of a layer above',
    ),
    "sideways": (
        layers(OPEN + ", " + flag("up2", ", overrides: [up]")),
        'f.yaml:5: policy.rules[1].overrides[0]: "up" is not of a layer above',
    ),
    "other side": (
        layers(OPEN, "{id: mid, stage: response, effect: flag, overrides: [up]}"),
        'f.yaml:7: teams[0].policy.rules[0].overrides[0]: "up" looks at the other side',
    ),
    "a shadow overrides": (
        layers(OPEN, flag("mid", ", mode: shadow, overrides: [up]")),
        "f.yaml:7: teams[0].policy.rules[0].overrides: a rule that does not act on every request cannot",
    ),
    "a part of a rollout overrides": (
        layers(OPEN, flag("mid", ", rollout_percent: 99, overrides: [up]")),
        "f.yaml:7: teams[0].policy.rules[0].overrides: a rule that does not act on every request cannot",
    ),
    "one id in two layers": (
        layers(OPEN, "", flag("up")),
        'f.yaml:10: apps[0].policy.rules[0].id: "up" is written twice; the first is on line 5',
    ),
    "another team's app": (
        layers(OPEN, flag("mid", ", apps: [b]")),
        'f.yaml:7: teams[0].policy.rules[0].apps[0]: the app "b" is not of this team',
    ),
    "apps of an app": (
        layers(OPEN, "", flag("low", ", apps: [a]")),
        "f.yaml:10: apps[0].policy.rules[0].apps: has no effect: a rule of an app is for that app",
    ),
    "a rule nobody is below": (
        layers(OPEN, "", flag("low", ", overridable: true")),
        "f.yaml:10: apps[0].policy.rules[0].overridable: has no effect",
    ),
}


@pytest.mark.parametrize(("text", "expected"), LAYER_CASES.values(), ids=LAYER_CASES.keys())
def test_layers_that_contradict_each_other_are_refused(text: str, expected: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_an_app_may_override_its_own_team_and_no_other() -> None:
    team = "{id: mid, stage: request, effect: deny, overridable: true}"
    assert load(layers(OPEN, team, flag("low", ", overrides: [mid]"))).rules[2].overrides == ("mid",)
    swapped = layers(OPEN, team, flag("low", ", overrides: [mid]")).replace("{name: a, team: t", "{name: a, team: u")
    assert "is not of a layer above" in problems(swapped)[0]


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_loads_and_every_pattern_of_it_can_match(name: str) -> None:
    pack = load_pack(name)
    found = load(f"policy: {{packs: [{pack}]}}")
    assert found.packs == (str(pack),)
    assert found.rules
    assert all(rule.id.startswith(f"{name}/") and rule.layer == "organisation" for rule in found.rules)
    # The same rules in the file itself pass all the checks that a pack is spared.
    written = [
        {field: _plain(value.value) for field, value in rule.fields.items() if field in rule.written}
        for rule in pack.rules
    ]
    assert len(load(f"policy: {json.dumps({'rules': written})}").rules) == len(found.rules)


def _plain(value: object) -> object:
    return [item.value for item in value] if isinstance(value, tuple) else value


def test_the_baseline_has_the_rules_of_the_starter_and_finds_no_less() -> None:
    def bare(rule: RuleSpec) -> tuple[object, ...]:
        return rule.stage, rule.effect, rule.origins, rule.min_points, rule.message

    text = starter_yaml(openai=False, anthropic=False, local_url=None, local_model=None)
    baseline = {rule.id: rule for rule in load("policy: {packs: [baseline]}").rules}
    for rule in read_config_text(text, "f").rules:
        same = baseline[f"baseline/{rule.id}"]
        assert bare(rule) == bare(same)
        assert set(rule.findings) <= set(same.findings)


def test_packs_come_first_and_the_organisation_may_override_them() -> None:
    rule = '{id: mine, stage: response, effect: flag, findings: ["*"], overrides: [baseline/redact-answers]}'
    found = load(f"policy: {{packs: [baseline], rules: [{rule}]}}")
    assert [r.id for r in found.rules][-4:] == [
        "baseline/redact-answers",
        "baseline/redact-leaks",
        "baseline/flag-leaks",
        "mine",
    ]
    assert found.rules[-1].effect is Effect.FLAG
    below = flag("mid", ", overrides: [baseline/flag-attacks]")
    text = f"policy: {{packs: [baseline]}}\nteams: [{{name: t, policy: {{rules: [{below}]}}}}]"
    assert "does not let itself be overridden" in problems(text)[0]


def test_the_digest_covers_packs_and_detectors() -> None:
    assert load("policy: {packs: [baseline]}").digest != load("").digest
    assert len(load("").detectors) == 64
