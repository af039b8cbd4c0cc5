"""Requests of every endpoint: what is read, whose words stand where, and what is refused."""

import json
from typing import Any

import pytest

from gptgate.core.adapter import Adapter
from gptgate.core.document import read_object
from gptgate.core.errors import InvalidField
from gptgate.core.facts import ChatRequest, RawRequest
from gptgate.core.finding import Origin
from gptgate.core.wire import Endpoint
from gptgate.providers.fields import MAX_CHOICES, MAX_OUTPUT_TOKENS
from gptgate.providers.registry import ADAPTERS

MINIMAL: dict[Endpoint, dict[str, Any]] = {
    Endpoint.CHAT: {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    Endpoint.EMBEDDINGS: {"model": "m", "input": "hi"},
    Endpoint.MESSAGES: {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]},
    Endpoint.COUNT_TOKENS: {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
}
WRONG: list[Any] = [0, 1.5, True, [], {}, ["a"], {"a": 1}]


def read(endpoint: Endpoint, document: dict[str, Any]) -> ChatRequest:
    adapter: Adapter = ADAPTERS[endpoint]
    body = json.dumps(document).encode()
    raw = RawRequest(
        id="id", endpoint=endpoint, dialect=adapter.dialect, headers={}, body=body, peer="", at_ms=0, started_ns=0
    )
    return adapter.read(raw, read_object(body))


def origins(request: ChatRequest) -> dict[str, Origin]:
    return {segment.text: segment.origin for segment in request.segments}


@pytest.mark.parametrize("endpoint", ADAPTERS)
def test_every_adapter_reads_the_smallest_request(endpoint: Endpoint) -> None:
    request = read(endpoint, MINIMAL[endpoint])
    assert (request.endpoint, request.dialect, request.model) == (endpoint, ADAPTERS[endpoint].dialect, "m")
    assert (request.stream, request.choices, request.media, request.end_user) == (False, 1, 0, "")
    assert "hi" in origins(request)


def _cases() -> list[tuple[Endpoint, str, Any]]:
    cases: list[tuple[Endpoint, str, Any]] = []
    for endpoint in ADAPTERS:
        cases += [(endpoint, "model", value) for value in [None, "", *WRONG]]
    no_messages: list[Any] = [None, [], "text", {}, 1, ["a"], [None], [[]], [1]]
    for endpoint in (Endpoint.CHAT, Endpoint.MESSAGES, Endpoint.COUNT_TOKENS):
        cases += [(endpoint, "messages", value) for value in no_messages]
    no_input: list[Any] = [None, "", [], 1, {}, True]
    cases += [(Endpoint.EMBEDDINGS, "input", value) for value in no_input]
    for endpoint in (Endpoint.CHAT, Endpoint.MESSAGES):
        cases += [(endpoint, "stream", value) for value in ["true", 1, 0, [], {}]]
    counts: list[Any] = [0, -1, 1.0, 1.5, "5", True, [], {}, 10**30, -(10**30), 1e300]
    cases += [(Endpoint.MESSAGES, "max_tokens", value) for value in [None, MAX_OUTPUT_TOKENS + 1, *counts]]
    for name in ("max_tokens", "max_completion_tokens"):
        cases += [(Endpoint.CHAT, name, value) for value in [MAX_OUTPUT_TOKENS + 1, *counts]]
    for name in ("n", "best_of"):
        cases += [(Endpoint.CHAT, name, value) for value in [MAX_CHOICES + 1, 1_000_000, *counts]]
    cases += [(Endpoint.CHAT, "stream_options", value) for value in ["x", 1, [], True]]
    cases += [(Endpoint.CHAT, "stream_options", {"include_usage": value}) for value in ["true", 1, [], {}]]
    cases += [(endpoint, "user", value) for endpoint in (Endpoint.CHAT, Endpoint.EMBEDDINGS) for value in WRONG]
    for endpoint in (Endpoint.MESSAGES, Endpoint.COUNT_TOKENS):
        cases += [(endpoint, "metadata", value) for value in ["x", 1, [], True]]
        cases += [(endpoint, "metadata", {"user_id": value}) for value in WRONG]
    cases += [(Endpoint.CHAT, "service_tier", value) for value in ["gold", 1, [], {}]]
    cases += [(Endpoint.MESSAGES, "service_tier", value) for value in ["gold", 1, [], {}]]
    return cases


@pytest.mark.parametrize(("endpoint", "field", "value"), _cases())
def test_a_wrong_value_of_a_field_that_is_read_is_refused_by_its_name(
    endpoint: Endpoint, field: str, value: Any
) -> None:
    with pytest.raises(InvalidField) as caught:
        read(endpoint, {**MINIMAL[endpoint], field: value})
    inner = (
        next(iter(value)) if isinstance(value, dict) and value and field in ("metadata", "stream_options") else field
    )
    assert caught.value.param is not None
    assert caught.value.param.startswith(inner)
    assert inner in caught.value.message


@pytest.mark.parametrize(
    ("endpoint", "field"), [(endpoint, field) for endpoint, document in MINIMAL.items() for field in document]
)
def test_a_missing_field_is_refused_by_its_name(endpoint: Endpoint, field: str) -> None:
    document = dict(MINIMAL[endpoint])
    del document[field]
    with pytest.raises(InvalidField, match=field):
        read(endpoint, document)


def test_null_is_as_good_as_absent_where_the_field_is_optional() -> None:
    names = ("stream", "max_tokens", "max_completion_tokens", "n", "user", "stream_options", "service_tier")
    request = read(Endpoint.CHAT, {**MINIMAL[Endpoint.CHAT], **dict.fromkeys(names)})
    assert (request.stream, request.max_output_tokens, request.choices, request.wants_usage) == (False, None, 1, False)
    anthropic = read(Endpoint.MESSAGES, {**MINIMAL[Endpoint.MESSAGES], "metadata": None, "stream": None})
    assert (anthropic.stream, anthropic.end_user) == (False, "")


def test_the_fields_that_change_the_cost_are_read() -> None:
    request = read(Endpoint.CHAT, {**MINIMAL[Endpoint.CHAT], "max_tokens": 7, "max_completion_tokens": 9, "n": 3})
    assert (request.max_output_tokens, request.choices) == (9, 3)
    assert read(Endpoint.CHAT, {**MINIMAL[Endpoint.CHAT], "n": 2, "best_of": 5}).choices == 5
    assert read(Endpoint.MESSAGES, MINIMAL[Endpoint.MESSAGES]).max_output_tokens == 5


@pytest.mark.parametrize(("options", "wanted"), [({}, False), ({"include_usage": True}, True), (None, False)])
def test_whether_the_caller_wants_usage(options: Any, wanted: bool) -> None:
    request = read(Endpoint.CHAT, {**MINIMAL[Endpoint.CHAT], "stream": True, "stream_options": options})
    assert request.wants_usage is wanted


def test_openai_origins() -> None:
    document = {
        "model": "o-model",
        "messages": [
            {"role": "system", "content": "o-system"},
            {"role": "developer", "content": [{"type": "text", "text": "o-developer"}]},
            {"role": "user", "content": [{"type": "text", "text": "o-user"}], "name": "o-name"},
            {
                "role": "assistant",
                "content": "o-assistant",
                "tool_calls": [
                    {"id": "o-call-id", "type": "function", "function": {"name": "o-call", "arguments": "o-arguments"}}
                ],
                "function_call": {"name": "o-old", "arguments": "o-old-arguments"},
            },
            {"role": "tool", "tool_call_id": "o-tool-id", "content": "o-tool"},
            {"role": "function", "name": "f", "content": "o-function"},
            {"role": "o-role", "content": "o-strange"},
            {"role": ["o-list-role"], "content": "o-strange-too"},
        ],
        "tools": [{"type": "function", "function": {"name": "o-def", "parameters": {"o-param": {"type": "string"}}}}],
        "functions": [{"name": "o-old-def"}],
        "user": "o-end-user",
        "x_unknown": {"deep": ["o-unknown"]},
    }
    request = read(Endpoint.CHAT, document)
    found = origins(request)
    assert request.end_user == "o-end-user"
    expected = {
        Origin.SYSTEM: {"o-system"},
        Origin.DEVELOPER: {"o-developer"},
        Origin.USER: {"o-user", "o-name"},
        Origin.ASSISTANT: {"o-assistant"},
        Origin.TOOL_CALL: {"o-call-id", "o-call", "o-arguments", "o-old", "o-old-arguments"},
        Origin.TOOL_RESULT: {"o-tool-id", "o-tool", "o-function"},
        Origin.TOOL_DEFINITION: {"o-def", "o-param", "o-old-def"},
        Origin.OTHER: {"o-model", "o-role", "o-strange", "o-list-role", "o-strange-too", "o-end-user", "o-unknown"},
    }
    words = {text for text in found if text.startswith("o-")}
    assert words == {word for word in json.dumps(document).replace('"', " ").split() if word.startswith("o-")}
    assert {origin: {word for word in words if found[word] is origin} for origin in expected} == expected
    assert {segment.text for segment in request.segments if segment.is_json} == {"o-arguments", "o-old-arguments"}


@pytest.mark.parametrize("endpoint", [Endpoint.MESSAGES, Endpoint.COUNT_TOKENS])
def test_anthropic_origins(endpoint: Endpoint) -> None:
    blocks = [
        {"type": "text", "text": "o-user", "cache_control": {"type": "ephemeral"}},
        {"type": "tool_result", "tool_use_id": "o-id", "content": [{"type": "text", "text": "o-result"}]},
        {"type": "bash_code_execution_tool_result", "content": {"stdout": "o-stdout"}},
        {"type": "search_result", "source": "o-source", "title": "o-title", "content": []},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "o-document"}},
        "o-string",
    ]
    answer = [
        {"type": "thinking", "thinking": "o-thinking", "signature": "o-signature"},
        {"type": "tool_use", "id": "o-use-id", "name": "o-tool", "input": {"o-key": "o-value"}},
        {"type": "browser_click_tool_use", "input": {"x": "o-click"}},
        {"type": ["o-type"], "text": "o-odd"},
    ]
    document = {
        **MINIMAL[endpoint],
        "system": [{"type": "text", "text": "o-system"}],
        "messages": [{"role": "user", "content": blocks}, {"role": "assistant", "content": answer}],
        "tools": [{"name": "o-def", "input_schema": {"properties": {"o-param": {}}}}],
        "metadata": {"user_id": "o-end-user"},
        "x_unknown": "o-unknown",
    }
    request = read(endpoint, document)
    found = origins(request)
    assert request.end_user == "o-end-user"
    expected = {
        Origin.SYSTEM: {"o-system"},
        Origin.USER: {"o-user", "o-string"},
        Origin.ASSISTANT: {"o-thinking", "o-signature", "o-odd", "o-type"},
        Origin.TOOL_CALL: {"o-use-id", "o-tool", "o-key", "o-value", "o-click"},
        Origin.TOOL_RESULT: {"o-id", "o-result", "o-stdout", "o-source", "o-title"},
        Origin.TOOL_DEFINITION: {"o-def", "o-param"},
        Origin.OTHER: {"o-document", "o-end-user", "o-unknown"},
    }
    words = {text for text in found if text.startswith("o-")}
    assert words == {word for word in json.dumps(document).replace('"', " ").split() if word.startswith("o-")}
    assert {origin: {word for word in words if found[word] is origin} for origin in expected} == expected


