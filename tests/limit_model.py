"""Limits as they should be: the model that limiters are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gptgate.core.limit import Charge, LimitSpec


@dataclass
class Bucket:
    """What is left, in fractions of a unit: it comes back evenly, all of it in a window. Places never come back so."""

    limit: LimitSpec
    left: Fraction
    at_ns: int = 0

    def refill(self, now_ns: int) -> None:
        if self.limit.window_ms:
            back = Fraction(self.limit.amount * (now_ns - self.at_ns), self.limit.window_ms * 1_000_000)
            self.left = min(Fraction(self.limit.amount), self.left + back)
        self.at_ns = now_ns

    def correct(self, more: int) -> None:
        self.left = min(Fraction(self.limit.amount), self.left - more)


class Model:
    """All limits of a request admit it, or none is charged."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}

    def bucket(self, one: Charge) -> Bucket:
        return self.buckets.setdefault(one.key, Bucket(one.spec, Fraction(one.spec.amount)))

    def fits(self, charges: Sequence[Charge], now_ns: int) -> bool:
        """Whether all admit it at this time."""
        for one in charges:
            self.bucket(one).refill(now_ns)
        return all(self.bucket(one).left >= one.amount for one in charges)

    def charge(self, charges: Sequence[Charge]) -> None:
        """Whether it fits or not."""
        for one in charges:
            self.bucket(one).left -= one.amount

    def admit(self, charges: Sequence[Charge], now_ns: int) -> bool:
        fits = self.fits(charges, now_ns)
        if fits:
            self.charge(charges)
        return fits

    def settle(self, charges: Sequence[Charge], spent: Sequence[int], now_ns: int) -> None:
        for one, real in zip(charges, spent, strict=True):
            bucket = self.bucket(one)
            bucket.refill(now_ns)
            bucket.correct(real - one.amount)
