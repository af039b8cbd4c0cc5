"""Every guard made to raise and to answer nonsense, one at a time: refused, on record, counted, and nothing gets out.

What is broken is the innermost part that can be: a pattern of a detector, a view, the condition engine, the rewriting.
All around it is real. `test_guard_hangs.py` has them hang; those outside, `tests/contract/test_classifier_contract.py`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from broken_guards import (
    ENCODED,
    FAULTS,
    NONSENSE_SPANS,
    SECRET,
    OnOneSide,
    Saying,
    WholeOne,
    answer,
    broken_detector,
    broken_engine,
    broken_view,
    looking_at_answers,
    refused,
    refused_on_answers,
    streamed,
    unbroken,
    where_it_looks,
    with_parts,
)
from gptgate.core.finding import Finding
from gptgate.core.snapshot import Effect
from gptgate.core.wire import Dialect
from gptgate.detectors import DETECTORS
from gptgate.detectors.registry import VIEWS, WHOLE_DETECTORS
from gptgate.detectors.whole import Sighting
from gptgate.pipeline.gate import Gate
from gptgate.policy import cel
from pipeline_parts import (
    CARD,
    INSPECTOR,
    Caller,
    PlayedReply,
    chat,
    configured,
    principal_of,
)


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_detector_that_raises_refuses(name: str, fault: str) -> None:
    await refused(with_parts(inspector=broken_detector(name, FAULTS[fault])), **where_it_looks(name))


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("nonsense", NONSENSE_SPANS)
async def test_a_detector_that_answers_nonsense_refuses(name: str, nonsense: str) -> None:
    parts = with_parts(inspector=broken_detector(name, NONSENSE_SPANS[nonsense]))
    await refused(parts, **where_it_looks(name))


@pytest.mark.parametrize("name", looking_at_answers())
@pytest.mark.parametrize("says", [FAULTS["an engine's error"], None, [(1,)]], ids=["raises", "nothing", "half a span"])
async def test_each_detector_that_fails_on_an_answer_lets_nothing_out(name: str, says: Any) -> None:
    await refused_on_answers(broken_detector(name, says))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_detector_that_raises_on_an_answer_lets_nothing_out(stream: bool, fault: str) -> None:
    fails = FAULTS[fault]
    if stream:
        broken: Any = Saying(broken_engine(fails), "inspect", INSPECTOR.inspect)
    else:
        broken = OnOneSide(INSPECTOR, "inspect", fails, on_answers=True)
    reply = PlayedReply(pieces=streamed("card ", CARD, " bob@example.org") if stream else [answer(SECRET)])
    await refused(with_parts(reply, inspector=broken), "hello", stream=stream, reached=True)
    assert reply.closed


@pytest.mark.parametrize("says", [*FAULTS.values(), None, 7, {10_000}, {"x"}], ids=repr)
async def test_an_engine_that_raises_or_answers_nonsense_refuses(says: Any) -> None:
    await refused(with_parts(inspector=broken_engine(says)))


def raising(_: bytes) -> Iterator[Any]:
    raise RuntimeError("private")


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize(
    "says",
    [raising, lambda _: None, lambda _: [7], lambda _: [("x", None, True)]],
    ids=["raises", "nothing", "a number", "half a result"],
)
async def test_a_view_that_raises_or_answers_nonsense_refuses(name: str, says: Any) -> None:
    await refused(with_parts(inspector=broken_view(name, says)), f"{SECRET} {ENCODED}")


SIGHTINGS: dict[str, Any] = {
    **FAULTS,
    "nothing at all": None,
    "a number": 7,
    "no sightings": ["x"],
    "past the end": [Sighting(0, 10**6, "attack.broken", 10)],
    "before the beginning": [Sighting(-5, 2, "attack.broken", 10)],
    "backwards": [Sighting(3, 1, "attack.broken", 10)],
    "a kind that it never declared": [Sighting(0, 1, "attack.unheard_of", 10)],
    "points without measure": [Sighting(0, 1, "attack.broken", 10**6)],
    "negative points": [Sighting(0, 1, "attack.broken", -1)],
    "points in words": [Sighting(0, 1, "attack.broken", "many")],  # type: ignore[arg-type]
}


@pytest.mark.parametrize("says", SIGHTINGS)
async def test_a_detector_of_whole_texts_that_raises_or_answers_nonsense_refuses(says: str) -> None:
    await refused(with_parts(inspector=unbroken(_whole=(WholeOne(SIGHTINGS[says]),))))


@pytest.mark.parametrize("name", WHOLE_DETECTORS)
@pytest.mark.parametrize("says", [*FAULTS.values(), None, 7], ids=repr)
async def test_each_registered_detector_of_whole_texts_is_broken_in_turn(name: str, says: Any) -> None:
    class Broken(WholeOne):
        kinds = WHOLE_DETECTORS[name].kinds
        origins = WHOLE_DETECTORS[name].origins

    whole = {**WHOLE_DETECTORS, name: Broken(says)}
    await refused(with_parts(inspector=unbroken(_whole=tuple(whole.values()))))


def far(finding: Finding) -> Finding:
    return replace(finding, segment=999)


INSPECTIONS: dict[str, Any] = {
    "nothing at all": None,
    "a list": [],
    "a number": 7,
    "findings in a text that there is not": lambda given: tuple(map(far, INSPECTOR.inspect(given))),
    "words": ("finding",),
}


@pytest.mark.parametrize("says", INSPECTIONS)
@pytest.mark.parametrize("reached", [False, True])
async def test_an_inspector_that_answers_nonsense_is_not_taken_for_a_clean_text(says: str, reached: bool) -> None:
    broken = OnOneSide(INSPECTOR, "inspect", INSPECTIONS[says], on_answers=reached)
    parts = with_parts(PlayedReply(pieces=[answer(SECRET)]), inspector=broken)
    await refused(parts, "hello" if reached else SECRET, reached=reached)


def decided(**changes: Any) -> Callable[..., Any]:
    real = with_parts().policy
    return lambda facts, inspection: replace(real.decide(facts, inspection), **changes)


DECISIONS: dict[str, Any] = {
    **FAULTS,
    "nothing at all": None,
    "a word": "allow",
    "findings that there are not": decided(rewrites=((999, Effect.REDACT),)),
    "an effect that rewrites nothing": decided(rewrites=((0, Effect.FLAG),)),
    "an approval that nobody gave": decided(effect=Effect.REQUIRE_APPROVAL, approval_for=("x",)),
}


@pytest.mark.parametrize("says", DECISIONS)
async def test_a_policy_that_raises_or_answers_nonsense_refuses(says: str) -> None:
    await refused(with_parts(policy=Saying(with_parts().policy, "decide", DECISIONS[says])))


@pytest.mark.parametrize("says", [*FAULTS.values(), None, 7], ids=repr)
async def test_a_score_that_raises_or_is_nonsense_refuses(says: Any) -> None:
    await refused(with_parts(policy=Saying(with_parts().policy, "assess", says)))


REWRITINGS: dict[str, Any] = {
    **FAULTS,
    "nothing at all": None,
    "a number": 7,
    "bytes": b"x",
    "the text as it was": lambda text, *_: text,
}


@pytest.mark.parametrize("says", REWRITINGS)
async def test_a_redaction_that_raises_or_answers_nonsense_refuses(says: str) -> None:
    await refused(with_parts(redaction=Saying(with_parts().redaction, "text", REWRITINGS[says])))


@pytest.mark.parametrize("says", REWRITINGS)
async def test_a_redaction_that_fails_on_an_answer_lets_nothing_out(says: str) -> None:
    parts = with_parts(
        PlayedReply(pieces=[answer(SECRET)]), redaction=Saying(with_parts().redaction, "text", REWRITINGS[says])
    )
    await refused(parts, "hello", reached=True)


CONDITION = configured(
    """\
