"""What one request holds of the shared counters."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from gptgate.core.budgets import BudgetCharge, Spend
from gptgate.core.facts import Reservation
from gptgate.core.limit import Charge, Standing
from gptgate.core.shared import Wish
from gptgate.shared.names import Account

Level = tuple[int, int]
"""Of a rate: whole units used, and the rest in units of one by its window in microseconds. Of places: those taken."""


def standing_of(charge: Charge, level: Level, passed_us: int) -> Standing:
    """How a rate stands, so long after it had this level."""
    spec, window_us = charge.spec, charge.spec.window_ms * 1000
    used = max(0, level[0] * window_us + level[1] - passed_us * spec.amount)
    remaining = max(0, spec.amount - -(-used // window_us))
    return Standing(spec.unit, spec.amount, remaining, -(-used * 1000 // spec.amount))


class Part:
    """Some limits that a request was charged to. Implements `Admission`; nothing is told to the counters before the
    request is over."""

    def __init__(self, released: Callable[[], None]) -> None:
        self.charges: Sequence[Charge] = ()
        self.more: list[int] = []
        """What each charge turned out to be besides what it was."""
        self._levels: list[Level] = []
        self._at_ns = 0
        self._released = released

    def hold(self, charges: Sequence[Charge], levels: Sequence[Level], now_ns: int) -> None:
        """Charged, by the counters; `levels` are those before."""
        self.charges, self.more, self._at_ns = charges, [0] * len(charges), now_ns
        self._levels = [(level[0] + one.amount, level[1]) for one, level in zip(charges, levels, strict=True)]

    def grow(self, more: Sequence[int]) -> None:
        """Charged so much besides."""
        self.charges = [one._replace(amount=one.amount + extra) for one, extra in zip(self.charges, more, strict=True)]
        self._levels = [(level[0] + extra, level[1]) for level, extra in zip(self._levels, more, strict=True)]

    def release(self) -> None:
        self._released()

    def cancel(self, now_ns: int) -> None:
        self.settle([0] * len(self.charges), now_ns)
        self.release()

    def settle(self, spent: Sequence[int], now_ns: int) -> None:
        del now_ns
        self.more = [real - one.amount for one, real in zip(self.charges, spent, strict=True)]

    def standing(self, now_ns: int) -> tuple[Standing, ...]:
        passed_us = (now_ns - self._at_ns) // 1000
        return tuple(
            standing_of(charge, (level[0] + more, level[1]), passed_us)
            for charge, level, more in zip(self.charges, self._levels, self.more, strict=True)
            if charge.spec.window_ms
        )


class State(NamedTuple):
    """What the counters say of an account: spent, of that held, and how its amount was changed, of all gateways."""

    spent: int = 0
    held: int = 0
    added: int = 0
    set_to: int | None = None

    @classmethod
    def of(cls, told: Sequence[str]) -> "State":
        """As the script says it."""
        spent, held, added, set_to = told
        return cls(int(spent), int(held), int(added), int(set_to) if set_to else None)

    def limit(self, configured: int) -> int:
        """The amount in force."""
        return (configured if self.set_to is None else self.set_to) + self.added


class Line:
    """An account that a request was charged to; `state` is how it stood before."""

    __slots__ = ("account", "charge", "state")

    def __init__(self, charge: BudgetCharge, account: Account) -> None:
        self.charge, self.account = charge, account
        self.state = State()

    def left(self, limit: int, *, freed: bool) -> int:
        """What a reservation might have taken; `freed`: if nothing had been held."""
        state = self.state
        return max(state.limit(limit) - state.spent + (state.held if freed else 0), 0)


class SharedHold:
    """Implements `core.shared.Hold`; see there."""

    def __init__(
        self,
        request_id: str,
        app: str,
        at_ms: int,
        change: "Callable[[SharedHold, Sequence[Charge] | None, Wish], Awaitable[None]]",
        grow: "Callable[[SharedHold, Wish], Awaitable[None]]",
        finish: "Callable[[SharedHold], None]",
        limit_of: Callable[[BudgetCharge], int | None],
    ) -> None:
        self.id, self.app, self.at_ms = request_id, app, at_ms
        self.requests = Part(self._finish)
        self.tokens = Part(lambda: None)
        self.lines: list[Line] = []
        self.reservation: Reservation | None = None
        """None: none of the wish is held."""
        self.reserved = Spend()
        self.spent = Spend()
        """What was really spent, once the reservation is settled."""
        self.first = True
        """The counters know nothing of this request yet."""
        self.extensions = 0
        """So many were asked for: each is charged once, however often its answer is lost."""
        self._change, self._grow, self._when_finished, self._limit_of = change, grow, finish, limit_of
        self._finished = False

    @property
    def spent_nano(self) -> int:
        return self.lines[0].state.spent if self.lines else 0

    async def reserve(self, wish: Wish) -> Reservation:
        if not self._covers(wish):
            await self._change(self, None, wish)
        if self.reservation is None:
            raise ValueError("a wish that was granted is held")
        return self.reservation

    async def extend(self, tokens: Sequence[int], spend: Spend) -> Reservation:
        if self.reservation is None:
            raise ValueError("nothing is held that could be extended")
        before = self.reserved
        nano, held_tokens = max(spend.nano - before.nano, 0), max(spend.tokens - before.tokens, 0)
        more = [one._replace(amount=extra) for one, extra in zip(self.tokens.charges, tokens, strict=True) if extra]
        if nano or held_tokens or more:
            budgets = [line.charge for line in self.lines]
            await self._grow(self, Wish(more, budgets, Spend(nano=nano, tokens=held_tokens)))
            self.tokens.grow(tokens)
        return self.reservation

    async def move(self, limits: Sequence[Charge], wish: Wish) -> None:
        await self._change(self, limits, wish)

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        del at_ms
        limit = self._limit_of(charge)
        found = next((line for line in self.lines if line.charge == charge), None)
        return None if limit is None or found is None else found.left(limit, freed=freed)

    def _covers(self, wish: Wish) -> bool:
        held, wanted = self.reserved, wish.spend
        return (
            self.reservation is not None
            and [line.charge for line in self.lines] == list(wish.budgets)
            and wanted.nano <= held.nano
            and wanted.tokens <= held.tokens
            and wanted.requests <= held.requests
            and [one.key for one in self.tokens.charges] == [one.key for one in wish.tokens]
            and all(less.amount <= more.amount for less, more in zip(wish.tokens, self.tokens.charges, strict=True))
        )

    def _finish(self) -> None:
        if not self._finished:
            self._finished = True
            self._when_finished(self)
