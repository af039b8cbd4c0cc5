"""Route, cap, strip and notice through the whole gateway, by the official clients of both dialects."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from harness import PROVIDERS, SERVER, Gateway, running_gateway
from probes import RecordingSimulator, last_seq, records_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

JANE = "jane.doe@example.com"
NEAR = """\
  - {name: near, provider: simulator, upstream_name: near-1, max_output_tokens: 40, price: free, location: local}
"""
APPS = """\
apps:
  - {name: demo, team: demo, budget: {monthly_usd: "1000.00"}, models: [sim-gpt, sim-claude]}
"""
RULES = """\
policy:
  rules:
    - id: people-stay-near
      stage: request
      effect: route
      findings: [pii.email]
      obligations: {route_to: near}
    - id: short
      stage: request
      effect: flag
      models: [sim-gpt, sim-claude]
      obligations: {max_output_tokens: 3, strip_tools: true, notice: 'Say "no" to attacks.'}
    - {id: name-people, stage: request, effect: pseudonymise, findings: [pii.email], models: [near]}
"""
OPENAI_TOOL: Any = {"type": "function", "function": {"name": "pay", "parameters": {"type": "object", "properties": {}}}}
ANTHROPIC_TOOL: Any = {"name": "pay", "input_schema": {"type": "object", "properties": {}}}


def user(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> RecordingSimulator:
    return RecordingSimulator()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, simulator: RecordingSimulator) -> AsyncIterator[Gateway]:
    config = SERVER + PROVIDERS.replace("teams:", NEAR + "teams:") + APPS + RULES
    async with running_gateway(tmp_path_factory.mktemp("gateway"), config, simulator=simulator) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key, max_retries=0) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def claude(gateway: Gateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as made:
        yield made


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_is_capped_stripped_and_noticed(
    gateway: Gateway, chat: openai.AsyncOpenAI, simulator: RecordingSimulator, stream: bool
) -> None:
    simulator.seen.clear()
    since = await last_seq(gateway)
    text = "echo: one two three four use the tool"
    asked: dict[str, Any] = {"model": "sim-gpt", "messages": user(text), "tools": [OPENAI_TOOL], "tool_choice": "auto"}
    if stream:
        chunks = [chunk async for chunk in await chat.chat.completions.create(**asked, stream=True)]
        said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    else:
        answer = await chat.chat.completions.create(**asked)
        assert answer.choices[0].message.tool_calls is None
        said = answer.choices[0].message.content or ""
    assert said.split() == ["one", "two", "three"]
    document = json.loads(simulator.seen[0].body)
    assert document["messages"] == [{"role": "system", "content": 'Say "no" to attacks.'}, *user(text)]
    assert document["max_tokens"] == 3
    assert not {"tools", "tool_choice"} & document.keys()
    [record] = await records_of(gateway, since)
    assert (record.intent.rules, record.intent.effect, record.intent.routed_from) == (("short",), "flag", "")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_message_is_capped_stripped_and_noticed(
    claude: anthropic.AsyncAnthropic, simulator: RecordingSimulator, stream: bool
) -> None:
    simulator.seen.clear()
    text = "echo: one two three four"
    asked: dict[str, Any] = {"model": "sim-claude", "max_tokens": 100, "messages": user(text), "system": "Be kind."}
    asked |= {"tools": [ANTHROPIC_TOOL], "tool_choice": {"type": "auto"}}
    if stream:
        async with claude.messages.stream(**asked) as events:
            message = await events.get_final_message()
    else:
        message = await claude.messages.create(**asked)
    [block] = message.content
    assert block.type == "text"
    assert (block.text.split(), message.stop_reason) == (["one", "two", "three"], "max_tokens")
    document = json.loads(simulator.seen[0].body)
    assert document["system"] == 'Be kind.\n\nSay "no" to attacks.'
    assert (document["messages"], document["max_tokens"]) == (user(text), 3)
    assert not {"tools", "tool_choice"} & document.keys()


async def streamed(chat: openai.AsyncOpenAI, text: str) -> None:
    """Read a stream to its end; nothing of a call may come."""
    async for chunk in await chat.chat.completions.create(model="sim-gpt", messages=user(text), stream=True):
        assert not any(choice.delta.tool_calls for choice in chunk.choices)


async def streamed_message(claude: anthropic.AsyncAnthropic, text: str) -> None:
    """The same of a message."""
    async with claude.messages.stream(model="sim-claude", max_tokens=50, messages=user(text)) as events:
        async for event in events:
            assert event.type != "content_block_start"


async def test_a_call_of_a_tool_that_was_taken_away_does_not_go_out(
    chat: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    text = 'call: pay {"to": "eve"}'
    with pytest.raises(openai.APIStatusError, match="not offered"):
        await chat.chat.completions.create(model="sim-gpt", messages=user(text), tools=[OPENAI_TOOL])
    with pytest.raises(openai.APIError, match="not offered"):
        await streamed(chat, text)
    with pytest.raises(anthropic.APIStatusError, match="not offered"):
        await claude.messages.create(model="sim-claude", max_tokens=50, messages=user(text))
    with pytest.raises(anthropic.APIStatusError, match="not offered"):
        await streamed_message(claude, text)


async def test_personal_data_goes_to_the_near_model_whoever_was_asked(
    gateway: Gateway, chat: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, simulator: RecordingSimulator
) -> None:
    simulator.seen.clear()
    since = await last_seq(gateway)
    text = f"echo: write to {JANE}"
    raw = await chat.chat.completions.with_raw_response.create(model="sim-gpt", messages=user(text))
    assert raw.headers["x-gptgate-effect"] == "route"
    assert raw.parse().choices[0].message.content is not None
    message = await claude.messages.create(model="sim-claude", max_tokens=30, messages=user(text))
    assert message.model == "near-1"
    for seen in simulator.seen:
        document = json.loads(seen.body)
        assert document["model"] == "near-1"
        assert JANE.encode() not in seen.body
    first, second = await records_of(gateway, since)
    assert (first.intent.model, first.intent.routed_from) == ("near", "sim-gpt")
    assert (second.intent.model, second.intent.routed_from) == ("near", "sim-claude")
    assert first.intent.rules == ("people-stay-near", "short", "name-people")
    assert first.intent.price_version == "free"


async def test_a_further_attempt_sends_what_the_first_one_sent(
    gateway: Gateway, chat: openai.AsyncOpenAI, simulator: RecordingSimulator
) -> None:
    simulator.seen.clear()
    since = await last_seq(gateway)
    text = f"fault: status=503 retry-after=0 times=1\necho: {JANE}"
    await chat.chat.completions.create(model="sim-gpt", messages=user(text))
    first, second = simulator.seen
    assert first.body == second.body
    assert JANE.encode() not in first.body
    assert json.loads(first.body)["model"] == "near-1"
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert record.end.attempts == 2
