"""The limiter of one process: what is special about it."""

import pytest

from gptgate.core.errors import ConcurrencyLimited, RateLimited
from gptgate.core.snapshot import Limits
from gptgate.limits.memory import MINUTE_NS, MemoryLimiter

START = 7_000_000_000_000


def test_in_flight_counts_admissions_and_not_scopes() -> None:
    limiter = MemoryLimiter()
    one = limiter.admit([("a", Limits()), ("b", Limits())], START)
    two = limiter.admit([], START)
    assert limiter.in_flight == 2
    one.release()
    one.release()
    assert limiter.in_flight == 1
    two.release()
    assert limiter.in_flight == 0


def test_a_refusal_leaves_nothing_in_flight() -> None:
    limiter = MemoryLimiter()
    limiter.admit([("a", Limits(concurrency=1))], START)
    with pytest.raises(ConcurrencyLimited):
        limiter.admit([("a", Limits(concurrency=1))], START)
    assert limiter.in_flight == 1


def test_scopes_that_are_idle_and_full_again_are_dropped() -> None:
    limiter = MemoryLimiter(sweep_at=8)
    for number in range(10_000):
        limits = Limits(requests_per_minute=60, concurrency=1)
        limiter.admit([(f"key:{number}", limits), ("app", Limits())], START + number * MINUTE_NS).release()
    assert limiter.size < 20


def test_scopes_are_kept_while_they_are_in_flight_or_not_full() -> None:
    limiter = MemoryLimiter(sweep_at=1)
    limits = Limits(requests_per_minute=1, concurrency=1)
    held = limiter.admit([("held", Limits(concurrency=1))], START)
    limiter.admit([("used", limits)], START).release()
    for number in range(100):
        limiter.admit([(f"other:{number}", Limits())], START + MINUTE_NS - 1).release()
    with pytest.raises(RateLimited):
        limiter.admit([("used", limits)], START + MINUTE_NS - 1)
    with pytest.raises(ConcurrencyLimited):
        limiter.admit([("held", Limits(concurrency=1))], START + MINUTE_NS - 1)
    held.release()
    for number in range(100):
        limiter.admit([(f"other:{number}", Limits())], START + MINUTE_NS).release()
    assert limiter.size < 6


def test_a_new_limit_takes_over_what_was_used() -> None:
    limiter = MemoryLimiter()
    for _ in range(10):
        limiter.admit([("app", Limits(requests_per_minute=10))], START)
    with pytest.raises(RateLimited) as caught:
        limiter.admit([("app", Limits(requests_per_minute=100))], START)
    assert caught.value.retry_after_ms == 600
    for _ in range(50):
        limiter.admit([("app", Limits(requests_per_minute=100))], START + MINUTE_NS // 2)
    with pytest.raises(RateLimited):
        limiter.admit([("app", Limits(requests_per_minute=100))], START + MINUTE_NS // 2)


def test_a_new_limit_rounds_what_was_used_up_and_never_down() -> None:
    limiter = MemoryLimiter()
    for _ in range(7):
        limiter.admit([("app", Limits(requests_per_minute=7))], START + 1)
    for rate in (3, 7, 11, 7):
        with pytest.raises(RateLimited):
            limiter.admit([("app", Limits(requests_per_minute=rate))], START + 1)
    with pytest.raises(RateLimited) as caught:
        limiter.admit([("app", Limits(requests_per_minute=7))], START + 1)
    assert caught.value.retry_after_ms == 8572


def test_a_concurrency_limit_that_appears_counts_what_is_in_flight_already() -> None:
    limiter = MemoryLimiter()
    limiter.admit([("app", Limits())], START)
    with pytest.raises(ConcurrencyLimited):
        limiter.admit([("app", Limits(concurrency=1))], START)


def test_a_rate_that_is_lifted_and_set_again_begins_full() -> None:
    limiter = MemoryLimiter()
    limiter.admit([("app", Limits(requests_per_minute=1))], START)
    limiter.admit([("app", Limits())], START)
    limiter.admit([("app", Limits(requests_per_minute=1))], START)


def test_a_scope_that_stands_twice_is_an_error_and_charges_nothing() -> None:
    limiter = MemoryLimiter(sweep_at=1)
    limits = Limits(requests_per_minute=1, concurrency=1)
    with pytest.raises(ValueError, match="twice"):
        limiter.admit([("app", limits), ("app", limits)], START)
    assert limiter.in_flight == 0
    limiter.admit([("app", limits)], START)
