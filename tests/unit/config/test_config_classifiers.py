"""The section `classifiers`: what it becomes; whatever could not be honoured is refused with its line."""

import pytest

from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.core.beside import ClassifierKind, GuardTemplate, OnFailure
from gptgate.core.classifier import MODERATION, POINTED_SCORES, PRESIDIO, SCORES
from gptgate.core.finding import Origin
from gptgate.core.snapshot import SecretRef
from gptgate.policy.cel import examine

KINDS = frozenset({"pii.email", "attack.override"})
RULE = '{id: r, stage: request, effect: deny, findings: ["external.*"]}'
WEBHOOK = "{name: w, kind: webhook, base_url: http://127.0.0.1:1, credential: env:W, labels: [leak]}"
GUARD = "{name: g, kind: guard_model, base_url: http://127.0.0.1:1/v1, model: m, template: llama_guard}"

ANALYZER = "{name: p, kind: presidio, base_url: http://127.0.0.1:1}"


def text(classifier: str = WEBHOOK, rule: str = RULE) -> str:
    return f"version: 1\nclassifiers:\n  - {classifier}\npolicy:\n  rules:\n    - {rule}\n"


def problems(given: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_text(given, "f.yaml", KINDS)
    return str(caught.value)


def test_a_section_becomes_what_it_says() -> None:
    stated = (
        "{name: mod, kind: moderation, base_url: https://m.example/v1, model: omni, credential: env:KEY, timeout: 3s, "
        "on_failure: open, max_chars: 50, origins: [user, developer], labels: [hate, sexual], "
        "scores: [{permille: 1, points: 5}, {permille: 999, points: 90}], breaker: {failures: 2, cool_down: 1m}}"
    )
    found = load_text(text(stated), "f.yaml", KINDS).classifiers["mod"]
    assert (found.kind, found.base_url, found.model) == (ClassifierKind.MODERATION, "https://m.example", "omni")
    assert (found.credential, found.timeout_ms, found.on_failure) == (SecretRef("env", "KEY"), 3000, OnFailure.OPEN)
    assert (found.max_chars, found.origins) == (50, (Origin.DEVELOPER, Origin.USER))
    assert (found.labels, found.scores) == (("hate", "sexual"), ((1, 5), (999, 90)))
    assert (found.breaker_failures, found.breaker_cool_down_ms) == (2, 60_000)


def test_what_is_left_out_has_its_meaning() -> None:
    found = load_text(text(GUARD), "f.yaml", KINDS).classifiers["g"]
    assert (found.template, found.credential) == (GuardTemplate.LLAMA_GUARD, None)
    assert (found.timeout_ms, found.on_failure, found.scores) == (2000, OnFailure.CLOSED, SCORES)
    assert found.origins == (Origin.ASSISTANT, Origin.TOOL_CALL, Origin.TOOL_RESULT, Origin.USER)
    assert "hate" in found.labels
    moderation = load_text(text("{name: m, kind: moderation, base_url: http://127.0.0.1:1}"), "f.yaml", KINDS)
    assert moderation.classifiers["m"].labels == MODERATION


def test_a_presidio_analyzer_has_what_it_needs() -> None:
    found = load_text(text(ANALYZER), "f.yaml", KINDS).classifiers["p"]
    assert (found.language, found.labels, found.scores) == ("en", PRESIDIO, POINTED_SCORES)
    stated = ANALYZER.replace("name: p", "name: p, language: pt-BR, labels: [person]")
    found = load_text(text(stated), "f.yaml", KINDS).classifiers["p"]
    assert (found.language, found.labels) == ("pt-BR", ("person",))
    assert load_text(text(GUARD), "f.yaml", KINDS).classifiers["g"].language == ""


REWRITING = RULE.replace("deny", "redact")


def test_what_is_found_at_a_place_may_be_cut_out_of_a_request_and_has_an_origin() -> None:
    for pattern in ("external.p.person", "external.p.*", "external.*"):
        rule = REWRITING.replace("external.*", pattern)
        load_text(text(ANALYZER, rule), "f.yaml", KINDS)
        load_text(text(ANALYZER, rule.replace("id: r", "id: r, origins: [user]")), "f.yaml", KINDS)
        # An answer is judged on the whole.
        told = "stands nowhere" if pattern == "external.*" else "is not cut out of answers"
        said = problems(text(ANALYZER, rule.replace("request", "response")))
        assert told in said
        assert "effect: deny, or flag" in said
        origins = RULE.replace("request", "response").replace("id: r", "id: r, origins: [assistant]")
        assert "have no origin" in problems(text(ANALYZER, origins))
    load_text(
        text(ANALYZER, f"{RULE}\n    - {REWRITING.replace('id: r', 'id: s').replace('external.*', '*')}"),
        "f.yaml",
        KINDS,
    )
    both = f"{ANALYZER}\n  - {WEBHOOK}"
    assert "stands nowhere" in problems(text(both, REWRITING))
    assert "have no origin" in problems(text(both, RULE.replace("id: r", "id: r, origins: [user]")))


def test_the_order_of_what_has_none_does_not_change_the_digest() -> None:
    one = load_text(text(WEBHOOK.replace("[leak]", "[a, b]")), "f.yaml", KINDS)
    other = load_text(text(WEBHOOK.replace("[leak]", "[b, a]")), "f.yaml", KINDS)
    assert one.digest == other.digest
    assert one.digest != load_text(text(), "f.yaml", KINDS).digest


WRONG = {
    ANALYZER.replace("name: p", "name: p, model: m"): "model: has no effect: presidio has none",
    ANALYZER.replace("name: p", "name: p, language: the best"): '"the best" is not a language',
    GUARD.replace("name: g", "name: g, language: en"): "language: has no effect: guard_model has none",
    GUARD.replace(", model: m", ""): "model: is missing: guard_model needs it",
    GUARD.replace(", template: llama_guard", ""): "template: is missing: guard_model needs it",
    GUARD.replace("llama_guard", "lama_guard"): 'did you mean "llama_guard"?',
    WEBHOOK.replace(", credential: env:W", ""): "credential: is missing: webhook needs it",
    WEBHOOK.replace(", labels: [leak]", ""): "labels: is missing: webhook needs it",
    WEBHOOK.replace("{name: w", "{name: w, model: m"): "model: has no effect: webhook has none",
    WEBHOOK.replace("{name: w", "{name: w, template: prompt_guard"): "template: has no effect: webhook has none",
    WEBHOOK.replace("[leak]", "[other]"): "is always there",
    WEBHOOK.replace("[leak]", "[Leak]"): '"Leak" is not a part of a kind',
    WEBHOOK.replace("name: w", "name: my-hook"): '"my-hook" is not a part of a kind',
    WEBHOOK.replace("env:W", "s3cret"): "not a reference to a secret",
    WEBHOOK.replace("{name: w", "{name: w, on_failure: ignore"): '"ignore" is not one of: closed, open',
    WEBHOOK.replace(
        "{name: w", "{name: w, scores: [{permille: 5, points: 9}, {permille: 4, points: 10}]"
    ): "scores rise",
    WEBHOOK.replace("{name: w", "{name: w, scores: [{permille: 5, points: 9}, {permille: 6, points: 8}]"): "weigh less",
    WEBHOOK.replace("{name: w", "{name: w, scores: [{permille: 0.5, points: 9}]"): "expected a whole number",
}


@pytest.mark.parametrize("classifier", WRONG)
def test_a_classifier_that_cannot_work_is_refused(classifier: str) -> None:
    found = problems(text(classifier))
    assert WRONG[classifier] in found
    assert "f.yaml:3: classifiers[0]" in found


RULES = {
    '{id: r, stage: request, effect: deny, findings: ["pii.*"]}': "f.yaml:3: classifiers[0]: has no effect",
    '{id: r, stage: request, effect: deny, findings: ["*"]}': "no rule asks it",
    "{id: r, stage: request, effect: deny, findings: [external.w.laek]}": "matches no kind of finding",
    '{id: r, stage: request, effect: deny, findings: ["external.x.*"]}': 'no classifier is called "x"',
    '{id: r, stage: request, effect: deny, findings: ["external.w.*"], origins: [user]}': "its findings have no origin",
    '{id: r, stage: request, effect: redact, findings: ["external.w.*"]}': "stands nowhere and is not cut out",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_asks_for_what_cannot_be_is_refused(rule: str) -> None:
    assert RULES[rule] in problems(text(rule=rule))


def test_a_rewriting_of_everything_would_include_what_stands_nowhere() -> None:
    everything = '{id: all, stage: request, effect: redact, findings: ["*"]}'
    assert '"*" includes what classifiers find' in problems(text(rule=f"{RULE}\n    - {everything}"))
    load_text(f"version: 1\npolicy:\n  rules:\n    - {everything}\n", "f.yaml", KINDS)


def test_a_rule_without_any_classifier_is_refused() -> None:
    assert "there is no classifier" in problems(f"version: 1\npolicy:\n  rules:\n    - {RULE}\n")


@pytest.mark.parametrize("pattern", ["external.w.leak", "external.w.other", "external.w.*", "external.*"])
def test_every_kind_of_a_classifier_can_be_named(pattern: str) -> None:
    load_text(text(rule=RULE.replace("external.*", pattern)), "f.yaml", KINDS)


ON_ANSWERS = RULE.replace("stage: request", "stage: response")
ABOUT = ON_ANSWERS.replace('findings: ["external.*"]', "when: \"'external.w.leak' in kinds\"")


@pytest.mark.parametrize("rule", [ON_ANSWERS, ON_ANSWERS.replace("external.*", "external.w.leak"), ABOUT])
def test_a_rule_on_answers_asks_one_that_is_shown_words_of_answers(rule: str) -> None:
    load_text(text(rule=rule), "f.yaml", KINDS, conditions=examine)
    for origins in ("[assistant]", "[tool_call, user]", "[tool_result]"):
        load_text(
            text(WEBHOOK.replace("{name: w", f"{{name: w, origins: {origins}"), rule),
            "f.yaml",
            KINDS,
            conditions=examine,
        )
    blind = WEBHOOK.replace("{name: w", "{name: w, origins: [user, system]")
    with pytest.raises(ConfigError) as caught:
        load_text(text(blind, rule), "f.yaml", KINDS, conditions=examine)
    assert 'the classifier "w" is shown no words that an answer holds' in str(caught.value)


def test_one_of_two_that_sees_answers_is_enough_for_a_rule_that_asks_all() -> None:
    blind = WEBHOOK.replace("{name: w", "{name: b, origins: [user]")
    load_text(text(f"{WEBHOOK}\n  - {blind}", ON_ANSWERS), "f.yaml", KINDS)
