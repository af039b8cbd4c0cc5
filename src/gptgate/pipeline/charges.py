"""Which budgets a request falls under, and which account of each."""

from collections.abc import Callable, Sequence
from typing import Protocol

from gptgate.core.budgets import NOTHING, BudgetCharge, BudgetSpec, Dimension, Spend, Unit
from gptgate.core.errors import OverBudget
from gptgate.core.facts import Grant, Permit, Route
from gptgate.core.ports import Price
from gptgate.core.tokens import Counted
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.services import Services
from gptgate.pipeline.tool_fees import NO_USES, Uses, most_uses

_VALUES: dict[Dimension, Callable[[Draft, Grant], str]] = {
    Dimension.TEAM: lambda _, grant: grant.principal.team,
    Dimension.APP: lambda _, grant: grant.principal.app.name,
    Dimension.KEY: lambda _, grant: grant.principal.key_id,
    Dimension.END_USER: lambda draft, _: draft.end_user,
    Dimension.SESSION: lambda draft, _: draft.session,
    Dimension.MODEL: lambda _, grant: grant.model.name,
    Dimension.PROVIDER: lambda _, grant: grant.provider.name,
}
"""What a request's record says of a dimension: the same words, so that a restart finds the same account."""


def charges_of(budgets: Sequence[BudgetSpec], draft: Draft, grant: Grant) -> list[BudgetCharge]:
    """One charge for each budget that the request falls under, on the model that answers it.

    Requests that name no session (or end user) share one account, so leaving the name out evades no budget.
    """
    return [
        BudgetCharge(budget, tuple([_VALUES[dimension](draft, grant) for dimension in budget.scope]))
        for budget in budgets
        if (not budget.match or all(_VALUES[each](draft, grant) in values for each, values in budget.match))
        and (not budget.guard or draft.session)
    ]


def month_spent(services: Services, draft: Draft) -> int:
    """The nano-dollars of the app's month: the first budget counts them, for every app."""
    charge = BudgetCharge(services.snapshot.budgets[0], (draft.principal.app.name,))
    return services.ledger.spent(charge, draft.raw.at_ms)


class Ceiling:
    """The most that a request takes. `output_tokens` are those of all `choices`, `uses` those of the provider's tools;
    without a price it takes nothing."""

    __slots__ = ("_price", "_service_tier", "choices", "input_tokens", "output_tokens", "spend", "uses")

    def __init__(
        self,
        price: Price | None,
        input_tokens: int,
        output_tokens: int,
        choices: int,
        service_tier: str = "",
        uses: Uses = NO_USES,
    ) -> None:
        self._price, self._service_tier, self.uses = price, service_tier, uses
        self.input_tokens, self.output_tokens, self.choices = input_tokens, output_tokens, choices
        self.spend = self.with_output(output_tokens)

    def grown(self, input_tokens: int, output_tokens: int) -> "Ceiling":
        """At the same price."""
        return Ceiling(self._price, input_tokens, output_tokens, self.choices, self._service_tier, self.uses)

    @property
    def bounds(self) -> bool:
        """Whether anything is held by it."""
        return self._price is not None

    def with_output(self, output_tokens: int) -> Spend:
        """The same with another number of output tokens."""
        if self._price is None:
            return NOTHING
        nano = self._price.ceiling(self.input_tokens, output_tokens, self._service_tier)
        if self.uses:
            nano += self._price.fees(self.uses)
        return Spend(nano=nano, tokens=self.input_tokens + output_tokens, requests=1)


def most(services: Services, draft: Draft, permit: Permit, route: Route, price: Price | None) -> Ceiling:
    """The most that the request takes, as it is sent."""
    request, model = permit.request, route.model
    input_tokens, output_tokens = services.ceiling(request, model, len(route.body))
    # Before a rule routed it, the request may have been one of another model's conversation.
    draft.conversation = None
    if model.calibrated and price is not None and not request.media:
        app = draft.principal.app.name
        draft.conversation = services.conversations.read(
            app, route.provider.name, model.name, route.headers, route.body
        )
        if draft.conversation is not None and draft.conversation.bound:
            input_tokens = min(input_tokens, draft.conversation.bound)
    uses = NO_USES if price is None else most_uses(permit, model, price)
    return Ceiling(price, input_tokens, output_tokens, max(request.choices, 1), request.service_tier, uses)


