"""One account of one budget: what it has spent, by slots."""

from gptgate.core.budgets import TopUp
from gptgate.cost.windows import Slots


class Account:
    """Amounts by slot, in the budget's unit: settled and reserved. `held` is the reserved part, of
    `open` reservations. `set_to` are amounts in the place of the configured one, `added` what came after that, both
    out of `changes`.
    """

    __slots__ = ("_first", "_last", "_total", "added", "amounts", "changes", "held", "open", "reported", "set_to")

    def __init__(self) -> None:
        self.amounts: dict[int, int] = {}
        self._first = self._last = self._total = 0
        self.added: dict[int, int] = {}
        self.set_to: dict[int, int] = {}
        self.changes: dict[int, list[TopUp]] = {}
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

    def change(self, slot: int, top_up: TopUp) -> None:
        """Take the next change of the amount over."""
        self.changes.setdefault(slot, []).append(top_up)
        if top_up.configured:
            self.set_to.pop(slot, None)
            self.added.pop(slot, None)
        elif top_up.set_to is None:
            self.added[slot] = self.added.get(slot, 0) + top_up.amount
        else:
            self.set_to[slot], self.added[slot] = top_up.set_to, 0

    def unchanged(self) -> None:
        """Forget all changes of the amount."""
        for kept in (self.added, self.set_to, self.changes):
            kept.clear()

    def limit(self, configured: int, slot: int) -> int:
        """The amount in this slot."""
        return self.set_to.get(slot, configured) + self.added.get(slot, 0)

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
        spent = any(slot >= oldest and amount for slot, amount in self.amounts.items())
        return not (self.open or spent or any(slot >= oldest for slot in self.changes))
