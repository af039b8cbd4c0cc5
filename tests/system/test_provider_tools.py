"""Fees of tools that the provider runs, through the composed gateway: reserved, bounded, settled, and never unknown."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from books import balanced
from gptgate.cli.main import execute
from gptgate.core.money import parse_usd
from harness import SERVER, Gateway, write_config
from raw_client import CHAT, MESSAGES, RawClient, post, prompt
from scripted_gateway import gateway_of
from scripted_provider import ScriptedProvider, scripted, streamed, whole

PRICE = '{input_per_million: "1.00", output_per_million: "4.00"}'
CONFIG = (
    SERVER
    + f"""\
providers:
  - {{name: anthropic, kind: anthropic, base_url: "@SIMULATOR@", credential: "env:SCRIPTED_CREDENTIAL", retries: 0}}
  - {{name: openai, kind: openai, base_url: "@SIMULATOR@", credential: "env:SCRIPTED_CREDENTIAL", retries: 0}}
models:
  - {{name: listed, provider: anthropic, upstream_name: claude-sonnet-4-6}}
  - {{name: of-ours, provider: anthropic, upstream_name: ours, price: {PRICE}, provider_tools: [
      {{name: web_search, per_thousand_uses: "5", most_uses: 4}}]}}
  - {{name: free, provider: anthropic, upstream_name: ours, price: free}}
  - {{name: searches, provider: openai, upstream_name: gpt-5-search-api, provider_tools: [
      {{name: web_search, per_thousand_uses: "10"}}]}}
  - {{name: untold, provider: openai, upstream_name: gpt-5-search-api}}