policy:
  rules:
    - {id: when-risky, stage: request, effect: deny, when: "risk.score > 1000"}
    - {id: redact-all, stage: request, effect: redact, findings: ["pii.*"]}
"""
)


@pytest.mark.parametrize(
    "says",
    [RuntimeError("private"), "an error in words, which is true", None, 1, 0, "", [True], "false", b"true"],
    ids=repr,
)
async def test_a_condition_that_is_neither_true_nor_false_refuses(says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Program:
        def eval(self, _: Any) -> Any:
            if isinstance(says, Exception):
                raise says
            return self

        def value(self) -> Any:
            return says

    real = cel._evaluate
    parts = with_parts(snapshot=CONDITION)
    monkeypatch.setattr(cel, "_evaluate", lambda _, circumstances: real(Program(), circumstances))
    assert await refused(parts) == "guard_failed"


@pytest.mark.parametrize("says", FAULTS)
async def test_a_shadow_s_condition_that_fails_stops_nobody_and_is_on_record(
    says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = configured(
        """\
policy:
  rules:
    - {id: trial, stage: request, effect: deny, when: "risk.score > 1000", mode: shadow}
"""
    )
    parts = with_parts(snapshot=snapshot)

    def fail(*_: Any) -> bool:
        raise cel.ConditionError("private")

    monkeypatch.setattr(cel, "_evaluate", fail)
    await Gate(parts).serve(chat(Dialect.OPENAI, "hello", stream=False), principal_of(snapshot), Caller())
    (record,) = parts.store.records.values()
    assert record.intent.shadowed == ("trial:failed",)
    assert len(parts.upstream.sent) == 1


CLASSIFIED = configured(
    """\
classifiers:
  - {name: w, kind: webhook, base_url: "http://127.0.0.1:1", credential: env:W, labels: [leak], on_failure: open}
policy:
  rules:
    - {id: deny-leaks, stage: request, effect: deny, findings: [external.w.leak]}
"""
)


@pytest.mark.parametrize("says", [*FAULTS.values(), None, 7, "safe"], ids=repr)
async def test_a_classifier_that_breaks_its_contract_refuses_whatever_its_failure_mode_is(says: Any) -> None:
    class Broken:
        async def classify(self, texts: Any) -> Any:
            if isinstance(says, Exception):
                raise says
            return says

    await refused(with_parts(snapshot=CLASSIFIED, classifiers={"w": Broken()}))


HELD_UP = configured(
    """\
policy:
  rules:
    - {id: ask, stage: request, effect: require_approval, findings: ["pii.*"]}
"""
)


@pytest.mark.parametrize("says", [*FAULTS.values(), 7, True, "approved"], ids=repr)
async def test_approvals_that_raise_or_answer_nonsense_refuse(says: Any) -> None:
    class Broken:
        async def claim(self, *_: Any) -> Any:
            if isinstance(says, Exception):
                raise says
            return says

    await refused(with_parts(snapshot=HELD_UP, approvals=Broken()))
