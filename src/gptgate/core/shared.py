"""The port to counters that several gateways share: limits and budgets together, since a round trip has a price."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gptgate.core.budgets import BudgetCharge, Spend
from gptgate.core.facts import Reservation
from gptgate.core.limit import Charge
from gptgate.core.ports import Admission


class Wish(NamedTuple):
    """What a request takes at most: tokens of its limits, and of each of its budgets."""

    tokens: Sequence[Charge]
    budgets: Sequence[BudgetCharge]
    spend: Spend


class Held(Admission, Protocol):
    """An admission that says what was charged."""

    charges: Sequence[Charge]


class Hold(Protocol):
    """What one request holds. Release `requests` when the request is over: what was not settled by then is given back,
    and everything that changed is told to the counters, once.
    """

    @property
    def requests(self) -> Held: ...

    @property
    def tokens(self) -> Held: ...

    @property
    def spent_nano(self) -> int:
        """What the first budget of the wish had spent before this request."""
        ...

    async def reserve(self, wish: Wish) -> Reservation:
        """Hold exactly what the request takes. Asks the counters only where more is wished than is held.

        Raises RateLimited, ExceedsLimit, BudgetExceeded and CountersUnavailable. Then nothing but `requests` is held.
        """
        ...

    async def extend(self, tokens: Sequence[int], spend: Spend) -> Reservation:
        """Hold `spend` where it is more than what is held, and so many tokens more of each limit that `tokens` holds.

        Raises as `reserve`; then what was held is held.
        """
        ...

    async def move(self, limits: Sequence[Charge], wish: Wish) -> None:
        """Hold these in the place of all that is held. Raises as `Counters.admit`, and then holds nothing."""
        ...

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        """What the counters last said of this account: what a reservation may take; None where nothing limits it.
        `freed`: if all that is held settled at nothing."""
        ...


class Counters(Protocol):
    """Limits and budgets of all gateways. Every call is one atomic step, exact over all of them.

    - `admit` charges all `limits` or raises RateLimited, ConcurrencyLimited or ExceedsLimit. With them it takes the
      wish, where all of it fits; where it does not, `Hold.reserve` says why.
    - Whenever the counters do not answer, or are not complete, it raises CountersUnavailable.
    """

    async def admit(self, request_id: str, app: str, limits: Sequence[Charge], wish: Wish, at_ms: int) -> Hold: ...
