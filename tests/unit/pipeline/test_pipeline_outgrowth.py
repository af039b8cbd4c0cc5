"""How far a stream has come of what is reserved for it, and what is held then."""

from types import SimpleNamespace
from typing import Any

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Outgrown, Unit, Window
from gptgate.core.errors import AuditUnavailable, StreamOutgrown
from gptgate.core.facts import Usage
from gptgate.core.limit import Charge, Dimension, LimitSpec
from gptgate.core.limit import Unit as LimitUnit
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.table import TablePrice, Tier
from gptgate.limits.memory import MemoryLimiter
from gptgate.pipeline.charges import Ceiling
from gptgate.pipeline.limiting import Admitted
from gptgate.pipeline.outgrowth import CHARS_PER_TOKEN, LEAST_TOKENS, SLACK_CHARS, Outgrowth
from gptgate.storage.memory import MemoryStore
from storage_samples import FixedClock

PRICE = TablePrice("t", [Tier(above=-1, input=10**6, output=5 * 10**6, cache_read=0, cache_write=0)])
"""A nano-dollar for a token of input, five for one of output."""
INPUT, OUTPUT = 50, 1000
RESERVED = INPUT + 5 * OUTPUT
ROOM = OUTPUT * CHARS_PER_TOKEN + SLACK_CHARS
NOW_NS = FixedClock().monotonic_ns()
LIMIT = LimitSpec(
    name="tpm", scope=(Dimension.GLOBAL,), unit=LimitUnit.OUTPUT_TOKENS, amount=10 * OUTPUT, window_ms=86_400_000
)


class Watched:
    """One stream, with a budget of its own."""

    def __init__(
        self, amount: int, *, outgrown: Outgrown = Outgrown.EXTEND, price: TablePrice | None = PRICE, tokens: int = 0
    ) -> None:
        self.store, self.ledger, self.limiter = MemoryStore(), MemoryLedger(), MemoryLimiter()
        budget = BudgetSpec(name="b", scope=(), unit=Unit.USD, window=Window.LIFETIME, amount=amount)
        self.charge = BudgetCharge(budget, ())
        ceiling = Ceiling(price, INPUT, OUTPUT, 1)
        self.first = self.ledger.reserve("r", "app", [self.charge], ceiling.spend, 0)
        draft: Any = SimpleNamespace(extensions=0, extended_nano=0, usage=None)
        self.draft = draft
        plan: Any = None
        raw: Any = None
        self.admitted = Admitted(plan, self.limiter, FixedClock(), raw, plan)
        if tokens:
            charge = Charge(LIMIT, "tpm", OUTPUT)
            self.admitted._tokens = self.limiter.admit([charge], NOW_NS)
            self.admitted._charges = (charge,)
            self.limiter.admit([Charge(LIMIT, "tpm", LIMIT.amount - OUTPUT - tokens)], NOW_NS)
        server = SimpleNamespace(server=SimpleNamespace(outgrown=outgrown))
        services: Any = SimpleNamespace(snapshot=server, ledger=self.ledger, store=self.store)
        self.growth = Outgrowth(services, self.draft, self.admitted, self.first, ceiling)

    @property
    def held(self) -> int:
        return self.ledger.spent(self.charge, 0)


def reported(output_tokens: int, input_tokens: int = INPUT) -> Usage:
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens)


def test_a_stream_has_room_for_what_is_reserved() -> None:
    growth = Watched(10**9).growth
    assert growth.room == ROOM
    assert not growth.passed(None)
    assert not growth.passed(reported(OUTPUT))
    assert growth.passed(reported(OUTPUT + 1))
    assert growth.passed(reported(1, INPUT + 1))


def test_where_nothing_is_billed_nothing_is_watched() -> None:
    growth = Watched(10**9, price=None).growth
    assert growth.room > 10**18
    assert not growth.passed(reported(10**9))


