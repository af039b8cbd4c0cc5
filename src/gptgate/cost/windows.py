"""When what was spent stops to count."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gptgate.core.budgets import SLOT_MS, BudgetSpec, Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY_MS = 86_400_000
LATEST_MS = 253_370_764_800_000
"""The year 9999: past it there is no calendar."""


class Slots:
    """Where a budget's spending is counted.

    A calendar window is one slot, named by its first millisecond; a lifetime is slot 0. A rolling window is made of
    quarters of an hour: what was spent counts for the window's length, and up to a quarter of an hour longer, never
    shorter.
    """

    def __init__(self, budget: BudgetSpec) -> None:
        self.rolling = budget.rolling
        self._over_ms = budget.over_ms // SLOT_MS * SLOT_MS
        self._bounds = _BOUNDS.get(budget.window)
        self._zone = ZoneInfo(budget.time_zone)
        self._begin = self._end = 0

    def slot(self, at_ms: int) -> int:
        """The slot in which something at this time is counted."""
        if self._begin <= at_ms < self._end:
            return self._begin
        if self.rolling:
            self._begin = at_ms // SLOT_MS * SLOT_MS
            self._end = self._begin + SLOT_MS
        elif self._bounds is None:
            return 0
        else:
            local = (_EPOCH + timedelta(milliseconds=min(max(at_ms, 0), LATEST_MS))).astimezone(self._zone)
            begin, end = self._bounds(local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0))
            self._begin, self._end = _unix_ms(begin), _unix_ms(end)
        return self._begin

    def first(self, at_ms: int) -> int:
        """The first slot that counts at this time; the last one is `slot`."""
        return self.slot(at_ms) - self._over_ms if self.rolling else self.slot(at_ms)

    def before(self, at_ms: int) -> int:
        """The first slot of the window before: what is older is of no use, even should the clock step back by one."""
        first = self.first(at_ms)
        return first - self._over_ms if self.rolling else self.slot(max(first - 1, 0))


def _day(midnight: datetime) -> tuple[datetime, datetime]:
    return midnight, midnight + timedelta(days=1)


def _week(midnight: datetime) -> tuple[datetime, datetime]:
    monday = midnight - timedelta(days=midnight.weekday())
    return monday, monday + timedelta(days=7)


def _month(midnight: datetime) -> tuple[datetime, datetime]:
    first = midnight.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


_BOUNDS: dict[Window, Callable[[datetime], tuple[datetime, datetime]]] = {
    Window.DAY: _day,
    Window.WEEK: _week,
    Window.MONTH: _month,
}


def _unix_ms(local: datetime) -> int:
    # Arithmetic on a local time keeps the wall clock; only here is it asked which instant that was.
    return (local.astimezone(UTC) - _EPOCH) // _MILLISECOND


def month_of(at_ms: int) -> str:
    """The UTC month of a Unix time in milliseconds: ``2026-11``."""
    return _month_of_day(at_ms // _DAY_MS)


@lru_cache(maxsize=4)
def _month_of_day(day: int) -> str:
    return f"{_EPOCH + timedelta(days=day):%Y-%m}"


def month_start_ms(window: str) -> int:
    """The Unix time in milliseconds at which a UTC month begins. Raises ValueError when it is not like ``2026-11``."""
    return (datetime.strptime(window, "%Y-%m").replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
