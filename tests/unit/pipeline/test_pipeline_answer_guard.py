"""Step 12: what of an answer goes out, and what of it is kept."""

import json
from typing import Any

import pytest

from gptgate.core.adapter import Answer
from gptgate.core.errors import GuardFailed, PolicyDenied, RedactionImpossible, UpstreamBroken
from gptgate.core.finding import Finding, Origin
from gptgate.core.ports import StreamScanner
from gptgate.core.wire import Dialect, Endpoint
from gptgate.detectors import TextInspector
from gptgate.pipeline.answer_guard import MAX_CHANNELS, MAX_KEPT_CHARS, MAX_SCORED, AnswerGuard
from gptgate.pipeline.services import Services
from harness import CONFIG
from pipeline_parts import (
    CARD,
    DENYING,
    INSPECTOR,
    OPENAI_KEY,
    RULES,
    chat,
    configured,
    judged,
    new_codec,
    play,
    services,
)
from sse_reader import SseReader


class FailingInspector:
    """An inspector whose detectors cannot answer on whole texts, or from the n-th piece of a stream on."""

    digest = "broken"

    def __init__(self, inner: TextInspector, after: int | None = None) -> None:
        self._inner = inner
        self._after = after

    def inspect(self, segments: Any) -> tuple[Finding, ...]:
        if self._after is None:
            raise GuardFailed("A detector could not answer.")
        return self._inner.inspect(segments)

    def stream(self, place: str, origin: Origin, held: frozenset[str], is_json: bool) -> StreamScanner:
        return _FailingScanner(self._inner.stream(place, origin, held, is_json), self._after or 0)


class _FailingScanner:
    def __init__(self, inner: StreamScanner, after: int) -> None:
        self._inner = inner
        self._left = after

    def feed(self, text: str) -> tuple[str, tuple[Finding, ...]]:
        if not self._left:
            raise GuardFailed("A detector could not answer.")
        self._left -= 1
        return self._inner.feed(text)

    def finish(self) -> tuple[str, tuple[Finding, ...]]:
        if not self._left:
            raise GuardFailed("A detector could not answer.")
        return self._inner.finish()


def keeping(content: str, rules: str = RULES, **parts: Any) -> Services:
    return services(configured(rules, config=CONFIG.replace("content: redacted", f"content: {content}")), **parts)


