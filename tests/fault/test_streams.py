"""Streams over sockets: cut anywhere, denied in the middle, silent, and read slowly."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from books import balanced
from gptgate.http.protocol import BoundedProtocol
from harness import CONFIG, running_gateway
from pipeline_parts import CARD, GITHUB_KEY, OPENAI_KEY
from probes import HeldSimulator
from raw_client import CHAT, LAST_CHUNK, MESSAGES, RawClient, post, prompt, unchunked
from scripted_provider import ScriptedProvider, scripted, streamed
from sse_reader import SseReader
from waiting import PATIENCE_S, eventually

PATHS = [CHAT, MESSAGES]
DENYING = CONFIG.replace(
    "id: redact-answers, stage: response, effect: redact", "id: no-keys, stage: response, effect: deny"
)
TEXT = f"Pay with {CARD} or use {OPENAI_KEY}, then {GITHUB_KEY}!"
REDACTED = "Pay with [redacted:pii.payment_card] or use [redacted:secret.openai], then [redacted:secret.github]!"


def at(config: str, provider: ScriptedProvider) -> str:
    """The configuration with this provider in the simulator's place."""
    return config.replace("@SIMULATOR@", provider.base_url)


def events(path: str, pieces: list[str]) -> bytes:
    """A provider's stream of these pieces of text."""
    if path == CHAT:
        parts: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
        parts.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        parts.append({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9}})
        return b"".join(b"data: %s\n\n" % json.dumps(part).encode() for part in parts) + b"data: [DONE]\n\n"
    usage = {"input_tokens": 7, "output_tokens": 1}
    message = {"id": "m", "model": "x", "content": [], "usage": usage}
    kinds: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    kinds.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    for piece in pieces:
        kinds.append({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})
    kinds.append({"type": "content_block_stop", "index": 0})
    kinds.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}})
    kinds.append({"type": "message_stop"})
    return b"".join(b"event: %s\ndata: %s\n\n" % (str(k["type"]).encode(), json.dumps(k).encode()) for k in kinds)


@pytest.mark.parametrize("path", PATHS)
async def test_secrets_that_are_cut_anywhere_on_the_wire_never_arrive(tmp_path: Path, path: str) -> None:
    stream = events(path, [TEXT[start : start + 11] for start in range(0, len(TEXT), 11)])
    cuts = range(1, len(stream), 29)
    scripts = [streamed([stream[:cut], stream[cut:]]) for cut in cuts]
    scripts.append(streamed([stream[start : start + 3] for start in range(0, len(stream), 3)]))
    async with scripted(*scripts) as provider, running_gateway(tmp_path, at(CONFIG, provider)) as gateway:
        client = await RawClient.connect(gateway.base_url)
        for _ in scripts:
            await client.send(post(path, gateway.key, prompt("go", path=path)))
            status, _, body = await client.answer()
            reader = SseReader()
            reader.feed(body)
            assert status == 200
            assert reader.texts == {(0, "content" if path == CHAT else "text"): REDACTED}
            assert reader.done
            assert OPENAI_KEY[:12].encode() not in body
        await client.close()
        for record in await balanced(gateway, len(scripts)):
            assert record.end is not None
            assert (record.end.effect, record.end.usage_source) == ("redact", "provider")
            assert (record.end.usage.input_tokens, record.end.usage.output_tokens) == (7, 9)
            assert record.answer_content is not None
            assert OPENAI_KEY[:12].encode() not in record.answer_content


@pytest.mark.parametrize("path", PATHS)
async def test_a_denied_stream_ends_with_the_dialects_error(tmp_path: Path, path: str) -> None:
    async with running_gateway(tmp_path, DENYING) as gateway:
        client = await RawClient.connect(gateway.base_url)
        text = f"fault: chunk=5 delay=2ms\necho: All is well so far. {OPENAI_KEY} " + "and so on " * 200
        await client.send(post(path, gateway.key, prompt(text, path=path)))
        status, headers, body = await client.answer()
        reader = SseReader()
        reader.feed(body)
        assert status == 200
        assert not reader.done
        assert "All is well so far. ".startswith("".join(reader.texts.values()))
        assert b"sk-proj" not in body
        assert b"[DONE]" not in body
        assert b"message_stop" not in body
        error = reader.error["error"]
        if path == CHAT:
            assert (error["type"], error["code"]) == ("permission_error", "policy_denied")
        else:
            assert (reader.error["type"], error["type"]) == ("error", "permission_error")
            assert reader.error["request_id"] == headers["request-id"]
        # The connection is in order: the next request can use it.
        await client.send(post(path, gateway.key, prompt("echo: fine", path=path)))
        assert (await client.answer())[0] == 200
        await client.close()
        found = await balanced(gateway, 2)
        end = found[0].end
        assert end is not None
        assert (end.state, end.code, end.effect, end.rules) == ("completed", "policy_denied", "deny", ("no-keys",))
        assert (end.status, end.usage_source) == (200, "unknown")
        assert found[0].answer_content is not None
        assert b"sk-proj" not in found[0].answer_content
        await eventually(lambda: gateway.simulator.stats.aborted == 1)


@pytest.mark.parametrize("path", PATHS)
async def test_a_denied_whole_answer_is_a_refusal(tmp_path: Path, path: str) -> None:
    async with running_gateway(tmp_path, DENYING) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(path, gateway.key, prompt(f"leak: {OPENAI_KEY}", path=path, stream=False)))
        status, headers, body = await client.answer()
        await client.close()
        assert (status, headers["x-gptgate-error"], headers["x-should-retry"]) == (403, "policy_denied", "false")
        assert b"sk-proj" not in body
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert (record.end.effect, record.end.status, record.end.usage_source) == ("deny", 403, "provider")
        assert b"sk-proj" not in (record.answer_content or b"")


