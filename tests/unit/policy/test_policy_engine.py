"""Rules → Decision."""

import itertools
from typing import Any

import pytest

from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import STRENGTH, Effect, Mode, Obligations, RuleSpec, Stage
from gptgate.policy.engine import Policy, compile_policy
from gptgate.policy.own import OWN_RULES
from gptgate.policy.rules import bucket
from gptgate.policy.score import assess
from policy_facts import facts

DIGEST = "d" * 64
OWN = {kind for rule in OWN_RULES for kind in rule.findings if rule.stage is Stage.RESPONSE}
"""Kinds that are always held."""
BUCKETS = [82, 71, 5, 99, 15, 58]


def rule(id: str, effect: Effect = Effect.FLAG, **fields: object) -> RuleSpec:
    base: dict[str, Any] = {
        "stage": Stage.REQUEST,
        "findings": (),
        "origins": (),
        "min_score": 0,
        "apps": (),
        "models": (),
        "message": "",
    }
    return RuleSpec(id=id, effect=effect, **(base | fields))


def found(kind: str, points: int = 20, origin: Origin = Origin.USER) -> Finding:
    return Finding(kind, origin, "/x", 0, 4, "test", points)


def fired(
    policy: Policy, *findings: Finding, stage: Stage = Stage.REQUEST, app: str = "a", model: str = "m"
) -> tuple[str, ...]:
    return policy.decide(facts(stage=stage, app=app, model=model), assess(findings)).rules


def test_no_rule_fires_so_the_effect_is_allow() -> None:
    decision = compile_policy([], DIGEST).decide(facts(), assess((found("pii.email", 20),)))
    assert decision.effect is Effect.ALLOW
    assert (decision.rules, decision.rewrites, decision.denied_by, decision.message) == ((), (), "", "")
    assert (decision.score, decision.config_digest) == (20, DIGEST)


def test_the_policy_assesses_as_the_score_does() -> None:
    findings = (found("pii.email", 20), found("secret.aws", 50))
    cloud = facts(location="cloud")
    assert compile_policy([], DIGEST).assess(cloud, findings, ("w",)) == assess(findings, ("w",), cloud)
    assert assess(findings, (), cloud) != assess(findings)


def test_all_that_fire_are_recorded_in_configuration_order() -> None:
    policy = compile_policy(
        [rule("z", findings=("*",)), rule("b", findings=("secret.*",)), rule("a", findings=("pii.email",))], DIGEST
    )
    assert fired(policy, found("pii.email")) == ("z", "a")


@pytest.mark.parametrize(
    ("effects", "strongest"),
    [
        ((Effect.ALLOW, Effect.FLAG), Effect.FLAG),
        ((Effect.FLAG, Effect.REDACT, Effect.ALLOW), Effect.REDACT),
        ((Effect.DENY, Effect.REDACT, Effect.ALLOW), Effect.DENY),
        ((Effect.ALLOW, Effect.DENY), Effect.DENY),
        ((Effect.ALLOW,), Effect.ALLOW),
    ],
)
def test_the_strongest_effect_wins_whatever_the_order(effects: tuple[Effect, ...], strongest: Effect) -> None:
    for order in (effects, effects[::-1]):
        policy = compile_policy([rule(f"r{n}", effect, findings=("*",)) for n, effect in enumerate(order)], DIGEST)
        decision = policy.decide(facts(), assess((found("pii.email"),)))
        assert decision.effect is strongest
        assert len(decision.rules) == len(order)


def test_the_first_denying_rule_gives_the_message() -> None:
    policy = compile_policy(
        [rule("f", message="flag"), rule("one", Effect.DENY, message="first"), rule("two", Effect.DENY, message="2")],
        DIGEST,
    )
    decision = policy.decide(facts(), assess(()))
    assert (decision.denied_by, decision.message, decision.rules) == ("one", "first", ("f", "one", "two"))


def test_redaction_covers_exactly_what_fired_redact_rules_match() -> None:
    policy = compile_policy(
        [
            rule("cards", Effect.REDACT, findings=("pii.card",)),
            rule("pii", Effect.REDACT, findings=("pii.*",), origins=(Origin.USER,)),
            rule("flagged", Effect.FLAG, findings=("secret.*",)),
            rule("late", Effect.REDACT, findings=("secret.*",), min_score=99),
        ],
        DIGEST,
    )
    inspection = assess(
        (
            found("pii.email", 1),
            found("pii.email", 1, Origin.SYSTEM),
            found("secret.aws", 1),
            found("pii.card", 1, Origin.TOOL_RESULT),
            found("pii.card", 1),
        )
    )
    decision = policy.decide(facts(), inspection)
    assert [index for index, _ in decision.rewrites] == [0, 3, 4]
    assert decision.rules == ("cards", "pii", "flagged")
    assert decision.effect is Effect.REDACT


