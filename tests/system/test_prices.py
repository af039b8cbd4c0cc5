"""Prices through the composed gateway and the command line: fees, service tiers, and what is missing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from books import balanced
from gptgate.cli.main import execute
from gptgate.core.money import parse_usd
from harness import APPS, CONFIG, PROVIDERS, RULES, SERVER, running_gateway, write_config
from raw_client import CHAT, MESSAGES, RawClient, post, prompt
from scripted_provider import scripted, streamed, whole

PRICE = '{input_per_million: "1.00", output_per_million: "4.00"}'
FEE = PROVIDERS.replace(PRICE, '{input_per_million: "1.00", output_per_million: "4.00", per_request: "0.01"}')
AUDIO = PROVIDERS.replace(
    PRICE,
    '{input_per_million: "1.00", output_per_million: "4.00", audio_input_per_million: "32.00",'
    ' audio_output_per_million: "64.00"}',
)
TIERS = FEE.replace("max_output_tokens: 1000,", "max_output_tokens: 1000, service_tiers: {priority: 200},")


@pytest.mark.parametrize(
    ("providers", "tier", "status", "percent"),
    [(FEE, "default", 200, 100), (FEE, "priority", 403, 0), (TIERS, "priority", 200, 200), (TIERS, "flex", 200, 100)],
)
async def test_a_request_costs_its_fee_and_what_its_service_tier_costs(
    tmp_path: Path, providers: str, tier: str, status: int, percent: int
) -> None:
    async with running_gateway(tmp_path, SERVER + providers + APPS + RULES) as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("echo: hello", stream=False, service_tier=tier)))
        found, _, body = await client.answer()
        await client.close()
        assert found == status
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        if status != 200:
            assert b"service_tiers: {priority: PERCENT}" in body
            assert record.end.code == "price_unknown"
            assert gateway.simulator.stats.requests == 0
            return
        usage = record.end.usage
        assert usage.service_tier == tier
        tokens = usage.input_tokens * 1000 + usage.output_tokens * 4000
        assert record.end.cost_nano == tokens * percent // 100 + parse_usd("0.01")
        assert record.end.cost_nano <= record.intent.reserved_nano


async def test_an_answer_served_with_a_tier_that_nobody_priced_keeps_its_reservation(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        client = await RawClient.connect(gateway.base_url)
        for stream in (False, True):
            text = "fault: service-tier=priority\necho: hello"
            await client.send(post(MESSAGES, gateway.key, prompt(text, path=MESSAGES, stream=stream)))
            await client.answer()
        await client.close()
        for record in await balanced(gateway, 2):
            assert record.end is not None
            assert (record.end.usage.service_tier, record.end.usage_source) == ("priority", "unknown")
            assert record.end.cost_nano == record.intent.reserved_nano


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("audio", "nano"),
    [
        ((70, 40), 30 * 1000 + 70 * 32_000 + 10 * 4000 + 40 * 64_000),
        ((0, 0), 100 * 1000 + 50 * 4000),
        (None, 100 * 32_000 + 50 * 64_000),
        ((101, 0), None),
        ((0, -1), None),
    ],
    ids=["some", "none", "not told", "more than there are", "negative"],
)
async def test_audio_costs_its_own_price_where_the_usage_says_how_much_of_it_there_was(
    tmp_path: Path, audio: tuple[int, int] | None, nano: int | None, stream: bool
) -> None:
    usage: dict[str, Any] = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    if audio is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": 0, "audio_tokens": audio[0]}
        usage["completion_tokens_details"] = {"reasoning_tokens": 0, "audio_tokens": audio[1]}
    config = SERVER + AUDIO + APPS + RULES
    async with (
        scripted(spoken(usage, stream=stream)) as provider,
        running_gateway(tmp_path, config.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        client = await RawClient.connect(gateway.base_url)
        asked: dict[str, Any] = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
        await client.send(post(CHAT, gateway.key, prompt("say hello", stream=stream, **asked)))
        status, _, _ = await client.answer()
        await client.close()
        assert status == 200
        (record,) = await balanced(gateway, 1)
        assert record.end is not None
        assert record.end.usage_source == ("unknown" if nano is None else "provider")
        assert record.end.cost_nano == (record.intent.reserved_nano if nano is None else nano)
        assert record.end.cost_nano <= record.intent.reserved_nano
        if nano is not None:
            told = record.end.usage
            assert (told.input_tokens, told.output_tokens) == (100, 50)
            assert (told.audio_input, told.audio_output) == (audio or (None, None))


def spoken(usage: dict[str, Any], *, stream: bool) -> list[bytes]:
    """A provider's answer with this usage."""
    if not stream:
        message = {"role": "assistant", "content": "hello"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return whole(json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode())
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": "hello"}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    ]
    return streamed([*(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks), b"data: [DONE]\n\n"])


async def test_prices_of_audio_are_shown_where_there_are_any(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def shown(config: str, form: str) -> str:
        write_config(tmp_path, config, simulator="http://127.0.0.1:1")
        command = ["prices", "show", "--format", form, "--data", str(tmp_path)]
        assert await asyncio.to_thread(execute, command) == 0
        return capsys.readouterr().out

    config = SERVER + AUDIO + APPS + RULES
    rows = {row["model"]: row for row in json.loads(await shown(config, "json"))}
    kinds = ("audio_input", "audio_output", "image_input", "image_output")
    assert [rows["sim-gpt"][kind] for kind in kinds] == ["32.000000000", "64.000000000", None, None]
    assert [rows["sim-claude"][kind] for kind in kinds] == [None] * 4
    table = await shown(config, "table")
    assert "AUDIO INPUT" in table
    assert "IMAGE" not in table
    assert "AUDIO" not in await shown(CONFIG, "table")


async def test_prices_are_shown_and_a_missing_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_config(tmp_path, CONFIG, simulator="http://127.0.0.1:1")
    options = ["--data", str(tmp_path)]
    assert await asyncio.to_thread(execute, ["prices", "show", "--format", "json", *options]) == 0
    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["sim-gpt"]["input"], rows["sim-gpt"]["output"]) == ("1.000000000", "4.000000000")
    assert rows["sim-gpt"]["source"] == "configuration"
    assert await asyncio.to_thread(execute, ["prices", "check", *options]) == 0
    unpriced = CONFIG.replace(f",\n     price: {PRICE}", "")
    assert unpriced != CONFIG
    write_config(tmp_path, unpriced, simulator="http://127.0.0.1:1")
    assert await asyncio.to_thread(execute, ["prices", "check", *options]) == 1
    printed = capsys.readouterr()
    assert "models: sim-gpt: no price is known for sim-gpt of simulator" in printed.err
    assert "2 of 3 models have a price" in printed.out
