"""The credentials by which the gateway speaks to its providers reach neither a caller nor another provider, under a
configuration that asks for nothing: in every place of a request, and in streams that are cut anywhere."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import request_places as requests
from gptgate.detectors.known import KIND
from harness import APPS, SERVER, Gateway, running_gateway
from places import filled, places
from probes import RawAnswer, http_request, send_raw
from raw_client import CHAT, MESSAGES
from scripted_provider import ScriptedProvider, scripted, streamed, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = "pk-used-here-4Tq8Zr1vLm6Xs3"
OTHER = "pk-used-there-9Wb2Kd7nQc5Yh0"
MARK = f"pk-[redacted:{KIND}]"
"""What is cut begins behind the first letters, which many words have."""
CONFIG = (
    SERVER
    + """\
providers:
  - {name: local, kind: openai_compatible, base_url: "@SIMULATOR@", credential: "env:OWN_CREDENTIAL", retries: 0}
  - {name: anthropic, kind: anthropic, base_url: "@SIMULATOR@", credential: "env:OTHER_CREDENTIAL", retries: 0}
models:
  - {name: for-openai, provider: local, price: free}
  - {name: for-anthropic, provider: anthropic, price: free}
teams: [{name: demo}]
"""
    + APPS
)
TEMPLATES = {
    CHAT: (requests.CHAT, requests.CHAT_OTHERWISE),
    MESSAGES: (requests.MESSAGES, requests.MESSAGES_OTHERWISE),
}
MODELS = {CHAT: "for-openai", MESSAGES: "for-anthropic"}
ANSWER = {
    CHAT: b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]}',
    MESSAGES: b'{"type":"message","role":"assistant","content":[{"type":"text","text":"hi"}]}',
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with scripted([]) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> AsyncIterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OWN_CREDENTIAL", OWN)
        patch.setenv("OTHER_CREDENTIAL", OTHER)
        config = CONFIG.replace("@SIMULATOR@", provider.base_url)
        async with running_gateway(tmp_path_factory.mktemp("gateway"), config) as running:
            yield running


async def ask(
    gateway: Gateway, provider: ScriptedProvider, path: str, document: Any, script: list[bytes]
) -> tuple[RawAnswer, set[str]]:
    """The answer, and the kinds on record."""
    provider.scripts, provider.requests = [script], []
    body = json.dumps({"model": MODELS[path], "max_tokens": 9, **document}).encode()
    answer = await send_raw(gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], body))
    await gateway.settled()
    with gateway.reader() as reader:
        record = reader.show(answer.headers["x-request-id"])
    assert record is not None
    for kept in (record.request_content or b"", record.answer_content or b""):
        assert OTHER.encode() not in kept
    found = (*record.intent.findings, *(record.end.findings if record.end else ()))
    return answer, {one.kind for one in found}


@pytest.mark.parametrize("path", TEMPLATES)
async def test_no_place_of_a_request_carries_one_to_a_provider(
    gateway: Gateway, provider: ScriptedProvider, path: str
) -> None:
    sent = 0
    for template in TEMPLATES[path]:
        for place in places(template):
            document = {**filled(template, place, f"x{OTHER}x"), "stream": False}
            answer, kinds = await ask(gateway, provider, path, document, whole(ANSWER[path]))
            assert answer.status in (200, 403), place
            assert KIND in kinds, place
            for request in provider.requests:
                sent += 1
                _, _, body = request.partition(b"\r\n\r\n")
                assert OTHER.encode() not in body, place
                assert base64.b64encode(OTHER.encode())[4:-4] not in body, place
    assert sent > 20


def chat_events(text: str, wrap: Callable[[str], Any]) -> list[bytes]:
    deltas = [{"choices": [{"index": 0, "delta": wrap(text)}]}]
    return [b"data: %s\n\n" % json.dumps(delta).encode() for delta in deltas]


def said(text: str) -> Any:
    return {"content": text}


def called(text: str) -> Any:
    return {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": text}}]}


@pytest.mark.parametrize("credential", [OWN, OTHER])
@pytest.mark.parametrize("wrap", [said, called])
async def test_no_stream_carries_one_to_a_caller(
    gateway: Gateway, provider: ScriptedProvider, credential: str, wrap: Callable[[str], Any]
) -> None:
    text = json.dumps({"a": f"the key is {credential}!"})
    for size in (1, 2, 7, 20):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        events = [event for piece in pieces for event in chat_events(piece, wrap)]
        events += [b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n', b"data: [DONE]\n\n"]
        answer, kinds = await ask(
            gateway,
            provider,
            CHAT,
            {"stream": True, "messages": [{"role": "user", "content": "hi"}]},
            streamed(events),
        )
        heard = "".join(deltas(answer.body))
        assert json.loads(heard) == {"a": f"the key is {MARK}!"}
        assert KIND in kinds


def deltas(body: bytes) -> list[str]:
    """The texts and arguments that a stream carries."""
    out = []
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:])["choices"]:
                delta = choice["delta"]
                out.append(delta.get("content") or "")
                out += [call["function"].get("arguments", "") for call in delta.get("tool_calls", ())]
    return out


async def test_a_whole_answer_goes_out_without_the_credential_of_another_provider(
    gateway: Gateway, provider: ScriptedProvider
) -> None:
    body = ANSWER[CHAT].replace(b"hi", base64.b64encode(f"it is {OTHER}".encode()) + b" = " + OTHER.encode())
    answer, kinds = await ask(gateway, provider, CHAT, {"messages": [{"role": "user", "content": "hi"}]}, whole(body))
    assert answer.status == 200
    assert KIND in kinds
    content = answer.document["choices"][0]["message"]["content"]
    assert content.endswith(f" = {MARK}")
    assert base64.b64encode(OTHER.encode())[4:-4].decode() not in content


async def test_nothing_of_them_is_written_to_the_data_folder(gateway: Gateway) -> None:
    written = contents(gateway.folder)
    assert len(written) > 3
    assert [path for path, data in written.items() if OWN.encode() in data or OTHER.encode() in data] == []


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_one_that_was_exchanged_is_still_cut_out(
    gateway: Gateway, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewed credential is read when the configuration is applied; the former one often works on for a while."""
    renewed = "pk-renewed-7Hs2Lp9Xw4Ea1"
    monkeypatch.setenv("OTHER_CREDENTIAL", renewed)
    assert (await gateway.app.apply_config())[1]
    for secret in (OTHER, renewed):
        message = {"role": "user", "content": f"it is {secret}!"}
        _, kinds = await ask(gateway, provider, CHAT, {"stream": False, "messages": [message]}, whole(ANSWER[CHAT]))
        assert KIND in kinds
        assert [secret.encode() in request for request in provider.requests] == [False]
