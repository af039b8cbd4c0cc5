"""Budgets that come, change and go while requests are in flight: each knows at once of every dollar of its window."""

import asyncio
import json
import os
import random
import secrets
import signal
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from books import balanced, records
from gptgate.cli.listen import reload
from gptgate.compose import App
from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit
from gptgate.core.facts import Usage
from gptgate.core.snapshot import Snapshot
from gptgate.simulator.server import SimulatorServer
from gptgate.storage.corrections import BILLED, reconcile
from gptgate.storage.errors import StorageError
from gptgate.storage.sqlite import SqliteStore
from gptgate.treasury import Treasury
from harness import CONFIG, Gateway, GatewayProcess, make_key, running_gateway, write_config
from raw_client import CHAT, RawClient, post, prompt
from shared_parts import Server, ready
from waiting import PATIENCE_S, eventually

REQUESTS = "  - {{name: requests, scope: [app], unit: requests, amount: '{}', window: month}}\n"
DOLLARS = "  - {name: dollars, scope: [team, model], unit: usd, amount: '500.00', window: month}\n"
TOKENS = "  - {name: tokens, scope: [app, session], unit: tokens, amount: '5000000', window: rolling, over: 7d}\n"
SLOWLY_S = 120
"""How long a process may take to start on a machine that does much else."""
SLOW = "fault: latency=150ms\necho: hello"


def budgets(*lines: str) -> str:
    return CONFIG + ("budgets:\n" + "".join(lines) if lines else "")


async def apply(gateway: Gateway, *lines: str) -> None:
    write_config(gateway.folder, budgets(*lines), simulator=gateway.app.snapshot.providers["simulator"].base_url)
    await gateway.app.apply_config()


async def ask(gateway: Gateway, text: str = "echo: hello", session: str = "") -> tuple[int, Mapping[str, str], bytes]:
    client = await RawClient.connect(gateway.base_url)
    headers = [f"x-gptgate-session: {session}"] if session else []
    await client.send(post(CHAT, gateway.key, prompt(text, stream=False), *headers))
    try:
        return await client.answer()
    finally:
        await client.close()


async def in_flight(gateway: Gateway, count: int) -> None:
    """Wait until the provider has so many requests."""
    async with asyncio.timeout(PATIENCE_S):
        while len(gateway.app.store.open_intents()) < count:
            await asyncio.sleep(0.001)


def accounts(app: App, budget: BudgetSpec) -> dict[tuple[str, ...], int]:
    """What each account has spent, by the ledger."""
    book = app._treasury.ledger._book(budget)
    now_ms = app.clock.wall_ms()
    found = {key: app._treasury.ledger.spent(BudgetCharge(budget, key), now_ms) for key in book.accounts}
    return {key: amount for key, amount in found.items() if amount}


def by_records(gateway: Gateway, budget: BudgetSpec) -> dict[tuple[str, ...], int]:
    """What each account has spent, by the records, one by one."""
    found: dict[tuple[str, ...], int] = {}
    for record in records(gateway):
        assert record.end is not None
        intent, end = record.intent, record.end
        if end.usage_source == "unused":
            continue
        tokens = end.usage.input_tokens + end.usage.output_tokens
        if end.usage_source == "unknown":
            tokens = intent.reserved_tokens
        key = tuple(str(getattr(intent, dimension.value)) for dimension in budget.scope)
        amount = {Unit.USD: end.cost_nano, Unit.TOKENS: tokens, Unit.REQUESTS: 1}[budget.unit]
        found[key] = found.get(key, 0) + amount
    return found


def assert_counted(gateway: Gateway) -> None:
    for budget in gateway.app.snapshot.budgets:
        assert accounts(gateway.app, budget) == by_records(gateway, budget), budget.name


async def test_a_new_budget_knows_what_was_spent_and_what_is_in_flight(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        assert (await ask(gateway))[0] == 200
        flying = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)
        await apply(gateway, REQUESTS.format(3))
        # One has ended, one is in flight: one more fits.
        assert [(await ask(gateway))[0] for _ in range(2)] == [200, 429]
        assert (await flying)[0] == 200
        assert (await ask(gateway))[0] == 429
        await balanced(gateway, 5)
        assert_counted(gateway)
    async with running_gateway(tmp_path, budgets(REQUESTS.format(3))) as gateway:
        assert (await ask(gateway))[0] == 429


