"""Prices through the composed gateway and the command line: fees, service tiers, and what is missing."""

import asyncio
import json
from pathlib import Path

import pytest

from books import balanced
from gptgate.cli.main import execute
from gptgate.core.money import parse_usd
from harness import APPS, CONFIG, PROVIDERS, RULES, SERVER, running_gateway, write_config
from raw_client import CHAT, MESSAGES, RawClient, post, prompt

PRICE = '{input_per_million: "1.00", output_per_million: "4.00"}'
FEE = PROVIDERS.replace(PRICE, '{input_per_million: "1.00", output_per_million: "4.00", per_request: "0.01"}')
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
