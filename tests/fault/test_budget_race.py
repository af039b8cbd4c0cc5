"""A budget for exactly k requests, asked for by many at once: exactly k pass, the others never reach the provider."""

import asyncio
from pathlib import Path

import pytest

from books import balanced
from harness import CONFIG, running_gateway
from probes import HeldSimulator
from raw_client import CHAT, RawClient, post, prompt
from storage_samples import end, intent, spent_by_app
from waiting import eventually

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
    text = "echo: hello"
    async with running_gateway(tmp_path / "probe") as gateway:
        assert (await ask(gateway.base_url, gateway.key, text, stream=stream))[0] == 200
        (probe,) = await balanced(gateway, 1)
    ceiling = probe.intent.reserved_nano
    # One nano-dollar less than the next request would need.
    nano = ceiling * (FITTING + 1) - 1
    config = CONFIG.replace('"1000.00"', f'"{nano // 10**9}.{nano % 10**9:09d}"')
    # Nobody waits until the others turn out to be cheaper.
    config = config.replace("server: {", "server: {budget_wait: 0s, ")
    provider = HeldSimulator()
    async with running_gateway(tmp_path / "race", config, simulator=provider) as gateway:
        asking = [asyncio.create_task(ask(gateway.base_url, gateway.key, text, stream=stream)) for _ in range(AT_ONCE)]
        # Nothing is given back while there is one that has not been decided on.
        await eventually(lambda: provider.asked + sum(task.done() for task in asking) == AT_ONCE)
        provider.go.set()
        answers = await asyncio.gather(*asking)
        passed = [answer for answer in answers if answer[0] == 200]
        refused = [answer for answer in answers if answer[0] != 200]
        assert len(passed) == FITTING
        for status, headers, _ in refused:
            # Only what is in flight is in the way.
            assert (status, headers["x-gptgate-error"], headers["x-should-retry"]) == (429, "budget_exceeded", "true")
        assert gateway.simulator.stats.requests == FITTING
        found = await balanced(gateway, AT_ONCE)
        codes = [record.end.code for record in found if record.end is not None]
        assert codes.count("") == FITTING
        assert codes.count("budget_exceeded") == AT_ONCE - FITTING
        # The real usage was less than the ceilings: what was given back can be spent at once.
        assert (await ask(gateway.base_url, gateway.key, "echo: again", stream=stream))[0] == 200
        await balanced(gateway, AT_ONCE + 1)


@pytest.mark.parametrize("days", [0, -1, -31, 31, -400])
async def test_a_clock_that_is_set_right_after_a_restart_finds_what_was_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    right = 1_793_500_200_000  # some minutes into November 2026
    text = "fault: latency=1ms\necho: hello"
    async with running_gateway(tmp_path / "probe") as gateway:
        await ask(gateway.base_url, gateway.key, text, stream=False)
        (probe,) = await balanced(gateway, 1)
    nano = probe.intent.reserved_nano
    config = CONFIG.replace('"1000.00"', f'"{nano // 10**9}.{nano % 10**9:09d}"')
    now = {"ms": right}
    monkeypatch.setattr("gptgate.compose.SystemClock.wall_ms", lambda _: now["ms"])
    async with running_gateway(tmp_path / "data", config) as gateway:
        assert (await ask(gateway.base_url, gateway.key, text, stream=False))[0] == 200
    now["ms"] = right + days * 86_400_000
    async with running_gateway(tmp_path / "data", config) as gateway:
        now["ms"] = right
        status, headers, _ = await ask(gateway.base_url, gateway.key, text, stream=False)
        assert (status, headers["x-gptgate-error"]) == (429, "budget_exceeded")


async def test_sums_past_what_sqlite_can_hold_are_exact(tmp_path: Path) -> None:
    cost = 2**63 - 1
    async with running_gateway(tmp_path) as gateway:
        for name in ("a", "b", "c"):
            await gateway.app.store.begin(intent(name, app="dear"), None)
            gateway.app.store.finish(end(name, app="dear", window="2026-11", cost_nano=cost), None)
        await gateway.settled()
        assert spent_by_app(gateway.folder) == {"dear": 3 * cost}
        with gateway.reader() as reader:
            (usage,) = reader.usage([], 0, 2**53)
        assert usage.cost_nano == 3 * cost
