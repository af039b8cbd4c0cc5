"""A storm over four processes that share counters: providers fail, callers leave, and what the server was told says
of every moment that nobody overspent, and of every refusal that there was no room.

`GPTGATE_STORMS=50 python -m pytest tests/system/test_shared_storm.py` repeats it fifty times with 1,000 requests each.
"""

import asyncio
import contextlib
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from books import ceiling
from gptgate.core.money import format_usd
from gptgate.simulator.app import Simulator
from gptgate.simulator.server import SimulatorServer
from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import AuditRecord, SearchFilters
from harness import CONFIG, GatewayProcess, make_key
from raw_client import CHAT, RawClient, post, prompt
from server_listener import Listener, asked, listening
from shared_parts import SLOWLY_S, Server, ended, running_server, sharing, started
from storm_parts import AT_ONCE, CEILING_TEXT, PROBE, REQUESTS, STORMS, visit
from waiting import eventually

GATEWAYS = 4
FITTING = REQUESTS // 10
EARLY = 0.1
LOST = f"fault: {'cut=0':<40}\n{CEILING_TEXT}"


class BudgetListener(Listener):
    """Adds up for itself what each account has spent."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._mark = f"{{{prefix}}}:budget:"
        self.sums: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        """The most that each had ever spent, between any two scripts."""
        self.had_room: dict[str, bool] = {}
        """Whether all accounts could pay what a request asked them for, when it last asked."""
        super().__init__(server)

    def changed(self, words: list[str], at_us: int) -> None:
        if words[0] == "HINCRBY" and words[1].startswith(self._mark) and words[2].isdigit():
            self.sums[words[1]] += int(words[3])

    def called(self, line: str, at_us: int) -> None:
        self.most |= self.sums  # a script is one step, whatever it adds first
        call = asked(line) if self._mark in line else None
        if call is None or not call[1].get("must"):
            return  # gives back only
        keys, ask = call
        given = {keys[one["key"] - 1]: int(one["more"]) for one in ask.get("give") or () if one["kind"] == "budget"}
        budgets = [one for one in [*ask["must"], *ask["may"]] if one["kind"] == "budget"]
        self.had_room[ask["id"]] = all(
            self.sums[key] + given.get(key, 0) + int(one["cost"]) <= int(one["limit"])
            for one in budgets
            for key in [keys[one["key"] - 1]]
        )


@dataclass(frozen=True)
class Fleet:
    """Four gateways that share counters, with a budget for each end user."""

    server: Server
    prefix: str
    limit: int
    gateways: list[GatewayProcess]
    keys: list[str]
    simulator: Simulator

    async def storm(self, chance: random.Random, user: str) -> None:
        """All of the requests of this end user, a quarter of them to each gateway, which may be away."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            which = number % GATEWAYS
            async with places:
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                    await visit(self.gateways[which].base_url, self.keys[which], chance, EARLY, user=user)

        async with asyncio.timeout(180):
            await asyncio.gather(*(one(number) for number in range(REQUESTS)))

    async def at_rest(self, user: str) -> list[AuditRecord]:
        """The records of this end user in all processes, when nothing is held in the counters and no record lacks its
        end."""
        found: list[AuditRecord] = []

        def rests() -> bool:
            with self.server.client() as client:
                if client.keys(f"{{{self.prefix}}}:open:*"):
                    return False
            found.clear()
            for gateway in self.gateways:
                with SqliteReader(gateway.folder) as reader:
                    rows = reader.search(SearchFilters(end_user=user), 10 * REQUESTS)
                    found.extend(record for row in rows if (record := reader.show(row.id)) is not None)
            return all(record.end is not None for record in found)

        await eventually(rests)
        return found


@contextlib.asynccontextmanager
async def running_fleet(folder: Path, server: Server) -> AsyncIterator[Fleet]:
    limit = FITTING * await ceiling(folder / "probe", prompt(PROBE, user="storm 0000"))
    budget = f"{{name: storm, scope: [end_user], unit: usd, amount: '{format_usd(limit)}', window: rolling, over: 30d}}"
    prefix = f"storm{secrets.token_hex(6)}"
    config = sharing(server, f"{CONFIG}budgets: [{budget}]\n", timeout="20s", prefix=prefix)
    provider = SimulatorServer(Simulator())
    await provider.start()
    gateways = [GatewayProcess(folder / str(number), provider.base_url, config) for number in range(GATEWAYS)]
    keys = [make_key(gateway.folder) for gateway in gateways]
    try:
        await started(gateways)
        yield Fleet(server, prefix, limit, gateways, keys, provider.simulator)
    finally:
        codes = await ended(gateways)
        await provider.stop()
    assert codes == [0] * GATEWAYS


