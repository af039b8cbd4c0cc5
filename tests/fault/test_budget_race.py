"""A budget for exactly k requests, asked for by many at once: exactly k pass, the others never reach the provider."""

import asyncio
from pathlib import Path

import pytest

from books import balanced
from harness import CONFIG, running_gateway
from raw_client import CHAT, RawClient, post, prompt

AT_ONCE = 50
FITTING = 7


async def ask(base_url: str, key: str, text: str, *, stream: bool) -> tuple[int, dict[str, str], bytes]:
    client = await RawClient.connect(base_url)
    await client.send(post(CHAT, key, prompt(text, stream=stream)))
    answer = await client.answer()
    await client.close()
    return answer


@pytest.mark.parametrize("stream", [True, False])
async def test_exactly_as_many_requests_pass_as_the_budget_holds(tmp_path: Path, stream: bool) -> None:
    text = "fault: latency=400ms\necho: hello"
    async with running_gateway(tmp_path / "probe") as gateway:
        assert (await ask(gateway.base_url, gateway.key, text, stream=stream))[0] == 200
        (probe,) = await balanced(gateway, 1)
    ceiling = probe.intent.reserved_nano
    # One nano-dollar less than the next request would need.
    nano = ceiling * (FITTING + 1) - 1
    config = CONFIG.replace('"1000.00"', f'"{nano // 10**9}.{nano % 10**9:09d}"')
    async with running_gateway(tmp_path / "race", config) as gateway:
        answers = await asyncio.gather(
            *(ask(gateway.base_url, gateway.key, text, stream=stream) for _ in range(AT_ONCE))
        )
        passed = [answer for answer in answers if answer[0] == 200]
        refused = [answer for answer in answers if answer[0] != 200]
        assert len(passed) == FITTING
        for status, headers, _ in refused:
            assert (status, headers["x-gptgate-error"], headers["x-should-retry"]) == (429, "budget_exceeded", "false")
        assert gateway.simulator.stats.requests == FITTING
        found = await balanced(gateway, AT_ONCE)
        codes = [record.end.code for record in found if record.end is not None]
        assert codes.count("") == FITTING
        assert codes.count("budget_exceeded") == AT_ONCE - FITTING
        # The real usage was less than the ceilings: what was given back can be spent at once.
        assert (await ask(gateway.base_url, gateway.key, "echo: again", stream=stream))[0] == 200
        await balanced(gateway, AT_ONCE + 1)
