"""Steps 4 and 9 on counters that several gateways share.

A request asks them once, at step 4: for its place, and for the most that it takes if no rule changes it. Where rules
make it longer, send it elsewhere, or where what is left does not pay for it, step 9 asks again.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gptgate.core.budgets import NOTHING, BudgetCharge
from gptgate.core.errors import ClientError, OverBudget, RateLimited
from gptgate.core.facts import ChatRequest, Grant, Permit, Principal, RawRequest, Reservation, Route
from gptgate.core.limit import Standing
from gptgate.core.ports import Ledger, Price
from gptgate.core.shared import Counters, Hold, Wish
from gptgate.pipeline.charges import Ceiling, charges_of, count, lowered, most, shorter, tightened
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.judge import lower_output, unjudged
from gptgate.pipeline.limit_plan import LimitPlan
from gptgate.pipeline.limiting import Admitted
from gptgate.pipeline.patience import Patience
from gptgate.pipeline.services import Services
from gptgate.pipeline.tool_fees import unpriced_tool

Encode = Callable[[Permit, Grant, RawRequest], Route]


class Taken(NamedTuple):
    """Step 9: the request as it is sent, what is held for it, and the ceiling that this stands for."""

    permit: Permit
    route: Route
    reservation: Reservation
    ceiling: Ceiling


class SharedAdmitted(Admitted):
    """The same as `Admitted`, on shared counters: `ask`, `ask_again` and `take` in the place of its three steps."""

    __slots__ = ("_counters", "_hold", "_patience", "_services")

    def __init__(
        self,
        plan: LimitPlan,
        services: Services,
        counters: Counters,
        patience: Patience,
        raw: RawRequest,
        principal: Principal,
    ) -> None:
        super().__init__(plan, services.limiter, services.clock, raw, principal)
        self._services, self._counters, self._patience = services, counters, patience
        self._hold: Hold | None = None

    async def ask(self, draft: Draft, encode: Encode) -> int:
        """Step 4. What the app's month has cost before. Raises as `admit`, and CountersUnavailable."""
        wish = Wish((), (), NOTHING) if draft.grant is None else await self._wish(draft, draft.grant, encode)
        raw, app, charges = self._raw, self._principal.app.name, self.charges(draft.request, draft.grant)
        try:
            self._hold = await self._counters.admit(raw.id, app, charges, wish, raw.at_ms)
        except RateLimited as refusal:
            self._patience.refused(self._principal, raw.started_ns, refusal)
            raise
        self._see()
        return self._hold.spent_nano

    async def ask_again(self, draft: Draft, grant: Grant, encode: Encode) -> None:
        """A rule routes the request to another model. Raises as `ask`."""
        try:
            await self._held.move(self.charges(draft.request, grant), await self._wish(draft, grant, encode))
        finally:
            self._see()

    async def take(
        self, request: ChatRequest, grant: Grant, budgets: Sequence[BudgetCharge], wanted: Ceiling
    ) -> Reservation:
        """Step 9. Raises BudgetExceeded, and as `reserve`; the request of step 4 is then treated as there."""
        tokens = self.token_charges(request, grant, wanted.input_tokens, wanted.output_tokens)
        try:
            return await self._held.reserve(Wish(tokens, budgets, wanted.spend))
        except OverBudget:
            raise
        except ClientError as refusal:
            refusal.standing += self.standing()
            self._cancel()
            if isinstance(refusal, RateLimited):
                self._patience.refused(self._principal, self._raw.started_ns, refusal)
            raise
        finally:
            self._see()

    async def extend(self, ledger: Ledger, reservation: Reservation, wanted: Ceiling) -> Reservation:
        del ledger, reservation
        try:
            return await self._held.extend(self._more_tokens(wanted), wanted.spend)
        finally:
            self._see()

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        """What the counters last said of an account."""
        return self._held.left(charge, at_ms, freed=freed)

    def standing(self) -> tuple[Standing, ...]:
        """How the limits that apply stand; nothing before the counters were asked."""
        if self._hold is None:
            return ()
        now_ns = self._clock.monotonic_ns()
        return self._hold.requests.standing(now_ns) + self._hold.tokens.standing(now_ns)

    def release(self) -> None:
        super().release()
        self._hold = None

    @property
    def _held(self) -> Hold:
        if self._hold is None:
            raise ValueError("a request is admitted before anything else is asked for it")
        return self._hold

    def _see(self) -> None:
        """What is held now."""
        if self._hold is not None:
            self._request, self._tokens = self._hold.requests, self._hold.tokens
            self._charges = tuple(self._hold.tokens.charges)

    async def _wish(self, draft: Draft, grant: Grant, encode: Encode) -> Wish:
        """The most that the request takes if no rule changes anything of it."""
        services, raw, request = self._services, self._raw, draft.request
        if request is None:
            return Wish((), (), NOTHING)
        permit = unjudged(request)
        billed = services.adapters[raw.endpoint].billed
        price = services.prices.find(grant.model, raw.at_ms) if billed else None
        if price is not None and (not price.covers(request.service_tier) or unpriced_tool(permit, price)):
            price = None  # refused at step 9
        route = encode(permit, grant, draft.raw)
        if price is not None:
            await count(services, draft, route)
        wanted = tightened(draft, route, most(services, draft, permit, route, price))
        budgets = charges_of(services.budgets.all, draft, grant)
        tokens = self.token_charges(request, grant, wanted.input_tokens, wanted.output_tokens)
        return Wish(tokens, budgets, wanted.spend)


