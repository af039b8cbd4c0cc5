"""What every `Limiter` promises."""

from collections.abc import Callable

import pytest

from gptgate.core.errors import ConcurrencyLimited, RateLimited
from gptgate.core.ports import Limiter
from gptgate.core.snapshot import Limits
from gptgate.limits.memory import MemoryLimiter

Make = Callable[[], Limiter]
LIMITERS: dict[str, Make] = {"memory": MemoryLimiter}
START = 5_000_000_000_000
MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND


@pytest.fixture(params=list(LIMITERS.values()), ids=list(LIMITERS))
def limiter(request: pytest.FixtureRequest) -> Limiter:
    return request.param()  # type: ignore[no-any-return]


def per_minute(rate: int) -> Limits:
    return Limits(requests_per_minute=rate)


def at_once(count: int) -> Limits:
    return Limits(concurrency=count)


def test_as_many_as_the_limit_may_come_at_once_and_no_more(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(10))]
    for _ in range(10):
        limiter.admit(scope, START)
    with pytest.raises(RateLimited):
        limiter.admit(scope, START)


def test_retry_after_is_exact(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(7))]
    for _ in range(7):
        limiter.admit(scope, START)
    with pytest.raises(RateLimited) as caught:
        limiter.admit(scope, START)
    # A minute by seven is 8571.43 ms.
    assert caught.value.retry_after_ms == 8572
    with pytest.raises(RateLimited) as caught:
        limiter.admit(scope, START + 8571 * MS)
    assert caught.value.retry_after_ms == 1
    limiter.admit(scope, START + 8572 * MS)


def test_no_edge_lets_two_windows_worth_through(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(60))]
    for _ in range(60):
        limiter.admit(scope, START + 59 * SECOND)
    with pytest.raises(RateLimited):
        limiter.admit(scope, START + 59 * SECOND + 999 * MS)
    limiter.admit(scope, START + MINUTE)
    with pytest.raises(RateLimited):
        limiter.admit(scope, START + MINUTE + 1)


def test_a_scope_that_was_quiet_for_a_minute_is_full_again(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(3))]
    for start in (START, START + MINUTE, START + 9 * MINUTE):
        for _ in range(3):
            limiter.admit(scope, start)
        with pytest.raises(RateLimited):
            limiter.admit(scope, start)


def test_a_refused_request_is_not_charged(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(1))]
    limiter.admit(scope, START)
    for step in range(1, 60):
        with pytest.raises(RateLimited):
            limiter.admit(scope, START + step * SECOND)
    limiter.admit(scope, START + MINUTE)


def test_concurrency_counts_what_is_in_flight(limiter: Limiter) -> None:
    scope = [("key:k", at_once(2))]
    first = limiter.admit(scope, START)
    limiter.admit(scope, START)
    with pytest.raises(ConcurrencyLimited):
        limiter.admit(scope, START + MINUTE)
    first.release()
    limiter.admit(scope, START + MINUTE)
    with pytest.raises(ConcurrencyLimited):
        limiter.admit(scope, START + MINUTE)


def test_releasing_twice_changes_nothing(limiter: Limiter) -> None:
    scope = [("key:k", at_once(2))]
    first = limiter.admit(scope, START)
    limiter.admit(scope, START)
    first.release()
    first.release()
    limiter.admit(scope, START)
    with pytest.raises(ConcurrencyLimited):
        limiter.admit(scope, START)


def test_releasing_gives_no_rate_back(limiter: Limiter) -> None:
    scope = [("key:k", per_minute(1))]
    limiter.admit(scope, START).release()
    with pytest.raises(RateLimited):
        limiter.admit(scope, START)


@pytest.mark.parametrize("order", [1, -1])
def test_all_scopes_admit_or_none_is_charged(limiter: Limiter, order: int) -> None:
    narrow, wide = ("key:k", per_minute(1)), ("app:shop", per_minute(3))
    limiter.admit([narrow], START)
    for _ in range(5):
        with pytest.raises(RateLimited, match="key:k"):
            limiter.admit([narrow, wide][::order], START)
    for _ in range(3):
        limiter.admit([wide], START)


@pytest.mark.parametrize("order", [1, -1])
def test_a_missing_place_charges_no_rate_and_takes_no_place(limiter: Limiter, order: int) -> None:
    full, other = ("key:k", at_once(1)), ("app:shop", Limits(requests_per_minute=1, concurrency=1))
    limiter.admit([full], START)
    for _ in range(3):
        with pytest.raises(ConcurrencyLimited, match="key:k"):
            limiter.admit([full, other][::order], START)
    limiter.admit([other], START)


def test_the_longest_wait_is_told(limiter: Limiter) -> None:
    slow, quick = ("key:k", per_minute(1)), ("app:shop", per_minute(60))
    limiter.admit([slow], START)
    for _ in range(60):
        limiter.admit([quick], START)
    with pytest.raises(RateLimited, match="key:k") as caught:
        limiter.admit([quick, slow], START)
    assert caught.value.retry_after_ms == 60_000


def test_messages_name_the_scope_and_the_limit(limiter: Limiter) -> None:
    limiter.admit([("app:shop", per_minute(1))], START)
    with pytest.raises(RateLimited, match=r"1 requests per minute of app:shop"):
        limiter.admit([("app:shop", per_minute(1))], START)
    limiter.admit([("key:k", at_once(1))], START)
    with pytest.raises(ConcurrencyLimited, match=r"1 requests at the same time of key:k"):
        limiter.admit([("key:k", at_once(1))], START)


def test_scopes_do_not_share(limiter: Limiter) -> None:
    limiter.admit([("app:a", Limits(requests_per_minute=1, concurrency=1))], START)
    limiter.admit([("app:b", Limits(requests_per_minute=1, concurrency=1))], START)


def test_zero_is_no_limit(limiter: Limiter) -> None:
    for _ in range(1000):
        limiter.admit([("app:shop", Limits())], START)


def test_no_scopes_admit_everything(limiter: Limiter) -> None:
    limiter.admit([], START).release()
