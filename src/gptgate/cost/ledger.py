"""Budgets: what a request may cost is reserved before it and settled after it, in every budget that it falls under."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from gptgate.core.budgets import (
    BudgetCharge,
    BudgetMode,
    BudgetSpec,
    Correction,
    Crossing,
    Dimension,
    Spend,
    Spent,
    TopUp,
    charges_by_names,
)
from gptgate.core.errors import BudgetExceeded, OverBudget, SessionLimited
from gptgate.core.facts import Reservation
from gptgate.cost.account import Account
from gptgate.cost.amounts import refusal, too_many
from gptgate.cost.windows import Slots, month_of

MAX_ACCOUNTS = 1_000_000
"""So many accounts a budget may have in memory. Callers make end users and sessions up, so there must be an end."""
MAX_APP_ACCOUNTS = 250_000
"""So many of them one app may have, so that what its callers make up takes no room from the others."""
MAX_KNOWN = 1000
"""So many specifications of budgets are remembered with their books; a configuration has a few dozen."""
SWEEP_AT = 1024
SWEEP_EVERY_MS = 60_000
"""A full book is not looked through for each request that finds it full."""


class _Book:
    """The accounts of one budget."""

    __slots__ = ("_app", "_of_app", "_swept_ms", "accounts", "slots", "sweep_at")

    def __init__(self, budget: BudgetSpec) -> None:
        self.slots = Slots(budget)
        self.accounts: dict[tuple[str, ...], Account] = {}
        self.sweep_at = SWEEP_AT
        self._app = budget.scope.index(Dimension.APP) if Dimension.APP in budget.scope else None
        self._of_app: Counter[str] = Counter()
        self._swept_ms = 0

    def account(self, key: tuple[str, ...], at_ms: int) -> Account | None:
        """The account, made where it is missing; None when there are too many."""
        found = self.accounts.get(key)
        if found is None:
            if self.sweep_at <= len(self.accounts) < MAX_ACCOUNTS or (
                self._is_full(key) and abs(at_ms - self._swept_ms) >= SWEEP_EVERY_MS
            ):
                self._sweep(at_ms)
            if self._is_full(key):
                return None
            found = self.accounts[key] = Account()
            if self._app is not None:
                self._of_app[key[self._app]] += 1
        return found

    def restored(self, key: tuple[str, ...]) -> Account:
        """The account, made where it is missing, however many there are: what it holds was spent already."""
        found = self.accounts.get(key)
        if found is None:
            found = self.accounts[key] = Account()
        return found

    def _is_full(self, key: tuple[str, ...]) -> bool:
        of_app = 0 if self._app is None else self._of_app[key[self._app]]
        return len(self.accounts) >= MAX_ACCOUNTS or of_app >= MAX_APP_ACCOUNTS

    def _sweep(self, at_ms: int) -> None:
        """Forget accounts whose windows are over and those that hold nothing. The next sweep is due when the number of
        the others has doubled.
        """
        oldest = self.slots.before(at_ms)
        self.accounts = {key: account for key, account in self.accounts.items() if not account.is_idle(oldest)}
        if self._app is not None:
            self._of_app = Counter([key[self._app] for key in self.accounts])
        self._swept_ms = at_ms
        self.sweep_at = min(max(SWEEP_AT, 2 * len(self.accounts)), MAX_ACCOUNTS)


class Held:
    """A reservation that was not settled yet, with what it holds where."""

    __slots__ = ("at_ms", "lines", "reservation", "spend")

    def __init__(
        self, reservation: Reservation, spend: Spend, lines: list[tuple[BudgetCharge, Account, int]], at_ms: int
    ) -> None:
        self.reservation, self.spend, self.lines, self.at_ms = reservation, spend, lines, at_ms


class MemoryLedger:
    """Implements `Ledger` in memory. Owned by one event loop; no call awaits, so each is atomic.

    `overrun_nano` is the sum of what settlements took beyond their reservations; it stays 0 as long as every ceiling
    was one.
    """

    def __init__(self, report: Callable[[Crossing], None] | None = None) -> None:
        """`report` is told each threshold once in a window, when what is settled has reached it."""
        self._books: dict[tuple[object, ...], _Book] = {}
        """By what they count: two configurations can be in force, whose budgets of one name count different things."""
        self._known: dict[int, tuple[BudgetSpec, _Book]] = {}
        self._open: dict[str, Held] = {}
        self._top_ups: frozenset[TopUp] = frozenset()
        self._report = report
        self.overrun_nano = 0
        self.when_settled: Callable[[], None] | None = None
        self.overheard: list[tuple[Held, Spend]] | None = None
        """What is settled, in its order, for somebody who put a list here."""

    @property
    def open_reservations(self) -> int:
        """Reservations that were not settled yet."""
        return len(self._open)

    def restore(self, budget: BudgetSpec, spent: Iterable[Spent], now_ms: int) -> None:
        """Take over what was settled before the start. Thresholds that it has reached count as reported."""
        book = self._book(budget)
        touched: dict[tuple[str, ...], Account] = {}
        for key, slot_ms, amount in spent:
            account = touched[key] = book.restored(key)
            account.add(book.slots.slot(slot_ms), amount)
        for key, account in touched.items():
            self._reached(BudgetCharge(budget, key), account, now_ms)

    def begin(self, budgets: Iterable[BudgetSpec]) -> None:
        """Count these from nothing on.

        What is reserved in one of them since before it was forgotten counts there no more, or it would count twice once
        it is adopted.
        """
        fresh = {budget.counts: _Book(budget) for budget in budgets}
        self._books |= fresh
        self._known.clear()
        for held in self._open.values():
            held.lines = [line for line in held.lines if line[0].budget.counts not in fresh]

    def keep(self, budgets: Iterable[BudgetSpec]) -> None:
        """Forget all other budgets. What is reserved in them can still be settled."""
        kept = {budget.counts for budget in budgets}
        self._books = {counts: book for counts, book in self._books.items() if counts in kept}
        self._known.clear()

    def adopt(self, request_id: str, charges: Iterable[BudgetCharge]) -> None:
        """Let a reservation that is not settled yet count in these accounts too, whatever is left there."""
        held = self._open.get(request_id)
        if held is None:
            return
        for charge in charges:
            book = self._book(charge.budget)
            account, slot = book.restored(charge.key), book.slots.slot(held.at_ms)
            _set_aside(charge, account, slot, held.spend)
            held.lines.append((charge, account, slot))

    def set_top_ups(self, budgets: Sequence[BudgetSpec], top_ups: Iterable[TopUp]) -> None:
        """From now on these, and no others, change the amounts of the budgets that they hold for, in their order."""
        for book in self._books.values():
            for account in book.accounts.values():
                account.unchanged()
        named: dict[str, list[BudgetSpec]] = {}
        for budget in budgets:
            named.setdefault(budget.name, []).append(budget)
        for top_up in top_ups:
            for budget in named.get(top_up.budget, ()):
                if top_up.holds_for(budget):
                    book = self._book(budget)
                    book.restored(top_up.key).change(book.slots.slot(top_up.at_ms), top_up)

    def reserve(
        self, request_id: str, app: str, charges: Sequence[BudgetCharge], spend: Spend, at_ms: int
    ) -> Reservation:
        """Set `spend` aside in all of these accounts, or in none.

        Raises BudgetExceeded, or SessionLimited of a guard, when it does not fit in what is left of a hard budget. A
        request that takes nothing of a budget's unit fits always. The same request may ask again: it is given the
        reservation it has, and nothing is set aside twice. Raises ValueError for a negative amount, and when the same
        id asks for something else.
        """
        if min(spend.nano, spend.tokens, spend.requests) < 0:
            raise ValueError("a reservation is not negative")
        held = self._open.get(request_id)
        if held is not None:
            if held.reservation.app != app or held.spend != spend:
                raise ValueError(f"request {request_id} has another reservation")
            return held.reservation
        lines: list[tuple[BudgetCharge, Account, int]] = []
        for charge in charges:
            budget, key = charge
            book = self._book(budget)
            account = book.account(key, at_ms)
            if account is None:
                raise refused(charge, too_many(budget))
            slot = book.slots.slot(at_ms)
            amount = spend.of(budget.unit)
            if amount and budget.mode is BudgetMode.HARD:
                limit = _limit(budget, key, account, slot)
                if limit is not None:
                    left = limit - account.spent(book.slots, at_ms)
                    if amount > left:
                        error = refused(charge, refusal(charge, limit, left, amount))
                        if self._would_fit(charges, spend, at_ms):
                            error.is_crowded()
                        raise error
            lines.append((charge, account, slot))
        # Nothing was changed up to here; from here on nothing fails.
        for charge, account, slot in lines:
            _set_aside(charge, account, slot, spend)
        reservation = Reservation(id=request_id, app=app, window=month_of(at_ms), nano=spend.nano, tokens=spend.tokens)
        self._open[request_id] = Held(reservation, spend, lines, at_ms)
        return reservation

    def extend(self, reservation: Reservation, spend: Spend) -> Reservation:
        """Hold `spend` in the place of what an open reservation holds, where it is more, in all of its accounts or in
        none. Asked again for as much, it changes nothing.

        Raises as `reserve`, and then what was held is held. Raises ValueError for a reservation that is settled.
        """
        held = self._open.get(reservation.id)
        if held is None:
            raise ValueError(f"request {reservation.id} holds nothing that could be extended")
        before, at_ms = held.spend, held.at_ms
        nano, tokens = max(spend.nano, before.nano), max(spend.tokens, before.tokens)
        after = Spend(nano=nano, tokens=tokens, requests=before.requests)
        for charge, account, slot in held.lines:
            budget, key = charge
            more = after.of(budget.unit) - before.of(budget.unit)
            limit = _limit(budget, key, account, slot) if budget.mode is BudgetMode.HARD else None
            if more > 0 and limit is not None:
                left = limit - account.spent(self._book(budget).slots, at_ms)
                if more > left:
                    raise refused(charge, refusal(charge, limit, left, more, before.of(budget.unit)))
        # Nothing was changed up to here; from here on nothing fails.
        for charge, account, slot in held.lines:
            more = after.of(charge.budget.unit) - before.of(charge.budget.unit)
            account.add(slot, more)
            account.held += more
        held.spend = after
        held.reservation = replace(held.reservation, nano=after.nano, tokens=after.tokens)
        return held.reservation

    def settle(self, reservation: Reservation, spend: Spend) -> None:
        """Put what was really spent in the place of a reservation, once; a second time changes nothing.

        It goes to the windows in which the request began. It may exceed the reservation: what was spent is recorded as
        it is, and the excess in dollars is added to `overrun_nano`. Raises ValueError for a negative amount.
        """
        if min(spend.nano, spend.tokens, spend.requests) < 0:
            raise ValueError("a cost is not negative")
        held = self._open.pop(reservation.id, None)
        if held is None:
            return
        if self.overheard is not None:
            self.overheard.append((held, spend))
        for charge, account, slot in held.lines:
            unit = charge.budget.unit
            reserved = held.spend.of(unit)
            account.add(slot, spend.of(unit) - reserved)
            account.held -= reserved
            account.open -= 1
        self.overrun_nano += max(spend.nano - held.spend.nano, 0)
        for charge, account, _ in held.lines:
            if charge.budget.thresholds:
                crossing = self._reached(charge, account, held.at_ms)
                if crossing is not None and self._report is not None:
                    self._report(crossing)
        if self.when_settled is not None:
            self.when_settled()

    def correct(self, budgets: Sequence[BudgetSpec], correction: Correction) -> None:
        """Put what a request really spent in the place of what stayed spent since nobody knew. The caller sees to it
        that each correction comes once. A window that is over is not opened for it."""
        at_ms, names, reserved, spent = correction
        for budget, key in charges_by_names(budgets, names):
            book = self._book(budget)
            account = book.accounts.get(key)
            if account is not None:
                account.add(book.slots.slot(at_ms), spent.of(budget.unit) - reserved.of(budget.unit))

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        """What a new reservation may take of this account, not below 0; None where nothing limits it.

        `freed`: if all that is held settled at nothing.
        """
        budget, key = charge
        if budget.mode is not BudgetMode.HARD:
            return None
        book = self._book(budget)
        account = book.accounts.get(key) or Account()
        limit = _limit(budget, key, account, book.slots.slot(at_ms))
        held = account.held if freed else 0
        return None if limit is None else max(limit - account.spent(book.slots, at_ms) + held, 0)

    def spent(self, charge: BudgetCharge, at_ms: int) -> int:
        """Settled plus reserved, in the budget's unit, in the window of `at_ms`."""
        book = self._book(charge.budget)
        account = book.accounts.get(charge.key)
        return 0 if account is None else account.spent(book.slots, at_ms)

    def _would_fit(self, charges: Sequence[BudgetCharge], spend: Spend, at_ms: int) -> bool:
        """Whether all of it would fit if nothing were held."""
        for charge in charges:
            book = self._book(charge.budget)
            account = book.accounts.get(charge.key)
            amount = spend.of(charge.budget.unit)
            if account is None or not amount or charge.budget.mode is not BudgetMode.HARD:
                continue
            limit = _limit(*charge, account, book.slots.slot(at_ms))
            if limit is not None and amount > limit - account.spent(book.slots, at_ms) + account.held:
                return False
        return True

    def _book(self, budget: BudgetSpec) -> _Book:
        known = self._known.get(id(budget))
        if known is not None and known[0] is budget:
            return known[1]
        counts = budget.counts
        book = self._books.get(counts)
        if book is None:
            book = self._books[counts] = _Book(budget)
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[id(budget)] = (budget, book)
        return book

    def _reached(self, charge: BudgetCharge, account: Account, at_ms: int) -> Crossing | None:
        """Note the highest threshold that what is settled has reached; a crossing when it was not noted before.

        A rolling window has no turn: a threshold is due again once the spending has fallen below it.
        """
        budget, key = charge
        slots = self._book(budget).slots
        window = 0 if slots.rolling else slots.slot(at_ms)
        limit = _limit(budget, key, account, slots.slot(at_ms))
        if not limit:
            return None
        settled = account.spent(slots, at_ms) - account.held
        percent = max((each for each in budget.thresholds if settled * 100 >= limit * each), default=0)
        before = account.reported[1] if account.reported[0] == window else 0
        if percent > before or slots.rolling:
            account.reported = (window, percent)
        return Crossing(budget, key, window, percent, settled, limit) if percent > before else None


def _set_aside(charge: BudgetCharge, account: Account, slot: int, spend: Spend) -> None:
    amount = spend.of(charge.budget.unit)
    account.add(slot, amount)
    account.held += amount
    account.open += 1


def refused(charge: BudgetCharge, message: str) -> OverBudget:
    """What a budget, or the guard that it belongs to, refuses with: the record says which one it was."""
    error = SessionLimited(message) if charge.budget.guard else BudgetExceeded(message)
    error.limit, error.account = charge.shown_name, (charge.budget.name, charge.key)
    return error


def _limit(budget: BudgetSpec, key: tuple[str, ...], account: Account, slot: int) -> int | None:
    limit = budget.amount
    if budget.amounts:
        limit = budget.amounts.get(key[0], limit)
    return limit if limit is None or not account.changes else account.limit(limit, slot)
