"""Events and clocks for the storage tests."""

import time
from pathlib import Path
from typing import Any, TypeVar, get_origin

import msgspec

from gptgate.core.budgets import APP_MONTH
from gptgate.core.events import End, EndState, Intent
from gptgate.core.facts import Usage
from gptgate.storage.spending import Spending

T = TypeVar("T", bound=msgspec.Struct)
ZERO: dict[Any, Any] = {str: "", int: 0, bool: False, Usage: Usage(), EndState: EndState.COMPLETED}


class SystemClock:
    """The real one, for tests with real threads and processes."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class FixedClock:
    """A wall clock that stands at 2026-11-23 and a monotonic one that stands too."""

    def wall_ms(self) -> int:
        return 1_795_392_000_000

    def monotonic_ns(self) -> int:
        return 1


def blank(kind: type[T], **values: Any) -> T:
    """An event with every field empty but those given."""
    fields = {
        field.name: ZERO.get(field.type, () if get_origin(field.type) is tuple else {})
        for field in msgspec.structs.fields(kind)
        if field.required
    }
    return kind(**{**fields, **values})


def intent(request_id: str, **values: Any) -> Intent:
    return blank(Intent, id=request_id, **{"app": "shop", "window": "w", "reserved_nano": 900, **values})


def end(request_id: str, **values: Any) -> End:
    return blank(End, id=request_id, **{"app": "shop", "window": "w", "cost_nano": 100, **values})


def spent_by_app(folder: Path) -> dict[str, int]:
    """What the sums of a data folder say that each app has ever spent, in nano-dollars."""
    spending = Spending(folder)
    found: dict[str, int] = {}
    for (app,), _, nano in spending.of(APP_MONTH, 0):
        found[app] = found.get(app, 0) + nano
    spending.close()
    return found
