"""Rules → Decision."""

import pytest

from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Effect, RuleSpec, Stage
from gptgate.policy.engine import Policy, compile_policy
from gptgate.policy.score import assess

DIGEST = "d" * 64


def rule(id: str, effect: Effect = Effect.FLAG, **fields: object) -> RuleSpec:
    base: dict[str, object] = {
        "stage": Stage.REQUEST,
        "findings": (),
        "origins": (),
        "min_score": 0,
        "apps": (),
        "models": (),
        "message": "",
    }
    return RuleSpec(id=id, effect=effect, **(base | fields))  # type: ignore[arg-type]


def found(kind: str, points: int = 20, origin: Origin = Origin.USER) -> Finding:
    return Finding(kind, origin, "/x", 0, 4, "test", points)


def fired(policy: Policy, *findings: Finding, stage: Stage = Stage.REQUEST, app: str = "a", model: str = "m") -> tuple:
    return policy.decide(stage, app, model, assess(findings)).rules


def test_no_rule_fires_so_the_effect_is_allow() -> None:
    decision = compile_policy([], DIGEST).decide(Stage.REQUEST, "a", "m", assess((found("pii.email", 20),)))
    assert decision.effect is Effect.ALLOW
    assert (decision.rules, decision.redact, decision.denied_by, decision.message) == ((), (), "", "")
    assert (decision.score, decision.config_digest) == (20, DIGEST)


def test_the_policy_assesses_as_the_score_does() -> None:
    findings = (found("pii.email", 20), found("secret.aws", 50))
    assert compile_policy([], DIGEST).assess(findings) == assess(findings)


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
        decision = policy.decide(Stage.REQUEST, "a", "m", assess((found("pii.email"),)))
        assert decision.effect is strongest
        assert len(decision.rules) == len(order)


def test_the_first_denying_rule_gives_the_message() -> None:
    policy = compile_policy(
        [rule("f", message="flag"), rule("one", Effect.DENY, message="first"), rule("two", Effect.DENY, message="2")],
        DIGEST,
    )
    decision = policy.decide(Stage.REQUEST, "a", "m", assess(()))
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
    decision = policy.decide(Stage.REQUEST, "a", "m", inspection)
    assert decision.redact == (0, 3, 4)
    assert decision.rules == ("cards", "pii", "flagged")
    assert decision.effect is Effect.REDACT


def test_a_deny_does_not_hide_what_was_to_be_redacted() -> None:
    policy = compile_policy([rule("r", Effect.REDACT, findings=("*",)), rule("d", Effect.DENY)], DIGEST)
    decision = policy.decide(Stage.REQUEST, "a", "m", assess((found("pii.email"),)))
    assert (decision.effect, decision.redact) == (Effect.DENY, (0,))


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
    decision = policy.decide(Stage.REQUEST, "a", "m", assess((found("pii.email"), found("x.y", 1, Origin.TOOL_RESULT))))
    assert (decision.rules, decision.redact) == (("r",), (1,))


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
        policy.held(f"app-{number}", f"model-{number}")
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
    assert policy.held("b", "x") == {"pii.card", "secret.*"}
    assert policy.held("a", "x") == {"pii.card", "secret.*", "injection.*"}
    assert policy.held("b", "m") == {"pii.card", "secret.*", "*"}
    assert policy.held("b", "m") is policy.held("c", "m")


@pytest.mark.parametrize("pattern", ["", "pii*", ".*", "*.email", "pii.*.x", "**"])
def test_a_pattern_that_could_never_match_as_written_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="neither a kind nor a prefix"):
        compile_policy([rule("r", findings=(pattern,))], DIGEST)


def test_an_outcome_is_not_an_effect_a_rule_may_have() -> None:
    with pytest.raises(ValueError, match="outcome"):
        compile_policy([rule("r", Effect.ALLOWED_ON_FAILURE)], DIGEST)


@pytest.mark.parametrize("ids", [("r", "r"), ("",)])
def test_ids_are_unique_and_not_empty(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="unique"):
        compile_policy([rule(id) for id in ids], DIGEST)
