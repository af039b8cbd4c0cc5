"""Mask, hash and pseudonymise through the whole gateway, by the official clients of both dialects."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from harness import APPS, PROVIDERS, SERVER, Gateway, running_gateway
from probes import RecordingSimulator, last_seq, records_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = "4111 1111 1111 1234"[:-4] + "1111"
JANE, JOHN = "jane.doe@example.com", "john@example.org"
KEY = "ghp_" + "a1B2c3" * 6
RULES = """\
policy:
  rules:
    - {id: name-people, stage: request, effect: pseudonymise, findings: [pii.email]}
    - {id: mask-cards, stage: request, effect: mask, findings: [pii.payment_card]}
    - {id: hash-keys, stage: request, effect: hash, findings: [secret.github]}
    - {id: mask-answers, stage: response, effect: mask, findings: [pii.email]}
"""
DIALECTS = ("openai", "anthropic")


@dataclass
class Clients:
    """One question in either dialect; the text of the answer, or the arguments of its tool call."""

    openai: openai.AsyncOpenAI
    anthropic: anthropic.AsyncAnthropic

    async def ask(self, dialect: str, text: str, *, stream: bool, session: str = "") -> str:
        headers = {"x-gptgate-session": session} if session else {}
        messages: Any = [{"role": "user", "content": text}]
        if dialect == "openai":
            return await self._openai(messages, stream, headers)
        return await self._anthropic(messages, stream, headers)

    async def _openai(self, messages: Any, stream: bool, headers: dict[str, str]) -> str:
        make = self.openai.chat.completions.create
        if not stream:
            message = (await make(model="sim-gpt", messages=messages, extra_headers=headers)).choices[0].message
            if message.tool_calls:
                call = message.tool_calls[0]
                assert call.type == "function"
                return call.function.arguments
            return message.content or ""
        parts: list[str] = []
        async for chunk in await make(model="sim-gpt", messages=messages, extra_headers=headers, stream=True):
            for choice in chunk.choices:
                parts.append(choice.delta.content or "")
                for delta in choice.delta.tool_calls or ():
                    assert delta.function is not None
                    parts.append(delta.function.arguments or "")
        return "".join(parts)

    async def _anthropic(self, messages: Any, stream: bool, headers: dict[str, str]) -> str:
        more: dict[str, Any] = {"model": "sim-claude", "max_tokens": 500, "messages": messages}
        if stream:
            async with self.anthropic.messages.stream(**more, extra_headers=headers) as events:
                message = await events.get_final_message()
        else:
            message = await self.anthropic.messages.create(**more, extra_headers=headers)
        [block] = message.content
        return block.text if block.type == "text" else json.dumps(block.input) if block.type == "tool_use" else ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> RecordingSimulator:
    return RecordingSimulator()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, simulator: RecordingSimulator) -> AsyncIterator[Gateway]:
    config = SERVER + PROVIDERS + APPS + RULES
    async with running_gateway(tmp_path_factory.mktemp("gateway"), config, simulator=simulator) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(gateway: Gateway) -> AsyncIterator[Clients]:
    async with (
        openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key) as first,
        anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=gateway.key) as second,
    ):
        yield Clients(first, second)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("chunk", [1, 7, 64])
async def test_people_are_pseudonyms_for_the_provider_and_themselves_for_the_caller(
    gateway: Gateway, clients: Clients, simulator: RecordingSimulator, dialect: str, stream: bool, chunk: int
) -> None:
    simulator.seen.clear()
    since = await last_seq(gateway)
    text = f"fault: chunk={chunk}\necho: {JANE} wrote to {JOHN}; {JANE} pays with {CARD} and {KEY}."
    answer = await clients.ask(dialect, text, stream=stream)
    before, _, hashed = answer.partition(" and ")
    assert before == f"{JANE} wrote to {JOHN}; {JANE} pays with **** **** **** 1111"
    assert hashed.startswith("[secret.github:")
    [seen] = simulator.seen
    for value in (JANE, JOHN, CARD, KEY):
        assert value.encode() not in seen.body
    assert seen.body.count(b"[email:") == 3
    [record] = await records_of(gateway, since)
    assert record.intent.effect == "hash"
    assert record.intent.rules == ("name-people", "mask-cards", "hash-keys")
    assert record.end is not None
    assert record.end.rules == ()
    for kept in (record.request_content, record.answer_content):
        assert kept is not None
        assert JANE.encode() not in kept
    assert record.answer_content is not None
    assert record.answer_content.count(b"[email:") == 3


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("stream", [False, True])
async def test_arguments_of_a_tool_call_are_restored(
    clients: Clients, simulator: RecordingSimulator, dialect: str, stream: bool
) -> None:
    simulator.seen.clear()
    arguments = {"to": [JANE, f"cc {JOHN}"], "deep": {"note": f'"{JANE}" \\ ☕'}}
    answer = await clients.ask(dialect, f"fault: chunk=3\ncall: mail {json.dumps(arguments)}", stream=stream)
    assert json.loads(answer) == arguments
    assert JANE.encode() not in simulator.seen[0].body


async def sent_names(clients: Clients, simulator: RecordingSimulator, session: str) -> str:
    simulator.seen.clear()
    assert await clients.ask("openai", f"echo: {JANE}", stream=False, session=session) == JANE
    content: str = json.loads(simulator.seen[0].body)["messages"][0]["content"]
    return content


async def test_a_session_keeps_its_pseudonyms(clients: Clients, simulator: RecordingSimulator) -> None:
    first = await sent_names(clients, simulator, "s-1")
    assert await sent_names(clients, simulator, "s-1") == first
    assert await sent_names(clients, simulator, "s-2") != first
    alone = await sent_names(clients, simulator, "")
    assert await sent_names(clients, simulator, "") != alone


async def test_a_rule_on_answers_masks_what_the_model_says_itself(clients: Clients) -> None:
    hidden = "".join(f"\\u{ord(char):04x}" for char in "eve@example.net")
    answer = await clients.ask("openai", f'call: mail {{"to": "{JANE}", "cc": "{hidden}"}}', stream=True)
    assert json.loads(answer)["to"] == JANE


async def test_nothing_else_is_restored(clients: Clients) -> None:
    foreign = "[email:bcdfghjkmnpq]"
    assert await clients.ask("openai", f"echo: {foreign} {JANE}", stream=True) == f"{foreign} {JANE}"
