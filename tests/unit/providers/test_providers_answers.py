"""Whole answers: the texts that are judged, the model, the usage, and the places that say a text again."""

import json
from typing import Any

import pytest

from gptgate.core.facts import Usage
from gptgate.core.finding import Origin
from gptgate.core.wire import Endpoint
from gptgate.providers.registry import ADAPTERS

CHAT: dict[str, Any] = {
    "id": "o-id",
    "object": "chat.completion",
    "created": 1,
    "model": "o-model",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "o-text",
                "refusal": "o-refusal",
                "reasoning_content": "o-reasoning",
                "annotations": [{"type": "url_citation", "url_citation": {"title": "o-title", "url": "o-url"}}],
                "tool_calls": [
                    {"id": "o-call-id", "type": "function", "function": {"name": "o-tool", "arguments": "o-arguments"}}
                ],
            },
            "logprobs": {"content": [{"token": "o-token", "logprob": -1.5, "bytes": [1], "top_logprobs": []}]},
            "finish_reason": "stop",
        },
        {"index": 1, "message": "o-odd-message", "finish_reason": "o-finish"},
        "o-odd-choice",
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    "system_fingerprint": "o-fingerprint",
    "x_unknown": {"o-key": "o-value"},
}
MESSAGE: dict[str, Any] = {
    "id": "o-id",
    "type": "message",
    "role": "assistant",
    "model": "o-model",
    "content": [
        {"type": "thinking", "thinking": "o-thinking", "signature": "o-signature"},
        {"type": "text", "text": "o-text", "citations": [{"type": "char_location", "cited_text": "o-cited"}]},
        {"type": "tool_use", "id": "o-call-id", "name": "o-tool", "input": {"o-key": "o-value"}},
        {"type": "web_search_tool_result", "tool_use_id": "o-id-2", "content": [{"title": "o-title"}]},
        "o-odd-block",
    ],
    "stop_reason": "o-stop",
    "stop_sequence": "o-sequence",
    "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1},
    "x_unknown": ["o-unknown"],
}
EMBEDDINGS: dict[str, Any] = {
    "object": "list",
    "model": "o-model",
    "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5, -1, 2e-9], "x_note": "o-note"},
        {"object": "embedding", "index": 1, "embedding": "zczMPc3MTD4="},
        {"object": "embedding", "index": 2, "embedding": "o-words, no vector"},
        {"object": "embedding", "index": 3, "embedding": [0.5, "o-hidden"]},
        "o-odd-item",
    ],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
    "x_unknown": "o-unknown",
}
COUNT: dict[str, Any] = {"input_tokens": 3, "x_unknown": "o-unknown"}
ANSWERS = {
    Endpoint.CHAT: CHAT,
    Endpoint.MESSAGES: MESSAGE,
    Endpoint.EMBEDDINGS: EMBEDDINGS,
    Endpoint.COUNT_TOKENS: COUNT,
}


def _words(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value} if value.startswith("o-") else set()
    if isinstance(value, dict):
        return {word for pair in value.items() for item in pair for word in _words(item)}
    return {word for item in value for word in _words(item)} if isinstance(value, list) else set()


@pytest.mark.parametrize("endpoint", ADAPTERS)
def test_every_string_of_an_answer_is_judged(endpoint: Endpoint) -> None:
    answer = ADAPTERS[endpoint].decode(ANSWERS[endpoint])
    assert _words(ANSWERS[endpoint]) <= {segment.text for segment in answer.segments}
    for segment in answer.segments:
        value: Any = ANSWERS[endpoint]
        for step in segment.path[:-1] if segment.is_key else segment.path:
            value = value[step]
        assert (segment.text in value) if segment.is_key else (str(value) == segment.text)


def test_model_and_usage() -> None:
    assert ADAPTERS[Endpoint.CHAT].decode(CHAT).usage == Usage(input_tokens=3, output_tokens=4)
    assert ADAPTERS[Endpoint.MESSAGES].decode(MESSAGE).usage == Usage(input_tokens=4, output_tokens=4, cache_read=1)
    assert ADAPTERS[Endpoint.EMBEDDINGS].decode(EMBEDDINGS).usage == Usage(input_tokens=3)
    assert ADAPTERS[Endpoint.COUNT_TOKENS].decode(COUNT).usage is None
    for endpoint in (Endpoint.CHAT, Endpoint.MESSAGES, Endpoint.EMBEDDINGS):
        assert ADAPTERS[endpoint].decode(ANSWERS[endpoint]).model == "o-model"


@pytest.mark.parametrize("endpoint", ADAPTERS)
@pytest.mark.parametrize("odd", [{}, {"model": 5, "usage": 7}, {"choices": 1, "content": "o-x", "data": {"a": "o-x"}}])
def test_an_odd_answer_is_read_without_a_usage(endpoint: Endpoint, odd: dict[str, Any]) -> None:
    answer = ADAPTERS[endpoint].decode(odd)
    assert (answer.usage, answer.model) == (None, "")
    assert _words(odd) <= {segment.text for segment in answer.segments}


def test_vectors_of_numbers_are_no_words() -> None:
    def texts(embedding: list[float]) -> list[str]:
        answer = ADAPTERS[Endpoint.EMBEDDINGS].decode({"data": [{"embedding": embedding}]})
        return [segment.text for segment in answer.segments]

    assert texts([0.25, -1, 99_999_999_999]) == []
    assert texts([0.25, 4111111111111111]) == ["4111111111111111"]
    assert texts([-4111111111111111.0]) == ["-4111111111111111"]


def test_origins_of_an_answer() -> None:
    chat = {segment.text: segment.origin for segment in ADAPTERS[Endpoint.CHAT].decode(CHAT).segments}
    assert (chat["o-text"], chat["o-arguments"]) == (Origin.ASSISTANT, Origin.TOOL_CALL)
    message = {segment.text: segment.origin for segment in ADAPTERS[Endpoint.MESSAGES].decode(MESSAGE).segments}
    assert (message["o-text"], message["o-value"], message["o-title"]) == (
        Origin.ASSISTANT,
        Origin.TOOL_CALL,
        Origin.TOOL_RESULT,
    )


def test_log_probabilities_of_an_edited_choice_go() -> None:
    document = json.loads(json.dumps(CHAT))
    repeats = ADAPTERS[Endpoint.CHAT].repeats([("choices", 0, "message", "content"), ("id",)], document)
    assert repeats == {("choices", 0, "logprobs"): b"null"}
    assert ADAPTERS[Endpoint.CHAT].repeats([("choices", 1, "message")], document) == {}
    for endpoint in (Endpoint.MESSAGES, Endpoint.EMBEDDINGS, Endpoint.COUNT_TOKENS):
        assert ADAPTERS[endpoint].repeats([("id",)], ANSWERS[endpoint]) == {}