async def move(admitted: Admitted, draft: Draft, request: ChatRequest, grant: Grant, encode: Encode) -> None:
    """Step 4 again, on the model that a rule routes to, wherever limits are counted."""
    if isinstance(admitted, SharedAdmitted):
        await admitted.ask_again(draft, grant, encode)
    else:
        admitted.move(request, grant)


async def reserve_shared(
    services: Services,
    draft: Draft,
    permit: Permit,
    grant: Grant,
    price: Price | None,
    admitted: SharedAdmitted,
    encode: Encode,
) -> Taken:
    """As `Reserving` in one process: set the ceiling aside, or that of a shorter answer, and wait for what others hold.

    Whoever was given its wish at step 4 stands behind nobody: it would hold its part while it waits.
    """
    crowd, server, app = services.crowd, services.snapshot.server, grant.principal.app.name

    async def attempt(may_wait: bool) -> Taken:
        return await _take(services, draft, permit, grant, price, admitted, encode, may_wait=may_wait)

    may_wait = crowd.admits(app, server)
    try:
        return await attempt(may_wait)
    except OverBudget as refusal:
        # Others may have begun to wait while the counters were asked.
        if refusal.crowd is None or not crowd.admits(app, server):
            raise
        account = refusal.crowd
    try:
        return await crowd.wait(app, account, attempt, server.budget_wait_ms)
    finally:
        draft.mark("wait")


async def _take(
    services: Services,
    draft: Draft,
    permit: Permit,
    grant: Grant,
    price: Price | None,
    admitted: SharedAdmitted,
    encode: Encode,
    *,
    may_wait: bool,
) -> Taken:
    route = encode(permit, grant, draft.raw)
    if price is not None:
        await count(services, draft, route)
    budgets = charges_of(services.budgets.all, draft, grant)
    wanted = tightened(draft, route, most(services, draft, permit, route, price))
    try:
        reservation = await admitted.take(permit.request, grant, budgets, wanted)
    except OverBudget as refusal:
        useful = shorter(admitted, budgets, wanted, draft.raw.at_ms, refusal, may_wait=may_wait)
        draft.lowered_from, permit = wanted.output_tokens // wanted.choices, lower_output(permit, useful)
        whole, route = route, encode(permit, grant, draft.raw)
        lowered(draft, whole, route)
        wanted = tightened(draft, route, most(services, draft, permit, route, price))
        reservation = await admitted.take(permit.request, grant, budgets, wanted)
    # A new configuration may have brought other budgets while the counters were asked.
    while (charged := charges_of(services.budgets.all, draft, grant)) != budgets:
        budgets = charged
        reservation = await admitted.take(permit.request, grant, budgets, wanted)
    return Taken(permit, route, reservation, wanted)
