"""Step 5b: who is asked, what it is shown, what its answer and its silence do."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from gptgate.core.classifier import Opinion
from gptgate.core.errors import GateError, GuardFailed, PolicyDenied
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Mode, Snapshot
from gptgate.core.wire import Dialect
from gptgate.pipeline.classify import weigh_opinions
from gptgate.pipeline.gate import Gate
from gptgate.pipeline.policy_facts import policy_facts
from gptgate.policy.engine import compile_policy
from pipeline_parts import (
    CARD,
    OPENAI_KEY,
    Caller,
    PlayedClassifier,
    PlayedReply,
    PlayedServices,
    PlayedUpstream,
    chat,
    configured,
    judged,
    principal_of,
    services,
)

ANSWER = b'{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}],"usage":null}'
HEAD = "    - {name: @, kind: webhook, base_url: http://127.0.0.1:1, credential: env:W, labels: [leak]"
DENY = '    - {id: deny-leaks, stage: request, effect: deny, findings: ["external.w.leak"], message: "No leaks."}\n'
REDACT = '    - {id: redact-cards, stage: request, effect: redact, findings: ["pii.*"]}\n'


def configuration(rules: str = DENY, *, more: str = "", names: Sequence[str] = ("w",)) -> Snapshot:
    entries = "".join(HEAD.replace("@", name) + more + "}\n" for name in names)
    return configured("classifiers:\n" + entries + "policy:\n  rules:\n" + rules)


def parts_of(snapshot: Snapshot, *classifiers: PlayedClassifier) -> PlayedServices:
    return services(
        snapshot,
        classifiers={one.opinion.classifier: one for one in classifiers},
        upstream=PlayedUpstream([PlayedReply(pieces=[ANSWER])]),
    )


async def serve(
    parts: PlayedServices, text: str = "hello", **more: Any
) -> tuple[GateError | None, Any, Any, PlayedServices]:
    raw = chat(Dialect.OPENAI, text, stream=False, **more)
    error: GateError | None = None
    try:
        await Gate(parts).serve(raw, principal_of(parts.snapshot), Caller())
    except GateError as refusal:
        error = refusal
    (record,) = parts.store.records.values()
    return error, record.intent, record.end, parts


async def test_what_a_classifier_finds_is_decided_on_and_recorded() -> None:
    error, intent, end, parts = await serve(parts_of(configuration(), PlayedClassifier(leak=950)))
    assert isinstance(error, PolicyDenied)
    assert error.message == "No leaks."
    assert (intent.effect, intent.rules, end.code) == ("deny", ("deny-leaks",), "policy_denied")
    assert intent.opinions == (Opinion(classifier="w", failure="", labels=(("leak", 950),)),)
    assert [(one.kind, one.points) for one in intent.findings] == [("external.w.leak", 80)]
    assert (intent.score, intent.parts) == (80, (("external", 80),))
    assert parts.upstream.sent == []


async def test_the_recorded_opinion_gives_the_same_inspection_again() -> None:
    parts = parts_of(configuration(), PlayedClassifier(leak=950))
    _, intent, _, _ = await serve(parts)
    raw = chat(Dialect.OPENAI, "hello", stream=False)
    facts = judged(parts, raw)
    policy = policy_facts(raw, facts.request, facts.grant, 0)
    before = parts.policy.assess(policy, ())
    again = weigh_opinions(parts, policy, before, intent.opinions)
    assert (again.findings, again.score, again.parts) == (intent.findings, intent.score, intent.parts)


async def test_below_the_first_step_nothing_is_found() -> None:
    error, intent, end, parts = await serve(parts_of(configuration(), PlayedClassifier(leak=299)))
    assert error is None
    assert (intent.effect, intent.findings, end.effect) == ("allow", (), "allow")
    assert intent.opinions[0].labels == (("leak", 299),)
    assert len(parts.upstream.sent) == 1


@pytest.mark.parametrize(
    "rule",
    [
        DENY.replace("findings", "models: [sim-claude], findings"),
        '    - {id: elsewhere, stage: request, effect: deny, findings: ["external.w.*"], models: [sim-embed]}\n',
        DENY.replace("findings", 'when: "time.hour > 23 || principal.team == model.name", findings'),
    ],
)
async def test_nobody_is_asked_when_no_rule_for_this_request_wants_it(rule: str) -> None:
    classifier = PlayedClassifier(leak=1000)
    error, intent, _, _ = await serve(parts_of(configuration(rule), classifier))
    assert error is None
    assert classifier.shown == []
    assert intent.opinions == ()


async def test_only_those_are_asked_that_a_rule_names() -> None:
    asked, other = PlayedClassifier("w"), PlayedClassifier("x", leak=1000)
    rules = DENY + '    - {id: other, stage: request, effect: deny, findings: ["external.x.*"], models: [sim-claude]}\n'
    error, intent, _, _ = await serve(parts_of(configuration(rules, names=("w", "x")), asked, other))
    assert error is None
    assert (len(asked.shown), other.shown) == (1, [])
    assert [one.classifier for one in intent.opinions] == ["w"]


async def test_all_are_asked_when_a_rule_names_all() -> None:
    asked = [PlayedClassifier("w"), PlayedClassifier("x", leak=1000)]
    rules = DENY.replace("external.w.leak", "external.*")
    error, intent, _, _ = await serve(parts_of(configuration(rules, names=("w", "x")), *asked))
    assert isinstance(error, PolicyDenied)
    assert [len(one.shown) for one in asked] == [1, 1]
    assert [one.classifier for one in intent.opinions] == ["w", "x"]


async def test_a_condition_that_mentions_a_classifier_asks_it() -> None:
    snapshot = configuration()
    rules = (replace(snapshot.rules[0], findings=(), when='findings.exists(f, f.kind == "external.w.leak")'),)
    parts = parts_of(snapshot, PlayedClassifier())
    facts = judged(parts, chat(Dialect.OPENAI, stream=False))
    policy = policy_facts(chat(Dialect.OPENAI), facts.request, facts.grant, 0)
    assert dict(compile_policy(rules, "d").asks(policy)) == {"w": True}


async def test_nobody_is_asked_about_what_is_denied_here_already() -> None:
    classifier = PlayedClassifier()
    rules = DENY + '    - {id: deny-cards, stage: request, effect: deny, findings: ["pii.*"]}\n'
    error, intent, _, _ = await serve(parts_of(configuration(rules), classifier), CARD)
    assert isinstance(error, PolicyDenied)
    assert (classifier.shown, intent.opinions) == ([], ())


async def test_what_the_rules_rewrite_is_not_shown_to_a_classifier() -> None:
    classifier = PlayedClassifier()
    error, _, _, parts = await serve(parts_of(configuration(DENY + REDACT), classifier), f"pay {CARD} now")
    assert error is None
    assert classifier.shown == [[(Origin.USER, "pay [redacted:pii.payment_card] now")]]
    assert CARD.encode() not in parts.upstream.sent[0]


async def test_a_classifier_sees_whose_words_it_is_shown_and_no_others() -> None:
    classifier = PlayedClassifier()
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": " "},
    ]
    await serve(parts_of(configuration(), classifier), messages=messages)
    assert classifier.shown == [[(Origin.USER, "one"), (Origin.ASSISTANT, "two")]]
    narrow = PlayedClassifier()
    await serve(parts_of(configuration(more=", origins: [system]"), narrow), messages=messages)
    assert narrow.shown == [[(Origin.SYSTEM, "be kind")]]


async def test_a_classifier_that_cannot_answer_refuses() -> None:
    error, intent, end, parts = await serve(parts_of(configuration(), PlayedClassifier(failure="timeout")))
    assert isinstance(error, GuardFailed)
    assert (error.status, error.message) == (503, "The classifier 'w' could not answer.")
    assert (end.state, end.code, end.status) == ("refused", "guard_failed", 503)
    assert (end.failed_guard, end.failure) == ("classifier w", "timeout")
    assert intent.opinions == (Opinion(classifier="w", failure="timeout"),)
    assert parts.upstream.sent == []


@pytest.mark.parametrize(("user", "told"), [("pam", "pam"), (OPENAI_KEY, "[redacted]")])
async def test_the_name_of_an_end_user_stands_when_a_classifier_fails(user: str, told: str) -> None:
    parts = parts_of(configuration(), PlayedClassifier(failure="timeout"))
    error, intent, _, _ = await serve(parts, user=user)
    assert isinstance(error, GuardFailed)
    assert intent.end_user == told


async def test_one_that_may_fail_open_lets_pass_and_says_so() -> None:
    parts = parts_of(configuration(DENY + REDACT, more=", on_failure: open"), PlayedClassifier(failure="nonsense"))
    error, intent, end, _ = await serve(parts)
    assert error is None
    assert (intent.effect, end.effect) == ("allowed_on_failure", "allowed_on_failure")
    assert intent.failures == ("external.w",)
    assert len(parts.upstream.sent) == 1


async def test_other_rules_hold_when_one_fails_open() -> None:
    parts = parts_of(configuration(DENY + REDACT, more=", on_failure: open"), PlayedClassifier(failure="nonsense"))
    _, intent, _, _ = await serve(parts, CARD)
    assert (intent.effect, intent.rules, intent.failures) == ("redact", ("redact-cards",), ("external.w",))
    assert CARD.encode() not in parts.upstream.sent[0]


async def test_the_failure_of_one_that_only_a_shadow_asks_has_no_effect() -> None:
    snapshot = configuration()
    shadow = replace(snapshot, rules=(replace(snapshot.rules[0], mode=Mode.SHADOW),))
    error, intent, _, _ = await serve(parts_of(shadow, PlayedClassifier(failure="timeout")))
    assert error is None
    assert (intent.effect, intent.failures) == ("allow", ())
    assert intent.opinions[0].failure == "timeout"
    error, intent, _, _ = await serve(parts_of(shadow, PlayedClassifier(leak=1000)))
    assert error is None
    assert (intent.effect, intent.shadowed) == ("allow", ("deny-leaks",))


ROUTE = "    - {id: to-claude, stage: request, effect: route, models: [sim-gpt], obligations: {route_to: sim-claude}}\n"
ROUTED = DENY.replace("findings", "models: [sim-claude], findings")


async def test_the_rules_of_the_routed_model_ask_their_classifiers_too() -> None:
    """A route must not lead past the guards of the model that it leads to."""
    asked = PlayedClassifier(leak=950)
    error, intent, end, parts = await serve(parts_of(configuration(ROUTE + ROUTED), asked))
    assert isinstance(error, PolicyDenied)
    assert (intent.rules, end.code, parts.upstream.sent) == (("to-claude", "deny-leaks"), "policy_denied", [])
    assert (len(asked.shown), intent.opinions) == (1, (asked.opinion,))


async def test_after_a_route_nobody_is_asked_twice_and_every_finding_keeps_its_place() -> None:
    both, later = PlayedClassifier("w", leak=400), PlayedClassifier("x", leak=400)
    rules = (
        ROUTE
        + REDACT
        + '    - {id: deny-w, stage: request, effect: deny, findings: ["external.w.leak"], min_score: 90}\n'
        + '    - {id: see-x, stage: request, effect: flag, models: [sim-claude], findings: ["external.x.*"]}\n'
    )
    parts = parts_of(configuration(rules, names=("w", "x")), both, later)
    error, intent, _, parts = await serve(parts, f"pay with {CARD}")
    assert error is None
    assert (len(both.shown), len(later.shown)) == (1, 1)
    assert CARD not in str(later.shown)
    assert [one.classifier for one in intent.opinions] == ["w", "x"]
    assert intent.rules == ("to-claude", "redact-cards", "see-x")
    [body] = parts.upstream.sent
    assert CARD.encode() not in body


SHADOW = DENY.replace("{id: deny-leaks", "{id: shadow, models: [sim-gpt], mode: shadow")


@pytest.mark.parametrize("shadow", [SHADOW, ""], ids=["known", "new"])
async def test_a_classifier_that_failed_holds_up_a_request_whose_routed_model_relies_on_it(shadow: str) -> None:
    error, intent, _, parts = await serve(
        parts_of(configuration(ROUTE + shadow + ROUTED), PlayedClassifier(failure="timeout"))
    )
    assert isinstance(error, GuardFailed)
    assert (intent.opinions[0].failure, parts.upstream.sent) == ("timeout", [])
    open_rules = configuration(ROUTE + shadow + ROUTED, more=", on_failure: open")
    error, intent, _, _ = await serve(parts_of(open_rules, PlayedClassifier(failure="timeout")))
    assert (error, intent.failures) == (None, ("external.w",))
