"""How long an answer has become whose provider sends its texts whole."""

import json
from typing import Any

import pytest

from gptgate.core.wire import Dialect
from gptgate.pipeline.answer_guard import AnswerGuard
from gptgate.pipeline.outgrowth import AROUND_TOKENS
from pipeline_parts import RULES, chat, configured, judged, new_codec, services

HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "system_fingerprint": "fp_44709d6fcb"}
TEXT = "ein Wort, noch eins; "
EVENTS = 100


def grown(*documents: dict[str, Any]) -> tuple[int, int]:
    """What the guard has counted when these chunks have come."""
    parts = services(configured(RULES))
    facts = judged(parts, chat(Dialect.OPENAI))
    guard, codec = AnswerGuard(parts, facts.grant, facts.facts, facts.draft), new_codec(parts, facts)
    for document in documents:
        for event in codec.feed(b"data: " + json.dumps(document).encode() + b"\n\n"):
            guard.event(codec, event)
    return guard.received, guard.beside


def in_choice(**choice: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, **choice}]}


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"role": "assistant", "content": TEXT}},
        {"text": TEXT},
        {"delta": {"content": [TEXT]}},
        {"delta": {"content": [{"text": TEXT}]}},
        {"delta": {"role": TEXT}},
        {"delta": {"content": TEXT}},
    ],
    ids=lambda choice: json.dumps(choice)[:40],
)
def test_a_text_counts_wherever_it_stands(choice: dict[str, Any]) -> None:
    assert grown(*[in_choice(**choice)] * EVENTS) == (EVENTS * len(TEXT), AROUND_TOKENS)


def test_a_text_beside_the_choices_counts_when_it_is_another() -> None:
    said = [f"{number} {TEXT}" for number in range(EVENTS)]
    chars = sum(map(len, said))
    assert grown(*[{**HEAD, "choices": [], "response": one} for one in said]) == (chars, AROUND_TOKENS)
    stable = {"provider": "somebody", **in_choice(delta={"content": "a"})}
    received, _ = grown(*[stable] * EVENTS)
    assert received == EVENTS + len("somebody")


def test_what_is_no_text_of_the_answer_counts_nothing() -> None:
    verdict = {"hate": {"filtered": False, "severity": "safe"}}
    token = {"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "a"}}
    cited = {"type": "url_citation", "url_citation": {"url": "https://example.org/", "title": "Where it stands"}}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    for choice in (
        {"delta": {"content": "a"}, "content_filter_results": verdict},
        {"delta": {"content": "a"}, "logprobs": {"content": [token]}},
        {"delta": {"tool_calls": [call]}},
        {"delta": {"content": "a", "annotations": [cited]}},
        {"delta": {"content": "a", "images": [picture]}},
    ):
        chunks = [{**in_choice(**choice), "id": str(number), "obfuscation": str(number)} for number in range(EVENTS)]
        assert grown(*chunks)[0] == EVENTS


def test_what_is_no_latin_letter_may_be_four_bytes() -> None:
    assert grown(in_choice(text="é"), in_choice(text="字字")) == (3, 9 + AROUND_TOKENS)
