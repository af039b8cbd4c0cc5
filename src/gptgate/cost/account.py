"""One account of one budget: what it has spent, by slots."""

from gptgate.cost.windows import Slots


class Account:
    """Amounts by slot, in the budget's unit: settled and reserved. `held` is the reserved part, of
    `open` reservations; `added` are top-ups.
    """

    __slots__ = ("_first", "_last", "_total", "added", "amounts", "held", "open", "reported")

    def __init__(self) -> None:
        self.amounts: dict[int, int] = {}
        self._first = self._last = self._total = 0
        self.added: dict[int, int] = {}
        self.held = self.open = 0
        self.reported = (0, 0)
        """The window of the last report, and the highest percentage that was reported in it."""

    def spent(self, slots: Slots, at_ms: int) -> int:
        """What counts at this time."""
        last = slots.slot(at_ms)
        if not slots.rolling:
            return self.amounts.get(last, 0)
        if last != self._last:
            self._move(slots.first(at_ms), last)
        return self._total

    def add(self, slot: int, amount: int) -> None:
        """Change what a slot holds."""
        self.amounts[slot] = self.amounts.get(slot, 0) + amount
        if slot >= self._first:
            self._total += amount

    def _move(self, first: int, last: int) -> None:
        """Count from this slot on. A clock that went back finds later slots too: they were spent."""
        # One window is kept behind, so that a clock that is set back finds what had left.
        oldest = first - (last - first)
        if not self.held:
            self.amounts = {slot: amount for slot, amount in self.amounts.items() if slot >= oldest}
        self._first, self._last = first, last
        self._total = sum(amount for slot, amount in self.amounts.items() if slot >= first)

    def is_idle(self, oldest: int) -> bool:
        """Nothing in it counts, or can count again."""
        entries = (*self.amounts.items(), *self.added.items())
        return not self.open and all(slot < oldest or not amount for slot, amount in entries)
