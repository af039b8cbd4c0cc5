"""What obligations do to the body that a provider gets, in both dialects."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from gptgate.core.document import encode_json, read_object
from gptgate.core.facts import Permit, RawRequest
from gptgate.core.snapshot import Obligations
from gptgate.core.wire import Dialect, Endpoint
from gptgate.providers.registry import ADAPTERS
from pipeline_parts import chat, configured

SNAPSHOT = configured("policy: {rules: []}")
PROVIDER = SNAPSHOT.providers["simulator"]
TOOL = {"type": "function", "function": {"name": "pay", "parameters": {"type": "object"}}}


def raw_of(endpoint: Endpoint, **fields: Any) -> RawRequest:
    dialect = Dialect.OPENAI if endpoint in (Endpoint.CHAT, Endpoint.EMBEDDINGS) else Dialect.ANTHROPIC
    return replace(chat(dialect), endpoint=endpoint, body=json.dumps(fields).encode())


def sent(
    endpoint: Endpoint,
    obligations: Obligations,
    *,
    edits: dict[Any, bytes] | None = None,
    bound: int | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The document that the provider gets. `bound` is the request's own one, as the pipeline has lowered it."""
    model = SNAPSHOT.models["sim-gpt" if endpoint in (Endpoint.CHAT, Endpoint.EMBEDDINGS) else "sim-claude"]
    raw = raw_of(endpoint, model=model.name, **fields)
    adapter = ADAPTERS[endpoint]
    request = adapter.read(raw, read_object(raw.body))
    if bound is not None:
        request = replace(request, max_output_tokens=bound)
    body = adapter.encode(Permit(request=request, edits=edits or {}, obligations=obligations), model, PROVIDER)
    return read_object(body)


HELLO = [{"role": "user", "content": "hello"}]
CAP = Obligations(max_output_tokens=100)
NOTICE = Obligations(notice='Be "brief".')
STRIP = Obligations(strip_tools=True)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_higher_bound_is_lowered_and_a_lower_one_stays(name: str) -> None:
    for stated, bound in ((101, 100), (99, 99)):
        fields: dict[str, Any] = {"messages": HELLO, name: stated}
        assert sent(Endpoint.CHAT, CAP, bound=bound, **fields)[name] == bound


def test_both_bounds_of_a_chat_are_lowered() -> None:
    document = sent(Endpoint.CHAT, CAP, bound=100, messages=HELLO, max_tokens=5000, max_completion_tokens=400)
    assert (document["max_tokens"], document["max_completion_tokens"]) == (100, 100)


@pytest.mark.parametrize("stated", [{}, {"max_tokens": None}])
def test_a_chat_without_a_bound_gets_the_lower_of_cap_and_model(stated: dict[str, Any]) -> None:
    assert sent(Endpoint.CHAT, CAP, bound=100, messages=HELLO, **stated)["max_tokens"] == 100
    assert sent(Endpoint.CHAT, Obligations(), messages=HELLO, **stated)["max_tokens"] == 1000


def test_a_message_is_capped() -> None:
    assert sent(Endpoint.MESSAGES, CAP, bound=100, messages=HELLO, max_tokens=4000)["max_tokens"] == 100
    assert sent(Endpoint.MESSAGES, CAP, bound=50, messages=HELLO, max_tokens=50)["max_tokens"] == 50


def test_thinking_that_no_longer_fits_is_switched_off() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    edits = {("thinking", "type"): encode_json("enabled")}
    fields: dict[str, Any] = {"messages": HELLO, "max_tokens": 4000, "thinking": thinking}
    capped = sent(Endpoint.MESSAGES, CAP, bound=100, edits=edits, **fields)
    assert capped["thinking"] == {"type": "disabled"}
    wide = sent(Endpoint.MESSAGES, Obligations(max_output_tokens=3000), bound=3000, **fields)
    assert (wide["thinking"], wide["max_tokens"]) == (thinking, 3000)


@pytest.mark.parametrize("endpoint", [Endpoint.COUNT_TOKENS, Endpoint.EMBEDDINGS])
def test_what_has_no_output_is_not_capped(endpoint: Endpoint) -> None:
    fields = {"input": "hello"} if endpoint is Endpoint.EMBEDDINGS else {"messages": HELLO}
    assert not {"max_tokens", "max_completion_tokens"} & sent(endpoint, CAP, bound=100, **fields).keys()


def test_a_chat_loses_its_tools_and_nothing_else() -> None:
    offered: dict[str, Any] = {
        "tools": [TOOL],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "functions": [{"name": "pay"}],
        "function_call": "auto",
        "web_search_options": {},
        "search_parameters": {"mode": "on"},
        "plugins": [{"id": "web"}],
    }
    document = sent(Endpoint.CHAT, STRIP, messages=HELLO, max_tokens=5, seed=1, **offered)
    assert list(document) == ["model", "messages", "max_tokens", "seed"]


@pytest.mark.parametrize("endpoint", [Endpoint.MESSAGES, Endpoint.COUNT_TOKENS])
def test_a_message_loses_its_tools_and_nothing_else(endpoint: Endpoint) -> None:
    tools: dict[str, Any] = {
        "tools": [{"name": "pay", "input_schema": {}}],
        "tool_choice": {"type": "auto"},
        "mcp_servers": [],
    }
    document = sent(endpoint, STRIP, messages=HELLO, max_tokens=5, top_k=1, **tools)
    assert list(document) == ["model", "messages", "max_tokens", "top_k"]


def test_a_tool_field_in_another_case_is_no_way_around() -> None:
    for endpoint, field in [
        (Endpoint.CHAT, "TOOLS"),
        (Endpoint.CHAT, "Tool_choice"),
        (Endpoint.MESSAGES, "MCP_servers"),
    ]:
        fields: dict[str, Any] = {"messages": HELLO, "max_tokens": 5, field: []}
        with pytest.raises(Exception, match="must be spelled"):
            sent(endpoint, STRIP, **fields)


def test_a_notice_stands_in_front_of_a_chat_and_moves_no_edit() -> None:
    messages = [{"role": "system", "content": "S"}, *HELLO]
    document = sent(Endpoint.CHAT, NOTICE, messages=messages, edits={("messages", 1, "content"): b'"[redacted:x]"'})
    assert document["messages"] == [
        {"role": "system", "content": 'Be "brief".'},
        {"role": "system", "content": "S"},
        {"role": "user", "content": "[redacted:x]"},
    ]


@pytest.mark.parametrize("endpoint", [Endpoint.MESSAGES, Endpoint.COUNT_TOKENS])
@pytest.mark.parametrize(
    ("system", "edits", "expected"),
    [
        ({}, {}, 'Be "brief".'),
        ({"system": None}, {}, 'Be "brief".'),
        ({"system": ""}, {}, 'Be "brief".'),
        ({"system": "S"}, {}, 'S\n\nBe "brief".'),
        ({"system": "S"}, {("system",): b'"[redacted:x]"'}, '[redacted:x]\n\nBe "brief".'),
        ({"system": []}, {}, [{"type": "text", "text": 'Be "brief".'}]),
        (
            {"system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]},
            {("system", 0, "text"): b'"[redacted:x]"'},
            [
                {"type": "text", "text": "[redacted:x]", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": 'Be "brief".'},
            ],
        ),
    ],
)
def test_a_notice_stands_behind_the_system_of_a_message(
    endpoint: Endpoint, system: dict[str, Any], edits: dict[Any, bytes], expected: Any
) -> None:
    document = sent(endpoint, NOTICE, edits=edits, messages=HELLO, max_tokens=5, **system)
    assert document["system"] == expected
    assert document["messages"] == HELLO