def test_a_deny_does_not_hide_what_was_to_be_redacted() -> None:
    policy = compile_policy([rule("r", Effect.REDACT, findings=("*",)), rule("d", Effect.DENY)], DIGEST)
    decision = policy.decide(facts(), assess((found("pii.email"),)))
    assert (decision.effect, decision.rewrites) == (Effect.DENY, ((0, Effect.REDACT),))


@pytest.mark.parametrize(
    ("pattern", "kind", "hit"),
    [
        ("pii.email", "pii.email", True),
        ("pii.email", "pii.email.work", False),
        ("pii.email", "pii.emai", False),
        ("secret.*", "secret.aws", True),
        ("secret.*", "secret.aws.session", True),
        ("secret.*", "secret", False),
        ("secret.*", "secrets.aws", False),
        ("*", "anything", True),
    ],
)
def test_a_pattern_is_a_kind_a_prefix_or_everything(pattern: str, kind: str, hit: bool) -> None:
    assert bool(fired(compile_policy([rule("r", findings=(pattern,))], DIGEST), found(kind))) is hit


def test_one_finding_must_match_both_kind_and_origin() -> None:
    policy = compile_policy([rule("r", findings=("pii.email",), origins=(Origin.TOOL_RESULT,))], DIGEST)
    apart = (found("pii.email"), found("secret.aws", 20, Origin.TOOL_RESULT))
    assert fired(policy, *apart) == ()
    assert fired(policy, *apart, found("pii.email", 20, Origin.TOOL_RESULT)) == ("r",)


def test_origins_alone_mean_any_finding_of_them() -> None:
    policy = compile_policy([rule("r", Effect.REDACT, origins=(Origin.TOOL_RESULT,))], DIGEST)
    assert fired(policy) == ()
    assert fired(policy, found("pii.email")) == ()
    decision = policy.decide(facts(), assess((found("pii.email"), found("x.y", 1, Origin.TOOL_RESULT))))
    assert (decision.rules, decision.rewrites) == (("r",), ((1, Effect.REDACT),))


def test_a_rule_without_findings_fires_on_its_other_conditions_alone() -> None:
    policy = compile_policy(
        [
            rule("always"),
            rule("app", apps=("a", "b")),
            rule("model", models=("other",)),
            rule("score", min_score=20),
            rule("more", min_score=21),
        ],
        DIGEST,
    )
    assert fired(policy) == ("always", "app")
    assert fired(policy, found("pii.email", 20)) == ("always", "app", "score")
    assert fired(policy, app="c", model="other") == ("always", "model")


def test_every_stated_condition_must_hold() -> None:
    policy = compile_policy([rule("r", findings=("pii.*",), min_score=20, apps=("a",), models=("m",))], DIGEST)
    assert fired(policy, found("pii.email", 20)) == ("r",)
    assert fired(policy, found("pii.email", 19)) == ()
    assert fired(policy, found("secret.aws", 20)) == ()
    assert fired(policy, found("pii.email", 20), app="b") == ()
    assert fired(policy, found("pii.email", 20), model="n") == ()
    assert fired(policy, found("pii.email", 20), stage=Stage.RESPONSE) == ()


def test_a_rule_looks_at_its_own_stage_only() -> None:
    policy = compile_policy([rule("in"), rule("out", stage=Stage.RESPONSE)], DIGEST)
    assert fired(policy) == ("in",)
    assert fired(policy, stage=Stage.RESPONSE) == ("out",)


def test_names_that_no_rule_mentions_share_one_place_in_the_caches() -> None:
    policy = compile_policy([rule("r", apps=("a",), models=("m",))], DIGEST)
    for number in range(100):
        assert fired(policy, app=f"app-{number}", model=f"model-{number}") == ()
        policy.held(facts(app=f"app-{number}", model=f"model-{number}"))
    assert fired(policy) == ("r",)
    assert len(policy._sets) == 2
    assert len(policy._held) == 1


