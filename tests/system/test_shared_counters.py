"""Gateways that share counters are one gateway to those they limit."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from books import balanced, budget_of, ceiling
from gptgate.core.facts import Usage
from gptgate.simulator.app import Simulator
from gptgate.simulator.server import SimulatorServer
from gptgate.storage.corrections import BILLED, UNUSED, reconcile
from gptgate.storage.queries import SqliteReader
from harness import CONFIG, Gateway, GatewayProcess, make_key, running_gateway
from raw_client import CHAT, MESSAGES, RawClient, post, prompt
from shared_parts import SLOWLY_S, Server, ended, ready, sharing, started
from waiting import PATIENCE_S, eventually

TEXT = "fault: no-usage\necho: hello"
"""Without usage, so short an answer costs all that is reserved."""
BODY = prompt(TEXT, stream=False, max_tokens=200)
GATEWAYS = 4
FITTING = 100
REQUESTS = 1000


async def ask(
    base_url: str, key: str, text: str = TEXT, *, path: str = CHAT, stream: bool = False
) -> tuple[int, dict[str, str], bytes]:
    client = await RawClient.connect(base_url)
    await client.send(post(path, key, prompt(text, path=path, stream=stream, max_tokens=200)))
    answer = await client.answer()
    await client.close()
    return answer


async def settled(gateway: Gateway) -> None:
    await gateway.settled()
    assert gateway.app._sharing.service is not None
    await gateway.app._sharing.service.settled()


async def test_a_request_asks_the_server_once_and_tells_it_once(
    tmp_path: Path, counters_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptgate.shared.membership.BEAT_S", 10 * PATIENCE_S)  # no sign of life comes in between
    limits = "limits: [{name: tokens, scope: [app], unit: total_tokens, amount: 100000, window: 1m}]\n"
    app = "limits: {requests_per_minute: 100, concurrency: 10}, key_limits: {requests_per_minute: 50}, budget"
    config = sharing(counters_server, CONFIG.replace("budget", app, 1) + limits)
    async with running_gateway(tmp_path, config) as gateway:
        await ready(gateway)
        await ask(gateway.base_url, gateway.key)
        await settled(gateway)
        for stream in (False, True):
            with counters_server.client() as client:
                before = client.info("commandstats")
            status, headers, _ = await ask(gateway.base_url, gateway.key, "echo: hi", stream=stream)
            assert status == 200
            # The requests of the key, and the tokens that the ceiling reserves; without the stream what was not used
            # is back.
            assert headers["x-ratelimit-remaining-requests"] == ("47" if stream else "48")
            assert headers["x-ratelimit-limit-tokens"] == "100000"
            await settled(gateway)
            with counters_server.client() as client:
                after = client.info("commandstats")
            assert after["cmdstat_evalsha"]["calls"] - before["cmdstat_evalsha"]["calls"] == 2
        await balanced(gateway, 3)


@pytest.mark.slow
async def test_a_thousand_requests_at_four_processes_spend_exactly_the_budget(
    tmp_path: Path, counters_server: Server
) -> None:
    # litellm discussion 50438: held within 2.5 % under stress
    nano = await ceiling(tmp_path / "probe", BODY) * FITTING
    config = sharing(counters_server, budget_of(nano))
    simulator = Simulator()
    provider = SimulatorServer(simulator)
    await provider.start()
    gateways = [GatewayProcess(tmp_path / str(number), provider.base_url, config) for number in range(GATEWAYS)]
    keys = [make_key(gateway.folder) for gateway in gateways]
    try:
        await started(gateways)
        places = asyncio.Semaphore(200)

        async def one(number: int) -> tuple[int, dict[str, str], bytes]:
            async with places:
                which = number % GATEWAYS
                return await ask(gateways[which].base_url, keys[which])

        # One by one at first, so that every process has its part, however slow it is.
        answers = [await one(number) for number in range(GATEWAYS)]
        answers += await asyncio.gather(*(one(number) for number in range(GATEWAYS, REQUESTS)))
    finally:
        codes = await ended(gateways)
        await provider.stop()
    assert codes == [0] * GATEWAYS
    passed = [answer for answer in answers if answer[0] == 200]
    assert len(passed) == simulator.stats.requests == FITTING
    for status, headers, _ in answers:
        assert status == 200 or (status, headers["x-gptgate-error"]) == (429, "budget_exceeded")
    spent = []
    for gateway in gateways:
        with SqliteReader(gateway.folder) as reader:
            (usage,) = reader.usage([], 0, 2**53)
            spent.append(usage.cost_nano)
    assert sum(spent) == nano
    assert all(spent), "every process had its part"


async def test_a_silent_server_refuses_in_both_dialects_and_says_so(tmp_path: Path) -> None:
    server = Server()
    try:
        async with running_gateway(tmp_path, sharing(server, timeout="300ms")) as gateway:
            await ready(gateway)
            membership = gateway.app._sharing.service._membership  # type: ignore[union-attr]
            server.kill()
            for path, kind in ((CHAT, b'"code":"counters_unavailable"'), (MESSAGES, b'"type":"error"')):
                status, headers, body = await ask(gateway.base_url, gateway.key, path=path)
                assert (status, headers["x-gptgate-error"]) == (503, "counters_unavailable")
                assert kind in body
            assert "the shared counters cannot be asked" in gateway.app.readiness()[0]
            assert gateway.simulator.stats.requests == 0
            server.start()
            membership.timeout_s = PATIENCE_S
            await ready(gateway)
            assert (await ask(gateway.base_url, gateway.key))[0] == 200
            await balanced(gateway, 3)
    finally:
        server.stop()


async def test_a_limit_is_multiplied_by_the_number_of_replicas(tmp_path: Path, counters_server: Server) -> None:
    # litellm issues 27736 and 40291
    async with running_gateway(tmp_path / "probe") as gateway:
        await ask(gateway.base_url, gateway.key)
        (probe,) = await balanced(gateway, 1)
    fitting = 3 * probe.intent.reserved_tokens
    spec = (
        f"name: tokens, scope: [app], unit: total_tokens, amount: {fitting}, window: 24h, match: {{models: [sim-gpt]}}"
    )
    limit = f"limits: [{{{spec}}}]\n"
    config = sharing(counters_server, CONFIG + limit)
    async with running_gateway(tmp_path / "a", config) as one, running_gateway(tmp_path / "b", config) as other:
        await asyncio.gather(ready(one), ready(other))
        statuses = [(await ask(gateway.base_url, gateway.key))[0] for gateway in (one, other) * 4]
        assert statuses == [200] * 3 + [429] * 5


async def test_a_server_that_lost_everything_is_told_what_was_spent(tmp_path: Path) -> None:
    nano = await ceiling(tmp_path / "probe", BODY) * 3
    server = Server()
    try:
        config = sharing(server, budget_of(nano), prefix="lost")
        async with (
            running_gateway(tmp_path / "a", config) as one,
            running_gateway(tmp_path / "b", config) as other,
        ):
            await asyncio.gather(ready(one), ready(other))
            assert (await ask(one.base_url, one.key))[0] == 200
            assert (await ask(other.base_url, other.key))[0] == 200
            await asyncio.gather(settled(one), settled(other))
            server.kill()
            server.start()
            await asyncio.gather(ready(one), ready(other))
            statuses = [(await ask(gateway.base_url, gateway.key))[0] for gateway in (one, other, one)]
            assert sorted(statuses) == [200, 429, 429]
    finally:
        server.stop()


async def test_what_a_lost_request_turned_out_to_cost_is_free_or_spent_for_all(
    tmp_path: Path, counters_server: Server
) -> None:
    """A correction in one data folder: the others can spend what comes back, and no more than what is left."""
    nano = await ceiling(tmp_path / "probe", BODY)
    config = sharing(counters_server, budget_of(3 * nano))
    lost = "fault: cut=0   \necho: hello"
    async with running_gateway(tmp_path / "a", config) as one, running_gateway(tmp_path / "b", config) as other:
        await asyncio.gather(ready(one), ready(other))
        for _ in range(3):
            await ask(one.base_url, one.key, lost)
        await settled(one)
        first, second, third = await balanced(one, 3)
        assert first.end is not None
        assert (first.end.usage_source, first.end.cost_nano) == ("unknown", nano)
        assert (await ask(other.base_url, other.key))[0] == 429

        async def corrected(request_id: str, source: str, cost: int) -> None:
            arguments = (one.folder, request_id, 1, source, Usage(), cost, "ada")
            await asyncio.to_thread(partial(reconcile, *arguments, is_beyond=True))
            one.app._treasury.refresh()
            await ready(one)

        await corrected(first.intent.id, UNUSED, 0)
        assert [(await ask(other.base_url, other.key))[0] for _ in range(2)] == [200, 429]
        await settled(other)
        await corrected(second.intent.id, BILLED, 2 * nano)
        await corrected(third.intent.id, UNUSED, 0)
        assert (await ask(other.base_url, other.key))[0] == 429


async def test_gateways_wait_for_each_other_after_a_loss(tmp_path: Path) -> None:
    """What a gateway that is away has spent is not known: nobody spends it once more."""
    nano = await ceiling(tmp_path / "probe", BODY)
    server = Server()
    try:
        config = sharing(server, budget_of(nano), prefix="wait")
        async with running_gateway(tmp_path / "a", config) as one:
            async with running_gateway(tmp_path / "b", config) as other:
                await asyncio.gather(ready(one), ready(other))
                assert (await ask(other.base_url, other.key))[0] == 200
                async with asyncio.timeout(PATIENCE_S):
                    while len(one.app._sharing.service._membership._known.members) < 2:  # type: ignore[union-attr]
                        await asyncio.sleep(0.01)
            server.kill()
            server.start()
            await eventually(lambda: "wait for these gateways" in "".join(one.app.readiness()))
            status, headers, _ = await ask(one.base_url, one.key)
            assert (status, headers["x-gptgate-error"]) == (503, "counters_unavailable")
            async with running_gateway(tmp_path / "b", config) as other:
                await asyncio.gather(ready(one), ready(other))
                for gateway in (one, other):
                    assert (await ask(gateway.base_url, gateway.key))[0] == 429
    finally:
        server.stop()


@pytest.mark.slow
async def test_a_gateway_that_was_killed_finds_its_reservations_spent_and_its_places_free(
    tmp_path: Path, counters_server: Server
) -> None:
    hanging = "fault: hang    \necho: hello"
    assert len(hanging) == len(TEXT), "both requests reserve the same"
    nano = await ceiling(tmp_path / "probe", BODY) * 2
    config = sharing(counters_server, budget_of(nano).replace("budget", "limits: {concurrency: 1}, budget", 1))
    provider = SimulatorServer(Simulator())
    await provider.start()
    gateway = GatewayProcess(tmp_path / "a", provider.base_url, config)
    key = make_key(gateway.folder)
    try:
        await asyncio.to_thread(gateway.start, SLOWLY_S)
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, key, prompt(hanging, stream=False, max_tokens=200)))
        await eventually(lambda: provider.simulator.stats.requests)
        assert (await ask(gateway.base_url, key))[1]["x-gptgate-error"] == "concurrency_limited"
        await asyncio.to_thread(gateway.kill)
        await client.close()
        await asyncio.to_thread(gateway.start, SLOWLY_S)
        statuses = [(await ask(gateway.base_url, key))[0] for _ in range(3)]
        assert statuses == [200, 429, 429]
    finally:
        await asyncio.to_thread(gateway.terminate)
        await provider.stop()


@pytest.mark.parametrize("shared", [False, True], ids=["in one process", "shared"])
async def test_who_ignores_the_wait_of_a_token_limit_is_refused_wherever_it_is_counted(
    tmp_path: Path, counters_server: Server, shared: bool
) -> None:
    guarded = f"{CONFIG}guards: {{ignored_retry_after: {{times: 1, window: 24h}}}}\n"
    limit = "{name: tokens, scope: [app], unit: output_tokens, amount: 20000, window: 24h}"
    config = f"{guarded}limits: [{limit}]\n"
    async with running_gateway(tmp_path, sharing(counters_server, config) if shared else config) as gateway:
        await eventually(lambda: not gateway.app.readiness())
        codes = []
        for _ in range(4):
            # As many tokens as the whole limit has, so that the second has to wait whatever the first has used.
            body = prompt("echo: hello", stream=False, max_tokens=1000, n=20)
            client = await RawClient.connect(gateway.base_url)
            await client.send(post(CHAT, gateway.key, body))
            _, headers, _ = await client.answer()
            await client.close()
            codes.append(headers.get("x-gptgate-error", ""))
        assert codes == ["", "rate_limited", "rate_limited", "retry_after_ignored"]
