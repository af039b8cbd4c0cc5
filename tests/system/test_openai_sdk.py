"""The official `openai` client, unmodified but for base URL and key, against a whole gateway."""

import base64
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam

from gptgate.simulator.embeddings import vector
from harness import Gateway, make_key, running_gateway
from probes import last_seq, records_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}
ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("weather", {"city": 'Zürich "old" \\ town 😀', "days": 3, "deep": {"a": [1, 2.5, None, True]}}),
    ("weather", {}),
    ("clock", {"zone": "Europe/Berlin"}),
]


def user(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def calls_text() -> str:
    return "\n".join(f"call: {name} {json.dumps(arguments)}" for name, arguments in ARGUMENTS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key) as made:
        yield made


async def collect(stream: openai.AsyncStream[ChatCompletionChunk]) -> list[ChatCompletionChunk]:
    return [chunk async for chunk in stream]


async def test_chat(gateway: Gateway, client: openai.AsyncOpenAI) -> None:
    since = await last_seq(gateway)
    answer = await client.chat.completions.create(model="sim-gpt", messages=user("echo: Grüße 😀\nline two"))
    assert answer.choices[0].message.content == "Grüße 😀\nline two"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "sim-gpt"
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert answer.usage is not None
    usage = record.end.usage
    assert (usage.input_tokens, usage.output_tokens) == (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert (record.end.status, record.end.code, record.end.usage_source) == (200, "", "provider")


async def test_the_answer_names_its_record(gateway: Gateway, client: openai.AsyncOpenAI) -> None:
    since = await last_seq(gateway)
    raw = await client.chat.completions.with_raw_response.create(model="sim-gpt", messages=user("echo: hi"))
    parsed = raw.parse()
    [record] = await records_of(gateway, since)
    assert raw.headers["x-request-id"] == record.intent.id
    assert parsed._request_id == record.intent.id
    assert float(raw.headers["x-gptgate-overhead-ms"]) > 0
    assert raw.headers["x-gptgate-effect"] == "allow"


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("asked", [None, True, False])
async def test_stream(gateway: Gateway, client: openai.AsyncOpenAI, n: int, asked: bool | None) -> None:
    """The usage chunk comes exactly when it was asked for; the record has the usage either way."""
    since = await last_seq(gateway)
    options: Any = openai.omit if asked is None else {"include_usage": asked}
    text = "The quick brown fox, and so on. " * 8
    stream = await client.chat.completions.create(
        model="sim-gpt", messages=user("echo: " + text), stream=True, n=n, stream_options=options
    )
    chunks = await collect(stream)
    for index in range(n):
        pieces = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices if choice.index == index]
        assert "".join(pieces) == text.strip()
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [asked is True]
    assert [chunk for chunk in chunks if not chunk.choices] == (chunks[-1:] if asked else [])
    finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    assert finishes == ["stop"] * n
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert record.end.usage_source == "provider"
    assert record.end.usage.output_tokens % n == 0
    if asked:
        reported = chunks[-1].usage
        assert reported is not None
        assert reported.prompt_tokens == record.end.usage.input_tokens
        assert reported.completion_tokens == record.end.usage.output_tokens


async def test_several_choices(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="sim-gpt", messages=user("echo: same"), n=4)
    assert [choice.message.content for choice in answer.choices] == ["same"] * 4
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 4


async def test_tool_calls(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="sim-gpt", messages=user(calls_text()), tools=[WEATHER])
    calls = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert calls is not None
    made = [(call.function.name, json.loads(call.function.arguments)) for call in calls if call.type == "function"]
    assert made == ARGUMENTS


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
async def test_streamed_tool_calls(client: openai.AsyncOpenAI, chunk: int) -> None:
    text = f"fault: chunk={chunk}\n{calls_text()}"
    stream = await client.chat.completions.create(
        model="sim-gpt", messages=user(text), tools=[WEATHER], stream=True, n=2
    )
    grown: dict[tuple[int, int], list[str]] = {}
    for event in await collect(stream):
        for choice in event.choices:
            for call in choice.delta.tool_calls or ():
                name, arguments = grown.setdefault((choice.index, call.index), ["", ""])
                assert call.function is not None
                grown[choice.index, call.index] = [
                    name + (call.function.name or ""),
                    arguments + (call.function.arguments or ""),
                ]
    for index in range(2):
        made = [(name, json.loads(text)) for (choice, _), (name, text) in sorted(grown.items()) if choice == index]
        assert made == ARGUMENTS


async def test_a_tool_conversation(client: openai.AsyncOpenAI) -> None:
    messages = user("use the tool, please")
    asked = await client.chat.completions.create(model="sim-gpt", messages=messages, tools=[WEATHER])
    message = asked.choices[0].message
    assert message.tool_calls
    calls: list[Any] = [call.model_dump() for call in message.tool_calls]
    messages.append({"role": "assistant", "tool_calls": calls})
    messages.append({"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"})
    told = await client.chat.completions.create(model="sim-gpt", messages=messages, tools=[WEATHER])
    assert told.choices[0].message.content == "The tool answered: sunny"


async def test_the_stream_helper_puts_the_answer_together(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(
        model="sim-gpt", messages=user(calls_text()), stream_options={"include_usage": True}
    ) as stream:
        final = await stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert [json.loads(call.function.arguments) for call in calls] == [arguments for _, arguments in ARGUMENTS]
    assert final.usage is not None


async def test_embeddings_come_as_the_client_asks_for_them(client: openai.AsyncOpenAI) -> None:
    """The client asks for base64 by itself and unpacks it; floats come when they are asked for."""
    texts = ["one", "two words", "dreißig"]
    packed = await client.embeddings.create(model="sim-embed", input=texts)
    plain = await client.embeddings.create(model="sim-embed", input=texts, encoding_format="float")
    for index, text in enumerate(texts):
        expected = vector(text, 16)
        assert plain.data[index].embedding == pytest.approx(expected)
        assert packed.data[index].embedding == pytest.approx(expected, rel=1e-6)
    assert plain.usage.prompt_tokens == packed.usage.prompt_tokens == 4
    coded = await client.embeddings.create(model="sim-embed", input="one", encoding_format="base64")
    raw: Any = coded.data[0].embedding
    assert struct.unpack("<16f", base64.b64decode(raw)) == pytest.approx(vector("one", 16), rel=1e-6)
    numbers = await client.embeddings.create(model="sim-embed", input=[[1, 2, 3], [4]], dimensions=8)
    assert [len(item.embedding) for item in numbers.data] == [8, 8]


async def test_the_models_list_has_what_the_key_may_use(gateway: Gateway, client: openai.AsyncOpenAI) -> None:
    listed = [model async for model in client.models.list()]
    assert [model.id for model in listed] == ["sim-claude", "sim-embed", "sim-gpt"]
    assert {model.object for model in listed} == {"model"}
    key = make_key(gateway.folder, models=("sim-gpt",))
    gateway.app.load_keys()
    restricted = client.with_options(api_key=key)
    assert [model.id async for model in restricted.models.list()] == ["sim-gpt"]
    assert (await client.models.retrieve("sim-claude")).id == "sim-claude"
    assert (await restricted.models.retrieve("sim-gpt")).object == "model"
    for name in ("sim-claude", "no/such", "sim-gpt/"):
        with pytest.raises(openai.NotFoundError, match="there is no model"):
            await restricted.models.retrieve(name)
    with pytest.raises(openai.NotFoundError, match="no such path"):
        await restricted.get("/models/", cast_to=object)


async def test_a_redacted_prompt_and_answer(gateway: Gateway, client: openai.AsyncOpenAI) -> None:
    since = await last_seq(gateway)
    prompt = "echo: write to jane.doe@example.com with card 4111 1111 1111 1111"
    raw = await client.chat.completions.with_raw_response.create(model="sim-gpt", messages=user(prompt))
    content = raw.parse().choices[0].message.content
    assert content == "write to [redacted:pii.email] with card [redacted:pii.payment_card]"
    assert raw.headers["x-gptgate-effect"] == "redact"
    [record] = await records_of(gateway, since)
    assert record.intent.rules == ("redact-personal-data",)
    assert b"jane.doe" not in (record.request_content or b"")


async def test_the_synchronous_client(gateway: Gateway) -> None:
    import asyncio

    def talk() -> tuple[str | None, str]:
        with openai.OpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key) as sync:
            whole = sync.chat.completions.create(model="sim-gpt", messages=user("echo: sync"))
            stream = sync.chat.completions.create(model="sim-gpt", messages=user("words: 30"), stream=True)
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
            return whole.choices[0].message.content, text

    assert await asyncio.to_thread(talk) == ("sync", " ".join(["word"] * 30))
