"""The official SDKs, unmodified, against the simulator: they must read everything it says."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam
from openai.types.chat import (
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
    ChatCompletionToolParam,
)

from gptgate.simulator.app import Simulator
from gptgate.simulator.server import SimulatorServer

TOOL: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}


def said(*content: object) -> str:
    """The text of a message that has nothing but one."""
    (block,) = content
    assert isinstance(block, anthropic.types.TextBlock)
    return block.text


def called(*content: object) -> anthropic.types.ToolUseBlock:
    """The only call of a message that has nothing but one."""
    (block,) = content
    assert isinstance(block, anthropic.types.ToolUseBlock)
    return block


@pytest.fixture
async def server() -> AsyncIterator[SimulatorServer]:
    server = SimulatorServer(Simulator(keys=["sk-test"]))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def gpt(server: SimulatorServer) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=server.base_url + "/v1", api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(server: SimulatorServer) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=server.base_url, api_key="sk-test", max_retries=0) as client:
        yield client


async def test_openai_chat(gpt: openai.AsyncOpenAI) -> None:
    answer = await gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": "echo: hello"}])
    assert answer.choices[0].message.content == "hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 1


async def test_openai_stream(gpt: openai.AsyncOpenAI) -> None:
    text = ""
    usage = None
    stream = await gpt.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "fault: chunk=3\necho: hello there"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    async for chunk in stream:
        assert chunk.object == "chat.completion.chunk"
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage
    assert text == "hello there"
    assert usage is not None
    assert usage.completion_tokens == 2


async def test_openai_stream_helper_puts_two_choices_together(gpt: openai.AsyncOpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "echo: one two three"}]
    async with gpt.chat.completions.stream(model="m", messages=messages, n=2) as stream:
        final = await stream.get_final_completion()
    assert [choice.message.content for choice in final.choices] == ["one two three", "one two three"]


async def test_openai_tools(gpt: openai.AsyncOpenAI) -> None:
    tools: list[ChatCompletionToolParam] = [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}]
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "use the tool"}]
    answer = await gpt.chat.completions.create(model="m", messages=asked, tools=tools)
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    call = message.tool_calls[0]
    assert isinstance(call, ChatCompletionMessageFunctionToolCall)
    assert call.function.arguments == '{"city":"simulated"}'
    spoken: Any = message  # the SDK takes its own answer back as it is
    asked += [spoken, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    answer = await gpt.chat.completions.create(model="m", messages=asked, tools=tools)
    assert answer.choices[0].message.content == "The tool answered: sunny"


async def test_openai_streamed_tools(gpt: openai.AsyncOpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": 'fault: chunk=4\ncall: f {"a": "b c"}\ncall: g {}'}
    ]
    async with gpt.chat.completions.stream(model="m", messages=messages) as stream:
        final = await stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert [(call.function.name, call.function.arguments) for call in calls] == [("f", '{"a": "b c"}'), ("g", "{}")]


async def test_openai_embeddings_in_both_encodings_agree(gpt: openai.AsyncOpenAI) -> None:
    packed = await gpt.embeddings.create(model="e", input=["a", "b"])
    plain = await gpt.embeddings.create(model="e", input=["a", "b"], encoding_format="float")
    for left, right in zip(packed.data, plain.data, strict=True):
        assert left.embedding == pytest.approx(right.embedding, abs=1e-6)


async def test_openai_models(gpt: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in gpt.models.list()] == ["simulator", "simulator-small"]
    assert (await gpt.models.retrieve("simulator")).owned_by == "gptgate-simulator"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_openai_errors(gpt: openai.AsyncOpenAI, status: int, error: type[openai.APIStatusError]) -> None:
    with pytest.raises(error) as raised:
        await gpt.chat.completions.create(model="m", messages=[{"role": "user", "content": f"fault: status={status}"}])
    assert raised.value.request_id is not None
    assert raised.value.request_id.startswith("req_")
    assert raised.value.type is not None


async def test_openai_wrong_key(server: SimulatorServer) -> None:
    async with openai.AsyncOpenAI(base_url=server.base_url + "/v1", api_key="sk-other", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()


async def test_anthropic_message(claude: anthropic.AsyncAnthropic) -> None:
    answer = await claude.messages.create(
        model="m", max_tokens=50, system="be brief", messages=[{"role": "user", "content": "echo: hello"}]
    )
    assert said(*answer.content) == "hello"
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (9, 1)


async def test_anthropic_stream(claude: anthropic.AsyncAnthropic) -> None:
    messages: list[MessageParam] = [{"role": "user", "content": "fault: chunk=3\necho: hello there"}]
    async with claude.messages.stream(model="m", max_tokens=50, messages=messages) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert text == "hello there"
    assert said(*final.content) == text
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 2)


async def test_anthropic_tools_streamed_and_not(claude: anthropic.AsyncAnthropic) -> None:
    tools: list[ToolParam] = [{"name": "weather", "input_schema": TOOL}]
    asked: list[MessageParam] = [{"role": "user", "content": "use the tool"}]
    answer = await claude.messages.create(model="m", max_tokens=50, messages=asked, tools=tools)
    assert answer.stop_reason == "tool_use"
    call = called(*answer.content)
    assert call.input == {"city": "simulated"}
    async with claude.messages.stream(model="m", max_tokens=50, messages=asked, tools=tools) as stream:
        final = await stream.get_final_message()
    assert called(*final.content).input == {"city": "simulated"}
    result: ToolResultBlockParam = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    asked += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    answer = await claude.messages.create(model="m", max_tokens=50, messages=asked, tools=tools)
    assert said(*answer.content) == "The tool answered: sunny"


async def test_anthropic_count_tokens_agrees_with_the_bill(claude: anthropic.AsyncAnthropic) -> None:
    messages: list[MessageParam] = [{"role": "user", "content": "one, two"}]
    counted = await claude.messages.count_tokens(model="m", messages=messages)
    answer = await claude.messages.create(model="m", max_tokens=5, messages=messages)
    assert counted.input_tokens == answer.usage.input_tokens == 7


async def test_anthropic_models(claude: anthropic.AsyncAnthropic) -> None:
    assert [model.id async for model in claude.models.list()] == ["simulator", "simulator-small"]
    assert (await claude.models.retrieve("simulator")).type == "model"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.APIStatusError),
    ],
)
async def test_anthropic_errors(
    claude: anthropic.AsyncAnthropic, status: int, error: type[anthropic.APIStatusError]
) -> None:
    messages: list[MessageParam] = [{"role": "user", "content": f"fault: status={status}"}]
    with pytest.raises(error) as raised:
        await claude.messages.create(model="m", max_tokens=5, messages=messages)
    assert raised.value.status_code == status
    assert isinstance(raised.value.body, dict)
    assert raised.value.request_id == raised.value.body["request_id"]
