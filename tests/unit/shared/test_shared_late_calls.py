"""A call that reaches the server late, while its gateway joins again or after that: what it charges counts for nothing
to the gateway, so it must charge nothing."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit, Window
from gptgate.core.shared import Wish
from gptgate.shared.hold import SharedHold
from gptgate.shared.link import CHARGE, JOIN, Reply
from limit_parts import charge, places
from shared_parts import LedgerThere, LimiterThere, Member
from waiting import eventually

NOW_MS = 1_795_392_000_000
LIFE = BudgetSpec(name="life", scope=(), unit=Unit.USD, window=Window.LIFETIME, amount=1000)
WEEK = BudgetSpec(name="week", scope=(), unit=Unit.USD, window=Window.ROLLING, over_ms=7 * 86_400_000, amount=1000)
BUDGETS = (LIFE, WEEK)
CHARGES = [BudgetCharge(budget, ()) for budget in BUDGETS]
LIMITS = [charge(places("p", 1))]
MOMENTS = ["begin", "sums", "end", "joined"]
"""The call is executed right before the gateway's step of joining; ``joined``: after the last."""


def wish(nano: int) -> Wish:
    return Wish((), CHARGES, Spend(nano=nano))


class Late:
    """Keeps the next charge of a request until its gateway is at this moment of joining again."""

    def __init__(self, patch: pytest.MonkeyPatch, member: Member, moment: str) -> None:
        self._member, self._moment = member, moment
        self._call = member.service._link.call
        self.request = ""
        self._kept: tuple[Sequence[str], dict[str, object]] | None = None
        self._answer: asyncio.Future[Reply] | None = None
        patch.setattr(member.service._link, "call", self._pass)

    async def _pass(self, script: str, keys: Sequence[str], ask: dict[str, object]) -> Reply:
        if script == CHARGE and ask["id"] == self.request and self._answer is None:
            self._kept, self._answer = (keys, ask), asyncio.get_running_loop().create_future()
            # A caller who leaves does not take back what is on its way.
            return await asyncio.shield(self._answer)
        step = ask.get("step") if script == JOIN else ""
        if step == self._moment:
            await self._execute()
        reply = await self._call(script, keys, ask)
        if step == "end" and self._moment == "joined":
            await self._execute()
        return reply

    async def _execute(self) -> None:
        if self._kept is not None and self._answer is not None:
            (keys, ask), self._kept = self._kept, None
            self._answer.set_result(await self._call(CHARGE, keys, ask))

    async def join_meanwhile(self, task: "asyncio.Task[Any]", *, leaves: bool) -> None:
        """Once the call is kept, join again; the caller may have left before."""
        await eventually(lambda: self._kept is not None)
        self._member.service._membership.doubt()
        if leaves:
            task.cancel()
        await eventually(lambda: self._kept is None)
        await self._member.ready()


@pytest.fixture(params=MOMENTS)
def late(request: pytest.FixtureRequest, both: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch) -> Late:
    return Late(monkeypatch, both[0], request.param)


@pytest.fixture
def both(member: Callable[..., Member]) -> tuple[Member, Member]:
    prefix = f"late{secrets.token_hex(6)}"
    return member(prefix, BUDGETS), member(prefix, BUDGETS)


def spent(member: Member) -> set[int]:
    return {LedgerThere(member).spent(one, NOW_MS) for one in CHARGES}


async def finished(member: Member, hold: SharedHold, nano: int) -> None:
    """The request is over, and has really cost this."""
    if hold.reservation is not None:
        member.ledger.settle(hold.reservation, Spend(nano=nano))
    hold.requests.release()
    await member.service.settled()


@pytest.mark.parametrize("leaves", [False, True])
def test_a_request_that_is_admitted_late_is_charged_once(both: tuple[Member, Member], late: Late, leaves: bool) -> None:
    one, other = both
    late.request = "r"

    async def act() -> SharedHold | None:
        task = asyncio.create_task(one.counters.admit("r", "app", LIMITS, wish(60), NOW_MS))
        await late.join_meanwhile(task, leaves=leaves)
        try:
            return await task
        except asyncio.CancelledError:
            return None

    hold = one.run(act())
    assert (hold is None) == leaves
    one.run(one.service.settled())
    assert spent(other) == {0 if hold is None else 60}
    if hold is not None:
        one.run(finished(one, hold, 7))
        assert spent(other) == {7}
    LimiterThere(other).admit(LIMITS, 0)


@pytest.mark.parametrize("leaves", [False, True])
def test_a_reservation_that_is_made_late_is_held_once(both: tuple[Member, Member], late: Late, leaves: bool) -> None:
    one, other = both
    hold = one.run(one.counters.admit("r", "app", LIMITS, wish(60), NOW_MS))
    late.request = "r"

    async def act() -> bool:
        task = asyncio.create_task(hold.reserve(wish(90)))
        await late.join_meanwhile(task, leaves=leaves)
        try:
            return bool(await task)
        except asyncio.CancelledError:
            return False

    assert one.run(act()) is not leaves
    if not leaves:
        assert spent(other) == {90}
    one.run(finished(one, hold, 7))
    # Who has left before anything was sent spends nothing; what it settles here is what it held.
    assert spent(other) == {7}


@pytest.mark.parametrize("leaves", [False, True])
def test_what_is_reserved_besides_late_is_held_once(both: tuple[Member, Member], late: Late, leaves: bool) -> None:
    one, other = both
    hold = one.run(one.counters.admit("r", "app", LIMITS, wish(60), NOW_MS))
    late.request = "r"

    async def act() -> bool:
        task = asyncio.create_task(hold.extend([], Spend(nano=90)))
        await late.join_meanwhile(task, leaves=leaves)
        try:
            return bool(await task)
        except asyncio.CancelledError:
            return False

    assert one.run(act()) is not leaves
    if not leaves:
        assert spent(other) == {90}
    one.run(finished(one, hold, 70))
    assert spent(other) == {70}


def test_what_is_told_late_of_a_request_that_is_over_counts_once(both: tuple[Member, Member], late: Late) -> None:
    one, other = both
    hold = one.run(one.counters.admit("r", "app", LIMITS, wish(60), NOW_MS))
    late.request = "r"

    async def act() -> None:
        task = asyncio.create_task(finished(one, hold, 7))
        await late.join_meanwhile(task, leaves=False)
        await task

    one.run(act())
    assert spent(other) == {7}
    LimiterThere(other).admit(LIMITS, 0)
