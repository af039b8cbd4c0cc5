"""Limits written in short for tests of limiters."""

from collections.abc import Iterable

from gptgate.core.limit import Charge, LimitSpec, Unit
from gptgate.core.ports import Admission, Limiter
from gptgate.core.snapshot import Limits

MINUTE_MS = 60_000


def spec(name: str, amount: int, *, unit: Unit = Unit.REQUESTS, window_ms: int = MINUTE_MS) -> LimitSpec:
    """A limit that counts everything together."""
    return LimitSpec(name=name, scope=(), unit=unit, amount=amount, window_ms=window_ms)


def places(name: str, amount: int) -> LimitSpec:
    """A limit of what is in flight."""
    return spec(name, amount, unit=Unit.CONCURRENT_REQUESTS, window_ms=0)


def charge(limit: LimitSpec, amount: int = 1, value: str = "x") -> Charge:
    """So much of the counter of one value."""
    return Charge(limit, f"{limit.name}|{value}", amount)


def charges(scopes: Iterable[tuple[str, Limits]]) -> list[Charge]:
    """One request under the limits of each (name, limits) pair; the concurrent ones have names of their own."""
    made = []
    for name, limits in scopes:
        if limits.requests_per_minute:
            made.append(charge(spec(name, limits.requests_per_minute)))
        if limits.concurrency:
            made.append(charge(places(f"{name} places", limits.concurrency)))
    return made


def admit(limiter: Limiter, scopes: Iterable[tuple[str, Limits]], now_ns: int) -> Admission:
    """Admit one request under these limits."""
    return limiter.admit(charges(scopes), now_ns)