async def test_more_is_held_in_steps_and_is_on_record() -> None:
    watched = Watched(10**9)
    await watched.growth.follow(None, ROOM + 1)
    assert watched.held == RESERVED + 5 * (1 + LEAST_TOKENS)
    assert watched.store.extended["r"].nano == watched.growth.reservation.nano == watched.held
    assert (watched.draft.extensions, watched.draft.extended_nano) == (1, watched.held)
    assert watched.growth.room > ROOM + 1
    await watched.growth.follow(reported(2 * OUTPUT), ROOM + 2)
    assert watched.held == INPUT + 5 * (2 * OUTPUT + (OUTPUT + 1 + LEAST_TOKENS) // 4)


def test_what_was_told_of_a_stream_that_ended_before_it_was_looked_at_is_spent() -> None:
    growth = Watched(10**9).growth
    growth.told(None)
    growth.told(reported(OUTPUT))
    assert growth.estimate() is None
    growth.told(reported(4 * OUTPUT))
    growth.told(None)
    assert growth.estimate() == (INPUT + 5 * 4 * OUTPUT, reported(4 * OUTPUT))


async def test_less_input_than_was_reserved_pays_for_more_output() -> None:
    watched = Watched(RESERVED)
    await watched.growth.follow(reported(OUTPUT + 5, INPUT - 25), 10)
    assert (watched.held, watched.growth.extended) == (RESERVED, False)
    with pytest.raises(StreamOutgrown):
        await watched.growth.follow(reported(OUTPUT + 6, INPUT - 25), 10)


@pytest.mark.parametrize(
    ("left", "more"), [(1 + LEAST_TOKENS, 1 + LEAST_TOKENS), (LEAST_TOKENS, 1 + LEAST_TOKENS // 16), (17, 17), (1, 1)]
)
async def test_what_is_left_is_used_to_its_end(left: int, more: int) -> None:
    watched = Watched(RESERVED + 5 * left)
    await watched.growth.follow(reported(OUTPUT + 1), 0)
    assert watched.held == RESERVED + 5 * more


async def test_what_the_budget_does_not_pay_for_ends_the_stream() -> None:
    watched = Watched(RESERVED + 4)
    with pytest.raises(StreamOutgrown, match="the budget 'b' is") as caught:
        await watched.growth.follow(None, ROOM + 1)
    assert caught.value.limit == "b"
    assert (watched.held, watched.growth.reservation, watched.draft.extensions) == (RESERVED, watched.first, 0)
    # The text was not let out, and what it comes to is an estimate: what was reserved stays spent.
    assert watched.growth.estimate() is None


async def test_what_the_provider_has_reported_is_spent_though_nothing_pays_for_it() -> None:
    watched = Watched(RESERVED)
    with pytest.raises(StreamOutgrown):
        await watched.growth.follow(reported(OUTPUT + 7), 0)
    assert watched.growth.estimate() == (RESERVED + 5 * 7, reported(OUTPUT + 7))


async def test_what_was_extended_stays_spent_as_an_estimate() -> None:
    watched = Watched(10**9)
    await watched.growth.follow(reported(OUTPUT + 1), 0)
    assert watched.growth.estimate() == (watched.held, reported(OUTPUT + 1 + LEAST_TOKENS))


async def test_where_the_configuration_wants_no_more_the_stream_is_ended() -> None:
    watched = Watched(10**9, outgrown=Outgrown.END)
    with pytest.raises(StreamOutgrown) as caught:
        await watched.growth.follow(None, ROOM + 1)
    assert (caught.value.limit, watched.held) == ("", RESERVED)


async def test_what_cannot_be_recorded_ends_the_stream_and_stays_held() -> None:
    watched = Watched(10**9)
    await watched.store.close(0)
    with pytest.raises(AuditUnavailable, match="beyond its reservation"):
        await watched.growth.follow(None, ROOM + 1)
    assert watched.held == watched.growth.reservation.nano > RESERVED


async def test_limits_of_tokens_and_budgets_are_charged_together_or_not_at_all() -> None:
    poor = Watched(RESERVED, tokens=OUTPUT)
    before = poor.limiter.look([Charge(LIMIT, "tpm", 1)], NOW_NS)
    with pytest.raises(StreamOutgrown) as caught:
        await poor.growth.follow(reported(OUTPUT + 1), 0)
    assert caught.value.limit == "b"
    assert poor.limiter.look([Charge(LIMIT, "tpm", 1)], NOW_NS) == before
    limited = Watched(10**9, tokens=2)
    with pytest.raises(StreamOutgrown) as caught:
        await limited.growth.follow(reported(OUTPUT + 3), 0)
    assert (caught.value.limit, limited.held) == ("tpm", RESERVED)


async def test_tokens_that_were_charged_besides_are_settled_too() -> None:
    watched = Watched(10**9, tokens=OUTPUT)
    await watched.growth.follow(reported(OUTPUT + 1), 0)
    (standing,) = watched.limiter.look([Charge(LIMIT, "tpm", 1)], NOW_NS)
    assert standing.remaining == OUTPUT - 1 - LEAST_TOKENS
    watched.admitted.settle(reported(40))
    (standing,) = watched.limiter.look([Charge(LIMIT, "tpm", 1)], NOW_NS)
    assert standing.remaining == 2 * OUTPUT - 40
