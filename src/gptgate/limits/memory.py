"""Limits of one process, in memory.

What flows (requests, tokens) follows GCRA (the generic cell rate algorithm, ITU-T I.371, the virtual scheduling form)
with a burst as large as the limit: after a quiet window so many may come at once, and then they come back evenly. There
are no fixed windows, hence no edge at which a caller gets two windows' worth.

Time is a whole number of nanoseconds. A counter's theoretical arrival time is kept in nanoseconds times its amount, so
that what one unit takes (a window, in that measure) is whole too, and nothing is ever rounded but the answer to "when
may I come again", which is rounded up.
"""

from collections.abc import Sequence

from gptgate.core.errors import ClientError
from gptgate.core.limit import Charge, LimitSpec, Standing
from gptgate.limits.refusals import exceeds, no_place, used_up

_NS_PER_MS = 1_000_000
SWEEP_AT = 1024
"""So many counters are kept before the first look for those that can be forgotten."""

MOST_FORMER = 8
"""So many configurations of a limit are known again when a request comes late: as many may be in use at once."""

MOST = 1_000_000
"""So many counters there are at most. Further values of a limit share one counter: callers can make up end users and
sessions without end, and memory has one."""


class _Counter:
    """Of a limit with a window: `arrival` is the theoretical arrival time in nanoseconds × `amount`, and one unit moves
    it by `window_ns`. Of a concurrent limit `window_ns` is 0, and `in_flight` counts.
    """

    __slots__ = ("amount", "arrival", "former", "in_flight", "spec", "window_ns")

    def __init__(self, spec: LimitSpec) -> None:
        self.spec = spec
        self.amount = spec.amount
        self.window_ns = spec.window_ms * _NS_PER_MS
        self.arrival = 0
        self.in_flight = 0
        self.former: tuple[LimitSpec, ...] = ()
        """What it was before, the newest last."""

    def was(self, spec: LimitSpec) -> bool:
        """A configuration that another has taken the place of. Requests that began under it are judged by the new one:
        if they changed the counter back, each change would forget a part of what was used.
        """
        return any(spec is former for former in self.former)

    def take_over(self, spec: LimitSpec, now_ns: int) -> None:
        """A new configuration's amount and window. The units that were used stay used, so a limit that was raised has
        room at once; one that was lowered is used up for one window at most, or for as long as it was before.
        """
        window_ns = spec.window_ms * _NS_PER_MS
        if (spec.amount, window_ns) != (self.amount, self.window_ns):
            ahead = max(0, self.arrival - now_ns * self.amount)
            units = -(-ahead * window_ns // self.window_ns) if self.window_ns else 0
            time = -(-ahead * spec.amount // self.amount)
            self.arrival = now_ns * spec.amount + min(units, max(spec.amount * window_ns, time))
        self.former = (*self.former[1 - MOST_FORMER :], self.spec)
        self.spec, self.amount, self.window_ns = spec, spec.amount, window_ns

    def early(self, now_ns: int, cost: int) -> int:
        """By how much of `arrival` so many units come too early; 0 or less when they are there."""
        return self.arrival - (self.amount - cost) * self.window_ns - now_ns * self.amount

    def correct(self, now_ns: int, more: int) -> None:
        """A charge was too small by `more`, or too large where that is negative."""
        if more > 0:
            self.arrival = max(self.arrival, now_ns * self.amount)
        self.arrival += more * self.window_ns

    def is_fresh(self, now_ns: int) -> bool:
        """No different from a counter that was never used."""
        return not self.in_flight and self.arrival <= now_ns * self.amount

    def standing(self, now_ns: int) -> Standing:
        ahead = max(0, self.arrival - now_ns * self.amount)
        remaining = max(0, self.amount - -(-ahead // self.window_ns))
        return Standing(self.spec.unit, self.amount, remaining, -(-ahead // self.amount))


class MemoryAdmission:
    """What a request holds of some counters."""

    __slots__ = ("_charges", "_counters", "_limiter")

    def __init__(self, limiter: "MemoryLimiter", charges: Sequence[Charge], counters: Sequence[_Counter]) -> None:
        self._limiter: MemoryLimiter | None = limiter
        self._charges = charges
        self._counters = counters

    def release(self) -> None:
        """Give the places back. Calling it again changes nothing."""
        limiter = self._limiter
        if limiter is None:
            return
        self._limiter = None
        limiter.in_flight -= 1
        for counter in self._counters:
            if not counter.window_ns:
                counter.in_flight -= 1

    def cancel(self, now_ns: int) -> None:
        """Give everything back, as if nothing had been charged."""
        self.settle([0] * len(self._charges), now_ns)
        self.release()

    def settle(self, spent: Sequence[int], now_ns: int) -> None:
        """Put what was really spent, for each charge in its order, in the place of what was charged."""
        limiter = self._limiter
        for counter, charge, real in zip(self._counters, self._charges, spent, strict=True):
            current = counter if limiter is None else limiter.current(charge, counter)
            current.correct(now_ns, real - charge.amount)

    def standing(self, now_ns: int) -> tuple[Standing, ...]:
        """How the counters with a window stand now."""
        return tuple([counter.standing(now_ns) for counter in self._counters if counter.window_ns])


class MemoryLimiter:
    """Implements `Limiter` for one process. Owned by one event loop; no call awaits, so each is atomic.

    Memory is bounded by the counters in use: whenever their number has doubled, those that are back to full and have
    nothing in flight are dropped; there are never more than `most`, and one for each limit. `now_ns` comes from a clock
    that never goes back.
    """

    def __init__(self, sweep_at: int = SWEEP_AT, most: int = MOST) -> None:
        self._counters: dict[str, _Counter] = {}
        self._least = self._sweep_at = sweep_at
        self._most = most
        self.in_flight = 0
        """Admissions that were not released yet."""

    @property
    def size(self) -> int:
        """Counters that are kept."""
        return len(self._counters)

    def admit(self, charges: Sequence[Charge], now_ns: int) -> MemoryAdmission:
        """Charge all of them together, or none.

        Raises ExceedsLimit when a charge is larger than its whole limit; RateLimited, where `retry_after_ms` is the
        longest wait of all, exact but for rounding up: after it every rate admits, unless others came first;
        ConcurrencyLimited when the rates admit and a place is missing. Raises ValueError when a counter stands twice in
        the list, for it would be charged twice unchecked.
        """
        if len(self._counters) > self._sweep_at:
            self._sweep(now_ns)
        get = self._counters.get
        known: list[_Counter] = []
        refused = False
        # Every request comes through these two loops, so they call nothing.
        for spec, key, cost in charges:
            counter = get(key)
            if counter is None or counter.spec is not spec:
                counter = self._counter(spec, key, now_ns)
            known.append(counter)
            if window_ns := counter.window_ns:
                amount = counter.amount
                if cost > amount or counter.arrival > now_ns * amount + (amount - cost) * window_ns:
                    refused = True
            elif counter.in_flight >= counter.amount:
                refused = True
        if refused:
            raise self._refusal(charges, known, now_ns)
        if len(set(known)) != len(known):
            raise ValueError("a counter stands twice in one admission")
        for counter, (_, _, cost) in zip(known, charges, strict=True):
            if window_ns := counter.window_ns:
                now = now_ns * counter.amount
                arrival = counter.arrival
                counter.arrival = (arrival if arrival > now else now) + cost * window_ns
            else:
                counter.in_flight += 1
        self.in_flight += 1
        return MemoryAdmission(self, charges, known)

    def look(self, charges: Sequence[Charge], now_ns: int) -> tuple[Standing, ...]:
        """How the counters of these charges stand. Nothing is charged, nothing is remembered."""
        found = [self._counters.get(charge.key) or _Counter(charge.spec) for charge in charges]
        return tuple([counter.standing(now_ns) for counter in found if counter.window_ns])

    def current(self, charge: Charge, counter: _Counter) -> _Counter:
        """What counts now in the place of a counter that was charged: it may have been full again, and forgotten."""
        if self._counters.get(charge.spec.name) is counter:
            return counter
        return self._counters.setdefault(charge.key, counter)

    def _refusal(self, charges: Sequence[Charge], known: Sequence[_Counter], now_ns: int) -> ClientError:
        """What cannot ever be, else the longest wait, else the first place that is missing."""
        wait_ns, slowest, full = 0, None, None
        error: ClientError | None = None
        for counter, (spec, _, cost) in zip(known, charges, strict=True):
            if not counter.window_ns:
                full = spec if full is None and counter.in_flight >= counter.amount else full
            elif cost > counter.amount:
                error = exceeds(spec, cost)
                break
            elif (wait := -(-counter.early(now_ns, cost) // counter.amount)) > wait_ns:
                wait_ns, slowest = wait, spec
        else:
            if slowest is not None:
                spec, error = slowest, used_up(slowest, wait_ns)
            elif full is not None:
                spec, error = full, no_place(full)
        if error is None:
            raise ValueError("nothing refuses this request")
        error.limit = spec.name
        error.standing = tuple([counter.standing(now_ns) for counter in known if counter.window_ns])
        return error

    def _counter(self, spec: LimitSpec, key: str, now_ns: int) -> _Counter:
        counter = self._counters.get(key)
        if counter is None and len(self._counters) >= self._most:
            self._sweep(now_ns)
            if len(self._counters) >= self._most:
                key = spec.name
                counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = _Counter(spec)
        elif counter.spec is not spec and not counter.was(spec):
            counter.take_over(spec, now_ns)
        return counter

    def _sweep(self, now_ns: int) -> None:
        """Forget all counters that are no different from new ones. The next sweep is due when their number has doubled,
        so that a sweep costs a constant time for each counter that was added."""
        for key in [key for key, counter in self._counters.items() if counter.is_fresh(now_ns)]:
            del self._counters[key]
        self._sweep_at = max(self._least, 2 * len(self._counters))