async def test_a_request_that_reserves_after_the_swap_counts_in_the_budget_it_never_knew(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        client = await RawClient.connect(gateway.base_url)
        request = post(CHAT, gateway.key, prompt("echo: hello", stream=False))
        await client.send(request[:-10])
        async with asyncio.timeout(PATIENCE_S):
            while not gateway.app.data_plane.in_flight:
                await asyncio.sleep(0.001)
        await apply(gateway, REQUESTS.format(1))
        assert (await ask(gateway))[0] == 200
        # It began before there was a budget, so none refuses it; but it was spent.
        await client.send(request[-10:])
        assert (await client.answer())[0] == 200
        await client.close()
        await balanced(gateway, 2)
        assert_counted(gateway)
        (budget,) = gateway.app.snapshot.budgets[1:]
        assert accounts(gateway.app, budget) == {("demo",): 2}


async def test_a_budget_that_goes_decides_nothing_and_knows_all_when_it_comes_back(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, budgets(REQUESTS.format(1))) as gateway:
        flying = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)
        assert (await ask(gateway))[0] == 429
        await apply(gateway)
        assert (await ask(gateway))[0] == 200
        assert (await flying)[0] == 200
        async with asyncio.timeout(PATIENCE_S):
            while gateway.app._retired:
                await asyncio.sleep(0.001)
        assert len(gateway.app._treasury.ledger._books) == 1
        await apply(gateway, REQUESTS.format(3))
        assert [(await ask(gateway))[0] for _ in range(2)] == [200, 429]
        await balanced(gateway, 5)
        assert_counted(gateway)


async def test_a_changed_amount_keeps_what_is_spent_and_reserved(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, budgets(REQUESTS.format(5))) as gateway:
        assert (await ask(gateway))[0] == 200
        flying = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)
        await apply(gateway, REQUESTS.format(2))
        assert (await ask(gateway))[0] == 429
        await apply(gateway, REQUESTS.format(3))
        assert [(await ask(gateway))[0] for _ in range(2)] == [200, 429]
        assert (await flying)[0] == 200
        await balanced(gateway, 5)
        assert_counted(gateway)


async def test_swaps_under_load_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(5)
    sets = ((DOLLARS, TOKENS), (REQUESTS.format(100_000),), (), (DOLLARS,), (TOKENS, REQUESTS.format(90_000)))
    faults = ("latency=5ms", "latency=60ms", "no-usage", "status=500", "malformed", "status=429 retry-after=1")
    sent = 0
    async with running_gateway(tmp_path, budgets(*sets[0])) as gateway:
        swapping = True

        async def caller() -> None:
            nonlocal sent
            while swapping:
                sent += 1
                await ask(gateway, f"fault: {chance.choice(faults)}\necho: hello", session=chance.choice("abc"))

        callers = [asyncio.create_task(caller()) for _ in range(12)]
        for number in range(1, 26):
            await apply(gateway, *sets[number % len(sets)])
        await apply(gateway, *sets[0], REQUESTS.format(100_000))
        swapping = False
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*callers)
        await balanced(gateway, sent)
        assert_counted(gateway)
        assert sum(accounts(gateway.app, gateway.app.snapshot.budgets[0]).values())
        everything = [accounts(gateway.app, budget) for budget in gateway.app.snapshot.budgets]
    async with running_gateway(tmp_path, budgets(*sets[0], REQUESTS.format(100_000))) as gateway:
        assert [accounts(gateway.app, budget) for budget in gateway.app.snapshot.budgets] == everything


async def test_what_ends_while_the_records_are_read_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are read only after everything has ended, and is in them."""
    async with running_gateway(tmp_path) as gateway:
        flying = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)
        written = SqliteStore.ends_written

        async def all_written(store: SqliteStore) -> None:
            await flying
            await written(store)

        monkeypatch.setattr(SqliteStore, "ends_written", all_written)
        await apply(gateway, REQUESTS.format(1))
        monkeypatch.undo()
        (budget,) = gateway.app.snapshot.budgets[1:]
        assert accounts(gateway.app, budget) == {("demo",): 1}
        assert (await ask(gateway))[0] == 429
        await balanced(gateway, 2)


async def test_a_budget_that_comes_back_counts_a_request_of_before_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request was counted in the budget while the first one was in flight, then the budget was forgotten."""
    async with running_gateway(tmp_path, budgets(REQUESTS.format(5))) as gateway:
        first = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)
        await apply(gateway)
        second = asyncio.create_task(ask(gateway, SLOW.replace("150ms", "1500ms")))
        await in_flight(gateway, 2)
        await first
        await eventually(lambda: not gateway.app._retired)
        written = SqliteStore.ends_written

        async def all_written(store: SqliteStore) -> None:
            await second
            await written(store)

        monkeypatch.setattr(SqliteStore, "ends_written", all_written)
        await apply(gateway, REQUESTS.format(5))
        monkeypatch.undo()
        await balanced(gateway, 2)
        assert_counted(gateway)
        assert accounts(gateway.app, gateway.app.snapshot.budgets[-1]) == {("demo",): 2}


