"""The official `anthropic` client, unmodified but for base URL and key, against a whole gateway."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
import pytest_asyncio
from anthropic.types import MessageParam, ToolParam

from gptgate.simulator.tokens import MESSAGE_TOKENS
from harness import Gateway, make_key, running_gateway
from probes import RecordingSimulator, Scripted, last_seq, records_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEATHER: ToolParam = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("weather", {"city": 'Zürich "old" \\ town 😀', "days": 3, "deep": {"a": [1, 2.5, None, True]}}),
    ("clock", {}),
]


def user(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


def calls_text() -> str:
    return "\n".join(f"call: {name} {json.dumps(arguments)}" for name, arguments in ARGUMENTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> RecordingSimulator:
    return RecordingSimulator()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, simulator: RecordingSimulator) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), simulator=simulator) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["api_key", "auth_token"])
async def client(request: pytest.FixtureRequest, gateway: Gateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Once with the key as `x-api-key`, once as `authorization: Bearer`."""
    credential: dict[str, Any] = {request.param: gateway.key}
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, **credential) as made:
        yield made


async def test_messages(gateway: Gateway, client: anthropic.AsyncAnthropic) -> None:
    since = await last_seq(gateway)
    answer = await client.messages.create(model="sim-claude", max_tokens=100, messages=user("echo: Grüße 😀"))
    [block] = answer.content
    assert block.type == "text"
    assert (block.text, answer.stop_reason, answer.model) == ("Grüße 😀", "end_turn", "sim-claude")
    [record] = await records_of(gateway, since)
    assert record.end is not None
    usage = record.end.usage
    assert (usage.input_tokens, usage.output_tokens) == (answer.usage.input_tokens, answer.usage.output_tokens)
    assert answer._request_id == record.intent.id


async def test_stream(gateway: Gateway, client: anthropic.AsyncAnthropic) -> None:
    since = await last_seq(gateway)
    text = "The quick brown fox, and so on. " * 8
    async with client.messages.stream(
        model="sim-claude", max_tokens=500, messages=user("echo: " + text), metadata={"user_id": "user-7"}
    ) as stream:
        told = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert told == text.strip()
    [record] = await records_of(gateway, since)
    assert record.end is not None
    usage = record.end.usage
    assert (usage.input_tokens, usage.output_tokens) == (final.usage.input_tokens, final.usage.output_tokens)
    assert record.intent.end_user == "user-7"


async def test_the_events_of_a_stream_are_those_of_the_provider(client: anthropic.AsyncAnthropic) -> None:
    stream = await client.messages.create(model="sim-claude", max_tokens=9, messages=user("words: 99"), stream=True)
    kinds = [event.type async for event in stream]
    assert kinds[0] == "message_start"
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1


async def test_tool_use(client: anthropic.AsyncAnthropic) -> None:
    answer = await client.messages.create(
        model="sim-claude", max_tokens=200, messages=user(calls_text()), tools=[WEATHER]
    )
    assert answer.stop_reason == "tool_use"
    assert [(block.name, block.input) for block in answer.content if block.type == "tool_use"] == ARGUMENTS


@pytest.mark.parametrize("chunk", [1, 3, 1000])
async def test_streamed_tool_use(client: anthropic.AsyncAnthropic, chunk: int) -> None:
    text = f"fault: chunk={chunk}\n{calls_text()}"
    async with client.messages.stream(
        model="sim-claude", max_tokens=200, messages=user(text), tools=[WEATHER]
    ) as stream:
        final = await stream.get_final_message()
    assert [(block.name, block.input) for block in final.content if block.type == "tool_use"] == ARGUMENTS


async def test_a_tool_conversation(client: anthropic.AsyncAnthropic) -> None:
    messages = user("use the tool, please")
    asked = await client.messages.create(model="sim-claude", max_tokens=50, messages=messages, tools=[WEATHER])
    [call] = [block for block in asked.content if block.type == "tool_use"]
    messages.append({"role": "assistant", "content": asked.content})
    messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]})
    told = await client.messages.create(model="sim-claude", max_tokens=50, messages=messages, tools=[WEATHER])
    assert [block.text for block in told.content if block.type == "text"] == ["The tool answered: sunny"]


THINKING: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Two and two, é.", "signature": "EqoBCkgIARABGAIiQL2U=="},
    {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIw=="},
    {"type": "text", "text": "Four."},
]


def _message(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "sim-claude",
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 22, "cache_read_input_tokens": 3, "x_new": {"a": 1}},
    }


