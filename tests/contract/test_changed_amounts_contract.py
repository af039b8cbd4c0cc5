"""What every store promises of amounts that operators changed: what they were given for, and for how long they hold."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Dimension, Spend, TopUp, Unit, Window
from gptgate.core.errors import BudgetExceeded
from gptgate.core.ports import Ledger
from gptgate.cost.ledger import MemoryLedger
from gptgate.storage.log_check import LogCheck
from gptgate.storage.spending import Spending, set_amount
from gptgate.storage.sqlite import SqliteStore
from shared_parts import LedgerThere, Member
from storage_samples import SystemClock

Tell = Callable[[Sequence[BudgetSpec], Sequence[TopUp]], Ledger]
"""Counts these budgets, with all changes until now, and gives a ledger that knows of them."""

NOW_MS = 1_795_392_000_000
DAY_MS = 86_400_000
DAY = BudgetSpec(name="day", scope=(Dimension.TEAM,), unit=Unit.USD, window=Window.DAY, amount=100)
KEY = ("shop",)
OTHERS = (
    replace(DAY, unit=Unit.TOKENS),
    replace(DAY, window=Window.WEEK),
    replace(DAY, scope=(Dimension.APP,)),
    replace(DAY, name="days"),
)
OTHER_NAMES = ("unit", "window", "scope", "name")


def in_memory(budgets: Sequence[BudgetSpec], changes: Sequence[TopUp]) -> Ledger:
    ledger = MemoryLedger()
    ledger.set_top_ups(budgets, changes)
    return ledger


class OnDisk:
    """Each change is written with its event, and read again by a gateway that starts after it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._written = folder, 0
        store = SqliteStore.open(folder, clock=SystemClock(), timeout_ms=60_000)
        asyncio.run(store.close(60_000))

    def __call__(self, budgets: Sequence[BudgetSpec], changes: Sequence[TopUp]) -> Ledger:
        for change in changes[self._written :]:
            set_amount(self._folder, "ada", lambda _, change=change: change)  # type: ignore[misc]
        self._written = len(changes)
        with closing(LogCheck(self._folder)) as check:
            assert check.money() == ""
        with closing(Spending(self._folder)) as spending:
            assert spending.top_ups() == list(changes)
            return in_memory(budgets, spending.top_ups())


class OnServer:
    """One gateway is told; the ledger is that of another."""

    def __init__(self, member: Callable[..., Member]) -> None:
        prefix = f"p{secrets.token_hex(6)}"
        self._told, self._other = member(prefix), member(prefix)

    def __call__(self, budgets: Sequence[BudgetSpec], changes: Sequence[TopUp]) -> Ledger:
        async def tell(member: Member) -> None:
            member.service.change(budgets, True)
            await member.ready()

        self._told.ledger.set_top_ups(budgets, changes)
        for member in (self._told, self._other):
            member.run(tell(member))
        return LedgerThere(self._other)


@pytest.fixture(params=["memory", "sqlite", "server"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tell]:
    if request.param == "memory":
        yield in_memory
    elif request.param == "sqlite":
        yield OnDisk(tmp_path)
    else:
        yield OnServer(request.getfixturevalue("member"))


def left(ledger: Ledger, budget: BudgetSpec = DAY, at_ms: int = NOW_MS) -> int | None:
    return ledger.left(BudgetCharge(budget, KEY), at_ms)


def plus(amount: int, at_ms: int) -> TopUp:
    return TopUp.given(DAY, KEY, at_ms, amount)


def set_to(amount: int, at_ms: int) -> TopUp:
    return TopUp.given(DAY, KEY, at_ms, amount - 100, amount)


def as_configured(at_ms: int) -> TopUp:
    return TopUp.given(DAY, KEY, at_ms, 0, configured=True)


def test_a_top_up_adds_to_what_is_in_force(tell: Tell) -> None:
    changes = [plus(50, NOW_MS)]
    assert left(tell([DAY], changes)) == 150
    changes += [set_to(30, NOW_MS + 1), plus(5, NOW_MS + 2)]
    assert left(tell([DAY], changes)) == 35


def test_an_amount_that_was_set_takes_the_place_of_all_before_it(tell: Tell) -> None:
    assert left(tell([DAY], [plus(50, NOW_MS), set_to(170, NOW_MS + 1)])) == 170
    assert left(tell([replace(DAY, amount=999)], [plus(50, NOW_MS), set_to(170, NOW_MS + 1)])) == 170


@pytest.mark.parametrize(
    "before", [[], [set_to(170, NOW_MS)], [plus(50, NOW_MS)], [set_to(0, NOW_MS), plus(5, NOW_MS)]]
)
def test_an_amount_goes_back_to_what_is_configured(tell: Tell, before: list[TopUp]) -> None:
    tell([DAY], before)
    ledger = tell([DAY], [*before, as_configured(NOW_MS + 1)])
    assert left(ledger) == 100
    with pytest.raises(BudgetExceeded):
        ledger.reserve("r", "app", [BudgetCharge(DAY, KEY)], Spend(nano=101, tokens=1, requests=1), NOW_MS)


def test_what_went_back_follows_the_configuration_and_can_be_changed_again(tell: Tell) -> None:
    changes = [set_to(170, NOW_MS), as_configured(NOW_MS + 1)]
    assert left(tell([DAY], changes)) == 100
    wider = replace(DAY, amount=130)
    assert left(tell([wider], changes), wider) == 130
    changes.append(plus(7, NOW_MS + 2))
    assert left(tell([wider], changes), wider) == 137
    changes.append(set_to(20, NOW_MS + 3))
    assert left(tell([wider], changes), wider) == 20


def test_a_change_holds_for_its_account_and_its_window(tell: Tell) -> None:
    ledger = tell([DAY], [set_to(170, NOW_MS), plus(5, NOW_MS + DAY_MS)])
    assert (left(ledger), left(ledger, at_ms=NOW_MS + DAY_MS)) == (170, 105)
    assert ledger.left(BudgetCharge(DAY, ("mail",)), NOW_MS) == 100


@pytest.mark.parametrize("other", OTHERS, ids=OTHER_NAMES)
def test_a_change_says_nothing_of_a_budget_of_another(tell: Tell, other: BudgetSpec) -> None:
    """An override holds for the unit, the window and the scope of the budget that it was given for."""
    changes = [set_to(170, NOW_MS), plus(5, NOW_MS + 1)]
    assert left(tell([DAY], changes)) == 175
    assert left(tell([other], changes), other) == 100
    assert left(tell([DAY], changes)) == 175


@pytest.mark.parametrize("other", OTHERS[:3], ids=OTHER_NAMES[:3])
def test_going_back_says_nothing_of_a_budget_of_another(tell: Tell, other: BudgetSpec) -> None:
    given = TopUp.given(other, KEY, NOW_MS, 70, 170)
    assert left(tell([other], [given, as_configured(NOW_MS + 1)]), other) == 170


def test_a_change_of_a_time_when_nobody_wrote_down_what_for_holds_for_any(tell: Tell) -> None:
    changes = [TopUp("day", KEY, NOW_MS, 0, 170)]
    assert [left(tell([other], changes), other) for other in (DAY, *OTHERS)] == [170, 170, 170, 170, 100]
