"""Keys of the counters, and what the scripts are asked about them."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

import msgspec

from gptgate.core.budgets import BudgetMode, BudgetSpec, Spend, Window
from gptgate.core.limit import Charge
from gptgate.cost.windows import Slots

DAY_MS = 86_400_000
KEPT_DAYS = {Window.DAY: 3, Window.WEEK: 15, Window.MONTH: 63, Window.LIFETIME: 3650}
"""How long a window's sums outlive the last charge: past the window after it."""

Entry = dict[str, object]


@lru_cache(maxsize=100_000)
def _account(counts: tuple[object, ...], key: tuple[str, ...]) -> str:
    # Hashed: callers' names of end users and sessions are nobody's business in another server.
    return sha256(msgspec.json.encode([counts, key])).hexdigest()[:32]


class Keys:
    """The keys of one call, each with its place in the list that the script gets."""

    def __init__(self, prefix: str, *fixed: str) -> None:
        # One hash slot: scripts touch all of a request's keys together.
        self._prefix = "{" + prefix + "}:"
        self.names = [self._prefix + name for name in fixed]

    def place(self, name: str) -> int:
        """The number by which the script knows this key."""
        self.names.append(self._prefix + name)
        return len(self.names)


class Account:
    """One account of a budget in one window: where it is counted, and until when."""

    __slots__ = ("first", "name", "oldest", "slot", "ttl")

    def __init__(self, budget: BudgetSpec, key: tuple[str, ...], slots: Slots, at_ms: int) -> None:
        slot = slots.slot(at_ms)
        self.slot = str(slot)
        name = f"budget:{budget.name}:{_account(budget.counts, key)}"
        if slots.rolling:
            first = slots.first(at_ms)
            # One more window is kept behind, for a clock that is behind.
            self.name, self.first, self.oldest = name, str(first), str(first - (slot - first))
            self.ttl = str(2 * budget.over_ms + DAY_MS)
        else:
            self.name, self.first, self.oldest = f"{name}:{slot}", "", ""
            self.ttl = str(KEPT_DAYS[budget.window] * DAY_MS)

    def entry(self, keys: Keys, **more: object) -> Entry:
        """What a script is asked of it."""
        entry: Entry = {"kind": "budget", "key": keys.place(self.name), "slot": self.slot, "ttl": self.ttl, **more}
        if self.first:
            entry.update(first=self.first, oldest=self.oldest)
        return entry


def hard_limit(budget: BudgetSpec, key: tuple[str, ...]) -> int | None:
    """What the account may spend by the configuration alone; None where nothing refuses."""
    if budget.mode is not BudgetMode.HARD:
        return None
    return amount_of(budget, key)


def amount_of(budget: BudgetSpec, key: tuple[str, ...]) -> int | None:
    """The account's amount by the configuration alone, of soft budgets too."""
    return budget.amounts.get(key[0], budget.amount) if budget.amounts else budget.amount


def budget_entry(account: Account, budget: BudgetSpec, key: tuple[str, ...], spend: Spend, keys: Keys) -> Entry:
    """A charge to a budget."""
    limit = hard_limit(budget, key)
    bound = {} if limit is None else {"limit": str(limit)}
    return account.entry(keys, cost=str(spend.of(budget.unit)), **bound)


def limit_entry(charge: Charge, process: str, keys: Keys) -> Entry:
    """A charge to a limit."""
    spec = charge.spec
    if spec.window_ms:
        place = keys.place("rate:" + charge.key)
        window_us = spec.window_ms * 1000
        return {"kind": "rate", "key": place, "cost": charge.amount, "amount": spec.amount, "window": window_us}
    return {"kind": "place", "key": keys.place("place:" + charge.key), "amount": spec.amount, "process": process}


def correction_entries(charges: Sequence[Charge], more: Sequence[int], keys: Keys) -> list[Entry]:
    """What rates are given besides what they were charged; negative: given back."""
    return [
        {
            "kind": "rate",
            "key": keys.place("rate:" + charge.key),
            "more": extra,
            "amount": charge.spec.amount,
            "window": charge.spec.window_ms * 1000,
        }
        for charge, extra in zip(charges, more, strict=True)
        if extra and charge.spec.window_ms
    ]
