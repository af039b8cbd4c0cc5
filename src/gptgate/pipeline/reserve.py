"""Step 9 in one process: the price of a request, and its ceiling set aside in every limit and budget."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gptgate.core.budgets import BudgetCharge
from gptgate.core.errors import OverBudget, PriceUnknown
from gptgate.core.facts import Grant, Permit, Principal, Route
from gptgate.core.ports import Price
from gptgate.pipeline.charges import Ceiling, charges_of, count, fits, lowered, most, shorter, tightened
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


@dataclass(slots=True, eq=False)
class Reserving:
    """One request at step 9: its ceiling is set aside in every limit and budget.

    Where only what others hold is in the way, it waits for them to settle, and holds no tokens meanwhile; where budgets
    can pay for a shorter answer only, it takes that. Each attempt is one step: nobody comes in between what it looks at
    and what it holds.
    """

    services: Services
    draft: Draft
    permit: Permit
    grant: Grant
    route: Route
    price: Price | None
    admitted: Admitted
    heed: Heed
    encode: Encode

    async def run(self) -> Taken:
        services, app = self.services, self._app
        wanted = most(services, self.draft, self.permit, self.route, self.price)
        if wanted.bounds and services.tokens.knows(self.route.model.name):
            await self._count(wanted)
        charges, crowd, server = self._charges(), services.crowd, services.snapshot.server
        account, may_wait = crowd.before(app, charges), crowd.admits(app, server)
        if account is None or not may_wait:
            try:
                taken = self._attempt(wanted, charges, may_wait=may_wait)
            except OverBudget as refusal:
                if refusal.crowd is None or not may_wait:
                    raise
                account = refusal.crowd
            else:
                crowd.passed(app, charges)
                return taken

        async def again(may_wait: bool) -> Taken:
            # A new configuration may have brought other budgets while it waited.
            return self._attempt(wanted, self._charges(), may_wait=may_wait)

        try:
            return await crowd.wait(app, account, again, server.budget_wait_ms)
        finally:
            self.draft.mark("wait")

    async def _count(self, wanted: Ceiling) -> None:
        """Counting takes longer than all the rest, so a request that fits by its bytes and stands behind nobody is not
        counted."""
        draft, services, charges = self.draft, self.services, self._charges()
        limits = self.admitted.token_charges(self.permit.request, self.grant, wanted.input_tokens, wanted.output_tokens)
        if (
            limits
            or services.crowd.before(self._app, charges) is not None
            or not fits(services.ledger, charges, wanted, draft.raw.at_ms)
        ):
            await count(services, draft, self.route)

    def _attempt(self, wanted: Ceiling, charges: Sequence[BudgetCharge], *, may_wait: bool) -> Taken:
        """The whole answer, or one that the budgets can pay. Raises as `Ledger.reserve` and `Admitted.reserve`."""
        services, draft, permit, at_ms = self.services, self.draft, self.permit, self.draft.raw.at_ms
        asked = tightened(draft, self.route, wanted)
        try:
            return self._hold(charges, permit, self.route, asked)
        except OverBudget as refusal:
            useful = shorter(services.ledger, charges, asked, at_ms, refusal, may_wait=may_wait)
        draft.lowered_from, permit = asked.output_tokens // asked.choices, lower_output(permit, useful)
        route = self.encode(permit, self.grant, draft.raw)
        lowered(draft, self.route, route)
        cut = tightened(draft, route, most(services, draft, permit, route, self.price))
        return self._hold(charges, permit, route, cut)

    def _hold(self, charges: Sequence[BudgetCharge], permit: Permit, route: Route, asked: Ceiling) -> Taken:
        """Exactly this, in its limits of tokens and in its budgets, or in none of them."""
        draft, admitted, tokens = self.draft, self.admitted, (asked.input_tokens, asked.output_tokens)
        self.heed(draft.principal, draft.raw.started_ns, lambda: admitted.reserve(permit.request, self.grant, *tokens))
        try:
            held = self.services.ledger.reserve(draft.raw.id, self._app, charges, asked.spend, draft.raw.at_ms)
        except OverBudget:
            admitted.give_tokens_back()
            raise
        return Taken(permit, route, held, asked)

    def _charges(self) -> list[BudgetCharge]:
        return charges_of(self.services.budgets.all, self.draft, self.grant)

    @property
    def _app(self) -> str:
        return self.grant.principal.app.name