def whole_answer(parts: Services, text: str, **choice: Any) -> tuple[AnswerGuard, Any, Answer, bytes, Any]:
    raw = chat(Dialect.OPENAI, stream=False)
    facts = judged(parts, raw)
    adapter = parts.adapters[Endpoint.CHAT]
    document = {"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, **choice}]}
    answer = adapter.decode(document)
    return (
        AnswerGuard(parts, facts.grant, facts.facts, facts.draft),
        adapter,
        answer,
        json.dumps(document).encode(),
        facts,
    )


def released(guard: AnswerGuard, adapter: Any, answer: Any, body: bytes) -> bytes:
    guard.inspect(answer)
    return guard.whole(adapter, answer, body)


def stream_of(parts: Services, *pieces: str) -> tuple[AnswerGuard, Any, list[bytes]]:
    facts = judged(parts, chat(Dialect.OPENAI))
    events = []
    for piece in pieces:
        choice = {"index": 0, "delta": {"content": piece}}
        events.append(b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n")
    return AnswerGuard(parts, facts.grant, facts.facts, facts.draft), new_codec(parts, facts), events


def test_a_whole_answer_is_redacted_and_so_is_what_is_kept() -> None:
    parts = keeping("redacted")
    guard, adapter, answer, body, facts = whole_answer(parts, f"card {CARD}")
    out = released(guard, adapter, answer, body)
    assert json.loads(out)["choices"][0]["message"]["content"] == "card [redacted:pii.payment_card]"
    kept = guard.kept_whole(adapter, answer, body)
    assert kept is not None
    assert CARD.encode() not in kept
    assert facts.draft.effect == "redact"


def test_an_answer_without_findings_keeps_its_very_bytes() -> None:
    guard, adapter, answer, body, _ = whole_answer(keeping("redacted"), "hello")
    assert released(guard, adapter, answer, body) is body
    assert guard.kept_whole(adapter, answer, body) is body


def test_an_answer_that_was_not_inspected_is_not_let_out() -> None:
    guard, adapter, answer, body, _ = whole_answer(keeping("redacted"), "hello")
    with pytest.raises(GuardFailed):
        guard.whole(adapter, answer, body)


@pytest.mark.parametrize(("content", "kept"), [("none", False), ("full", True)])
def test_content_none_keeps_nothing_and_full_keeps_all(content: str, kept: bool) -> None:
    guard, adapter, answer, body, _ = whole_answer(keeping(content), f"card {CARD}")
    released(guard, adapter, answer, body)
    assert guard.kept_whole(adapter, answer, body) == (body if kept else None)
    streamed, codec, events = stream_of(keeping(content), f"card {CARD}")
    play(streamed, codec, events)
    found = streamed.kept_stream(codec)
    assert (found is not None and CARD.encode() in found) is kept


def test_token_probabilities_of_a_whole_answer_are_not_kept_beside_a_redacted_text() -> None:
    tokens = [{"token": CARD[at : at + 2], "logprob": -0.1} for at in range(0, len(CARD), 2)]
    guard, adapter, answer, body, _ = whole_answer(keeping("redacted"), f"card {CARD}", logprobs={"content": tokens})
    out = json.loads(released(guard, adapter, answer, body))
    assert out["choices"][0]["logprobs"] is None
    kept = json.loads(guard.kept_whole(adapter, answer, body) or b"")
    assert kept["choices"][0]["logprobs"] is None


def test_an_answer_that_no_detector_judged_is_not_kept_as_redacted() -> None:
    parts = keeping("redacted", inspector=FailingInspector(INSPECTOR))
    guard, adapter, answer, body, _ = whole_answer(parts, OPENAI_KEY)
    with pytest.raises(GuardFailed):
        released(guard, adapter, answer, body)
    assert guard.kept_whole(adapter, answer, body) is None


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_stream_whose_detector_failed_is_not_kept_as_redacted(after: int) -> None:
    parts = keeping("redacted", inspector=FailingInspector(INSPECTOR, after))
    guard, codec, events = stream_of(parts, "key ", OPENAI_KEY[:20], OPENAI_KEY[20:])
    with pytest.raises(GuardFailed):
        play(guard, codec, events)
    assert guard.kept_stream(codec) is None


def test_a_denied_answer_is_kept_without_what_denied_it() -> None:
    parts = keeping("redacted", DENYING)
    guard, adapter, answer, body, facts = whole_answer(parts, f"key {OPENAI_KEY}")
    with pytest.raises(PolicyDenied, match="No keys here"):
        released(guard, adapter, answer, body)
    kept = guard.kept_whole(adapter, answer, body)
    assert kept is not None
    assert OPENAI_KEY.encode() not in kept
    assert facts.draft.answer_rules == ("deny-keys",)
    streamed, codec, events = stream_of(parts, "key ", OPENAI_KEY, " and more")
    with pytest.raises(PolicyDenied):
        play(streamed, codec, events)
    found = json.loads(streamed.kept_stream(codec) or b"")
    assert "sk-proj" not in found["/choices/0/message/content"]
    assert "[redacted:secret.openai]" in found["/choices/0/message/content"]


def test_an_unconditional_rule_denies_before_the_first_event() -> None:
    parts = services(configured("policy: {rules: [{id: never, stage: response, effect: deny}]}"))
    facts = judged(parts, chat(Dialect.OPENAI))
    with pytest.raises(PolicyDenied, match="'never'"):
        AnswerGuard(parts, facts.grant, facts.facts, facts.draft).begin()


def test_text_after_its_own_end_is_refused() -> None:
    guard, codec, _ = stream_of(services(configured()))
    first = b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n'
    empty = b'data: {"choices":[{"index":0,"delta":{"content":""}}]}\n\n'
    second = b'data: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n'
    assert play(guard, codec, [first + empty]) == first + empty
    with pytest.raises(UpstreamBroken, match="after its end"):
        play(guard, codec, [second])


def test_parallel_texts_are_bounded() -> None:
    guard, codec, _ = stream_of(services(configured()))
    event = b'data: {"choices":[{"index":0,"delta":{"parts":[{"index":%d,"text":"a"}]}}]}\n\n'
    play(guard, codec, [event % number for number in range(MAX_CHANNELS)])
    with pytest.raises(UpstreamBroken, match="too many parallel texts"):
        play(guard, codec, [event % MAX_CHANNELS])


def test_a_long_stream_is_not_kept_but_is_judged_to_its_end() -> None:
    guard, codec, events = stream_of(keeping("redacted"), "x " * (MAX_KEPT_CHARS // 2), "y", f" {CARD} ", "end")
    reader = SseReader()
    play(guard, codec, events, reader)
    reader.feed(guard.rest(codec))
    assert reader.texts[0, "content"].endswith("y [redacted:pii.payment_card] end")
    assert guard.kept_stream(codec) is None


def test_a_flood_of_findings_is_cut_to_the_last_one_and_remembered_in_part() -> None:
    parts = services(configured())
    facts = judged(parts, chat(Dialect.OPENAI))
    guard, codec, reader = (
        AnswerGuard(parts, facts.grant, facts.facts, facts.draft),
        new_codec(parts, facts),
        SseReader(),
    )
    event = b'data: {"choices":[{"index":0,"delta":{"content":"a@b.co "}}]}\n\n'
    play(guard, codec, [event] * (MAX_SCORED + 20), reader)
    reader.feed(guard.rest(codec))
    assert reader.texts[0, "content"] == "[redacted:pii.email] " * (MAX_SCORED + 20)
    assert len(facts.draft.answer_findings) == MAX_SCORED


def test_what_cannot_be_cut_out_is_refused_in_a_stream_too() -> None:
    guard, codec, _ = stream_of(services(configured()))
    data = b'data: {"choices":[],"%s":1}\n\n' % OPENAI_KEY.encode()
    with pytest.raises(RedactionImpossible):
        play(guard, codec, [data])


def test_a_rule_about_tool_calls_leaves_prose_alone() -> None:
    parts = services(
        configured(
            "policy: {rules: [{id: a, stage: response, effect: redact, findings: ['pii.*'], origins: [tool_call]}]}"
        )
    )
    guard, codec, events = stream_of(parts, f"{CARD} ")
    out = play(guard, codec, events) + guard.rest(codec)
    assert CARD.encode() in out
