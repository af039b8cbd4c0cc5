"""Tools that the provider runs: by which name they are priced, how often they may be used, and what usages say."""

import json
from typing import Any

import pytest

from gptgate.core.document import read_object
from gptgate.core.errors import InvalidField
from gptgate.core.facts import HostedTool, RawRequest
from gptgate.core.wire import Endpoint
from gptgate.providers.anthropic_common import read_usage as read_anthropic
from gptgate.providers.hosted import fee_name
from gptgate.providers.openai_common import read_usage as read_openai
from gptgate.providers.registry import ADAPTERS

ANTHROPIC = {"input_tokens": 1, "output_tokens": 1}
OPENAI = {"prompt_tokens": 1, "completion_tokens": 1}
SEARCH = "web_search_20250305"
LIES: list[Any] = [-1, 1.0, True, "3", 10**9]


def hosted(endpoint: Endpoint, **fields: Any) -> tuple[HostedTool, ...]:
    document = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], **fields}
    adapter, body = ADAPTERS[endpoint], json.dumps(document).encode()
    raw = RawRequest(
        id="id", endpoint=endpoint, dialect=adapter.dialect, headers={}, body=body, peer="", at_ms=0, started_ns=0
    )
    return adapter.read(raw, read_object(body)).hosted


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SEARCH, "web_search"),
        ("web_search", "web_search"),
        ("code_execution_20250825", "code_execution"),
        ("mcp_toolset", "mcp"),
        ("web_search_2025", "web_search_2025"),
        ("Web_Search", "other"),
        ("x" * 41, "other"),
        ("", "other"),
        (5, "other"),
        (["web_search"], "other"),
    ],
)
def test_a_tool_is_priced_by_its_type_without_the_version(kind: object, name: str) -> None:
    assert fee_name(kind) == name


def test_a_message_says_how_often_a_tool_may_be_used() -> None:
    tools = [{"type": SEARCH, "max_uses": 3}, {"name": "f"}, {"type": SEARCH}, {"type": "code_execution_20250825"}]
    assert hosted(Endpoint.MESSAGES, tools=tools, mcp_servers=[{"name": "a"}]) == (
        HostedTool(name="mcp"),
        HostedTool(name="web_search", most=3, bound=("tools", 0, "max_uses"), told=True),
        HostedTool(name="web_search", bound=("tools", 2, "max_uses"), told=True),
        HostedTool(name="code_execution"),
    )


def test_no_chat_completion_tells_how_often_a_tool_was_used() -> None:
    found = hosted(Endpoint.CHAT, web_search_options={}, plugins=[{"id": "web"}], tools=[{"type": "web_search"}])
    assert found == tuple(HostedTool(name=name) for name in ("web_search", "plugins", "web_search"))


@pytest.mark.parametrize("most", [1, "x", 0])
def test_a_bound_that_the_provider_does_not_know_is_none(most: Any) -> None:
    """What no provider is held to would only make the request look cheap."""
    assert hosted(Endpoint.CHAT, tools=[{"type": "web_search", "max_uses": most}]) == (HostedTool(name="web_search"),)
    tools = [{"type": "code_execution_20250825", "max_uses": most}]
    assert hosted(Endpoint.MESSAGES, tools=tools) == (HostedTool(name="code_execution"),)


@pytest.mark.parametrize("most", [0, *LIES], ids=repr)
def test_a_bound_that_is_none_is_refused(most: Any) -> None:
    with pytest.raises(InvalidField, match=r"tools\[0\].max_uses"):
        hosted(Endpoint.MESSAGES, tools=[{"type": SEARCH, "max_uses": most}])


def test_what_a_usage_says_of_tools_is_read_in_both_dialects() -> None:
    told = {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0, "tool_calls": 7, "a_requests": None}}
    for usage in (read_anthropic({**ANTHROPIC, **told}), read_openai({**OPENAI, **told})):
        assert usage is not None
        assert usage.tool_uses == {"web_search": 2, "web_fetch": 0}


@pytest.mark.parametrize("lie", LIES, ids=repr)
def test_unbelievable_uses_make_a_usage_unknown(lie: Any) -> None:
    told = {"server_tool_use": {"web_search_requests": lie}}
    assert read_anthropic({**ANTHROPIC, **told}) is None
    assert read_openai({**OPENAI, **told}) is None


@pytest.mark.parametrize("lie", [[], [1], "3", 3, 0, False, ""], ids=repr)
def test_uses_that_are_no_object_make_a_usage_unknown(lie: Any) -> None:
    told = {"server_tool_use": lie}
    assert read_anthropic({**ANTHROPIC, **told}) is None
    assert read_openai({**OPENAI, **told}) is None


@pytest.mark.parametrize("said", [{"mode": "off"}, {"mode": "off", "sources": [{"type": "web"}]}])
def test_a_search_that_is_turned_off_is_none(said: Any) -> None:
    assert hosted(Endpoint.CHAT, search_parameters=said) == ()


@pytest.mark.parametrize(
    "said", [{}, {"mode": "auto"}, {"mode": "OFF"}, {"mode": ["off"]}, {"mode": None}, "off", ["off"]]
)
def test_a_search_that_is_not_turned_off_in_so_many_words_may_be_made(said: Any) -> None:
    assert hosted(Endpoint.CHAT, search_parameters=said) == (HostedTool(name="web_search"),)


def test_a_usage_of_a_hundred_tools_is_not_believed() -> None:
    told = {"server_tool_use": {f"tool{number}_requests": 1 for number in range(100)}}
    assert read_anthropic({**ANTHROPIC, **told}) is None


def test_what_is_seen_counts_where_nothing_is_said() -> None:
    seen = ["web_search", "web_fetch", "web_search"]
    silent, told = read_anthropic(ANTHROPIC, seen), {"server_tool_use": {"web_search_requests": 1}}
    assert silent is not None
    assert silent.tool_uses == {"web_search": 2, "web_fetch": 1}
    partly = read_anthropic({**ANTHROPIC, **told}, seen)
    assert partly is not None
    assert partly.tool_uses == {"web_search": 1, "web_fetch": 1}
