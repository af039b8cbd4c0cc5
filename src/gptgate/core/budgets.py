"""Budgets: how much may be spent, by whom, in which stretch of time."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace


class Dimension(StrEnum):
    """What a budget can count apart."""

    TEAM = "team"
    APP = "app"
    KEY = "key"
    END_USER = "end_user"
    SESSION = "session"
    MODEL = "model"
    PROVIDER = "provider"


CALLERS_WORDS = frozenset({Dimension.END_USER, Dimension.SESSION})
"""Dimensions whose values callers make up: nothing bounds how many there are."""


class Unit(StrEnum):
    """What a budget counts. Dollars are counted in nano-dollars."""

    USD = "usd"
    TOKENS = "tokens"
    REQUESTS = "requests"


class Window(StrEnum):
    """How long what was spent counts. Days, weeks and months are those of the calendar in the budget's time zone. In a
    session it counts for `SESSION_MS`.
    """

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ROLLING = "rolling"
    LIFETIME = "lifetime"
    SESSION = "session"


class BudgetMode(StrEnum):
    """HARD: refuses what does not fit. SOFT: only counts and reports."""

    HARD = "hard"
    SOFT = "soft"


class Outgrown(StrEnum):
    """What becomes of a stream that outgrows its reservation: more is reserved for it, or it is ended."""

    EXTEND = "extend"
    END = "end"


class BudgetSpec(Struct, frozen=True, kw_only=True):
    """A budget. Each combination of values of its `scope` has an account of its own; an empty scope is one for all.

    `amount` None only counts; `amounts` gives single accounts their own, by the first value of the scope. `over_ms` is
    the length of a rolling window. `thresholds` are percentages that are reported when reached. What is left may pay
    for a shorter answer than was asked for, if for `least_output_tokens` of it; 0 refuses such a request. `match`
    narrows the budget down to requests whose value of a dimension is among these. One that belongs to a `guard`, named
    here, counts only sessions that have a name.
    """

    name: str
    scope: tuple[Dimension, ...]
    unit: Unit
    window: Window
    amount: int | None = None
    amounts: dict[str, int] = {}
    over_ms: int = 0
    time_zone: str = "UTC"
    mode: BudgetMode = BudgetMode.HARD
    thresholds: tuple[int, ...] = ()
    least_output_tokens: int = 0
    match: tuple[tuple[Dimension, tuple[str, ...]], ...] = ()
    guard: str = ""

    @property
    def rolling(self) -> bool:
        """Whether what was spent leaves the window bit by bit."""
        return self.window in (Window.ROLLING, Window.SESSION)

    @property
    def counts(self) -> tuple[object, ...]:
        """What decides which request is counted where. What else a budget says can change under its counts."""
        return (self.name, self.scope, self.unit, self.window, self.over_ms, self.time_zone, self.match)

    def counting(self) -> "BudgetSpec":
        """The same, which refuses and reports nothing."""
        return replace(self, amount=None, amounts={}, mode=BudgetMode.SOFT, thresholds=(), least_output_tokens=0)

    def key(self, names: Mapping[Dimension, str]) -> tuple[str, ...] | None:
        """The account of a request that has these values of the dimensions; None where it does not count it."""
        if any(names[dimension] not in values for dimension, values in self.match):
            return None
        if self.guard and not names[Dimension.SESSION]:
            return None
        return tuple([names[dimension] for dimension in self.scope])


LEAST_OUTPUT_TOKENS = 1024
"""So much of an answer is of use: where nobody says otherwise, what is left may pay for so short a one."""

APP_MONTH = BudgetSpec(
    name="apps",
    scope=(Dimension.APP,),
    unit=Unit.USD,
    window=Window.MONTH,
    least_output_tokens=LEAST_OUTPUT_TOKENS,
)
"""Every app's dollars of the calendar month (UTC): counted always, limited where the app has a `budget`."""


class Spend(Struct, frozen=True, kw_only=True):
    """What one request takes of budgets: at most, while it is reserved; really, once it is settled."""

    nano: int = 0
    tokens: int = 0
    requests: int = 0

    def of(self, unit: Unit) -> int:
        """The amount in this unit."""
        return self.nano if unit is Unit.USD else self.tokens if unit is Unit.TOKENS else self.requests


NOTHING = Spend()


class BudgetCharge(NamedTuple):
    """A budget that a request falls under, and the values of its scope that name the account."""

    budget: BudgetSpec
    key: tuple[str, ...]

    @property
    def shown_name(self) -> str:
        """What records call it when it refuses: the guard that it belongs to, an app's own setting, or its name."""
        if self.budget.name == APP_MONTH.name:
            return app_budget_name(self.key[0])
        return self.budget.guard or self.budget.name


def app_budget_name(app: str) -> str:
    """What records call the month's budget in an app's own settings."""
    return f"apps.{app}.budget"


def charges_by_names(budgets: Iterable[BudgetSpec], names: Mapping[Dimension, str]) -> list[BudgetCharge]:
    """The accounts of a request that is on record with these values of the dimensions."""
    keyed = [(budget, budget.key(names)) for budget in budgets]
    return [BudgetCharge(budget, key) for budget, key in keyed if key is not None]


class Spent(NamedTuple):
    """What was spent by one account in one slot of `SLOT_MS`, as the store sums it up."""

    key: tuple[str, ...]
    slot_ms: int
    amount: int


class TopUp(NamedTuple):
    """A change of one account of a budget, for the window that holds `at_ms`: an addition, or with `set_to` what its
    amount is from then on, whatever is configured and was added before, or with `configured` that it is what is
    configured, now and later; `amount` is what that came to then. `unit`, `window` and `scope` are those that the
    budget had: for another it says nothing. None: nobody wrote them down then.
    """

    budget: str
    key: tuple[str, ...]
    at_ms: int
    amount: int
    set_to: int | None = None
    unit: str | None = None
    window: str | None = None
    scope: tuple[str, ...] | None = None
    configured: bool = False

    @classmethod
    def given(
        cls,
        budget: BudgetSpec,
        key: tuple[str, ...],
        at_ms: int,
        amount: int,
        set_to: int | None = None,
        *,
        configured: bool = False,
    ) -> "TopUp":
        """One for the budget as it is."""
        scope = tuple([dimension.value for dimension in budget.scope])
        return cls(budget.name, key, at_ms, amount, set_to, budget.unit.value, budget.window.value, scope, configured)

    def holds_for(self, budget: BudgetSpec) -> bool:
        """Whether it was given for this budget, as far as it says what for."""
        return (
            self.budget == budget.name
            and len(self.key) == len(budget.scope)
            and self.unit in (None, budget.unit)
            and self.window in (None, budget.window)
            and self.scope in (None, budget.scope)
        )


class Correction(NamedTuple):
    """What a request really spent, instead of what was reserved for it. `names` are its values of the dimensions."""

    at_ms: int
    names: dict[Dimension, str]
    reserved: Spend
    spent: Spend


class Crossing(NamedTuple):
    """An account has reached a threshold of its budget in this window. Amounts are in the budget's unit."""

    budget: BudgetSpec
    key: tuple[str, ...]
    window_ms: int
    percent: int
    spent: int
    amount: int


SESSION_MS = 30 * 86_400_000
"""How long a session can be: what it spent is forgotten after this time."""

SLOT_MS = 900_000
"""Spending is summed up by quarters of an hour: every time zone begins its days at one."""
