"""Ten thousand requests at random times: the limiter admits exactly those that a model in fractions admits."""

import os
import random
from collections.abc import Callable, Sequence

import pytest

from gptgate.core.errors import ClientError, RateLimited
from gptgate.core.limit import Charge, Unit
from gptgate.core.ports import Admission, Limiter
from gptgate.limits.memory import MemoryLimiter
from limit_model import Model
from limit_parts import charge, spec
from shared_parts import LimiterThere, Member

REQUESTS = 10_000
REQUESTS_THERE = REQUESTS if "GPTGATE_STORMS" in os.environ else 1500
"""Over a real server, where each takes two round trips; with the variable of `tests/fault/test_budget_storm.py` all."""
SECOND_NS = 1_000_000_000


LIMITS = (
    spec("second", 7, window_ms=1000),
    spec("minute", 100),
    spec("day", 5000, window_ms=86_400_000),
    spec("tokens", 10_000, unit=Unit.TOTAL_TOKENS),
    spec("answers", 3000, unit=Unit.OUTPUT_TOKENS, window_ms=10_000),
)


def charges_of(chance: random.Random) -> list[Charge]:
    chosen = [limit for limit in LIMITS if chance.random() < 0.6]
    value = str(chance.randrange(5))
    of_tokens = (Unit.TOTAL_TOKENS, Unit.OUTPUT_TOKENS)
    return [charge(one, chance.randrange(1, 900) if one.unit in of_tokens else 1, value) for one in chosen]


@pytest.mark.parametrize("seed", range(5))
def test_admitted_are_exactly_those_of_the_reference_model(seed: int) -> None:
    compare([MemoryLimiter(sweep_at=4)], seed, tick_ns=1)


def test_four_gateways_with_one_server_admit_exactly_what_one_would(member: Callable[..., Member]) -> None:
    compare([LimiterThere(member("four")) for _ in range(4)], 5, tick_ns=1000, requests=REQUESTS_THERE)


def compare(limiters: Sequence[Limiter], seed: int, *, tick_ns: int, requests: int = REQUESTS) -> None:
    """Each request comes to any of the limiters; times are whole ticks of their clock."""
    chance = random.Random(seed)
    model = Model()
    open_: list[tuple[Admission, list[Charge]]] = []
    now_ns, admitted = 10**12, 0
    for _ in range(requests):
        now_ns += int(chance.expovariate(1 / (0.05 * SECOND_NS))) // tick_ns * tick_ns
        limiter = chance.choice(limiters)
        charges = charges_of(chance)
        expected = model.admit(charges, now_ns)
        try:
            admission = limiter.admit(charges, now_ns)
        except ClientError:
            assert not expected
        else:
            assert expected
            admitted += 1
            open_.append((admission, charges))
        if open_ and chance.random() < 0.5:
            # Some answers turn out longer than the ceiling said: a debt, in both.
            settled, of = open_.pop(chance.randrange(len(open_)))
            spent = [one.amount if one.amount == 1 else int(one.amount * chance.random() * 1.2) for one in of]
            settled.settle(spent, now_ns)
            settled.release()
            model.settle(of, spent, now_ns)
    assert requests // 10 < admitted < requests * 9 // 10


@pytest.mark.parametrize("amount", [100, 15, 1])
def test_a_limit_lets_not_one_more_through_however_many_come_at_once(amount: int) -> None:
    limiter, limit = MemoryLimiter(), spec("rpm", amount)
    passed = 0
    for number in range(1022):
        try:
            limiter.admit([charge(limit)], 10**12 + number)
        except RateLimited:
            continue
        passed += 1
    assert passed == amount


def test_a_limit_does_not_trip_early_for_a_steady_caller() -> None:
    limiter, limit = MemoryLimiter(), spec("rpm", 60)
    for number in range(REQUESTS):
        limiter.admit([charge(limit)], 10**12 + number * SECOND_NS).release()
