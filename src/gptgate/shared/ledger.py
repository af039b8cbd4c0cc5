"""What this gateway has spent itself: the part of the shared sums that it can tell again when they are lost."""

from collections.abc import Callable, Iterator, Sequence

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, TopUp
from gptgate.core.facts import Reservation
from gptgate.cost.ledger import MemoryLedger


class OwnLedger(MemoryLedger):
    """A ledger that refuses nothing and reports nothing: the shared counters do. It hears of every settlement first."""

    def __init__(self) -> None:
        super().__init__()
        self._counted: dict[int, tuple[BudgetSpec, BudgetSpec]] = {}
        self.settled: Callable[[str, Spend], None] = lambda _request_id, _spend: None
        """Told the id and the real spending of each reservation that was settled, once."""

    def expect(self, charges: Sequence[BudgetCharge], at_ms: int) -> BudgetCharge | None:
        """Have all of these accounts among the parts from now on, be it with nothing: the counters may charge what is
        never counted here. One whose budget has too many accounts for another; None where all have theirs now."""
        for charge in charges:
            book = self._book(charge.budget)
            account = book.account(charge.key, at_ms)
            if account is None:
                return charge
            account.add(book.slots.slot(at_ms), 0)
        return None

    def count(
        self, request_id: str, app: str, charges: Sequence[BudgetCharge], spend: Spend, at_ms: int
    ) -> Reservation:
        """Note what the counters have admitted, however many accounts there are by now."""
        counted = [BudgetCharge(self._counting(charge.budget), charge.key) for charge in charges]
        for charge in counted:
            self._book(charge.budget).restored(charge.key)
        return self.reserve(request_id, app, counted, spend, at_ms)

    def settle(self, reservation: Reservation, spend: Spend) -> None:
        known = reservation.id in self._open
        super().settle(reservation, spend)
        if known:
            self.settled(reservation.id, spend)

    def forget(self, reservation: Reservation) -> None:
        """As if it had never been counted."""
        super().settle(reservation, Spend())

    def parts(
        self, budgets: Sequence[BudgetSpec]
    ) -> Iterator[tuple[BudgetSpec, tuple[str, ...], int, int, int, Sequence[TopUp]]]:
        """For each slot of each account: its time, what is settled and reserved in it, what of it is reserved, and how
        this gateway's operators changed its amount."""
        held: dict[tuple[int, int], int] = {}
        for one in self._open.values():
            for charge, account, slot in one.lines:
                place = (id(account), slot)
                held[place] = held.get(place, 0) + one.spend.of(charge.budget.unit)
        for budget in budgets:
            book = self._book(budget)
            for key, account in book.accounts.items():
                for slot in {**account.amounts, **account.changes}:
                    yield (
                        budget,
                        key,
                        slot,
                        account.amounts.get(slot, 0),
                        held.get((id(account), slot), 0),
                        account.changes.get(slot, ()),
                    )

    def _counting(self, budget: BudgetSpec) -> BudgetSpec:
        known = self._counted.get(id(budget))
        if known is None or known[0] is not budget:
            if len(self._counted) > 1000:
                self._counted.clear()
            known = self._counted[id(budget)] = (budget, budget.counting())
        return known[1]