def test_held_are_the_patterns_of_the_answers_redact_and_deny_rules() -> None:
    policy = compile_policy(
        [
            rule("1", Effect.REDACT, stage=Stage.RESPONSE, findings=("pii.card", "secret.*")),
            rule("2", Effect.DENY, stage=Stage.RESPONSE, findings=("injection.*",), apps=("a",)),
            rule("3", Effect.FLAG, stage=Stage.RESPONSE, findings=("pii.email",)),
            rule("4", Effect.REDACT, findings=("pii.iban",)),
            rule("5", Effect.DENY, stage=Stage.RESPONSE, min_score=80, models=("m",)),
        ],
        DIGEST,
    )
    assert policy.held(facts(app="b", model="x")) == OWN | {"pii.card", "secret.*"}
    assert policy.held(facts(app="a", model="x")) == OWN | {"pii.card", "secret.*", "injection.*"}
    assert policy.held(facts(app="b", model="m")) == OWN | {"pii.card", "secret.*", "*"}
    assert policy.held(facts(app="b", model="m")) is policy.held(facts(app="c", model="m"))


@pytest.mark.parametrize("pattern", ["", "pii*", ".*", "*.email", "pii.*.x", "**"])
def test_a_pattern_that_could_never_match_as_written_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="neither a kind nor a prefix"):
        compile_policy([rule("r", findings=(pattern,))], DIGEST)


def test_an_outcome_is_not_an_effect_a_rule_may_have() -> None:
    with pytest.raises(ValueError, match="outcome"):
        compile_policy([rule("r", Effect.ALLOWED_ON_FAILURE)], DIGEST)


@pytest.mark.parametrize("layer", ["team:", "app:", ""])
def test_a_layer_is_somebodys(layer: str) -> None:
    with pytest.raises(ValueError, match="no layer"):
        compile_policy([rule("r", layer=layer)], DIGEST)


@pytest.mark.parametrize("ids", [("r", "r"), ("",)])
def test_ids_are_unique_and_not_empty(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="unique"):
        compile_policy([rule(id) for id in ids], DIGEST)


def test_among_rewritings_of_one_finding_the_strongest_holds() -> None:
    order = (Effect.PSEUDONYMISE, Effect.MASK, Effect.HASH, Effect.REDACT)
    for weaker, stronger in itertools.pairwise(order):
        for pair in ((weaker, stronger), (stronger, weaker)):
            rules = [rule(f"r{n}", effect, findings=("pii.*",)) for n, effect in enumerate(pair)]
            decision = compile_policy(rules, DIGEST).decide(facts(), assess((found("pii.email"), found("x.y"))))
            assert decision.rewrites == ((0, stronger),)
            assert decision.effect is stronger


def test_the_order_of_all_effects() -> None:
    assert [effect.value for effect in sorted(Effect, key=STRENGTH.__getitem__, reverse=True)] == [
        "deny",
        "require_approval",
        "route",
        "redact",
        "hash",
        "mask",
        "pseudonymise",
        "allowed_on_failure",
        "flag",
        "allow",
    ]


def test_min_points_counts_the_matching_findings_alone() -> None:
    policy = compile_policy([rule("r", findings=("attack.*",), origins=(Origin.USER,), min_points=60)], DIGEST)
    weak = (found("attack.a", 50), *(found("pii.email", 40) for _ in range(9)))
    assert assess(weak).score == 100
    assert fired(policy, *weak) == ()
    assert fired(policy, *weak, found("attack.b", 39)) == ()
    assert fired(policy, *weak, found("attack.b", 40, Origin.SYSTEM)) == ()
    assert fired(policy, *weak, found("attack.b", 40)) == ("r",)
    assert fired(policy, found("attack.b", 60)) == ("r",)


def test_a_shadow_is_recorded_and_does_not_act() -> None:
    policy = compile_policy(
        [
            rule("s", Effect.DENY, findings=("pii.*",), mode=Mode.SHADOW, obligations=Obligations(strip_tools=True)),
            rule("c", Effect.REDACT, findings=("pii.*",), stage=Stage.RESPONSE, mode=Mode.SHADOW),
            rule("f", findings=("pii.*",)),
        ],
        DIGEST,
    )
    decision = policy.decide(facts(), assess((found("pii.email"),)))
    assert (decision.effect, decision.rules, decision.shadowed) == (Effect.FLAG, ("f",), ("s",))
    assert (decision.denied_by, decision.rewrites, decision.obligations) == ("", (), Obligations())
    assert policy.decide(facts(), assess(())).shadowed == ()
    assert policy.held(facts()) == OWN