def _thinking_stream() -> list[bytes]:
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**_message([]), "stop_reason": None}}]
    deltas: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "Two and "},
                {"type": "thinking_delta", "thinking": "two, é."},
                {"type": "signature_delta", "signature": "EqoBCkgIARABGAIiQL2U=="},
            ],
        ),
        (THINKING[1], []),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Fo"}, {"type": "text_delta", "text": "ur."}]),
    ]
    for index, (block, growing) in enumerate(deltas):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in growing]
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 22}})
    events.append({"type": "message_stop"})
    return [b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events]


@pytest.mark.parametrize("streamed", [False, True])
async def test_thinking_comes_back_as_it_was(
    gateway: Gateway, client: anthropic.AsyncAnthropic, simulator: RecordingSimulator, streamed: bool
) -> None:
    """Signatures must survive to the byte, or the provider refuses the next turn."""
    since = await last_seq(gateway)
    if streamed:
        simulator.scripted.append(
            Scripted(headers=[(b"content-type", b"text/event-stream")], chunks=_thinking_stream())
        )
    else:
        simulator.scripted.append(Scripted(chunks=[json.dumps(_message(THINKING)).encode()]))
    asked: dict[str, Any] = {
        "model": "sim-claude",
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "messages": [{"role": "user", "content": "2+2?"}],
    }
    if streamed:
        async with client.messages.stream(**asked) as stream:
            answer = await stream.get_final_message()
    else:
        answer = await client.messages.create(**asked)
    assert [block.model_dump(exclude_none=True) for block in answer.content] == THINKING
    assert json.loads(simulator.seen[-1].body)["thinking"] == asked["thinking"]
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert (record.end.usage.input_tokens, record.end.usage.cache_read, record.end.usage.output_tokens) == (14, 3, 22)
    turn = [*asked["messages"], {"role": "assistant", "content": answer.content}, {"role": "user", "content": "sure?"}]
    await client.messages.create(**{**asked, "messages": turn})
    sent = json.loads(simulator.seen[-1].body)["messages"][1]["content"]
    assert [{name: block[name] for name in THINKING[index]} for index, block in enumerate(sent)] == THINKING


async def test_count_tokens(gateway: Gateway, client: anthropic.AsyncAnthropic) -> None:
    since = await last_seq(gateway)
    counted = await client.messages.count_tokens(model="sim-claude", messages=user("one two three"))
    assert counted.input_tokens == 3 + MESSAGE_TOKENS
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert (record.intent.reserved_nano, record.end.cost_nano, record.end.usage_source) == (0, 0, "unused")


async def test_beta_headers_and_version_reach_the_provider(
    client: anthropic.AsyncAnthropic, simulator: RecordingSimulator
) -> None:
    await client.beta.messages.create(
        model="sim-claude", max_tokens=5, messages=[{"role": "user", "content": "hi"}], betas=["a-2025-01-01", "b"]
    )
    seen = simulator.seen[-1]
    assert seen.header("anthropic-beta") == ["a-2025-01-01,b"]
    assert seen.header("anthropic-version") == [client.default_headers["anthropic-version"]]
    assert (seen.path, seen.query) == ("/v1/messages", b"")


async def test_the_models_list_has_what_the_key_may_use(gateway: Gateway, client: anthropic.AsyncAnthropic) -> None:
    listed = [model async for model in client.models.list()]
    assert [model.id for model in listed] == ["sim-claude", "sim-embed", "sim-gpt"]
    assert {model.type for model in listed} == {"model"}
    key = make_key(gateway.folder, models=("sim-claude",))
    gateway.app.load_keys()
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=key) as restricted:
        assert [model.id async for model in restricted.models.list()] == ["sim-claude"]
        assert (await restricted.models.retrieve("sim-claude")).display_name == "sim-claude"
        with pytest.raises(anthropic.NotFoundError, match="there is no model"):
            await restricted.models.retrieve("sim-gpt")


async def test_the_synchronous_client(gateway: Gateway) -> None:
    def talk() -> tuple[str, str]:
        with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.key) as sync:
            whole = sync.messages.create(model="sim-claude", max_tokens=50, messages=user("echo: sync"))
            with sync.messages.stream(model="sim-claude", max_tokens=50, messages=user("words: 30")) as stream:
                text = "".join(stream.text_stream)
            return "".join(block.text for block in whole.content if block.type == "text"), text

    assert await asyncio.to_thread(talk) == ("sync", " ".join(["word"] * 30))