@pytest.mark.parametrize("given", ["o-one", ["o-one", "o-two"], [["o-odd"], {"o-key": "o-value"}]])
def test_embedding_inputs_are_the_users_words(given: Any) -> None:
    found = origins(read(Endpoint.EMBEDDINGS, {"model": "m", "input": given}))
    words = {word for word in json.dumps(given).replace('"', " ").split() if word.startswith("o-")}
    assert {found[word] for word in words} == {Origin.USER}


def test_parts_that_are_not_text_are_counted() -> None:
    openai = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    assert read(Endpoint.CHAT, {"model": "m", "messages": [{"role": "user", "content": openai}]}).media == 3
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
    blocks = [
        {"type": "text", "text": "look"},
        image,
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "container_upload", "file_id": "f"},
        {"type": "tool_result", "tool_use_id": "t", "content": [image, {"type": "text", "text": "x"}]},
    ]
    anthropic = {**MINIMAL[Endpoint.MESSAGES], "messages": [{"role": "user", "content": blocks}]}
    assert read(Endpoint.MESSAGES, anthropic).media == 4


@pytest.mark.parametrize("endpoint", ADAPTERS)
def test_paths_lead_to_their_texts(endpoint: Endpoint) -> None:
    document = {**MINIMAL[endpoint], "x/unknown": {"~a": [{"b": "c-text"}], "number": 4111111111111111}}
    request = read(endpoint, document)
    for segment in request.segments:
        value: Any = document
        for step in segment.path[:-1] if segment.is_key else segment.path:
            value = value[step]
        if segment.is_key:
            assert segment.text == segment.path[-1]
            assert segment.text in value
        else:
            assert str(value) == segment.text
    assert "4111111111111111" in origins(request)
