"""What a hostile provider streams: no card number gets to the caller, whole, or in pieces that clients put together."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness import APPS, RULES, SERVER, Gateway
from probes import http_request, send_raw
from raw_client import CHAT, MESSAGES
from scripted_gateway import PROVIDERS, gateway_of
from scripted_provider import ScriptedProvider, scripted, streamed

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = "4111111111111111"
HALVES = (CARD[:8], CARD[8:])
CONFIG = SERVER + PROVIDERS + APPS + RULES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with scripted([]) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> AsyncIterator[Gateway]:
    async with gateway_of(provider, tmp_path_factory.mktemp("gateway"), CONFIG) as running:
        yield running


async def told(gateway: Gateway, provider: ScriptedProvider, path: str, events: list[bytes]) -> str:
    """What the caller gets of this stream."""
    provider.scripts, provider.requests = [streamed(events)], []
    model = "for-openai" if path == CHAT else "for-anthropic"
    document = {"model": model, "max_tokens": 50, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    request = http_request("POST", path, [("x-api-key", gateway.key)], json.dumps(document).encode())
    return (await send_raw(gateway.base_url, request)).body.decode()


def joined(answer: str) -> str:
    """All texts of an answer as a client puts them together that looks at no index and no type."""
    return "".join(re.findall(r'"(?:text|content|arguments|input|partial_json|summary)": ?"((?:[^"\\]|\\.)*)"', answer))


def chunk(delta: dict[str, Any], choice: dict[str, Any] | None = None, **beside: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": None, **(choice or {})}]
    return b"data: " + json.dumps({"id": "x", "model": "m", "choices": choices, **beside}).encode() + b"\n\n"


def texts(*pieces: str) -> list[bytes]:
    return [chunk({"content": piece}) for piece in pieces]


END = [chunk({}, {"finish_reason": "stop"}), b"data: [DONE]\n\n"]
OPENAI = {
    "whole": texts(CARD, " "),
    "after a point": texts("No", ".", CARD, " "),
    "after a cut escape": texts("x \\", "n" + CARD, " "),
    "log-probabilities": [chunk({"content": "hi"}, {"logprobs": {"content": [{"token": CARD, "logprob": 0}]}})],
    "key without a value": [chunk({"content": "hi", CARD: None})],
    "key of a choice": [chunk({"content": "hi"}, {CARD: None})],
    "key beside the choices": [chunk({"content": "hi"}, **{CARD: None})],
    "key of a text": [chunk({CARD: "x"})],
    "key of an object": [chunk({CARD: {"a": "b"}})],
    "index": [chunk({"content": "hi"}, {"index": int(CARD)})],
    "index that is text": [chunk({"content": "hi"}, {"index": CARD})],
    "two choices": [chunk({"content": half}, {"index": index}) for index, half in enumerate(HALVES)],
    "one choice in two spellings": [
        event
        for number in range(0, 16, 4)
        for event in (chunk({"content": CARD[number : number + 4]}, {"index": 1.0}), chunk({"content": "x"}))
    ],
    "parts": [chunk({"content": [{"type": "text", "text": half}]}) for half in HALVES],
    **{
        f"calls whose number is {number}": [
            chunk({"tool_calls": [{"index": number, "function": {"arguments": half}}]})
            for half in ('{"a":"' + HALVES[0], HALVES[1] + '"}')
        ]
        for number in (None, 0.0, True, "0")
    },
    "numbers as arguments without a number": [
        chunk({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": half}}]}) for half in HALVES
    ],
    "free text of a call without a number": [
        chunk({"tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "f", "input": half}}]})
        for half in HALVES
    ],
    "function call": [
        chunk({"function_call": {"arguments": half}}) for half in ('{"a":"' + HALVES[0], HALVES[1] + '"}')
    ],
    "comment": [f": {CARD}\n\n".encode(), *texts("hi")],
    "fields of the event": [f"id: {CARD}\nevent: {CARD}\nretry: {CARD}\n".encode() + texts("hi")[0]],
    "carriage returns": [event.replace(b"\n", b"\r") for event in texts(*HALVES, " ")],
    "not JSON after the like": [
        b'data: {"choices":[{"index":0,"delta":{"content":":"}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content" %s ":"}}]}\n\n' % CARD.encode(),
    ],
}


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "cut"])
@pytest.mark.parametrize("name", OPENAI)
async def test_openai(gateway: Gateway, provider: ScriptedProvider, name: str, ends: bool) -> None:
    answer = await told(gateway, provider, CHAT, OPENAI[name] + (END if ends else []))
    assert len(provider.requests) == 1
    assert "data:" in answer
    assert CARD not in answer
    assert CARD not in joined(answer)


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def start(content: list[dict[str, Any]]) -> bytes:
    message = {"id": "m", "type": "message", "role": "assistant", "content": content, "model": "m", "usage": {}}
    return event("message_start", message=message)


def delta(fields: dict[str, Any], index: Any = 0) -> bytes:
    return event("content_block_delta", index=index, delta=fields)


def text_delta(text: str, index: Any = 0) -> bytes:
    return delta({"type": "text_delta", "text": text}, index)


def misnamed(name: str, document: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()


BEGIN = [start([]), event("content_block_start", index=0, content_block={"type": "text", "text": ""})]
STOP = [event("content_block_stop", index=0), event("message_delta", delta={"stop_reason": "end_turn"}, usage={})]
ANTHROPIC = {
    "whole": [*BEGIN, text_delta(CARD)],
    "after a point": [*BEGIN, text_delta("No."), text_delta(CARD + " ")],
    "content of the start": [start([{"type": "text", "text": HALVES[0]}]), text_delta(HALVES[1])],
    "another type than name": [
        *BEGIN,
        *[misnamed("content_block_delta", {"type": "ping", "index": 0, "delta": {"text": half}}) for half in HALVES],
    ],
    "no type": [*BEGIN, *[misnamed("content_block_delta", {"index": 0, "delta": {"text": half}}) for half in HALVES]],
    "one block in two spellings": [
        *BEGIN,
        *[
            one
            for number in range(0, 16, 4)
            for one in (text_delta(CARD[number : number + 4], 0.0), text_delta("x", 1))
        ],
    ],
    "a new kind of delta": [*BEGIN, *[delta({"type": "new_delta", "summary": half}) for half in HALVES]],
    "name of an event": [*BEGIN, f'event: {CARD}\ndata: {{"type":"ping"}}\n\n'.encode()],
    "key": [*BEGIN, delta({"type": "text_delta", "text": "hi", CARD: None})],
    "key of a text": [*BEGIN, delta({"type": "text_delta", CARD: "hi"})],
    "type": [*BEGIN, delta({"type": CARD, "text": "hi"})],
    "escapes of arguments": [
        *BEGIN,
        *[delta({"type": "input_json_delta", "partial_json": part}) for part in ('{"a":"41', "11\\u00", "3", '11"}')],
        delta({"type": "input_json_delta", "partial_json": ' "\\u0034' + CARD[1:] + '"'}),
    ],
}


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "cut"])
@pytest.mark.parametrize("name", ANTHROPIC)
async def test_anthropic(gateway: Gateway, provider: ScriptedProvider, name: str, ends: bool) -> None:
    answer = await told(gateway, provider, MESSAGES, ANTHROPIC[name] + ([*STOP, event("message_stop")] if ends else []))
    assert len(provider.requests) == 1
    assert "data:" in answer
    assert CARD not in answer
    assert CARD not in joined(answer)
    assert CARD[1:] not in answer