def test_a_rollout_acts_on_its_share_of_the_requests() -> None:
    policy = compile_policy([rule("r", Effect.DENY, rollout_percent=20)], DIGEST)
    acted = 0
    for number in range(2000):
        decision = policy.decide(facts(request_id=f"id-{number}"), assess(()))
        assert (decision.rules, decision.shadowed) in ((("r",), ()), ((), ("r",)))
        acted += bool(decision.rules)
    assert 340 <= acted <= 460
    # The same in every process and for ever: a change of the hash would move requests from one side to the other.
    assert [bucket("r", f"id-{number}") for number in range(6)] == BUCKETS
    assert bucket("r", "\ud800") == 20
    none = compile_policy([rule("r", rollout_percent=0)], DIGEST).decide(facts(), assess(()))
    assert (none.rules, none.shadowed) == ((), ("r",))


def test_a_larger_rollout_acts_wherever_a_smaller_one_did() -> None:
    for number in range(200):
        request = facts(request_id=f"id-{number}")
        acting = [
            bool(compile_policy([rule("r", rollout_percent=percent)], DIGEST).decide(request, assess(())).rules)
            for percent in range(0, 101, 20)
        ]
        assert acting == sorted(acting)
        assert acting[-1]


def test_layers_hold_for_their_team_and_app() -> None:
    policy = compile_policy([rule("all"), rule("team", layer="team:t1"), rule("app", layer="app:x")], DIGEST)
    rules = {
        (team, app): policy.decide(facts(team=team, app=app), assess(())).rules
        for team in ("t1", "t2")
        for app in ("x", "y")
    }
    assert rules == {
        ("t1", "x"): ("all", "team", "app"),
        ("t1", "y"): ("all", "team"),
        ("t2", "x"): ("all", "app"),
        ("t2", "y"): ("all",),
    }


def test_an_override_takes_the_upper_rule_away_where_its_own_rule_applies() -> None:
    policy = compile_policy(
        [
            rule("cards", Effect.REDACT, stage=Stage.RESPONSE, findings=("pii.card",), overridable=True),
            rule(
                "see", stage=Stage.RESPONSE, findings=("pii.*",), layer="team:t1", models=("m",), overrides=("cards",)
            ),
        ],
        DIGEST,
    )
    inspection = assess((found("pii.card"),))

    def at(team: str, model: str) -> tuple[str, ...]:
        request = facts(stage=Stage.RESPONSE, team=team, model=model)
        assert bool(policy.held(request) - OWN) == ("cards" in policy.decide(request, inspection).rules)
        return policy.decide(request, inspection).rules

    assert at("t1", "m") == ("see",)
    assert at("t1", "n") == ("cards",)
    assert at("t2", "m") == ("cards",)


def test_obligations_of_all_that_fired_come_together() -> None:
    policy = compile_policy(
        [
            rule("a", obligations=Obligations(max_output_tokens=500, notice="Be kind.")),
            rule("b", obligations=Obligations(max_output_tokens=200, route_to="one", notice="Be brief.")),
            rule("c", obligations=Obligations(strip_tools=True, route_to="two", notice="Be kind.", canary=True)),
            rule("d", findings=("pii.*",), obligations=Obligations(max_output_tokens=1)),
        ],
        DIGEST,
    )
    assert policy.decide(facts(), assess(())).obligations == Obligations(
        max_output_tokens=200, strip_tools=True, route_to="one", notice="Be kind.\nBe brief.", canary=True
    )


def test_a_guard_that_failed_open_is_never_an_allow() -> None:
    policy = compile_policy([rule("f", findings=("pii.*",)), rule("d", Effect.DENY, findings=("secret.*",))], DIGEST)
    for findings, effect in (
        ((), Effect.ALLOWED_ON_FAILURE),
        ((found("pii.email"),), Effect.ALLOWED_ON_FAILURE),
        ((found("secret.aws"),), Effect.DENY),
    ):
        decision = policy.decide(facts(), assess(findings, ("moderation",)))
        assert (decision.effect, decision.failures) == (effect, ("moderation",))


def test_a_denial_says_whether_the_caller_may_know_the_rule() -> None:
    for public in (True, False):
        policy = compile_policy([rule("d", Effect.DENY, public=public), rule("e", Effect.DENY)], DIGEST)
        assert policy.decide(facts(), assess(())).public is public
    assert compile_policy([rule("f")], DIGEST).decide(facts(), assess(())).public is True


