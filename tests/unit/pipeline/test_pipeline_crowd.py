"""Waiting for what other requests hold of a budget."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Dimension, Spend, Unit, Window
from gptgate.core.errors import BudgetExceeded, OverBudget
from gptgate.core.facts import Reservation
from gptgate.core.snapshot import ServerSpec
from gptgate.cost.ledger import MemoryLedger
from gptgate.pipeline.crowd import Crowd

AT_MS = 1_793_491_200_000
BUDGET = BudgetSpec(name="b", scope=(Dimension.APP,), unit=Unit.TOKENS, window=Window.MONTH, amount=100)
CHARGES = [BudgetCharge(BUDGET, ("shop",))]
ACCOUNT = ("b", ("shop",))
LONG_MS = 60_000


def tokens(count: int) -> Spend:
    return Spend(tokens=count, requests=1)


def asking(ledger: MemoryLedger, name: str, count: int) -> Callable[[], Awaitable[Reservation]]:
    async def ask() -> Reservation:
        return ledger.reserve(name, "shop", CHARGES, tokens(count), AT_MS)

    return ask


def refused_for(ledger: MemoryLedger, count: int) -> tuple[str, tuple[str, ...]] | None:
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("x", "shop", CHARGES, tokens(count), AT_MS)
    return refusal.value.crowd


def test_only_what_others_hold_is_waited_for() -> None:
    ledger = MemoryLedger()
    ledger.settle(ledger.reserve("a", "shop", CHARGES, tokens(50), AT_MS), tokens(30))
    ledger.reserve("b", "shop", CHARGES, tokens(60), AT_MS)
    assert refused_for(ledger, 70) == ACCOUNT
    assert refused_for(ledger, 71) is None


def test_another_budget_that_is_spent_makes_waiting_useless() -> None:
    spent = BudgetSpec(name="spent", scope=(), unit=Unit.REQUESTS, window=Window.MONTH, amount=1)
    ledger = MemoryLedger()
    ledger.settle(ledger.reserve("a", "shop", [BudgetCharge(spent, ())], tokens(0), AT_MS), tokens(0))
    ledger.reserve("b", "shop", CHARGES, tokens(60), AT_MS)
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("x", "shop", [*CHARGES, BudgetCharge(spent, ())], tokens(50), AT_MS)
    assert refusal.value.crowd is None


async def test_the_first_to_wait_is_the_first_to_pass() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    held = [ledger.reserve(f"held{number}", "shop", CHARGES, tokens(50), AT_MS) for number in range(2)]
    passed: list[str] = []

    async def wait(name: str, count: int) -> None:
        await crowd.wait(ACCOUNT, asking(ledger, name, count), LONG_MS)
        passed.append(name)

    waiting = [asyncio.create_task(wait(*each)) for each in (("large", 90), ("small", 10))]
    await asyncio.sleep(0)
    assert crowd.before(CHARGES) == ACCOUNT
    ledger.settle(held[0], tokens(0))
    for _ in range(10):
        await asyncio.sleep(0)
    # The small one would fit, and does not overtake.
    assert passed == []
    ledger.settle(held[1], tokens(0))
    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)
    assert passed == ["large", "small"]
    assert (len(crowd), crowd.before(CHARGES), ledger.when_settled) == (0, None, None)


async def test_who_has_waited_long_enough_is_refused_once_more_and_the_next_has_its_turn() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    ledger.reserve("held", "shop", CHARGES, tokens(50), AT_MS)
    large = asyncio.create_task(crowd.wait(ACCOUNT, asking(ledger, "large", 90), 20))
    small = asyncio.create_task(crowd.wait(ACCOUNT, asking(ledger, "small", 10), LONG_MS))
    async with asyncio.timeout(20):
        with pytest.raises(BudgetExceeded):
            await large
        await small
    assert ledger.spent(CHARGES[0], AT_MS) == 60
    assert not len(crowd)


async def test_what_was_spent_meanwhile_ends_the_wait_at_once() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    held = ledger.reserve("held", "shop", CHARGES, tokens(50), AT_MS)
    waiting = asyncio.create_task(crowd.wait(ACCOUNT, asking(ledger, "large", 90), LONG_MS))
    await asyncio.sleep(0)
    ledger.settle(held, tokens(50))
    async with asyncio.timeout(20):
        with pytest.raises(OverBudget):
            await waiting


async def test_who_leaves_makes_room() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    held = ledger.reserve("held", "shop", CHARGES, tokens(50), AT_MS)
    leaving = asyncio.create_task(crowd.wait(ACCOUNT, asking(ledger, "leaving", 90), LONG_MS))
    staying = asyncio.create_task(crowd.wait(ACCOUNT, asking(ledger, "staying", 60), LONG_MS))
    await asyncio.sleep(0)
    leaving.cancel()
    ledger.settle(held, tokens(5))
    async with asyncio.timeout(20):
        await staying
    assert ledger.spent(CHARGES[0], AT_MS) == 65


def test_how_many_wait_is_bounded() -> None:
    fields = {name: "" if "host" in name else 0 for name in ServerSpec.__struct_fields__}
    crowd = Crowd(MemoryLedger())
    assert not crowd.admits(ServerSpec(**{**fields, "budget_wait_ms": 1000}))
    assert not crowd.admits(ServerSpec(**{**fields, "budget_waiters": 10}))
    assert crowd.admits(ServerSpec(**{**fields, "budget_wait_ms": 1000, "budget_waiters": 1}))