@pytest.mark.slow
async def test_a_storm_over_four_processes_is_never_over_and_never_refuses_falsely(
    tmp_path: Path, counters_server: Server
) -> None:
    """Each storm has an account of its own, of one end user; a serial run then spends what it left."""
    async with running_fleet(tmp_path, counters_server) as fleet:
        with listening(BudgetListener(counters_server, fleet.prefix)) as listener:
            for number in range(STORMS or 1):
                user = f"storm {number:04}"
                await fleet.storm(random.Random(number), user)
                spent = sum(cost(record) for record in await fleet.at_rest(user))
                assert spent <= fleet.limit
                which = number % GATEWAYS
                await one_by_one(fleet.gateways[which].base_url, fleet.keys[which], user)
                await judge(await fleet.at_rest(user), spent, fleet.limit, listener)
    assert len(listener.most) == (STORMS or 1) + 1, "the accounts of the storms, and the app's"
    assert sorted(listener.most.values())[-2] <= fleet.limit


@pytest.mark.slow
async def test_a_storm_in_which_the_server_and_a_gateway_are_killed_is_not_over(tmp_path: Path) -> None:
    with running_server() as server:
        async with running_fleet(tmp_path, server) as fleet:
            for number in range(STORMS or 1):
                user = f"storm {number:04}"
                await storm_with_losses(fleet, random.Random(number), user)
                spent = sum(cost(record) for record in await fleet.at_rest(user))
                assert spent <= fleet.limit
                await eventually(partial(knows, fleet, spent))


async def storm_with_losses(fleet: Fleet, chance: random.Random, user: str) -> None:
    """The counters are lost at some moment, and a gateway at another."""
    served = fleet.simulator.stats
    first, second = (served.requests + more for more in sorted(chance.sample(range(1, FITTING), 2)))
    storm = asyncio.create_task(fleet.storm(chance, user))
    await eventually(lambda: served.requests >= first or storm.done())
    await asyncio.to_thread(restarted, fleet.server)
    await eventually(lambda: served.requests >= second or storm.done())
    victim = fleet.gateways[chance.randrange(GATEWAYS)]
    await asyncio.to_thread(victim.kill)
    await asyncio.to_thread(victim.start, SLOWLY_S)
    await storm


def restarted(server: Server) -> None:
    """Empty."""
    server.kill()
    server.start()


def knows(fleet: Fleet, spent: int) -> bool:
    """Whether the server says so of an end user."""
    with fleet.server.client() as client:
        names = client.keys(f"{{{fleet.prefix}}}:budget:storm:*")
        return spent in [
            sum(int(value) for field, value in client.hgetall(name).items() if field.isdigit()) for name in names
        ]


async def one_by_one(base_url: str, key: str, user: str) -> None:
    """Requests that stay spent whole, with nothing else in flight, until one is refused."""
    for _ in range(FITTING + 1):
        client = await RawClient.connect(base_url)
        await client.send(post(CHAT, key, prompt(LOST, stream=False, user=user)))
        status, headers, _ = await client.answer()
        await client.close()
        if status == 429:
            assert headers["x-gptgate-error"] == "budget_exceeded"
            return
        assert status == 502
    raise AssertionError("more than the budget was spent")


def cost(record: AuditRecord) -> int:
    assert record.end is not None
    return record.end.cost_nano


async def judge(found: list[AuditRecord], storm_nano: int, limit: int, listener: BudgetListener) -> None:
    """By the records of all processes and by what the server was told."""
    spent = sum(cost(record) for record in found)
    assert storm_nano <= spent <= limit

    def agrees() -> bool:
        # A gateway that joins again, since an answer was lost, has nothing in the list of what is held meanwhile.
        listener.hear()
        return spent in listener.sums.values()

    await eventually(agrees)
    refused = [record for record in found if record.end is not None and record.end.code == "budget_exceeded"]
    assert len(refused) > 1, "in the storm, and when nothing was left"
    assert len(found) - len(refused) > FITTING
    assert not [record.intent.id for record in refused if listener.had_room[record.intent.id]]