async def test_a_change_that_fails_changes_nothing_and_the_next_one_counts_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_gateway(tmp_path) as gateway:
        flying = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)

        async def unwritten(store: SqliteStore) -> None:
            del store
            raise StorageError("the disk is full")

        monkeypatch.setattr(SqliteStore, "ends_written", unwritten)
        with pytest.raises(StorageError):
            await apply(gateway, REQUESTS.format(1))
        monkeypatch.undo()
        assert len(gateway.app.snapshot.budgets) == len(gateway.app._treasury.ledger._books) == 1
        assert (await ask(gateway))[0] == 200
        await apply(gateway, REQUESTS.format(3))
        assert [(await ask(gateway))[0] for _ in range(2)] == [200, 429]
        assert (await flying)[0] == 200
        await balanced(gateway, 4)
        assert_counted(gateway)


async def test_a_budget_that_comes_back_while_its_old_requests_end_keeps_what_was_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_gateway(tmp_path, budgets(REQUESTS.format(3))) as gateway:
        app = gateway.app
        for _ in range(2):
            assert (await ask(gateway))[0] == 200
        flying = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)
        await apply(gateway)
        install = app._install

        async def install_late(snapshot: Snapshot) -> None:
            """Only after the last request that the budget decided has ended."""
            assert (await flying)[0] == 200
            async with asyncio.timeout(PATIENCE_S):
                while app._retired:
                    await asyncio.sleep(0.001)
            assert (await ask(gateway))[0] == 200
            await install(snapshot)

        monkeypatch.setattr(app, "_install", install_late)
        told: list[tuple[int, bool]] = []
        app._treasury.shared = lambda counted, anew: told.append((len(counted), anew))
        await apply(gateway, REQUESTS.format(5))
        # Shared counters may have forgotten it meanwhile: what it spent is told to them again.
        assert (1, False) in told
        assert (2, True) in told
        assert [(await ask(gateway))[0] for _ in range(2)] == [200, 429]
        await balanced(gateway, 6)
        assert_counted(gateway)


async def test_a_request_that_waits_for_a_budget_counts_in_those_that_come_meanwhile(tmp_path: Path) -> None:
    tokens = "  - {name: tokens, scope: [app], unit: tokens, amount: '6000', window: month}\n"
    async with running_gateway(tmp_path, budgets(tokens)) as gateway:
        ledger, now_ms = gateway.app._treasury.ledger, gateway.app.clock.wall_ms()
        charges = [BudgetCharge(gateway.app.snapshot.budgets[1], ("demo",))]
        everything = ledger.reserve("other", "demo", charges, Spend(tokens=6000), now_ms)
        waiting = asyncio.create_task(ask(gateway))
        async with asyncio.timeout(PATIENCE_S):
            while not len(gateway.app._crowd):
                await asyncio.sleep(0.001)
        await apply(gateway, tokens, REQUESTS.format(1))
        ledger.settle(everything, Spend())
        # It began before there was a budget of requests, so that refuses it not; but it was spent.
        assert (await waiting)[0] == 200
        assert (await ask(gateway))[0] == 429
        await balanced(gateway, 2)
        assert_counted(gateway)


@pytest.mark.parametrize("where", ["before the sums", "after the sums", "before the swap"])
async def test_a_correction_while_a_budget_comes_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    # The one that comes back is not new, and loses its last requests while the other comes.
    async with running_gateway(tmp_path, budgets(DOLLARS)) as gateway:
        app = gateway.app
        assert (await ask(gateway, "fault: no-usage\necho: hello"))[0] == 200
        (lost,) = await balanced(gateway, 1)
        assert lost.end is not None
        assert lost.end.usage_source == "estimated"
        flying = asyncio.create_task(ask(gateway, SLOW))
        await in_flight(gateway, 1)
        await apply(gateway)
        place, name = {
            "before the sums": (SqliteStore, "ends_written"),
            "after the sums": (Treasury, "_restore"),
            "before the swap": (app, "_install"),
        }[where]
        go_on = getattr(place, name)

        async def after_a_correction(*arguments: Any) -> None:
            assert (await flying)[0] == 200
            async with asyncio.timeout(PATIENCE_S):
                while app._retired:
                    await asyncio.sleep(0.001)
            usage = Usage(input_tokens=3, output_tokens=2)
            await asyncio.to_thread(
                reconcile, tmp_path, lost.intent.id, app.clock.wall_ms(), BILLED, usage, 11_000, "ada"
            )
            app._treasury.refresh()
            await go_on(*arguments)

        monkeypatch.setattr(place, name, after_a_correction)
        await apply(gateway, DOLLARS, TOKENS)
        app._treasury.refresh()
        await gateway.settled()
        (known,) = [record.end for record in records(gateway) if record.intent.id != lost.intent.id]
        assert known is not None
        used = known.usage.input_tokens + known.usage.output_tokens
        spent = [sum(accounts(app, budget).values()) for budget in app.snapshot.budgets]
        assert spent == [known.cost_nano + 11_000, known.cost_nano + 11_000, used + 5]