def test_the_gateway_s_own_keys_are_cut_out_under_any_rules_or_none() -> None:
    for own in OWN_RULES:
        for kind in own.findings:
            decision = compile_policy([], DIGEST).decide(facts(stage=own.stage), assess((found(kind),)))
            assert (decision.effect, decision.rules) == (Effect.REDACT, (own.id,))
            assert decision.rewrites == ((0, Effect.REDACT),)
    stronger = compile_policy([rule("no", Effect.DENY, findings=("secret.*",))], DIGEST)
    assert stronger.decide(facts(), assess((found("secret.provider_credential"),))).denied_by == "no"


def test_of_several_rules_that_hold_a_request_up_the_first_gives_the_message() -> None:
    holding = [rule(id, Effect.REQUIRE_APPROVAL, message=id) for id in ("one", "two", "three")]
    decision = compile_policy(holding, DIGEST).decide(facts(), assess(()))
    assert (decision.message, decision.approval_for) == ("one", ("one", "two", "three"))


def test_a_rollout_ends_before_the_bucket_of_its_percentage() -> None:
    request = next(f"id-{number}" for number in range(2000) if bucket("r", f"id-{number}") == 20)
    for percent, acts in ((20, False), (21, True), (99, True), (100, True)):
        policy = compile_policy([rule("r", Effect.DENY, rollout_percent=percent)], DIGEST)
        assert bool(policy.decide(facts(request_id=request), assess(())).rules) is acts
    last = next(f"id-{number}" for number in range(5000) if bucket("r", f"id-{number}") == 99)
    for percent, acts in ((99, False), (100, True)):
        policy = compile_policy([rule("r", Effect.DENY, rollout_percent=percent)], DIGEST)
        assert bool(policy.decide(facts(request_id=last), assess(())).rules) is acts


def test_who_is_asked_by_shadows_alone_does_not_act() -> None:
    shadow = rule("s", findings=("external.w.x",), mode=Mode.SHADOW)
    assert compile_policy([shadow], DIGEST).asks(facts()) == {"w": False}
    acting = rule("r", findings=("external.w.x",))
    assert compile_policy([shadow, acting], DIGEST).asks(facts()) == {"w": True}


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        ({"findings": ("*",)}, True),
        ({"findings": ("external.w.x",)}, True),
        ({"origins": (Origin.ASSISTANT,)}, True),
        ({"min_score": 1, "findings": ("pii.*",)}, True),
        ({"findings": ("pii.*",)}, False),
        ({}, False),
        ({"when": "risk.score > 5"}, True),
        ({"when": "size(findings) > 3", "findings": ("pii.*",)}, True),
        ({"when": "request.stream"}, False),
        ({"when": "request.stream", "findings": ("*",)}, False),
        ({"when": "!request.stream", "findings": ("*",)}, True),
        ({"when": "!request.stream", "findings": ("pii.*",)}, False),
        # It cannot be evaluated on this request, and no trial meets that.
        ({"when": "time.hour == 0 || [1][size(session)] == 1", "findings": ("*",)}, True),
        ({"findings": ("*",), "stage": Stage.REQUEST}, False),
        ({"findings": ("*",), "effect": Effect.FLAG}, False),
        ({"findings": ("*",), "mode": Mode.SHADOW}, False),
        ({"findings": ("*",), "apps": ("b",)}, False),
        ({"findings": ("*",), "models": ("m",)}, True),
    ],
)
def test_an_answer_waits_for_classifiers_that_may_get_it_denied(given: dict[str, Any], waits: bool) -> None:
    spec = rule("r", **({"effect": Effect.DENY, "stage": Stage.RESPONSE} | given))
    policy = compile_policy([spec], DIGEST)
    for _ in range(2):
        assert policy.awaits(facts(app="a", session="abc")) is waits
    other = rule("o", Effect.DENY, stage=Stage.RESPONSE, findings=("*",), apps=("c",))
    both = compile_policy([other, spec], DIGEST)
    assert both.awaits(facts(app="c", session="abc")) is True
    assert both.awaits(facts(app="a", session="abc")) is waits


def test_an_answer_waits_on_the_share_of_requests_that_a_rollout_acts_on() -> None:
    policy = compile_policy([rule("r", Effect.DENY, stage=Stage.RESPONSE, findings=("*",), rollout_percent=50)], DIGEST)
    for number in range(20):
        assert policy.awaits(facts(request_id=f"id-{number}")) is (bucket("r", f"id-{number}") < 50)


def test_a_rule_whose_condition_cannot_hold_asks_nobody() -> None:
    asking = [rule("r", findings=("external.w.x",), when="request.stream")]
    assert compile_policy(asking, DIGEST).asks(facts()) == {}
    assert compile_policy(asking, DIGEST).asks(facts(stream=True)) == {"w": True}