async def count(services: Services, draft: Draft, route: Route) -> None:
    """Note in the draft what this body has at most by its model's own tokenizer, where there is one; once.

    Nothing is held for the request yet, so a caller who leaves meanwhile loses nothing.
    """
    model, tokens = route.model.name, services.tokens
    if tokens.knows(model) and not is_counted(draft, route):
        draft.counted = Counted(model, route.body, await tokens.most(model, route.body))


def lowered(draft: Draft, before: Route, after: Route) -> None:
    """The same texts stand in a body with a lower bound on its output. What stands beside them costs its bytes, so they
    need not be counted again."""
    counted = draft.counted
    if counted is not None and counted.bound is not None and is_counted(draft, before):
        bound = counted.bound + len(after.body) - len(before.body)
        draft.counted = Counted(counted.model, after.body, bound)


def is_counted(draft: Draft, route: Route) -> bool:
    """Whether it is this body, for this model, that the draft has a count of."""
    counted = draft.counted
    return counted is not None and counted.body == route.body and counted.model == route.model.name


def tightened(draft: Draft, route: Route, wanted: Ceiling) -> Ceiling:
    """The same with its input bounded by the model's own tokenizer too, where it has counted what is sent."""
    counted = draft.counted
    if counted is None or counted.bound is None or not wanted.bounds or not is_counted(draft, route):
        return wanted
    return wanted.grown(min(counted.bound, wanted.input_tokens), wanted.output_tokens)


class Accounts(Protocol):
    """Whoever knows what is left."""

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None: ...


def fits(accounts: Accounts, charges: Sequence[BudgetCharge], wanted: Ceiling, at_ms: int) -> bool:
    """Whether all budgets have so much left."""
    lefts = [(charge.budget.unit, accounts.left(charge, at_ms)) for charge in charges]
    return all(left is None or wanted.spend.of(unit) <= left for unit, left in lefts)


def shorter(
    accounts: Accounts,
    charges: Sequence[BudgetCharge],
    wanted: Ceiling,
    at_ms: int,
    refusal: OverBudget,
    *,
    may_wait: bool,
) -> int:
    """The output bound for each choice that the budgets can pay, for a request that was refused what it wanted.

    Raises the refusal where there is none. Who may wait is not cut down for what others only hold: the refusal then
    says whom to wait for, be it for the whole answer or for a shorter one.
    """
    if may_wait and refusal.crowd is not None:
        raise refusal
    useful = useful_output(accounts, charges, wanted, at_ms)
    if useful is None:
        if refusal.crowd is None and useful_output(accounts, charges, wanted, at_ms, freed=True) is not None:
            refusal.is_crowded()
        raise refusal
    return useful


def useful_output(
    ledger: Accounts, charges: Sequence[BudgetCharge], wanted: Ceiling, at_ms: int, *, freed: bool = False
) -> int | None:
    """The output bound for each choice that the budgets can pay, where they cannot pay what is wanted; `freed`: if all
    that is held settled at nothing.

    None where nothing is to be lowered: because all of it fits, or because a budget that it does not fit allows no
    shorter answer, or too short a one. The request is then refused as it is.
    """
    if not any(budget.least_output_tokens for budget, _ in charges):
        return None
    lefts: list[tuple[Unit, int]] = []
    least = 0
    for charge in charges:
        budget = charge.budget
        left = ledger.left(charge, at_ms, freed=freed) if wanted.output_tokens else None
        if left is None or wanted.spend.of(budget.unit) <= left:
            continue
        if not budget.least_output_tokens:
            return None
        lefts.append((budget.unit, left))
        least = max(least, budget.least_output_tokens)
    if not lefts:
        return None
    low, high = 0, wanted.output_tokens // wanted.choices
    while low < high:
        middle = (low + high + 1) // 2
        spend = wanted.with_output(middle * wanted.choices)
        fits = all(spend.of(unit) <= left for unit, left in lefts)
        low, high = (middle, high) if fits else (low, middle - 1)
    return low if low >= least else None
