"""What every `Limiter` promises."""

import pytest

from gptgate.core.errors import ConcurrencyLimited, ExceedsLimit, RateLimited
from gptgate.core.limit import Standing, Unit
from gptgate.core.ports import Limiter
from gptgate.core.snapshot import Limits
from gptgate.limits.memory import MemoryLimiter
from limit_parts import admit, charge, places, spec
from shared_parts import LimiterThere

LIMITERS = ("memory", "server")
START = 5_000_000_000_000
MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND


@pytest.fixture(params=LIMITERS)
def limiter(request: pytest.FixtureRequest) -> Limiter:
    if request.param == "memory":
        return MemoryLimiter()
    return LimiterThere(request.getfixturevalue("member")())


def per_minute(rate: int) -> Limits:
    return Limits(requests_per_minute=rate)


def at_once(count: int) -> Limits:
    return Limits(concurrency=count)


def test_as_many_as_the_limit_may_come_at_once_and_no_more(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(10))]
    for _ in range(10):
        admit(limiter, scope, START)
    with pytest.raises(RateLimited):
        admit(limiter, scope, START)


def test_retry_after_is_exact(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(7))]
    for _ in range(7):
        admit(limiter, scope, START)
    with pytest.raises(RateLimited) as caught:
        admit(limiter, scope, START)
    # A minute by seven is 8571.43 ms.
    assert caught.value.retry_after_ms == 8572
    with pytest.raises(RateLimited) as caught:
        admit(limiter, scope, START + 8571 * MS)
    assert caught.value.retry_after_ms == 1
    admit(limiter, scope, START + 8572 * MS)


def test_no_edge_lets_two_windows_worth_through(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(60))]
    for _ in range(60):
        admit(limiter, scope, START + 59 * SECOND)
    with pytest.raises(RateLimited):
        admit(limiter, scope, START + 59 * SECOND + 999 * MS)
    admit(limiter, scope, START + MINUTE)
    with pytest.raises(RateLimited):
        admit(limiter, scope, START + MINUTE + 1)


def test_a_scope_that_was_quiet_for_a_minute_is_full_again(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(3))]
    for start in (START, START + MINUTE, START + 9 * MINUTE):
        for _ in range(3):
            admit(limiter, scope, start)
        with pytest.raises(RateLimited):
            admit(limiter, scope, start)


def test_a_refused_request_is_not_charged(limiter: Limiter) -> None:
    scope = [("app:shop", per_minute(1))]
    admit(limiter, scope, START)
    for step in range(1, 60):
        with pytest.raises(RateLimited):
            admit(limiter, scope, START + step * SECOND)
    admit(limiter, scope, START + MINUTE)


def test_concurrency_counts_what_is_in_flight(limiter: Limiter) -> None:
    scope = [("key:k", at_once(2))]
    first = admit(limiter, scope, START)
    admit(limiter, scope, START)
    with pytest.raises(ConcurrencyLimited):
        admit(limiter, scope, START + MINUTE)
    first.release()
    admit(limiter, scope, START + MINUTE)
    with pytest.raises(ConcurrencyLimited):
        admit(limiter, scope, START + MINUTE)


def test_releasing_twice_changes_nothing(limiter: Limiter) -> None:
    scope = [("key:k", at_once(2))]
    first = admit(limiter, scope, START)
    admit(limiter, scope, START)
    first.release()
    first.release()
    admit(limiter, scope, START)
    with pytest.raises(ConcurrencyLimited):
        admit(limiter, scope, START)


def test_releasing_gives_no_rate_back(limiter: Limiter) -> None:
    scope = [("key:k", per_minute(1))]
    admit(limiter, scope, START).release()
    with pytest.raises(RateLimited):
        admit(limiter, scope, START)


