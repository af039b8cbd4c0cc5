"""The limiter of one process: what is special about it."""

import contextlib

import pytest

from gptgate.core.errors import ConcurrencyLimited, RateLimited
from gptgate.core.snapshot import Limits
from gptgate.limits.memory import MemoryLimiter
from limit_parts import admit, charge, spec

START = 7_000_000_000_000
MINUTE_NS = 60_000_000_000


def test_in_flight_counts_admissions_and_not_scopes() -> None:
    limiter = MemoryLimiter()
    one = admit(limiter, [("a", Limits()), ("b", Limits())], START)
    two = admit(limiter, [], START)
    assert limiter.in_flight == 2
    one.release()
    one.release()
    assert limiter.in_flight == 1
    two.release()
    assert limiter.in_flight == 0


def test_a_refusal_leaves_nothing_in_flight() -> None:
    limiter = MemoryLimiter()
    admit(limiter, [("a", Limits(concurrency=1))], START)
    with pytest.raises(ConcurrencyLimited):
        admit(limiter, [("a", Limits(concurrency=1))], START)
    assert limiter.in_flight == 1


def test_scopes_that_are_idle_and_full_again_are_dropped() -> None:
    limiter = MemoryLimiter(sweep_at=8)
    for number in range(10_000):
        limits = Limits(requests_per_minute=60, concurrency=1)
        admit(limiter, [(f"key:{number}", limits), ("app", Limits())], START + number * MINUTE_NS).release()
    assert limiter.size < 20


def test_scopes_are_kept_while_they_are_in_flight_or_not_full() -> None:
    limiter = MemoryLimiter(sweep_at=1)
    limits = Limits(requests_per_minute=1, concurrency=1)
    held = admit(limiter, [("held", Limits(concurrency=1))], START)
    admit(limiter, [("used", limits)], START).release()
    for number in range(100):
        admit(limiter, [(f"other:{number}", Limits())], START + MINUTE_NS - 1).release()
    with pytest.raises(RateLimited):
        admit(limiter, [("used", limits)], START + MINUTE_NS - 1)
    with pytest.raises(ConcurrencyLimited):
        admit(limiter, [("held", Limits(concurrency=1))], START + MINUTE_NS - 1)
    held.release()
    for number in range(100):
        admit(limiter, [(f"other:{number}", Limits())], START + MINUTE_NS).release()
    assert limiter.size < 6


def test_a_limit_that_was_raised_has_room_at_once_for_what_is_more() -> None:
    limiter = MemoryLimiter()
    for _ in range(10):
        admit(limiter, [("app", Limits(requests_per_minute=10))], START)
    for _ in range(90):
        admit(limiter, [("app", Limits(requests_per_minute=100))], START)
    with pytest.raises(RateLimited) as caught:
        admit(limiter, [("app", Limits(requests_per_minute=100))], START)
    assert caught.value.retry_after_ms == 600


def test_a_limit_that_was_lowered_is_used_up_for_one_window_at_most() -> None:
    limiter = MemoryLimiter()
    for _ in range(50):
        admit(limiter, [("app", Limits(requests_per_minute=100))], START)
    with pytest.raises(RateLimited) as caught:
        admit(limiter, [("app", Limits(requests_per_minute=2))], START)
    assert caught.value.retry_after_ms == 30_000
    for _ in range(2):
        admit(limiter, [("app", Limits(requests_per_minute=2))], START + MINUTE_NS)


def test_requests_that_come_late_under_a_former_limit_are_judged_by_the_new_one() -> None:
    limiter = MemoryLimiter()
    old, new = spec("r", 10), spec("r", 100)
    passed = 0
    for _ in range(300):
        for limit in (old, new):
            with contextlib.suppress(RateLimited):
                limiter.admit([charge(limit)], START)
                passed += 1
    assert passed == 100


def test_a_former_limit_that_is_applied_anew_is_in_force_again() -> None:
    limiter = MemoryLimiter()
    for amount in (10, 100, 10):
        limiter.admit([charge(spec("r", amount))], START)
    for _ in range(7):
        limiter.admit([charge(spec("r", 10))], START)
    with pytest.raises(RateLimited):
        limiter.admit([charge(spec("r", 10))], START)


def test_a_smaller_number_of_places_counts_what_is_in_flight_already() -> None:
    limiter = MemoryLimiter()
    for _ in range(2):
        admit(limiter, [("app", Limits(concurrency=2))], START)
    with pytest.raises(ConcurrencyLimited):
        admit(limiter, [("app", Limits(concurrency=1))], START)


def test_a_counter_that_stands_twice_is_an_error_and_charges_nothing() -> None:
    limiter = MemoryLimiter(sweep_at=1)
    limits = Limits(requests_per_minute=1, concurrency=1)
    with pytest.raises(ValueError, match="twice"):
        admit(limiter, [("app", limits), ("app", limits)], START)
    assert limiter.in_flight == 0
    admit(limiter, [("app", limits)], START)


def test_callers_who_make_up_values_without_end_share_a_counter_past_the_bound() -> None:
    limiter = MemoryLimiter(sweep_at=8, most=100)
    limit = spec("sessions", 2)
    for number in range(100):
        limiter.admit([charge(limit, value=str(number))], START)
    limiter.admit([charge(limit, value="a")], START)
    limiter.admit([charge(limit, value="b")], START)
    with pytest.raises(RateLimited):
        limiter.admit([charge(limit, value="c")], START)
    # Those that were there before have their own, and those that come after the sweep again.
    limiter.admit([charge(limit, value="7")], START)
    assert limiter.size == 101
    limiter.admit([charge(limit, value="c")], START + 2 * MINUTE_NS)
    assert limiter.size < 10
