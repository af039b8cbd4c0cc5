"""Budgets: money is reserved before a request and settled after it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import Reservation
from gptgate.core.money import format_usd

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY_MS = 86_400_000


def month_of(at_ms: int) -> str:
    """The UTC month of a Unix time in milliseconds: ``2026-11``."""
    return _month_of_day(at_ms // _DAY_MS)


@lru_cache(maxsize=4)
def _month_of_day(day: int) -> str:
    return f"{_EPOCH + timedelta(days=day):%Y-%m}"


def month_start_ms(window: str) -> int:
    """The Unix time in milliseconds at which a UTC month begins. Raises ValueError when it is not like ``2026-11``."""
    return (datetime.strptime(window, "%Y-%m").replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


class MemoryLedger:
    """Implements `Ledger` in memory. Owned by one event loop; no call awaits, so each is atomic.

    `overrun_nano` is the sum of what settlements took beyond their reservations; it stays 0 as long as every ceiling
    was one.
    """

    def __init__(self, initial: Mapping[tuple[str, str], int]) -> None:
        """`initial` is what was spent before, in nano-dollars by (app, window): settled costs, and the reservations of
        requests whose end is not known, which stay spent."""
        self._spent = dict(initial)
        self._open: dict[str, Reservation] = {}
        self.overrun_nano = 0

    @property
    def open_reservations(self) -> int:
        """Reservations that were not settled yet."""
        return len(self._open)

    def reserve(self, request_id: str, app: str, limit_nano: int | None, nano: int, at_ms: int) -> Reservation:
        """Set `nano` aside for a request in the month of `at_ms`.

        Raises BudgetExceeded when that does not fit in what is left of `limit_nano` (None: no limit, only counted). A
        request that costs nothing fits always. The same request may ask again: it is given the reservation it has, and
        nothing is set aside twice. Raises ValueError for a negative amount, and when the same id asks for another app
        or amount.
        """
        if nano < 0:
            raise ValueError("a reservation is not negative")
        held = self._open.get(request_id)
        if held is not None:
            if (held.app, held.nano) != (app, nano):
                raise ValueError(f"request {request_id} has another reservation")
            return held
        window = month_of(at_ms)
        spent = self._spent.get((app, window), 0)
        if limit_nano is not None and nano and spent + nano > limit_nano:
            raise BudgetExceeded(
                f"the monthly budget of {app} is {_usd(limit_nano)}, of which {_usd(limit_nano - spent)} is left; "
                f"this request may cost up to {_usd(nano)}"
            )
        reservation = Reservation(id=request_id, app=app, window=window, nano=nano)
        self._spent[app, window] = spent + nano
        self._open[request_id] = reservation
        return reservation

    def settle(self, reservation: Reservation, nano: int) -> None:
        """Put the real cost in the place of a reservation, once; a second time changes nothing.

        The cost goes to the month in which the request began. It may exceed the reservation: what was spent is recorded
        as it is, and the excess is added to `overrun_nano`. Raises ValueError for a negative cost.
        """
        if nano < 0:
            raise ValueError("a cost is not negative")
        held = self._open.pop(reservation.id, None)
        if held is None:
            return
        self._spent[held.app, held.window] += nano - held.nano
        self.overrun_nano += max(nano - held.nano, 0)

    def spent(self, app: str, window: str) -> int:
        """Settled plus reserved, in nano-dollars."""
        return self._spent.get((app, window), 0)

    def spent_by(self, app: str, at_ms: int) -> int:
        """`spent` in the month of `at_ms`."""
        return self._spent.get((app, month_of(at_ms)), 0)


def _usd(nano: int) -> str:
    """Exact, without the zeros that say nothing: ``$12.50``, ``$0.000014``."""
    whole, _, decimals = format_usd(nano).partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}${whole}.{decimals.rstrip('0'):0<2}"