@pytest.mark.parametrize("order", [1, -1])
def test_all_scopes_admit_or_none_is_charged(limiter: Limiter, order: int) -> None:
    narrow, wide = ("key:k", per_minute(1)), ("app:shop", per_minute(3))
    admit(limiter, [narrow], START)
    for _ in range(5):
        with pytest.raises(RateLimited, match="key:k"):
            admit(limiter, [narrow, wide][::order], START)
    for _ in range(3):
        admit(limiter, [wide], START)


@pytest.mark.parametrize("order", [1, -1])
def test_a_missing_place_charges_no_rate_and_takes_no_place(limiter: Limiter, order: int) -> None:
    full, other = ("key:k", at_once(1)), ("app:shop", Limits(requests_per_minute=1, concurrency=1))
    admit(limiter, [full], START)
    for _ in range(3):
        with pytest.raises(ConcurrencyLimited, match="key:k"):
            admit(limiter, [full, other][::order], START)
    admit(limiter, [other], START)


def test_the_longest_wait_is_told(limiter: Limiter) -> None:
    slow, quick = ("key:k", per_minute(1)), ("app:shop", per_minute(60))
    admit(limiter, [slow], START)
    for _ in range(60):
        admit(limiter, [quick], START)
    with pytest.raises(RateLimited, match="key:k") as caught:
        admit(limiter, [quick, slow], START)
    assert caught.value.retry_after_ms == 60_000


def test_messages_name_the_scope_and_the_limit(limiter: Limiter) -> None:
    admit(limiter, [("app:shop", per_minute(1))], START)
    with pytest.raises(RateLimited, match=r"the limit 'app:shop' of 1 request per minute is used up"):
        admit(limiter, [("app:shop", per_minute(1))], START)
    admit(limiter, [("key:k", at_once(1))], START)
    with pytest.raises(ConcurrencyLimited, match=r"the limit 'key:k places' of 1 request at the same time is reached"):
        admit(limiter, [("key:k", at_once(1))], START)


def test_scopes_do_not_share(limiter: Limiter) -> None:
    admit(limiter, [("app:a", Limits(requests_per_minute=1, concurrency=1))], START)
    admit(limiter, [("app:b", Limits(requests_per_minute=1, concurrency=1))], START)


def test_zero_is_no_limit(limiter: Limiter) -> None:
    for _ in range(1000):
        admit(limiter, [("app:shop", Limits())], START)


def test_no_scopes_admit_everything(limiter: Limiter) -> None:
    admit(limiter, [], START).release()


TOKENS = spec("tokens", 1000, unit=Unit.TOTAL_TOKENS)


def test_tokens_are_charged_by_their_number(limiter: Limiter) -> None:
    limiter.admit([charge(TOKENS, 600)], START)
    with pytest.raises(RateLimited) as caught:
        limiter.admit([charge(TOKENS, 401)], START)
    # One token comes back in 60 ms.
    assert (caught.value.retry_after_ms, caught.value.limit) == (60, "tokens")
    limiter.admit([charge(TOKENS, 400)], START)


def test_what_was_not_used_is_given_back(limiter: Limiter) -> None:
    held = limiter.admit([charge(TOKENS, 1000)], START)
    with pytest.raises(RateLimited):
        limiter.admit([charge(TOKENS, 1)], START)
    held.settle([10], START)
    limiter.admit([charge(TOKENS, 990)], START)
    with pytest.raises(RateLimited):
        limiter.admit([charge(TOKENS, 1)], START)


def test_giving_back_makes_no_more_than_a_whole_limit(limiter: Limiter) -> None:
    held = limiter.admit([charge(TOKENS, 1000)], START)
    held.settle([0], START + MINUTE)
    limiter.admit([charge(TOKENS, 1000)], START + MINUTE)
    with pytest.raises(RateLimited):
        limiter.admit([charge(TOKENS, 1)], START + MINUTE)


@pytest.mark.parametrize("later", [0, MINUTE, 60 * MINUTE])
def test_more_than_was_reserved_is_a_debt(limiter: Limiter, later: int) -> None:
    held = limiter.admit([charge(TOKENS, 1000)], START)
    held.settle([2000], START + later)
    with pytest.raises(RateLimited) as caught:
        limiter.admit([charge(TOKENS, 1)], START + later)
    owed = 1000 if not later else 0
    assert caught.value.retry_after_ms == (owed + 1) * 60


