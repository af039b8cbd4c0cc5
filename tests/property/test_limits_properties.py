"""The limiter against an exact model: a token bucket in fractions."""

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.errors import ConcurrencyLimited, RateLimited
from gptgate.core.ports import Admission
from gptgate.core.snapshot import Limits
from gptgate.limits.memory import MemoryLimiter
from limit_parts import admit

MINUTE_NS = 60_000_000_000


class Bucket:
    """As many tokens as the limit; they come back evenly, all of them in a minute. No rounding anywhere."""

    def __init__(self, limit: int, concurrency: int) -> None:
        self.limit = limit
        self.concurrency = concurrency
        self.tokens = Fraction(limit)
        self.at = 0
        self.in_flight = 0

    def refill(self, now: int) -> None:
        self.tokens = min(Fraction(self.limit), self.tokens + Fraction(self.limit * (now - self.at), MINUTE_NS))
        self.at = now

    def wait_ns(self) -> Fraction:
        return max(Fraction(0), (1 - self.tokens) * MINUTE_NS / self.limit) if self.limit else Fraction(0)

    def is_full(self) -> bool:
        return bool(self.concurrency) and self.in_flight >= self.concurrency


def told_ms(refusal: RateLimited) -> int:
    assert refusal.retry_after_ms
    return refusal.retry_after_ms


limits = st.builds(Limits, requests_per_minute=st.integers(0, 5) | st.integers(59, 61), concurrency=st.integers(0, 3))
steps = st.one_of(
    st.tuples(st.just("admit"), st.lists(st.integers(0, 2), unique=True, max_size=3)),
    st.tuples(st.just("pass"), st.integers(0, 2 * MINUTE_NS) | st.integers(0, 3) | st.just(MINUTE_NS // 60)),
    st.tuples(st.just("release"), st.integers(0, 20)),
    st.tuples(st.just("wait"), st.just(0)),
)


@given(st.lists(limits, min_size=3, max_size=3), st.lists(steps, max_size=60))
def test_the_limiter_admits_exactly_what_the_model_admits(config: list[Limits], script: list[tuple[str, Any]]) -> None:
    limiter = MemoryLimiter()
    buckets = [Bucket(limit.requests_per_minute, limit.concurrency) for limit in config]
    open_: list[tuple[Admission, list[int]]] = []
    now = 1_000
    wait_ms = 0
    for action, argument in script:
        if action == "pass":
            now += argument
        elif action == "wait":
            now += wait_ms * 1_000_000
        elif action == "release" and open_:
            admission, members = open_[argument % len(open_)]
            admission.release()
            if (admission, members) in open_:
                open_.remove((admission, members))
                for member in members:
                    buckets[member].in_flight -= 1
            admission.release()
        elif action == "admit":
            members = list(argument)
            for member in members:
                buckets[member].refill(now)
            wait = max((buckets[member].wait_ns() for member in members), default=Fraction(0))
            try:
                admission = admit(limiter, [(f"scope {m}", config[m]) for m in members], now)
            except RateLimited as refusal:
                assert wait > 0
                wait_ms = told_ms(refusal)
                assert wait_ms * 1_000_000 >= wait > (wait_ms - 1) * 1_000_000
            except ConcurrencyLimited:
                assert wait == 0
                assert any(buckets[member].is_full() for member in members)
            else:
                assert wait == 0
                assert not any(buckets[member].is_full() for member in members)
                open_.append((admission, members))
                for member in members:
                    buckets[member].tokens -= 1
                    buckets[member].in_flight += 1
        assert limiter.in_flight == len(open_)
        for bucket in buckets:
            assert bucket.in_flight >= 0
            assert not bucket.concurrency or bucket.in_flight <= bucket.concurrency


@given(st.integers(1, 100), st.lists(st.integers(0, MINUTE_NS // 20), min_size=1, max_size=150))
def test_after_exactly_the_told_wait_a_request_is_admitted(rate: int, gaps: list[int]) -> None:
    limiter = MemoryLimiter()
    scope = [("s", Limits(requests_per_minute=rate))]
    now = 0
    for gap in gaps:
        now += gap
        try:
            admit(limiter, scope, now)
        except RateLimited as refusal:
            now += told_ms(refusal) * 1_000_000
            admit(limiter, scope, now)
