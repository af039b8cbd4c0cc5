"""Step 9 in one process: the price of a request, and its ceiling set aside in every limit and budget."""

from collections.abc import Callable, Sequence

from gptgate.core.budgets import BudgetCharge
from gptgate.core.errors import OverBudget, PriceUnknown
from gptgate.core.facts import Grant, Permit, Principal, Route
from gptgate.core.ports import Price
from gptgate.pipeline.charges import Ceiling, charges_of, fits, most, shorter, tightened
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.judge import lower_output
from gptgate.pipeline.limiting import Admitted
from gptgate.pipeline.services import Services
from gptgate.pipeline.sharing import Encode, Taken
from gptgate.pipeline.tool_fees import refuse_unpriced

Heed = Callable[[Principal, int, Callable[[], None]], None]
"""Asks a limit, for a caller whose request came at this time."""


def price_of(services: Services, draft: Draft, permit: Permit, grant: Grant) -> Price | None:
    """The model's price; None only where the call costs nothing. An unknown price is a refusal, never zero."""
    if not services.adapters[draft.raw.endpoint].billed:
        return None
    price = services.prices.find(grant.model, draft.raw.at_ms)
    if price is None:
        raise PriceUnknown(
            f"The price of model '{grant.model.name}' is not known. Set 'price' for it under 'models' in the "
            "gateway's configuration, or 'price: free'."
        )
    tier = permit.request.service_tier
    if not price.covers(tier):
        raise PriceUnknown(
            f"The price of model '{grant.model.name}' at the service tier '{tier}' is not known. Set "
            f"'service_tiers: {{{tier}: PERCENT}}' for it under 'models' in the gateway's configuration.",
            param="service_tier",
        )
    refuse_unpriced(permit, grant.model, price)
    draft.price_version = price.version
    return price


async def reserve(
    services: Services,
    draft: Draft,
    permit: Permit,
    grant: Grant,
    route: Route,
    price: Price | None,
    admitted: Admitted,
    heed: Heed,
    encode: Encode,
) -> Taken:
    """Set the request's ceiling aside in every limit and budget.

    Where only what others hold is in the way, it waits for them to settle, and holds no tokens meanwhile; where budgets
    can pay for a shorter answer only, it takes that.
    """
    raw, ledger, crowd, server = draft.raw, services.ledger, services.crowd, services.snapshot.server
    app = grant.principal.app.name
    charges = charges_of(services.budgets.all, draft, grant)
    wanted = most(services, draft, permit, route, price)

    def hold(charges: Sequence[BudgetCharge], sized: Permit, sent: Route, asked: Ceiling) -> Taken:
        tokens = asked.input_tokens, asked.output_tokens
        heed(draft.principal, raw.started_ns, lambda: admitted.reserve(sized.request, grant, *tokens))
        try:
            return Taken(sized, sent, ledger.reserve(raw.id, app, charges, asked.spend, raw.at_ms), asked)
        except OverBudget:
            admitted.give_tokens_back()
            raise

    def tight(charges: Sequence[BudgetCharge]) -> Ceiling:
        # Counting takes longer than all the rest, so where its bytes fit, nothing is counted.
        tokens = admitted.token_charges(permit.request, grant, wanted.input_tokens, wanted.output_tokens)
        if not tokens and fits(ledger, charges, wanted, raw.at_ms):
            return wanted
        return tightened(services, draft, route, wanted)

    def attempt(charges: Sequence[BudgetCharge], *, may_wait: bool) -> Taken:
        asked = tight(charges) if services.tokens.knows(route.model.name) else wanted
        try:
            return hold(charges, permit, route, asked)
        except OverBudget as refusal:
            useful = shorter(ledger, charges, asked, raw.at_ms, refusal, may_wait=may_wait)
        draft.lowered_from, sized = asked.output_tokens // asked.choices, lower_output(permit, useful)
        sent = encode(sized, grant, raw)
        return hold(charges, sized, sent, tightened(services, draft, sent, most(services, draft, sized, sent, price)))

    async def again(may_wait: bool) -> Taken:
        # A new configuration may have brought other budgets while it waited.
        return attempt(charges_of(services.budgets.all, draft, grant), may_wait=may_wait)

    account, may_wait = crowd.before(app, charges), crowd.admits(app, server)
    if account is None or not may_wait:
        try:
            held = attempt(charges, may_wait=may_wait)
        except OverBudget as refusal:
            if refusal.crowd is None or not may_wait:
                raise
            account = refusal.crowd
        else:
            crowd.passed(app, charges)
            return held
    try:
        return await crowd.wait(app, account, again, server.budget_wait_ms)
    finally:
        draft.mark("wait")
