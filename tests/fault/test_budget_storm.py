"""Many requests at once against a budget for a tenth of them, while providers fail and callers leave: never over, and
nobody refused whom the reservations in flight left room for.

`GPTGATE_STORMS=50 python -m pytest tests/fault/test_budget_storm.py` repeats it fifty times with 1,000 requests each.
"""

import asyncio
import random
import secrets
from pathlib import Path

import pytest

from books import balanced, budget_of, ceiling
from gptgate.core.budgets import BudgetCharge, Spend
from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import Reservation
from gptgate.cost.ledger import MemoryLedger
from harness import running_gateway
from raw_client import prompt
from shared_parts import Server, ready, sharing
from storm_parts import AT_ONCE, PROBE, REQUESTS, STORMS, visit

FITTING = REQUESTS // 10


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


@pytest.mark.parametrize("seed", range(STORMS or 2))
async def test_a_storm_overspends_nothing_and_refuses_nobody_falsely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    limit = FITTING * await ceiling(tmp_path / "probe", prompt(PROBE))
    async with running_gateway(tmp_path / "storm", budget_of(limit)) as gateway:
        auditor = Auditor(monkeypatch, limit)
        places = asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with places:
                await visit(gateway.base_url, gateway.key, chance)

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
    limit = FITTING * await ceiling(tmp_path / "probe", prompt(PROBE))
    prefix = f"storm{secrets.token_hex(6)}"
    config = sharing(counters_server, budget_of(limit), timeout="20s", prefix=prefix)
    async with running_gateway(tmp_path / "a", config) as one, running_gateway(tmp_path / "b", config) as other:
        await asyncio.gather(ready(one), ready(other))
        places = asyncio.Semaphore(AT_ONCE)

        async def visitor(number: int) -> None:
            async with places:
                gateway = (one, other)[number % 2]
                await visit(gateway.base_url, gateway.key, chance)

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
