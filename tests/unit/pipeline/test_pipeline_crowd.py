"""Waiting for what other requests hold of a budget."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Dimension, Spend, Unit, Window
from gptgate.core.errors import BudgetExceeded, OverBudget
from gptgate.core.facts import Reservation
from gptgate.core.snapshot import ServerSpec
from gptgate.cost.ledger import MemoryLedger
from gptgate.pipeline.crowd import MOST_OVERTAKINGS, POLL_S, Crowd

AT_MS = 1_793_491_200_000
BUDGET = BudgetSpec(name="b", scope=(Dimension.APP,), unit=Unit.TOKENS, window=Window.MONTH, amount=100)
CHARGES = [BudgetCharge(BUDGET, ("shop",))]
ACCOUNT = ("b", ("shop",))
LONG_MS = 60_000


def tokens(count: int) -> Spend:
    return Spend(tokens=count, requests=1)


def asking(ledger: MemoryLedger, name: str, count: int) -> Callable[[bool], Awaitable[Reservation]]:
    async def ask(_may_wait: bool) -> Reservation:
        return ledger.reserve(name, "shop", CHARGES, tokens(count), AT_MS)

    return ask


def refused_for(ledger: MemoryLedger, count: int) -> tuple[object, bool | None, int | None]:
    """What is waited for, and what the caller is told of a retry."""
    with pytest.raises(BudgetExceeded) as refusal:
        ledger.reserve("x", "shop", CHARGES, tokens(count), AT_MS)
    return refusal.value.crowd, refusal.value.retryable, refusal.value.retry_after_ms


def test_only_what_others_hold_is_waited_for() -> None:
    ledger = MemoryLedger()
    ledger.settle(ledger.reserve("a", "shop", CHARGES, tokens(50), AT_MS), tokens(30))
    ledger.reserve("b", "shop", CHARGES, tokens(60), AT_MS)
    assert refused_for(ledger, 70) == (ACCOUNT, True, 1000)
    assert refused_for(ledger, 71) == (None, False, None)


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

    async def wait(name: str) -> None:
        await crowd.wait("shop", ACCOUNT, asking(ledger, name, 50), LONG_MS)
        passed.append(name)

    waiting = [asyncio.create_task(wait(name)) for name in ("first", "second")]
    await asyncio.sleep(0)
    for each in held:
        ledger.settle(each, tokens(0))
    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)
    assert passed == ["first", "second"]
    assert (len(crowd), crowd.before("shop", CHARGES), ledger.when_settled) == (0, None, None)


async def test_who_fits_overtakes_also_where_it_waits_itself() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    held = [ledger.reserve(f"held{number}", "shop", CHARGES, tokens(50), AT_MS) for number in range(2)]
    large = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "large", 90), LONG_MS))
    small = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "small", 5), LONG_MS))
    await asyncio.sleep(0)
    assert crowd.before("shop", CHARGES) is None
    ledger.settle(held[0], tokens(0))
    async with asyncio.timeout(20):
        await small
        assert not large.done()
        ledger.settle(held[1], tokens(0))
        await large


async def test_a_large_request_is_overtaken_a_bounded_number_of_times_and_stops_its_own_app_only() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    held = [ledger.reserve(f"held{number}", "shop", CHARGES, tokens(50), AT_MS) for number in range(2)]
    large = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "large", 90), LONG_MS))
    small = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "small", 10), LONG_MS))
    other = asyncio.create_task(crowd.wait("other", ACCOUNT, asking(ledger, "other", 5), LONG_MS))
    await asyncio.sleep(0)
    for _ in range(MOST_OVERTAKINGS):
        assert crowd.before("shop", CHARGES) is None
        crowd.passed("shop", CHARGES)
    assert crowd.before("shop", CHARGES) == ACCOUNT
    assert crowd.before("other", CHARGES) is None
    ledger.settle(held[0], tokens(0))
    async with asyncio.timeout(20):
        await other
        await asyncio.sleep(2 * POLL_S)
        assert not small.done()
        ledger.settle(held[1], tokens(0))
        await large
        assert crowd.before("shop", CHARGES) is None
        small.cancel()
        await asyncio.wait([small])
    assert not len(crowd)


async def test_who_has_waited_long_enough_is_refused_once_more_and_the_next_has_its_turn() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    ledger.reserve("held", "shop", CHARGES, tokens(50), AT_MS)
    large = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "large", 90), 20))
    small = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "small", 10), LONG_MS))
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
    waiting = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "large", 90), LONG_MS))
    await asyncio.sleep(0)
    ledger.settle(held, tokens(50))
    async with asyncio.timeout(20):
        with pytest.raises(OverBudget):
            await waiting


async def test_who_leaves_makes_room() -> None:
    ledger = MemoryLedger()
    crowd = Crowd(ledger)
    held = ledger.reserve("held", "shop", CHARGES, tokens(50), AT_MS)
    leaving = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "leaving", 90), LONG_MS))
    staying = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "staying", 60), LONG_MS))
    await asyncio.sleep(0)
    leaving.cancel()
    ledger.settle(held, tokens(5))
    async with asyncio.timeout(20):
        await staying
    assert ledger.spent(CHARGES[0], AT_MS) == 65


async def test_how_many_wait_is_bounded_in_all_and_for_each_app() -> None:
    fields: dict[str, Any] = {name: "" if "host" in name else 0 for name in ServerSpec.__struct_fields__}
    ledger = MemoryLedger()
    crowd = Crowd(ledger)

    def admitted(wait_ms: int, waiters: int) -> list[bool]:
        server = ServerSpec(**{**fields, "budget_wait_ms": wait_ms, "budget_waiters": waiters})
        return [crowd.admits(app, server) for app in ("shop", "other")]

    assert admitted(1000, 0) == admitted(0, 10) == [False, False]
    assert admitted(1000, 1) == [True, True]
    ledger.reserve("held", "shop", CHARGES, tokens(100), AT_MS)
    waiting = asyncio.create_task(crowd.wait("shop", ACCOUNT, asking(ledger, "waiting", 1), LONG_MS))
    await asyncio.sleep(0)
    assert admitted(1000, 1) == [False, False]
    assert admitted(1000, 7) == [False, True]
    assert admitted(1000, 8) == [True, True]
    waiting.cancel()
    await asyncio.wait([waiting])
    assert admitted(1000, 1) == [True, True]
