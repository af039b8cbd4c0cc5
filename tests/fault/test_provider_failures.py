"""Provider failures, by how far the request got: what it costs, how often it is tried, what the caller is told."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from books import balanced
from gptgate.storage.views import AuditRecord
from harness import CONFIG, Gateway, free_port, running_gateway
from raw_client import CHAT, MESSAGES, RawClient, post, prompt
from scripted_provider import JSON_HEAD, SSE_HEAD, scripted, streamed, whole

IMPATIENT = CONFIG.replace("first_byte: 30s, idle: 30s", "first_byte: 300ms, idle: 300ms")
IN_STREAMS = CONFIG.replace("idle: 30s", "idle: 300ms")
PATHS = [CHAT, MESSAGES]
BOTH = pytest.mark.parametrize("stream", [True, False])


async def ask(
    gateway: Gateway, text: str, *, path: str = CHAT, stream: bool = False
) -> tuple[int, dict[str, str], bytes]:
    client = await RawClient.connect(gateway.base_url)
    await client.send(post(path, gateway.key, prompt(text, path=path, stream=stream)))
    answer = await client.answer()
    await client.close()
    return answer


def stays_spent(record: AuditRecord) -> bool:
    assert record.end is not None
    return record.end.usage_source == "unknown" and record.end.cost_nano == record.intent.reserved_nano > 0


def given_back(record: AuditRecord) -> bool:
    assert record.end is not None
    return record.end.usage_source == "unused" and record.end.cost_nano == 0


@BOTH
async def test_nobody_listens_so_nothing_is_spent(tmp_path: Path, stream: bool) -> None:
    config = CONFIG.replace("@SIMULATOR@", f"http://127.0.0.1:{free_port()}")
    async with running_gateway(tmp_path, config) as gateway:
        status, headers, body = await ask(gateway, "echo: x", stream=stream)
        assert (status, headers["x-gptgate-error"]) == (502, "upstream_unreachable")
        assert b"127.0.0.1" not in body
        (record,) = await balanced(gateway, 1)
        assert given_back(record)
        assert record.end is not None
        assert (record.end.state, record.end.status) == ("completed", 502)


@BOTH
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("status", "told", "code"),
    [(429, 429, "upstream_rate_limited"), (503, 503, "upstream_overloaded"), (529, 529, "upstream_overloaded")],
)
async def test_a_provider_that_is_busy_is_tried_boundedly_and_costs_nothing(
    tmp_path: Path, path: str, stream: bool, status: int, told: int, code: str
) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        # It asks to come back at once: two further attempts, then its word is passed on.
        order = f"fault: status={status} retry-after=0"
        answer = await ask(gateway, f"{order}\necho: a", path=path, stream=stream)
        assert (answer[0], answer[1]["x-gptgate-error"], answer[1]["retry-after"]) == (told, code, "0")
        assert gateway.simulator.stats.requests == 3
        # It does not say when: not a second attempt.
        answer = await ask(gateway, f"fault: status={status}\necho: b", path=path, stream=stream)
        assert (answer[0], answer[1]["x-gptgate-error"]) == (told, code)
        assert "retry-after" not in answer[1]
        assert gateway.simulator.stats.requests == 4
        # It asks to come back later than we would wait: the caller is told when.
        answer = await ask(gateway, f"fault: status={status} retry-after=30\necho: c", path=path, stream=stream)
        assert (answer[0], answer[1]["retry-after"]) == (told, "30")
        assert gateway.simulator.stats.requests == 5
        # It is busy once.
        answer = await ask(gateway, f"{order} times=1\necho: d", path=path, stream=stream)
        assert answer[0] == 200
        assert gateway.simulator.stats.requests == 7
        found = await balanced(gateway, 4)
        assert all(given_back(record) for record in found[:3])
        last = found[3].end
        assert last is not None
        assert (last.usage_source, last.attempts) == ("provider", 2)
        assert [record.end.attempts for record in found[:3] if record.end is not None] == [3, 1, 1]


@BOTH
@pytest.mark.parametrize("path", PATHS)
async def test_a_provider_that_fails_stays_spent_and_is_tried_once(tmp_path: Path, path: str, stream: bool) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        status, headers, body = await ask(gateway, "fault: status=500\necho: x", path=path, stream=stream)
        assert (status, headers["x-gptgate-error"]) == (502, "upstream_failed")
        assert b"simulator was told" not in body
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)
        assert gateway.simulator.stats.requests == 1


@BOTH
@pytest.mark.parametrize("path", PATHS)
async def test_a_provider_that_refuses_the_request_is_heard_and_costs_nothing(
    tmp_path: Path, path: str, stream: bool
) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        status, headers, body = await ask(gateway, "fault: status=400\necho: x", path=path, stream=stream)
        assert (status, headers["x-should-retry"]) == (400, "false")
        assert b"told to refuse" in body
        (record,) = await balanced(gateway, 1)
        assert given_back(record)
        assert record.end is not None
        assert (record.end.code, record.end.status) == ("upstream_refused", 400)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_rejected_credential_is_the_operators_fault(tmp_path: Path, status: int) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        told, headers, body = await ask(gateway, f"fault: status={status}\necho: x")
        assert (told, headers["x-gptgate-error"]) == (502, "upstream_credential")
        assert b"told to reject" not in body
        (record,) = await balanced(gateway, 1)
        assert given_back(record)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("order", ["malformed", "cut=0", "redirect", "latency=300s", "hang"])
async def test_a_whole_answer_that_cannot_be_used_stays_spent(tmp_path: Path, path: str, order: str) -> None:
    late = order in ("latency=300s", "hang")
    async with running_gateway(tmp_path, IMPATIENT if late else CONFIG) as gateway:
        status, headers, body = await ask(gateway, f"fault: {order}\necho: hello", path=path)
        expected = (504, "upstream_timeout") if late else (502, "upstream_broken")
        assert (status, headers["x-gptgate-error"]) == expected
        assert b"hello" not in body
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)
        assert gateway.simulator.stats.requests == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("order", "code"), [("malformed", "upstream_broken"), ("cut=3", "upstream_broken"), ("hang=4", "upstream_timeout")]
)
async def test_a_stream_that_breaks_ends_with_an_error_and_stays_spent(
    tmp_path: Path, path: str, order: str, code: str
) -> None:
    async with running_gateway(tmp_path, IN_STREAMS) as gateway:
        status, _, body = await ask(gateway, f"fault: chunk=4 {order}\nwords: 30", path=path, stream=True)
        assert status == 200
        last = json.loads(body.rstrip(b"\n").split(b"data: ")[-1])
        assert last["error"]["message"]
        assert b"[DONE]" not in body
        assert b"message_stop" not in body
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)
        assert record.end is not None
        assert (record.end.code, record.end.status) == (code, 200)


@BOTH
@pytest.mark.parametrize("path", PATHS)
async def test_what_was_delivered_without_usage_is_estimated_and_never_too_low(
    tmp_path: Path, path: str, stream: bool
) -> None:
    async with running_gateway(tmp_path, CONFIG) as gateway:
        for order in ("no-usage", ""):
            status, _, _ = await ask(gateway, f"fault: {order}\nwords: 300", path=path, stream=stream)
            assert status == 200
        estimated, known = sorted(await balanced(gateway, 2), key=lambda record: record.seq)
        assert estimated.end is not None
        assert known.end is not None
        assert (estimated.end.usage_source, known.end.usage_source) == ("estimated", "provider")
        assert known.end.cost_nano < estimated.end.cost_nano <= estimated.intent.reserved_nano
        assert known.end.usage.output_tokens <= estimated.end.usage.output_tokens


def official(base_url: str) -> str:
    """The configuration, with a provider that reports the usage of every answer."""
    kind = f'kind: openai, credential: "env:HOME", base_url: "{base_url}"'
    return CONFIG.replace('kind: simulator, base_url: "@SIMULATOR@"', kind)


@BOTH
async def test_missing_usage_of_who_always_reports_it_stays_spent(tmp_path: Path, stream: bool) -> None:
    choice = {"index": 0, "finish_reason": "stop"}
    answer: list[dict[str, Any]] = [{"choices": [{**choice, "delta": {"content": "hello"}}]}]
    message = {"role": "assistant", "content": "hello"}
    script = (
        streamed([b"data: %s\n\n" % json.dumps(part).encode() for part in answer] + [b"data: [DONE]\n\n"])
        if stream
        else whole(json.dumps({"choices": [{**choice, "message": message}]}).encode())
    )
    async with (
        scripted(script) as provider,
        running_gateway(tmp_path, official(provider.base_url)) as gateway,
    ):
        status, _, body = await ask(gateway, "go", stream=stream)
        assert status == 200
        assert b"hello" in body
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": -5, "completion_tokens": 3}, {"prompt_tokens": 5, "completion_tokens": 2**70}, "lots", {}],
)
@BOTH
async def test_wrong_usage_stays_spent(tmp_path: Path, stream: bool, usage: Any) -> None:
    choice = {"index": 0, "finish_reason": "stop"}
    if stream:
        parts = [{"choices": [{**choice, "delta": {"content": "hello"}}]}, {"choices": [], "usage": usage}]
        script = streamed([b"data: %s\n\n" % json.dumps(part).encode() for part in parts] + [b"data: [DONE]\n\n"])
    else:
        message = {"role": "assistant", "content": "hello"}
        script = whole(json.dumps({"choices": [{**choice, "message": message}], "usage": usage}).encode())
    async with (
        scripted(script) as provider,
        running_gateway(tmp_path, CONFIG.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        status, _, body = await ask(gateway, "go", stream=stream)
        assert status == 200
        assert b"hello" in body
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)


ODD_ANSWERS: dict[str, Sequence[bytes | None]] = {
    "not HTTP": [b"hello, this is not HTTP\r\n\r\n"],
    "nothing": [b""],
    "half a head": [b"HTTP/1.1 200 OK\r\ncontent-le"],
    "an empty body": whole(b""),
    "a list": whole(b"[1,2]"),
    "two answers": whole(b'{"choices":[]}{"choices":[]}'),
    "duplicate keys": whole(b'{"choices":[],"choices":[]}'),
    "not UTF-8": whole(b'{"choices":["\xff"]}'),
    "deep": whole(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "NaN": whole(b'{"choices":[],"a":NaN}'),
    "a short body": [JSON_HEAD + b"content-length: 500\r\n\r\n" + b'{"choices":'],
    "silence in the body": [JSON_HEAD + b"content-length: 500\r\n\r\n" + b'{"choices":', None],
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
async def test_an_odd_answer_is_an_error_of_the_provider(tmp_path: Path, name: str) -> None:
    script = [*ODD_ANSWERS[name]]
    if name in ("not HTTP", "nothing", "half a head", "a short body"):
        script.append(None)
    async with (
        scripted(script) as provider,
        running_gateway(tmp_path, IMPATIENT.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        status, headers, _ = await ask(gateway, "go")
        assert status in (502, 504)
        assert headers["x-gptgate-error"] in ("upstream_broken", "upstream_timeout")
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)
        assert len(provider.requests) == 1


ODD_STREAMS = {
    "no event": [SSE_HEAD, b"0\r\n\r\n"],
    "JSON instead of a stream": whole(b'{"choices":[{"index":0,"message":{"content":"leak"}}]}'),
    "an event without end": streamed([b'data: {"choices":[{"index":0,"delta":{"content":"leak"}}]}']),
    "not UTF-8": streamed([b'data: {"choices":[{"index":0,"delta":{"content":"leak\xff"}}]}\n\n']),
    "duplicate keys": streamed([b'data: {"choices":[],"choices":[{"index":0,"delta":{"content":"leak"}}]}\n\n']),
}


@pytest.mark.parametrize("name", ODD_STREAMS)
async def test_an_odd_stream_ends_with_an_error_and_lets_nothing_unread_out(tmp_path: Path, name: str) -> None:
    async with (
        scripted(ODD_STREAMS[name]) as provider,
        running_gateway(tmp_path, CONFIG.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        status, _, body = await ask(gateway, "go", stream=True)
        assert status == 200
        assert b"upstream_broken" in body
        assert b"leak" not in body
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)


async def test_an_answer_that_is_too_large_is_refused_and_stays_spent(tmp_path: Path) -> None:
    config = CONFIG.replace("drain: 20s", "drain: 20s, max_answer_bytes: 2KiB")
    async with running_gateway(tmp_path, config) as gateway:
        status, headers, _ = await ask(gateway, "words: 900")
        assert (status, headers["x-gptgate-error"], headers["x-should-retry"]) == (502, "answer_too_large", "false")
        (record,) = await balanced(gateway, 1)
        assert stays_spent(record)
