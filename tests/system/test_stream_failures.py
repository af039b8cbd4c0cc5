"""A provider that fails in the middle of a stream: the SDK raises, and no regular end is made up."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from harness import APPS, RULES, SERVER, Gateway, running_gateway, with_hasty
from probes import last_seq, records_of, send_raw
from raw_client import CHAT, MESSAGES, post, prompt

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = (
    SERVER
    + with_hasty("idle: 250ms")
    + APPS
    + RULES
    + '    - {id: deny-keys, stage: response, effect: deny, findings: [secret.private_key], message: "No keys."}\n'
)
TEXT = "one two three four five six seven eight nine ten eleven twelve"
FAULTS = [
    ("cut=5", "upstream_broken"),
    ("cut=1", "upstream_broken"),
    ("cut=0", "upstream_broken"),
    ("malformed", "upstream_broken"),
    ("hang=5", "upstream_timeout"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), CONFIG) as running:
        yield running


def model_for(text: str, name: str) -> str:
    """Silence is given up soon, and nothing else is."""
    return f"hasty-{name}" if "hang" in text else f"sim-{name}"


async def told_by_openai(gateway: Gateway, text: str) -> tuple[str, Any]:
    """The streamed text, and the exception that ended it."""
    told = ""
    async with openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key) as client:
        stream = await client.chat.completions.create(
            model=model_for(text, "gpt"), messages=[{"role": "user", "content": text}], stream=True
        )
        try:
            async for chunk in stream:
                told += "".join(choice.delta.content or "" for choice in chunk.choices)
                assert all(choice.finish_reason is None for choice in chunk.choices)
        except openai.APIError as error:
            return told, error
    return told, None


async def told_by_anthropic(gateway: Gateway, text: str) -> tuple[str, Any]:
    """The streamed text, and the exception that ended it."""
    told = ""
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=gateway.key) as client:
        stream = await client.messages.create(
            model=model_for(text, "claude"),
            max_tokens=500,
            messages=[{"role": "user", "content": text}],
            stream=True,
        )
        try:
            async for event in stream:
                assert event.type not in ("message_delta", "message_stop")
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    told += event.delta.text
        except anthropic.APIError as error:
            return told, error
    return told, None


TELLERS = {"openai": told_by_openai, "anthropic": told_by_anthropic}


@pytest.mark.parametrize("dialect", TELLERS)
@pytest.mark.parametrize(("order", "code"), FAULTS)
async def test_a_failure_in_mid_stream_raises(gateway: Gateway, dialect: str, order: str, code: str) -> None:
    since = await last_seq(gateway)
    told, error = await TELLERS[dialect](gateway, f"fault: {order} chunk=4\necho: {TEXT}")
    assert error is not None, "the stream ended as if nothing had happened"
    assert TEXT.startswith(told)
    assert told != TEXT
    if dialect == "openai":
        assert error.code == code
    else:
        assert error.body["type"] == "error"
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert (record.end.code, record.end.usage_source) == (code, "unknown")
    assert record.end.cost_nano == record.intent.reserved_nano > 0
    assert record.end.status == 200


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(("order", "code"), FAULTS)
async def test_on_the_wire_the_error_is_the_last_event(gateway: Gateway, path: str, order: str, code: str) -> None:
    model = model_for(order, "gpt" if path == CHAT else "claude")
    body = prompt(f"fault: {order} chunk=4\necho: {TEXT}", path=path, model=model)
    answer = await send_raw(gateway.base_url, post(path, gateway.key, body))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.body.decode().removesuffix("\n\n").split("\n\n")
    lines = events[-1].split("\n")
    document = json.loads(lines[-1].removeprefix("data: "))
    if path == CHAT:
        assert lines[0].startswith("data: ")
        assert document["error"]["code"] == code
    else:
        assert lines[0] == "event: error"
        assert document["type"] == "error"
        assert document["request_id"] == answer.headers["request-id"]
    assert b"[DONE]" not in answer.body
    assert b"message_stop" not in answer.body
    assert b'finish_reason":"stop' not in answer.body


@pytest.mark.parametrize("dialect", TELLERS)
async def test_an_answer_that_a_rule_denies_in_mid_stream_ends_there(gateway: Gateway, dialect: str) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAxyzabcdefghijklmnopqrstuv\n-----END RSA PRIVATE KEY-----"
    since = await last_seq(gateway)
    told, error = await TELLERS[dialect](gateway, f"fault: chunk=7\nleak: {key}\nand more")
    assert error is not None
    assert "No keys." in str(error)
    assert "PRIVATE" not in told
    assert "MIIE" not in told
    [record] = await records_of(gateway, since)
    assert record.end is not None
    assert (record.end.code, record.end.effect, record.end.rules) == (
        "policy_denied",
        "deny",
        ("redact-answers", "deny-keys"),
    )


@pytest.mark.parametrize(("dialect", "frames"), [("openai", 2), ("anthropic", 4)])
@pytest.mark.parametrize("order", ["cut", "hang"])
@pytest.mark.parametrize("rest", ["", " and the rest"])
async def test_what_was_held_back_comes_out_cut_before_the_error(
    gateway: Gateway, dialect: str, frames: int, order: str, rest: str
) -> None:
    """A failure is no way around a rule: the tail that could still have grown is judged before it goes out."""
    text = f"fault: {order}={frames} chunk=200\necho: the id is AKIAIOSFODNN7EXAMPLE{rest}"
    told, error = await TELLERS[dialect](gateway, text)
    assert error is not None
    assert told == f"the id is [redacted:secret.aws_access_key]{rest}"


async def test_without_usage_what_was_delivered_is_estimated(gateway: Gateway) -> None:
    for path in (CHAT, MESSAGES):
        for stream in (True, False):
            since = await last_seq(gateway)
            body = prompt("fault: no-usage\necho: hi", path=path, stream=stream)
            answer = await send_raw(gateway.base_url, post(path, gateway.key, body))
            assert answer.status == 200
            [record] = await records_of(gateway, since)
            assert record.end is not None
            assert (record.end.code, record.end.usage_source) == ("", "estimated")
            assert record.intent.reserved_nano >= record.end.cost_nano > 0
            assert record.end.usage.output_tokens >= len("hi")