teams: [{{name: demo}}]
apps: [{{name: demo, team: demo}}]
"""
)
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
TOKENS = {"input_tokens": 10, "output_tokens": 5}
FEE = parse_usd("0.01")


def message(usage: dict[str, Any], blocks: int = 0) -> list[bytes]:
    used = [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}] * blocks
    content = [*used, {"type": "text", "text": "found"}]
    answer = {"type": "message", "model": "m", "content": content, "usage": usage, "stop_reason": "end_turn"}
    return whole(json.dumps(answer).encode())


def events(usage: dict[str, Any], blocks: int = 0, **started: Any) -> list[bytes]:
    used = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    first = {**TOKENS, "output_tokens": 1, **started}
    said: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"content": [], "model": "m", "usage": first}},
        *[{"type": "content_block_start", "index": index, "content_block": used} for index in range(blocks)],
        *[{"type": "content_block_stop", "index": index} for index in range(blocks)],
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]
    return streamed([b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in said])


def sent(provider: ScriptedProvider) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(provider.requests[-1].partition(b"\r\n\r\n")[2])
    return body


async def ask(gateway: Gateway, path: str, **fields: Any) -> tuple[int, str]:
    client = await RawClient.connect(gateway.base_url)
    try:
        await client.send(post(path, gateway.key, prompt("look", path=path, **fields)))
        status, _, body = await client.answer()
        return status, body.decode()
    finally:
        await client.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("told", "blocks", "uses"),
    [
        ({"server_tool_use": {"web_search_requests": 2}}, 3, {"web_search": 2}),  # one failed, and is not billed
        ({"server_tool_use": None}, 0, {}),
        ({}, 3, {"web_search": 3}),
        ({"server_tool_use": {"web_search_requests": 9}}, 0, {"web_search": 9}),
    ],
)
async def test_searches_are_settled_from_the_usage_or_from_what_the_answer_shows(
    tmp_path: Path, stream: bool, told: dict[str, Any], blocks: int, uses: dict[str, int]
) -> None:
    script = events({**TOKENS, **told}, blocks) if stream else message({**TOKENS, **told}, blocks)
    async with scripted(script) as provider, gateway_of(provider, tmp_path, CONFIG) as gateway:
        tools = [{**SEARCH, "max_uses": 3}]
        status, _ = await ask(gateway, MESSAGES, model="listed", stream=stream, max_tokens=50, tools=tools)
        assert status == 200
        assert sent(provider)["tools"][0]["max_uses"] == 3
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert record.end.usage.tool_uses == uses
        assert record.end.cost_nano == 10 * 3000 + 5 * 15000 + FEE * sum(uses.values())
        assert record.end.fees_nano == FEE * sum(uses.values())
        assert record.intent.reserved_uses == {"web_search": 3}
        assert record.intent.reserved_nano == (record.intent.reserved_tokens - 50) * 6000 + 50 * 15000 + 3 * FEE


async def test_what_a_stream_says_of_searches_before_it_made_any_is_not_how_often_it_searched(tmp_path: Path) -> None:
    script = events(TOKENS, 3, server_tool_use={"web_search_requests": 0})
    async with scripted(script) as provider, gateway_of(provider, tmp_path, CONFIG) as gateway:
        await ask(gateway, MESSAGES, model="listed", stream=True, max_tokens=50, tools=[SEARCH])
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert record.end.usage.tool_uses == {"web_search": 3}


@pytest.mark.parametrize(("model", "most", "fee"), [("listed", 10, "0.01"), ("of-ours", 4, "0.005")])
async def test_a_search_without_a_bound_is_given_one(tmp_path: Path, model: str, most: int, fee: str) -> None:
    async with scripted(message(TOKENS)) as provider, gateway_of(provider, tmp_path, CONFIG) as gateway:
        status, _ = await ask(gateway, MESSAGES, model=model, stream=False, max_tokens=50, tools=[SEARCH])
        assert status == 200
        assert sent(provider)["tools"] == [{**SEARCH, "max_uses": most}]
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert record.end.usage.tool_uses == {}
        assert record.intent.reserved_nano >= most * parse_usd(fee)


async def test_a_free_model_has_free_tools_as_they_were_asked_for(tmp_path: Path) -> None:
    script = message({**TOKENS, "server_tool_use": {"web_search_requests": 7}})
    async with scripted(script) as provider, gateway_of(provider, tmp_path, CONFIG) as gateway:
        tools = [SEARCH, {"type": "code_execution_20250825"}]
        status, _ = await ask(gateway, MESSAGES, model="free", stream=False, tools=tools)
        assert status == 200
        assert "max_uses" not in sent(provider)["tools"][0]
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert (record.end.cost_nano, record.end.usage.tool_uses) == (0, {"web_search": 7})
        assert (record.end.fees_nano, record.intent.reserved_uses) == (0, {})


@pytest.mark.parametrize(
    ("path", "model", "fields", "tool"),
    [
        (MESSAGES, "listed", {"tools": [{"type": "code_execution_20250825", "name": "x"}]}, "code_execution"),
        (MESSAGES, "listed", {"tools": [{"type": "Not A Name", "name": "x"}]}, "other"),
        (CHAT, "untold", {}, "web_search"),
        (CHAT, "searches", {"plugins": [{"id": "web"}]}, "plugins"),
    ],
)
async def test_a_tool_whose_fee_nobody_knows_is_refused_with_the_line_that_would_price_it(
    tmp_path: Path, path: str, model: str, fields: dict[str, Any], tool: str
) -> None:
    async with scripted(message(TOKENS)) as provider, gateway_of(provider, tmp_path, CONFIG) as gateway:
        status, answer = await ask(gateway, path, model=model, stream=False, max_tokens=50, **fields)
        assert status == 403
        assert f"provider_tools: [{{name: {tool}, per_thousand_uses: ...}}]" in answer
        assert provider.requests == []
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert (record.end.code, record.end.cost_nano) == ("price_unknown", 0)


@pytest.mark.parametrize("fields", [{}, {"web_search_options": {}}])
async def test_a_model_that_searches_each_time_has_its_fee_each_time(tmp_path: Path, fields: dict[str, Any]) -> None:
    answer = {
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "found"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }
    script = whole(json.dumps(answer).encode())
    async with scripted(script) as provider, gateway_of(provider, tmp_path, CONFIG) as gateway:
        status, _ = await ask(gateway, CHAT, model="searches", stream=False, **fields)
        assert status == 200
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert record.end.usage.tool_uses == {"web_search": 1}
        assert record.end.cost_nano == 10 * 1250 + 5 * 10000 + FEE
        assert (record.end.fees_nano, record.intent.reserved_uses) == (FEE, {"web_search": 1})
        assert record.end.cost_nano <= record.intent.reserved_nano


async def test_a_use_that_nobody_offered_and_nobody_priced_leaves_the_reservation_spent(tmp_path: Path) -> None:
    script = message({**TOKENS, "server_tool_use": {"dreaming_requests": 1}})
    async with scripted(script) as provider, gateway_of(provider, tmp_path, CONFIG) as gateway:
        await ask(gateway, MESSAGES, model="listed", stream=False)
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert record.end.usage_source == "unknown"
        assert record.end.cost_nano == record.intent.reserved_nano
        assert record.end.usage.tool_uses == {"dreaming": 1}
        assert record.end.fees_nano == 0


async def test_fees_are_shown_and_a_missing_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = CONFIG.replace('credential: "env:SCRIPTED_CREDENTIAL", ', "")
    write_config(tmp_path, config, simulator="http://127.0.0.1:1")
    options = ["--data", str(tmp_path)]
    assert await asyncio.to_thread(execute, ["prices", "show", "--format", "json", *options]) == 0
    rows = {row["model"]: row["provider_tools"] for row in json.loads(capsys.readouterr().out)}
    assert rows["of-ours"] == ["web_fetch=0.000000000", "mcp=0.000000000", "web_search=5.000000000"]
    assert (rows["searches"], rows["untold"], rows["free"]) == (["web_search=10.000000000"], [], [])
    assert await asyncio.to_thread(execute, ["prices", "check", *options]) == 1
    printed = capsys.readouterr()
    assert "models: untold: each request is a web_search, whose fee is not known" in printed.err
    assert "4 of 5 models have a price" in printed.out
