"""What callers are told of the limits that refuse them."""

from gptgate.core.errors import ConcurrencyLimited, ExceedsLimit, RateLimited
from gptgate.core.limit import LimitSpec, Unit, shown_window
from gptgate.core.words import counted

_NS_PER_MS = 1_000_000


def _rate(spec: LimitSpec) -> str:
    return f"{counted(spec.amount, spec.unit.replace('_', ' '))} per {shown_window(spec.window_ms)}"


def used_up(spec: LimitSpec, wait_ns: int) -> RateLimited:
    """A rate that admits after so long."""
    wait_ms = -(-wait_ns // _NS_PER_MS)
    return RateLimited(f"the limit '{spec.name}' of {_rate(spec)} is used up", retry_after_ms=wait_ms)


def no_place(spec: LimitSpec) -> ConcurrencyLimited:
    """Too many at a time."""
    what = "streams" if spec.unit is Unit.CONCURRENT_STREAMS else "requests"
    return ConcurrencyLimited(f"the limit '{spec.name}' of {counted(spec.amount, what)} at the same time is reached")


def exceeds(spec: LimitSpec, cost: int) -> ExceedsLimit:
    """More than a whole limit."""
    what = counted(cost, spec.unit.replace("_", " "))
    return ExceedsLimit(
        f"this request may take {what}, more than the whole limit '{spec.name}' of {_rate(spec)}; ask for a shorter "
        "answer or send less"
    )
