"""Limits of one process, in memory.

Requests per minute follow GCRA (the generic cell rate algorithm, ITU-T I.371, the virtual scheduling form) with a burst
as large as the limit: after a quiet minute so many requests may come at once, and then one for each sixtieth of a
minute divided by the limit. There are no windows, hence no edge at which a caller gets two windows' worth.

Time is a whole number of nanoseconds. A scope's theoretical arrival time is kept in nanoseconds times its limit, so
that the interval between two requests (a minute, in that unit) is whole too, and nothing is ever rounded but the answer
to "when may I come again", which is rounded up.
"""

from collections.abc import Sequence

from gptgate.core.errors import ConcurrencyLimited, RateLimited
from gptgate.core.snapshot import Limits

MINUTE_NS = 60_000_000_000
_NS_PER_MS = 1_000_000
SWEEP_AT = 1024
"""So many scopes are remembered before the first look for those that can be forgotten."""


class _Scope:
    """`arrival` is the theoretical arrival time in nanoseconds × `rate`; `rate` 0 means no limit."""

    __slots__ = ("arrival", "in_flight", "rate")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.arrival = 0
        self.in_flight = 0

    def set_rate(self, rate: int) -> None:
        """Take over a new limit from a new configuration. What was used stays used, in time."""
        if rate and self.rate:
            self.arrival = -(-self.arrival * rate // self.rate)
        else:
            self.arrival = 0
        self.rate = rate

    def wait_ns(self, now_ns: int) -> int:
        """How long until this scope admits a request: 0 or less when it does so now."""
        if not self.rate:
            return 0
        early = self.arrival - (self.rate - 1) * MINUTE_NS - now_ns * self.rate
        return -(-early // self.rate)

    def charge(self, now_ns: int) -> None:
        if self.rate:
            self.arrival = max(self.arrival, now_ns * self.rate) + MINUTE_NS
        self.in_flight += 1

    def is_fresh(self, now_ns: int) -> bool:
        """No different from a scope that was never used."""
        return not self.in_flight and self.arrival <= now_ns * self.rate


class MemoryAdmission:
    """A place in the limits; `release` gives it back."""

    __slots__ = ("_limiter", "_scopes")

    def __init__(self, limiter: "MemoryLimiter", scopes: Sequence[_Scope]) -> None:
        self._limiter: MemoryLimiter | None = limiter
        self._scopes = scopes

    def release(self) -> None:
        """Give the concurrency back. Calling it again changes nothing."""
        limiter = self._limiter
        if limiter is None:
            return
        self._limiter = None
        for scope in self._scopes:
            scope.in_flight -= 1
        limiter._in_flight -= 1


class MemoryLimiter:
    """Implements `Limiter` for one process. Owned by one event loop; no call awaits, so each is atomic.

    Memory is bounded by the scopes in use: whenever their number has doubled, those that are back to full and have
    nothing in flight are dropped. `now_ns` comes from a clock that never goes back.
    """

    def __init__(self, sweep_at: int = SWEEP_AT) -> None:
        self._scopes: dict[str, _Scope] = {}
        self._least = self._sweep_at = sweep_at
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Admissions that were not released yet."""
        return self._in_flight

    @property
    def size(self) -> int:
        """Scopes that are remembered."""
        return len(self._scopes)

    def admit(self, scopes: Sequence[tuple[str, Limits]], now_ns: int) -> MemoryAdmission:
        """Admit a request under each (scope name, limits) pair. All admit it together, or none is charged.

        Raises RateLimited, where `retry_after_ms` is the longest wait of all scopes, exact but for rounding up: after
        it every rate admits, unless others came first. Raises ConcurrencyLimited when the rates admit and a place is
        missing. Raises ValueError when a scope stands twice in the list, for it would be charged twice unchecked.
        """
        if len(self._scopes) > self._sweep_at:
            self._sweep(now_ns)
        known = [self._scope(name, limits.requests_per_minute) for name, limits in scopes]
        if len(set(known)) != len(known):
            raise ValueError("a scope stands twice in one admission")
        wait_ns = 0
        slowest = full = ""
        for (name, limits), scope in zip(scopes, known, strict=True):
            wait = scope.wait_ns(now_ns) if scope.rate else 0
            if wait > wait_ns:
                wait_ns, slowest = wait, f"{scope.rate} requests per minute of {name}"
            if limits.concurrency and scope.in_flight >= limits.concurrency and not full:
                full = f"{limits.concurrency} requests at the same time of {name}"
        if wait_ns > 0:
            raise RateLimited(f"the limit of {slowest} is used up", retry_after_ms=-(-wait_ns // _NS_PER_MS))
        if full:
            raise ConcurrencyLimited(f"the limit of {full} is reached")
        for scope in known:
            scope.charge(now_ns)
        self._in_flight += 1
        return MemoryAdmission(self, known)

    def _scope(self, name: str, rate: int) -> _Scope:
        scope = self._scopes.get(name)
        if scope is None:
            scope = self._scopes[name] = _Scope(rate)
        elif scope.rate != rate:
            scope.set_rate(rate)
        return scope

    def _sweep(self, now_ns: int) -> None:
        """Forget all scopes that are no different from new ones. The next sweep is due when their number has doubled,
        so that a sweep costs a constant time for each scope that was added."""
        for name in [name for name, scope in self._scopes.items() if scope.is_fresh(now_ns)]:
            del self._scopes[name]
        self._sweep_at = max(self._least, 2 * len(self._scopes))
