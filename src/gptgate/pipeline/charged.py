"""The budgets that are in force while one Snapshot replaces another."""

from collections.abc import Iterable, Sequence

from gptgate.core.budgets import BudgetSpec


class ChargedBudgets:
    """The budgets that the requests of one Snapshot are charged to: its `own`, by which they are decided, and those of
    the other Snapshots that still have requests, which only count. So each of them knows of every dollar.
    """

    def __init__(self, own: Sequence[BudgetSpec]) -> None:
        self.own = tuple(own)
        self.all = self.own

    def count(self, budgets: Iterable[BudgetSpec]) -> None:
        """From now on these are counted besides."""
        own = {budget.counts for budget in self.own}
        self.all = (*self.own, *[budget.counting() for budget in budgets if budget.counts not in own])
