"""What users of other gateways complain about, by symptom: counters in Redis. Each comment names the threads."""

import secrets
from collections.abc import Callable

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit, Window
from gptgate.core.errors import RateLimited
from limit_parts import charge, places, spec
from shared_parts import LedgerThere, LimiterThere, Member, Server

Make = Callable[..., Member]
NOW_MS = 1_795_392_000_000
WEEK_MS = 7 * 86_400_000
BUDGETS = [
    BudgetSpec(name=window.value, scope=(), unit=Unit.USD, window=window, amount=1000, thresholds=(1,), over_ms=over_ms)
    for window in Window
    for over_ms in [WEEK_MS if window in (Window.ROLLING, Window.SESSION) else 0]
]


def test_counters_in_redis_have_no_ttl_and_accumulate_day_over_day(member: Make, counters_server: Server) -> None:
    # litellm issue 5609
    one = member("", BUDGETS)
    limiter, ledger = LimiterThere(one), LedgerThere(one)
    charges = [BudgetCharge(budget, ()) for budget in BUDGETS]
    with counters_server.client() as client:

        def kept_for_ever() -> list[str]:
            keys = client.keys(f"{{{one.prefix}}}:*")
            assert len(keys) > len(BUDGETS)
            return [key for key in keys if client.pttl(key) < 0]

        admission = limiter.admit([charge(spec("rate", 5)), charge(places("place", 5))], 0)
        reservation = ledger.reserve("a", "app", charges, Spend(nano=10), NOW_MS)
        assert kept_for_ever() == []
        reservation = ledger.extend(reservation, Spend(nano=40))
        assert kept_for_ever() == []
        ledger.settle(reservation, Spend(nano=30))
        admission.release()
        assert [crossing.percent for crossing in one.crossings] == [1] * len(BUDGETS)
        assert kept_for_ever() == []


def test_keys_in_redis_are_out_of_step_with_what_is_enforced(member: Make, counters_server: Server) -> None:
    # litellm issue 8430: 19 of 24 passed
    prefix = f"p{secrets.token_hex(6)}"
    limiters = [LimiterThere(member(prefix)) for _ in range(2)]
    limit = [charge(spec("rate", 24))]
    for number in range(24):
        limiters[number % 2].admit(limit, 0)
    for limiter in limiters:
        with pytest.raises(RateLimited):
            limiter.admit(limit, 0)
    with counters_server.client() as client:
        (key,) = client.keys(f"{{{prefix}}}:rate:*")
        assert client.hmget(key, "q", "r") == ["24", "0"]
