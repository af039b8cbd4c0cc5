"""Many requests at once against a budget for a tenth of them, while providers fail and callers leave: never over, and
nobody refused whom the reservations in flight left room for.

`GPTGATE_STORMS=50 python -m pytest tests/fault/test_budget_storm.py` repeats it fifty times with 1,000 requests each.
"""

import asyncio
import os
import random
import secrets
from pathlib import Path

import pytest

from books import balanced
from gptgate.core.budgets import BudgetCharge, Spend
from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import Reservation
from gptgate.core.money import format_usd
from gptgate.cost.ledger import MemoryLedger
from harness import CONFIG, Gateway, running_gateway
from raw_client import CHAT, RawClient, post, prompt
from shared_parts import Server, ready

STORMS = int(os.environ.get("GPTGATE_STORMS", "0"))
REQUESTS = 1000 if STORMS else 200
FITTING = REQUESTS // 10
AT_ONCE = 250
"""So many connections are open at a time; each place is taken again as soon as it is free."""
CEILING_TEXT = "echo: hello "
PROBE = f"fault: {'':<40}\n{CEILING_TEXT}"
FAULTS = (
    "",
    "",
    "latency={}ms",
    "latency={}ms status=500",
    "status=429 retry-after=1",
    "status=400",
    "malformed",
    "no-usage",
    "cut=2",
    "delay={}ms chunk=2",
)


class Auditor:
    """Keeps its own sums beside the ledger, by request, and judges each of its answers."""

    def __init__(self, patch: pytest.MonkeyPatch, limit: int) -> None:
        self.held: dict[str, int] = {}
        self.limit = limit
        self.false_refusals = self.admitted = self.most = 0
        self.refused: set[str] = set()
        """Requests that were refused, and did not pass when they had waited."""
        reserve, settle = MemoryLedger.reserve, MemoryLedger.settle

        def reserving(
            ledger: MemoryLedger, request_id: str, app: str, charges: list[BudgetCharge], spend: Spend, at_ms: int
        ) -> Reservation:
            try:
                reservation = reserve(ledger, request_id, app, charges, spend, at_ms)
            except BudgetExceeded:
                self.refused.add(request_id)
                self.false_refusals += sum(self.held.values()) + spend.nano <= self.limit
                raise
            self.admitted += 1
            self.refused.discard(request_id)
            self.held[request_id] = spend.nano
            self.most = max(self.most, sum(self.held.values()))
            return reservation

        def settling(ledger: MemoryLedger, reservation: Reservation, spend: Spend) -> None:
            settle(ledger, reservation, spend)
            self.held[reservation.id] = spend.nano

        patch.setattr(MemoryLedger, "reserve", reserving)
        patch.setattr(MemoryLedger, "settle", settling)


def order(chance: random.Random) -> str:
    """A text whose fault line has one length, so that all requests have one ceiling."""
    fault = chance.choice(FAULTS).format(chance.randrange(1, 100))
    return f"fault: {fault:<40}\n{CEILING_TEXT}"


async def visit(gateway: Gateway, chance: random.Random) -> None:
    """One caller, who may leave at any moment."""
    stream = chance.random() < 0.5
    client = await RawClient.connect(gateway.base_url)
    await client.send(post(CHAT, gateway.key, prompt(order(chance), stream=stream)))
    # Leaves only after the gateway has begun to answer, or a while later: one that was never read is on no record.
    if chance.random() < 0.25:
        await client.head()
        client.reset()
        return
    try:
        await client.answer()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        await client.close()


async def budget_for(requests: int, folder: Path) -> tuple[int, str]:
    """The nano-dollars that so many of them reserve, and a configuration with this budget."""
    async with running_gateway(folder / "probe") as gateway:
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt(PROBE, stream=True)))
        await client.answer()
        await client.close()
        (probe,) = await balanced(gateway, 1)
    limit = probe.intent.reserved_nano * requests
    return limit, CONFIG.replace('"1000.00"', f'"{format_usd(limit)}"')


@pytest.mark.parametrize("seed", range(STORMS or 2))
async def test_a_storm_overspends_nothing_and_refuses_nobody_falsely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    limit, config = await budget_for(FITTING, tmp_path)
    async with running_gateway(tmp_path / "storm", config) as gateway:
        auditor = Auditor(monkeypatch, limit)
        places = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with places:
                await visit(gateway, chance)

        async with asyncio.timeout(120):
            await asyncio.gather(*(one() for _ in range(REQUESTS)))
        found = await balanced(gateway, REQUESTS)
        spent = sum(record.end.cost_nano for record in found if record.end is not None)
        assert spent == sum(auditor.held.values()) <= auditor.most <= limit
        assert auditor.false_refusals == 0
        assert auditor.admitted >= FITTING
        assert len(auditor.refused) == sum(
            record.end is not None and record.end.code == "budget_exceeded" for record in found
        )
        assert auditor.refused


@pytest.mark.parametrize("seed", range(STORMS or 1))
async def test_a_storm_over_gateways_that_share_counters_overspends_nothing_and_leaves_nothing_held(
    tmp_path: Path, counters_server: Server, seed: int
) -> None:
    chance = random.Random(seed)
    limit, config = await budget_for(FITTING, tmp_path)
    prefix = f"storm{secrets.token_hex(6)}"
    config += f"counters: {{url: '{counters_server.url}', prefix: {prefix}, timeout: 20s}}\n"
    async with running_gateway(tmp_path / "a", config) as one, running_gateway(tmp_path / "b", config) as other:
        await asyncio.gather(ready(one), ready(other))
        places = asyncio.Semaphore(AT_ONCE)

        async def visitor(number: int) -> None:
            async with places:
                await visit((one, other)[number % 2], chance)

        async with asyncio.timeout(180):
            await asyncio.gather(*(visitor(number) for number in range(REQUESTS)))
        found = [*await balanced(one, REQUESTS // 2), *await balanced(other, REQUESTS // 2)]
        for gateway in (one, other):
            assert gateway.app._sharing.service is not None
            await gateway.app._sharing.service.settled()
        with counters_server.client() as client:
            (key,) = client.keys(f"{{{prefix}}}:budget:*")
            sums = client.hgetall(key)
            still_open = client.keys(f"{{{prefix}}}:open:*")
        codes = [record.end.code for record in found if record.end is not None]
        spent = sum(record.end.cost_nano for record in found if record.end is not None)
        (total,) = (int(value) for field, value in sums.items() if field.isdigit())
        assert total == spent <= limit
        assert sums["held"] == "0"
        assert not still_open
        assert REQUESTS - codes.count("budget_exceeded") >= FITTING
        assert codes.count("budget_exceeded")
