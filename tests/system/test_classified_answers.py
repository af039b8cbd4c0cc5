"""External classifiers on answers behind a whole gateway: both official clients, whole answers and streams.

The guard servers here are simulated: they say what the test wants.
"""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from gptgate.cli.main import execute
from harness import APPS, PROVIDERS, SERVER, Gateway, running_gateway
from probes import records_of, send_raw
from raw_client import CHAT, MESSAGES, post, prompt
from scripted_provider import ScriptedProvider, scripted, whole

RULES = """\
classifiers:
  - {name: guard, kind: guard_model, template: llama_guard, base_url: "@URL@", model: m, timeout: @TIMEOUT@@MORE@}
policy:
  rules:
    - {id: deny-hate, stage: response, effect: @EFFECT@, findings: [external.guard.hate]}
    - {id: redact-cards, stage: response, effect: redact, findings: [pii.payment_card]}
"""
TEXT = "pay with 4111 1111 1111 1111 on Monday"
SHOWN = "pay with [redacted:pii.payment_card] on Monday"
DIALECTS = pytest.mark.parametrize("dialect", ["openai", "anthropic"])
STREAMED = pytest.mark.parametrize("stream", [False, True])


def verdict(words: str) -> list[bytes]:
    return whole(json.dumps({"choices": [{"message": {"content": words}}]}).encode())


SAFE, HATE = verdict("safe"), verdict("unsafe\nS10")


def config(judge: ScriptedProvider, *, effect: str = "deny", more: str = "", timeout: str = "30s") -> str:
    rules = RULES.replace("@URL@", judge.base_url).replace("@MORE@", more).replace("@TIMEOUT@", timeout)
    return (
        SERVER.replace("drain: 20s", "drain: 20s, sse_keep_alive: 20ms")
        + PROVIDERS
        + APPS
        + rules.replace("@EFFECT@", effect)
    )


async def asked(gateway: Gateway, dialect: str, *, stream: bool) -> tuple[str, Any]:
    """What the official client hears, and the exception that ended it."""
    told = ""
    try:
        async for piece in HEARD[dialect](gateway, stream):
            told += piece
    except (openai.APIError, anthropic.APIError) as error:
        return told, error
    return told, None


async def by_openai(gateway: Gateway, stream: bool) -> AsyncIterator[str]:
    async with openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key) as client:
        messages: Any = [{"role": "user", "content": f"echo: {TEXT}"}]
        if not stream:
            answer = await client.chat.completions.create(model="sim-gpt", messages=messages)
            yield answer.choices[0].message.content or ""
            return
        async for chunk in await client.chat.completions.create(model="sim-gpt", messages=messages, stream=True):
            yield "".join(choice.delta.content or "" for choice in chunk.choices)


async def by_anthropic(gateway: Gateway, stream: bool) -> AsyncIterator[str]:
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=gateway.key) as client:
        messages: Any = [{"role": "user", "content": f"echo: {TEXT}"}]
        if not stream:
            answer = await client.messages.create(model="sim-claude", max_tokens=500, messages=messages)
            yield "".join(block.text for block in answer.content if block.type == "text")
            return
        async with client.messages.stream(model="sim-claude", max_tokens=500, messages=messages) as events:
            async for text in events.text_stream:
                yield text


HEARD = {"openai": by_openai, "anthropic": by_anthropic}


@DIALECTS
@STREAMED
async def test_what_the_guard_condemns_no_client_gets(tmp_path: Path, dialect: str, stream: bool) -> None:
    async with scripted(HATE, SAFE) as judge, running_gateway(tmp_path, config(judge)) as gateway:
        told, error = await asked(gateway, dialect, stream=stream)
        assert told == ""
        assert error is not None
        assert "deny-hate" in str(error)
        told, error = await asked(gateway, dialect, stream=stream)
        assert (told, error) == (SHOWN, None)
        first, second = await records_of(gateway)
        assert first.end is not None
        assert second.end is not None
        assert (first.end.code, first.end.opinions[0].labels) == ("policy_denied", (("hate", 1000),))
        assert (second.end.code, second.end.opinions[0].labels) == ("", ())
        # Delivered by the provider, so paid: the same for who gets it and who does not.
        assert first.end.usage_source == second.end.usage_source == "provider"
        assert first.end.cost_nano == second.end.cost_nano > 0
        assert SHOWN.encode() in judge.requests[0]
        assert b"4111 1111" not in judge.requests[0]
    assert replayed(tmp_path) == 0


def replayed(folder: Path) -> int:
    """How many recorded requests the configuration that decided would decide otherwise."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert execute(["policy", "replay", "--data", str(folder), "--format", "json"]) == 0
    said = json.loads(out.getvalue())
    assert said["requests"] == said["same"] == 2
    return sum(change["requests"] for change in said["changes"])


FAILING: list[Sequence[bytes | None]] = [[None], verdict("I would rather chat."), whole(b"", b"500 No")]


@DIALECTS
@STREAMED
@pytest.mark.parametrize("script", FAILING, ids=["silent", "chatting", "failing"])
async def test_a_guard_without_an_answer_fails_as_configured(
    tmp_path: Path, dialect: str, stream: bool, script: Sequence[bytes | None]
) -> None:
    timeout = "300ms" if script == [None] else "30s"
    async with scripted(script) as judge:
        async with running_gateway(tmp_path / "closed", config(judge, timeout=timeout)) as gateway:
            told, error = await asked(gateway, dialect, stream=stream)
            assert (told, error is None) == ("", False)
            (record,) = await records_of(gateway)
            assert record.end is not None
            assert (record.end.code, record.end.failed_guard) == ("guard_failed", "classifier guard")
            assert record.end.usage_source == "provider"
        async with running_gateway(
            tmp_path / "open", config(judge, more=", on_failure: open", timeout=timeout)
        ) as gateway:
            assert await asked(gateway, dialect, stream=stream) == (SHOWN, None)
            (record,) = await records_of(gateway)
            assert record.end is not None
            assert (record.end.effect, record.end.failures) == ("redact", ("external.guard",))
            found = gateway.app.telemetry.scrape().decode()
            assert 'gptgate_classifier_opinions_total{classifier="guard",outcome="allowed_on_failure"} 1.0' in found


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_a_stream_that_waits_is_kept_awake_and_ends_with_the_error_of_its_dialect(
    tmp_path: Path, path: str
) -> None:
    async with scripted([None]) as judge, running_gateway(tmp_path, config(judge, timeout="300ms")) as gateway:
        answer = await send_raw(gateway.base_url, post(path, gateway.key, prompt(f"echo: {TEXT}", path=path)))
        assert answer.status == 200
        *before, last = answer.body.decode().removesuffix("\n\n").split("\n\n")
        assert before
        assert set(before) == {": keep-alive"}
        assert ("event: error" in last) is (path == MESSAGES)
        assert "The classifier 'guard' could not answer." in last


async def test_a_caller_who_leaves_a_stream_that_waits_takes_the_question_back(tmp_path: Path) -> None:
    async with scripted([None]) as judge, running_gateway(tmp_path, config(judge)) as gateway:
        asking = asyncio.create_task(send_raw(gateway.base_url, post(CHAT, gateway.key, prompt(f"echo: {TEXT}"))))
        async with asyncio.timeout(30):
            while not judge.requests:
                await asyncio.sleep(0.01)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        (record,) = await records_of(gateway)
        assert record.end is not None
        assert (record.end.code, record.end.opinions) == ("client_disconnected", ())
        assert record.end.usage_source == "provider"
