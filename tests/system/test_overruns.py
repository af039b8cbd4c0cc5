"""A provider that reports more than a request can have taken: it is spent, is seen, and can be set right."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from books import balanced
from gptgate.cli.main import execute
from gptgate.core.money import parse_usd
from gptgate.cost.windows import month_of
from harness import APPS, PROVIDERS, RULES, SERVER, Gateway, running_gateway
from ledger_parts import spent as spent_in
from raw_client import CHAT, RawClient, post, prompt
from scripted_provider import scripted, whole
from waiting import eventually

BUDGET = parse_usd("1000.00")


def answering(*output_tokens: int) -> list[list[bytes]]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
    usages = [{"prompt_tokens": 5, "completion_tokens": tokens} for tokens in output_tokens]
    return [whole(json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode()) for usage in usages]


async def ask(gateway: Gateway) -> int:
    client = await RawClient.connect(gateway.base_url)
    try:
        await client.send(post(CHAT, gateway.key, prompt("hello", stream=False, max_tokens=50)))
        status, _, _ = await client.answer()
        return status
    finally:
        await client.close()


def month(gateway: Gateway) -> int:
    return spent_in(gateway.app._treasury.ledger, "demo", month_of(gateway.app.clock.wall_ms()))


def metric(gateway: Gateway, name: str) -> float:
    found = re.search(rf'^{name}{{model="sim-gpt"}} (\S+)$', gateway.app._metrics.render().decode(), re.MULTILINE)
    return float(found[1]) if found else 0


async def command(*words: str) -> int:
    return await asyncio.to_thread(execute, list(words))


async def test_one_lying_usage_empties_a_budget_until_somebody_corrects_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Symptom: "our budget says we spent $4,000 on one hello"."""
    config = SERVER + PROVIDERS + APPS + RULES
    async with (
        scripted(*answering(10**9, 2)) as provider,
        running_gateway(tmp_path, config.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        assert [await ask(gateway), await ask(gateway)] == [200, 429]
        records = await balanced(gateway, 2)
        lie, _ = records
        assert lie.end is not None
        assert (lie.end.cost_nano, lie.end.usage.output_tokens) == (5 * 1000 + 10**9 * 4000, 10**9)
        overrun = lie.end.cost_nano - lie.intent.reserved_nano
        # It is seen: in the metrics, in its line, among the records.
        await eventually(lambda: metric(gateway, "gptgate_ceiling_overruns_total") == 1)
        assert metric(gateway, "gptgate_ceiling_overrun_nano_usd_total") == overrun
        folder = ["--data", str(tmp_path)]
        assert await command("audit", "search", "--overrun", "--format", "json", *folder) == 0
        assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [lie.intent.id]
        # And it can be set right, once, while the gateway runs.
        words = ["--usd", "0.0001", "--input-tokens", "5", "--output-tokens", "2", *folder]
        assert await command("budget", "reconcile", lie.intent.id, *words) == 0
        assert await command("budget", "reconcile", lie.intent.id, *words) == 1
        await eventually(lambda: month(gateway) == parse_usd("0.0001"))
        assert await ask(gateway) == 200
        await gateway.settled()


async def test_a_usage_that_nobody_can_believe_is_none(tmp_path: Path) -> None:
    """More than any provider counts: the reservation stays spent."""
    config = SERVER + PROVIDERS + APPS + RULES
    async with (
        scripted(*answering(10**12)) as provider,
        running_gateway(tmp_path, config.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        assert await ask(gateway) == 200
        (record,) = await balanced(gateway, 1)
        end: Any = record.end
        assert (end.usage_source, end.cost_nano) == ("unknown", record.intent.reserved_nano)
