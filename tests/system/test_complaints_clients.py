"""What users of other gateways complain about, by symptom: features of clients that break behind them. Each comment
names the threads. The official clients ask, and the provider sends the very bytes that the test says."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from harness import PROVIDERS, SERVER, Gateway, running_gateway
from probes import RecordingSimulator, Scripted

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL, CARD = "jane.doe@example.com", "4111 1111 1111 1111"
CONFIG = (
    SERVER
    + PROVIDERS
    + """\
apps: [{name: demo, team: demo}]
policy:
  rules:
    - {id: name-people, stage: request, effect: pseudonymise, findings: [pii.email]}
    - {id: cut-sent-cards, stage: request, effect: redact, findings: [pii.payment_card]}
    - {id: cut-cards, stage: response, effect: redact, findings: [pii.payment_card]}
"""
)
STREAM = [(b"content-type", b"text/event-stream")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def provider() -> RecordingSimulator:
    return RecordingSimulator()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, provider: RecordingSimulator) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), CONFIG, simulator=provider) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def chat(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.key) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def claude(gateway: Gateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=gateway.key) as client:
        yield client


def chunks(deltas: Iterable[dict[str, Any]]) -> list[bytes]:
    """A stream of chat chunks, one choice each."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "sim-gpt"}
    documents: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    documents.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    documents.append({**head, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}})
    return [b"data: %s\n\n" % json.dumps(one).encode() for one in documents] + [b"data: [DONE]\n\n"]


def events(documents: Iterable[dict[str, Any]]) -> list[bytes]:
    return [b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in documents]


# Pings and events that are not known yet are filtered out of streams.
async def test_pings_and_events_of_tomorrow_are_filtered(
    claude: anthropic.AsyncAnthropic, provider: RecordingSimulator
) -> None:
    usage = {"input_tokens": 3, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "sim-claude", "content": []}
    documents: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}},
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "of_tomorrow", "progress": {"done": 1, "of": 2}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
        {"type": "ping"},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    provider.scripted.append(Scripted(headers=STREAM, chunks=events(documents)))
    raw = await claude.messages.with_raw_response.create(
        model="sim-claude", max_tokens=9, messages=[{"role": "user", "content": "hi"}], stream=True
    )
    told = [line async for line in raw.http_response.aiter_lines()]
    assert [json.loads(line[6:]) for line in told if line.startswith("data: ")] == documents


# Arguments of tool calls that are made at once are mixed up, or placeholders stay in them.
@pytest.mark.parametrize("size", [1, 5])
async def test_arguments_of_parallel_tool_calls_are_mixed_up(
    chat: openai.AsyncOpenAI, provider: RecordingSimulator, size: int
) -> None:
    await chat.chat.completions.create(
        model="sim-gpt", messages=[{"role": "user", "content": MAIL}], extra_headers={"x-gptgate-session": "calls"}
    )
    name = json.loads(provider.seen[-1].body)["messages"][0]["content"]
    assert name != MAIL
    wanted = [{"to": f"{name} \\ \n"}, {"card": CARD, "to": [name]}, {}]
    texts = [json.dumps(arguments) for arguments in wanted]
    deltas = [
        {"tool_calls": [{"index": at, "id": f"c{at}", "type": "function", "function": {"name": f"f{at}"}}]}
        for at in range(3)
    ]
    for start in range(0, max(map(len, texts)), size):
        pieces = [(at, text[start : start + size]) for at, text in enumerate(texts)]
        deltas += [{"tool_calls": [{"index": at, "function": {"arguments": piece}}]} for at, piece in pieces if piece]
    provider.scripted.append(Scripted(headers=STREAM, chunks=chunks(deltas)))
    grown = ["", "", ""]
    async for chunk in await chat.chat.completions.create(
        model="sim-gpt",
        messages=[{"role": "user", "content": MAIL}],
        extra_headers={"x-gptgate-session": "calls"},
        stream=True,
    ):
        assert chunk.choices, "usage that nobody asked for"
        for call in chunk.choices[0].delta.tool_calls or ():
            assert call.function is not None
            grown[call.index] += call.function.arguments or ""
    assert [json.loads(text) for text in grown] == [
        {"to": f"{MAIL} \\ \n"},
        {"card": "[redacted:pii.payment_card]", "to": [MAIL]},
        {},
    ]


# kodus-ai 1828: marks for the prompt cache are dropped where the provider speaks OpenAI's dialect.
async def test_cache_marks_are_dropped_on_an_openai_compatible_hop(
    chat: openai.AsyncOpenAI, provider: RecordingSimulator
) -> None:
    marked: Any = [
        {
            "role": "system",
            "content": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        },
        {"role": "user", "content": "echo: hi"},
    ]
    await chat.chat.completions.create(
        model="sim-gpt", messages=marked, prompt_cache_key="k1", extra_body={"cache_control": {"type": "ephemeral"}}
    )
    sent = json.loads(provider.seen[-1].body)
    assert sent["messages"] == marked
    assert (sent["prompt_cache_key"], sent["cache_control"]) == ("k1", {"type": "ephemeral"})


# CLIProxyAPI 4524: what stands before the newest turn is sent in other bytes, so that nothing is found in the cache.
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_the_beginning_of_a_conversation_changes_from_turn_to_turn(
    chat: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, provider: RecordingSimulator, dialect: str
) -> None:
    turns: list[Any] = [{"role": "user", "content": f"I am {MAIL}, card {CARD}; écho \\u00e9 😀"}]
    sent: list[list[Any]] = []
    for text in ("sure", "and again", "the end"):
        if dialect == "openai":
            await chat.chat.completions.create(
                model="sim-gpt", messages=turns, extra_headers={"x-gptgate-session": "cached"}
            )
        else:
            await claude.messages.create(
                model="sim-claude", max_tokens=50, messages=turns, extra_headers={"x-gptgate-session": "cached"}
            )
        assert MAIL.encode() not in provider.seen[-1].body
        sent.append(json.loads(provider.seen[-1].body)["messages"])
        turns += [{"role": "assistant", "content": text}, {"role": "user", "content": f"{text} {MAIL}"}]
    assert [len(messages) for messages in sent] == [1, 3, 5]
    assert sent[2][:3] == sent[1]
    assert sent[1][:1] == sent[0]


# Betas of tomorrow, and the query that the clients' beta calls have.
async def test_a_beta_of_tomorrow_is_refused_or_dropped(
    claude: anthropic.AsyncAnthropic, provider: RecordingSimulator
) -> None:
    answer = await claude.beta.messages.create(
        model="sim-claude",
        max_tokens=9,
        betas=["of-tomorrow-2031-01-01"],
        messages=[{"role": "user", "content": "echo: hi"}],
        extra_body={"of_tomorrow": {"on": True}},
    )
    assert answer.stop_reason == "end_turn"
    assert provider.seen[-1].header("anthropic-beta") == ["of-tomorrow-2031-01-01"]
    assert json.loads(provider.seen[-1].body)["of_tomorrow"] == {"on": True}
    counted = await claude.beta.messages.count_tokens(
        model="sim-claude", messages=[{"role": "user", "content": "hi"}], betas=["of-tomorrow-2031-01-01"]
    )
    assert counted.input_tokens > 0
