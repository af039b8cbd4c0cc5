"""Who comes back before the time that a limit told is refused for everything, until it has waited."""

import pytest

from gptgate.core.errors import ClientError, RateLimited, RetryAfterIgnored
from gptgate.core.limit import IGNORED_RETRY_AFTER, Charge, Dimension, LimitSpec, Unit
from gptgate.limits.memory import MemoryLimiter
from gptgate.pipeline.patience import Patience
from pipeline_parts import configured, principal_of

SECOND = 1_000_000_000
CALLER = principal_of(configured())
GUARD = LimitSpec(name=IGNORED_RETRY_AFTER, scope=(Dimension.KEY,), unit=Unit.REQUESTS, amount=2, window_ms=60_000)


class Bench:
    """One key, one limit of a request per ten seconds, and a clock that is set by hand."""

    def __init__(self, guard: LimitSpec | None = GUARD) -> None:
        self.now_ns = 100 * SECOND
        self._limiter = MemoryLimiter()
        self._patience = Patience(guard, self._limiter, self)
        self._limits = {
            name: LimitSpec(name=name, scope=(), unit=Unit.REQUESTS, amount=1, window_ms=10_000) for name in "ab"
        }

    def wall_ms(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def ask(self, limit: str = "a", *, ago_s: float = 0) -> str:
        """The code of the refusal, nothing where there is none. The request arrived so long ago."""

        def admit() -> None:
            self._limiter.admit([Charge(self._limits[limit], limit, 1)], self.now_ns).release()

        self.now_ns += 1
        refused: ClientError | None = None
        try:
            self._patience.check(CALLER)
            self._patience.heed(CALLER, self.now_ns - round(ago_s * SECOND), admit)
        except ClientError as error:
            refused = error
        if refused is None:
            return ""
        assert refused.limit == (limit if isinstance(refused, RateLimited) else IGNORED_RETRY_AFTER)
        return refused.code


def test_who_waits_as_long_as_told_is_never_charged() -> None:
    bench = Bench()
    assert bench.ask() == ""
    for _ in range(20):
        assert bench.ask() == "rate_limited"
        bench.now_ns += 10 * SECOND
        assert bench.ask() == ""


def test_who_does_not_is_refused_for_everything_until_one_is_forgotten() -> None:
    bench = Bench()
    assert [bench.ask() for _ in range(5)] == [
        "",
        "rate_limited",
        "rate_limited",
        "rate_limited",
        "retry_after_ignored",
    ]
    assert bench.ask("b") == "retry_after_ignored"
    bench.now_ns += 29 * SECOND
    assert bench.ask("b") == "retry_after_ignored"
    bench.now_ns += SECOND
    assert bench.ask("b") == ""


def test_the_wait_that_is_told_is_exact() -> None:
    bench = Bench()
    for _ in range(4):
        bench.ask()
    with pytest.raises(RetryAfterIgnored) as caught:
        bench._patience.check(CALLER)
    assert caught.value.retry_after_ms == 30_000


def test_requests_that_were_under_way_when_the_refusal_was_told_are_not_charged() -> None:
    bench = Bench()
    assert bench.ask() == ""
    assert [bench.ask(ago_s=1) for _ in range(10)] == ["rate_limited"] * 10


def test_who_has_two_requests_under_way_at_a_time_is_charged_too() -> None:
    """Each arrives just before the one before it is refused, so every one knew nothing of the latest refusal."""
    bench = Bench()
    assert bench.ask() == ""
    codes = []
    for _ in range(10):
        bench.now_ns += SECOND // 10
        codes.append(bench.ask(ago_s=0.15))
    assert codes[-1] == "retry_after_ignored"


def test_a_wait_that_is_over_is_forgotten() -> None:
    bench = Bench()
    for _ in range(5):
        assert bench.ask() == ""
        assert bench.ask() == "rate_limited"
        bench.now_ns += 10 * SECOND


def test_another_limit_is_another_wait() -> None:
    bench = Bench()
    assert [bench.ask("a"), bench.ask("b"), bench.ask("a"), bench.ask("b")] == ["", "", "rate_limited", "rate_limited"]
    bench.now_ns += 10 * SECOND
    assert bench.ask("a") == ""
    assert bench.ask("b") == ""


def test_without_the_guard_nothing_is_charged() -> None:
    bench = Bench(None)
    assert [bench.ask() for _ in range(30)] == ["", *["rate_limited"] * 29]