def test_a_cancelled_admission_was_never_charged(limiter: Limiter) -> None:
    all_ = [charge(TOKENS, 1000), charge(spec("r", 1)), charge(places("p", 1))]
    for _ in range(3):
        limiter.admit(all_, START).cancel(START)
    limiter.admit(all_, START)


def test_more_than_a_whole_limit_never_passes_and_is_told_so(limiter: Limiter) -> None:
    with pytest.raises(ExceedsLimit, match="1001 total tokens, more than the whole limit 'tokens' of 1000") as caught:
        limiter.admit([charge(spec("r", 1)), charge(TOKENS, 1001)], START)
    assert (caught.value.limit, caught.value.retryable, caught.value.retry_after_ms) == ("tokens", False, None)
    limiter.admit([charge(spec("r", 1))], START)


@pytest.mark.parametrize("window_ms", [1000, 3_600_000, 86_400_000])
def test_windows_from_a_second_to_a_day(limiter: Limiter, window_ms: int) -> None:
    limit = [charge(spec("w", 4, window_ms=window_ms))]
    for _ in range(4):
        limiter.admit(limit, START)
    with pytest.raises(RateLimited) as caught:
        limiter.admit(limit, START)
    assert caught.value.retry_after_ms == window_ms // 4
    limiter.admit(limit, START + window_ms // 4 * MS)


def test_a_debt_is_forgiven_by_no_change_of_its_limit(limiter: Limiter) -> None:
    limiter.admit([charge(spec("r", 10))], START).settle([50], START)
    for rate in (10, 20, 10, 2):
        with pytest.raises(RateLimited):
            limiter.admit([charge(spec("r", rate))], START + 2 * MINUTE)


def test_what_was_used_is_rounded_up_under_a_changed_limit(limiter: Limiter) -> None:
    for _ in range(7):
        admit(limiter, [("app:shop", per_minute(7))], START + 1)
    for rate in (3, 2):
        with pytest.raises(RateLimited):
            admit(limiter, [("app:shop", per_minute(rate))], START + 1)


def test_values_do_not_share(limiter: Limiter) -> None:
    limit = spec("each", 1)
    limiter.admit([charge(limit, value="a")], START)
    limiter.admit([charge(limit, value="b")], START)
    with pytest.raises(RateLimited):
        limiter.admit([charge(limit, value="a")], START)


def test_standing_counts_the_request_itself(limiter: Limiter) -> None:
    held = limiter.admit([charge(TOKENS, 100), charge(spec("r", 60)), charge(places("p", 1))], START)
    tokens, requests = held.standing(START)
    assert tokens == Standing(Unit.TOTAL_TOKENS, 1000, 900, 6 * SECOND)
    assert requests == Standing(Unit.REQUESTS, 60, 59, SECOND)
    assert limiter.look([charge(TOKENS, 1)], START) == (tokens,)
    held.settle([40, 1, 1], START)
    assert limiter.look([charge(TOKENS, 1)], START) == (Standing(Unit.TOTAL_TOKENS, 1000, 960, 2400 * MS),)


def test_a_refusal_says_how_the_limits_stand(limiter: Limiter) -> None:
    limit = spec("r", 2)
    for _ in range(2):
        limiter.admit([charge(limit)], START)
    with pytest.raises(RateLimited) as caught:
        limiter.admit([charge(limit)], START)
    assert caught.value.standing == (Standing(Unit.REQUESTS, 2, 0, MINUTE),)


def test_a_look_changes_nothing(limiter: Limiter) -> None:
    assert limiter.look([charge(TOKENS, 1)], START) == (Standing(Unit.TOTAL_TOKENS, 1000, 1000, 0),)
    limiter.admit([charge(TOKENS, 1000)], START)