async def test_a_change_that_the_store_refuses_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_gateway(tmp_path) as gateway:
        provider = gateway.app.snapshot.providers["simulator"].base_url
        write_config(tmp_path, budgets(REQUESTS.format(1)), simulator=provider)

        async def unwritten(store: SqliteStore) -> None:
            del store
            raise StorageError("the disk is full", hint="make room")

        monkeypatch.setattr(SqliteStore, "ends_written", unwritten)
        capsys.readouterr()
        await reload(gateway.app)
        (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        assert (line["level"], line["problem"], line["hint"]) == ("error", "the disk is full", "make room")
        assert len(gateway.app.snapshot.budgets) == 1
        assert (await ask(gateway))[0] == 200


async def test_gateways_that_share_counters_take_a_new_budget_over_with_all_that_each_has_spent(
    tmp_path: Path, counters_server: Server
) -> None:
    prefix = f"swap{secrets.token_hex(6)}"
    counters = f"counters: {{url: '{counters_server.url}', prefix: {prefix}, timeout: 20s}}\n"
    async with (
        running_gateway(tmp_path / "a", budgets() + counters) as one,
        running_gateway(tmp_path / "b", budgets() + counters) as other,
    ):
        both = (one, other)
        await asyncio.gather(*map(ready, both))
        for gateway in (one, one, other):
            assert (await ask(gateway))[0] == 200
        flying = [asyncio.create_task(ask(gateway, SLOW)) for gateway in both]
        await asyncio.gather(*(in_flight(gateway, 1) for gateway in both))
        for gateway in both:
            await apply(gateway, REQUESTS.format(6), counters)
        await asyncio.gather(*map(ready, both))
        # Three have ended, two are in flight.
        assert [(await ask(gateway))[0] for gateway in (other, one, other)] == [200, 429, 429]
        assert [(await answer)[0] for answer in flying] == [200, 200]
        for gateway in both:
            assert gateway.app._sharing.service is not None
            await gateway.app._sharing.service.settled()
        assert [(await ask(gateway))[0] for gateway in both] == [429, 429]
        for gateway, requests in ((one, 5), (other, 5)):
            await balanced(gateway, requests)
            assert_counted(gateway)
        with counters_server.client() as client:
            (key,) = client.keys(f"{{{prefix}}}:budget:requests:*")
            sums = client.hgetall(key)
        assert [int(value) for field, value in sums.items() if field.isdigit()] == [6]
        assert sums["held"] == "0"


@pytest.mark.slow
async def test_a_gateway_killed_while_budgets_come_starts_with_all_that_was_spent(tmp_path: Path) -> None:
    provider = SimulatorServer()
    await provider.start()
    gateway = GatewayProcess(tmp_path, provider.base_url)
    key = make_key(tmp_path)
    ports = {"data": gateway.port, "control": gateway.control_port}

    async def caller(number: int) -> None:
        client = await RawClient.connect(gateway.base_url)
        try:
            await client.send(post(CHAT, key, prompt(f"fault: latency={number * 5}ms\necho: hello", stream=False)))
            await client.answer()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            await client.close()

    async def killed(within_ms: int, *lines: str) -> None:
        """Callers, new budgets, and the end so soon after."""
        await asyncio.to_thread(gateway.start, SLOWLY_S)
        callers = [asyncio.create_task(caller(number)) for number in range(40)]
        await asyncio.sleep(0.1)
        write_config(tmp_path, budgets(*lines), simulator=provider.base_url, **ports)
        os.kill(gateway.pid, signal.SIGHUP)
        await asyncio.sleep(within_ms / 1000)
        await asyncio.to_thread(gateway.kill)
        await asyncio.gather(*callers)

    await killed(3, DOLLARS)
    await killed(30, REQUESTS.format(1000), TOKENS)
    await provider.stop()
    async with running_gateway(tmp_path, budgets(DOLLARS, REQUESTS.format(1000))) as again:
        assert_counted(again)
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection:
        assert connection.execute("SELECT count(*) FROM intents").fetchone()[0] > 10
