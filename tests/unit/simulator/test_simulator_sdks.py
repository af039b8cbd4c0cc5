"""The official SDKs, unmodified, against the simulator: they must read everything it says."""

from collections.abc import AsyncIterator

import anthropic
import openai
import pytest

from gptgate.simulator.app import Simulator
from gptgate.simulator.server import SimulatorServer

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}


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
    messages = [{"role": "user", "content": "echo: one two three"}]
    async with gpt.chat.completions.stream(model="m", messages=messages, n=2) as stream:
        final = await stream.get_final_completion()
    assert [choice.message.content for choice in final.choices] == ["one two three", "one two three"]


async def test_openai_tools(gpt: openai.AsyncOpenAI) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}]
    asked = [{"role": "user", "content": "use the tool"}]
    answer = await gpt.chat.completions.create(model="m", messages=asked, tools=tools)
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == '{"city":"simulated"}'
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}
    answer = await gpt.chat.completions.create(model="m", messages=[*asked, message, result], tools=tools)
    assert answer.choices[0].message.content == "The tool answered: sunny"


async def test_openai_streamed_tools(gpt: openai.AsyncOpenAI) -> None:
    messages = [{"role": "user", "content": 'fault: chunk=4\ncall: f {"a": "b c"}\ncall: g {}'}]
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
    assert answer.content[0].text == "hello"
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (9, 1)


async def test_anthropic_stream(claude: anthropic.AsyncAnthropic) -> None:
    messages = [{"role": "user", "content": "fault: chunk=3\necho: hello there"}]
    async with claude.messages.stream(model="m", max_tokens=50, messages=messages) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        final = await stream.get_final_message()
    assert text == "hello there"
    assert final.content[0].text == text
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 2)


async def test_anthropic_tools_streamed_and_not(claude: anthropic.AsyncAnthropic) -> None:
    tools = [{"name": "weather", "input_schema": TOOL}]
    asked = [{"role": "user", "content": "use the tool"}]
    answer = await claude.messages.create(model="m", max_tokens=50, messages=asked, tools=tools)
    assert answer.stop_reason == "tool_use"
    assert answer.content[0].input == {"city": "simulated"}
    async with claude.messages.stream(model="m", max_tokens=50, messages=asked, tools=tools) as stream:
        final = await stream.get_final_message()
    assert final.content[0].input == {"city": "simulated"}
    result = {"type": "tool_result", "tool_use_id": answer.content[0].id, "content": "sunny"}
    turns = [*asked, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    answer = await claude.messages.create(model="m", max_tokens=50, messages=turns, tools=tools)
    assert answer.content[0].text == "The tool answered: sunny"


async def test_anthropic_count_tokens_agrees_with_the_bill(claude: anthropic.AsyncAnthropic) -> None:
    messages = [{"role": "user", "content": "one, two"}]
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
    messages = [{"role": "user", "content": f"fault: status={status}"}]
    with pytest.raises(error) as raised:
        await claude.messages.create(model="m", max_tokens=5, messages=messages)
    assert raised.value.status_code == status
    assert raised.value.request_id == raised.value.body["request_id"]