@pytest.mark.parametrize("path", PATHS)
async def test_comments_keep_a_silent_stream_awake(tmp_path: Path, path: str) -> None:
    config = CONFIG.replace("drain: 20s", "drain: 20s, sse_keep_alive: 20ms")
    provider = HeldSimulator(after=3)
    async with running_gateway(tmp_path, config, simulator=provider) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(path, gateway.key, prompt("fault: chunk=5\necho: 4111 1111 1111", path=path)))
        await client.head()
        begun = await client.until(b": keep-alive\n\n", 3)
        provider.go.set()
        body = unchunked(begun + await client.until(LAST_CHUNK))
        await client.close()
        reader = SseReader()
        reader.feed(body)
        assert reader.texts == {(0, "content" if path == CHAT else "text"): "4111 1111 1111"}
        assert reader.done
        assert body.count(b": keep-alive\n\n") >= 3
        assert not body.endswith(b": keep-alive\n\n")


async def test_a_silent_provider_is_given_up_and_the_comments_end(tmp_path: Path) -> None:
    config = CONFIG.replace("drain: 20s", "drain: 20s, sse_keep_alive: 30ms").replace("idle: 30s", "idle: 1s")
    async with running_gateway(tmp_path, config) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("fault: hang=4 chunk=3\nwords: 50")))
        _, _, body = await client.answer()
        await client.close()
        reader = SseReader()
        reader.feed(body)
        assert reader.error["error"]["code"] == "upstream_timeout"
        assert reader.texts[0, "content"] == "word word"
        assert body.count(b": keep-alive\n\n") >= 2
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert (record.end.code, record.end.status, record.end.usage_source) == ("upstream_timeout", 200, "unknown")
        await eventually(lambda: gateway.simulator.stats.aborted == 1)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", PATHS)
async def test_a_first_byte_that_does_not_come_is_a_timeout_and_stays_spent(
    tmp_path: Path, path: str, stream: bool
) -> None:
    config = CONFIG.replace("first_byte: 30s", "first_byte: 150ms")
    async with running_gateway(tmp_path, config) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(path, gateway.key, prompt("fault: hang\necho: x", path=path, stream=stream)))
        status, headers, _ = await client.answer()
        await client.close()
        assert (status, headers["x-gptgate-error"]) == (504, "upstream_timeout")
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert record.end.usage_source == "unknown"
        assert record.end.cost_nano == record.intent.reserved_nano > 0
        await eventually(lambda: gateway.simulator.stats.aborted == 1)
        assert gateway.simulator.stats.requests == 1


async def test_a_head_that_does_not_come_in_time_ends_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = CONFIG.replace("drain: 20s", "drain: 20s, header_timeout: 150ms")
    async with running_gateway(tmp_path, config) as gateway:
        request = post(CHAT, gateway.key, prompt("echo: hello", stream=False))
        http: Any = gateway.server.config.http_protocol_class
        assert http.head_timeout_s == 0.15
        for begun in (b"", request[:30], b"\r\n"):
            client = await RawClient.connect(gateway.base_url)
            await client.send(begun)
            answer = await asyncio.wait_for(client.reader.read(), PATIENCE_S)
            assert b" 200 " not in answer
            await client.close()
        # Also on a connection that has served a request before; and waiting between requests is no crime.
        monkeypatch.setattr(http, "head_timeout_s", PATIENCE_S)
        client = await RawClient.connect(gateway.base_url)
        await client.send(request)
        assert (await client.answer())[0] == 200
        monkeypatch.setattr(http, "head_timeout_s", 0.15)
        await asyncio.sleep(0.3)
        monkeypatch.setattr(http, "head_timeout_s", PATIENCE_S)
        await client.send(request)
        assert (await client.answer())[0] == 200
        monkeypatch.setattr(http, "head_timeout_s", 0.15)
        await client.send(request[:40])
        answer = await asyncio.wait_for(client.reader.read(), PATIENCE_S)
        assert b" 408 " in answer
        await client.close()
        await balanced(gateway, 2)


async def test_a_body_that_does_not_come_in_time_is_refused_and_recorded(tmp_path: Path) -> None:
    config = CONFIG.replace("drain: 20s", "drain: 20s, body_timeout: 150ms")
    async with running_gateway(tmp_path, config) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("echo: hello", stream=False))[:-5])
        status, headers, _ = await client.answer()
        assert (status, headers["x-gptgate-error"], headers["connection"]) == (408, "body_timeout", "close")
        assert await client.reader.read() == b""
        await client.close()
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert (record.end.state, record.end.code) == ("refused", "body_timeout")
        assert gateway.simulator.stats.requests == 0


async def test_a_caller_who_does_not_read_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "stall_timeout_s", 0.3)
    async with running_gateway(tmp_path) as gateway:
        client = await RawClient.connect(gateway.base_url, receive_buffer=4096)
        text = "fault: chunk=20000\nrepeat: 1600000 flood"
        await client.send(post(CHAT, gateway.key, prompt(text, max_tokens=8_000_000)))
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert (record.end.code, record.end.usage_source) == ("client_disconnected", "unknown")
        await eventually(lambda: gateway.simulator.stats.aborted == 1)
        client.reset()
