"""The path of a request, top to bottom. Each numbered step takes facts and gives one; a guard that was forgotten would
be a missing argument of the next step.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from gptgate.core.budgets import NOTHING
from gptgate.core.document import read_object
from gptgate.core.errors import (
    AuditUnavailable,
    ClientGone,
    GateError,
    GuardFailed,
    InternalFault,
    ShuttingDown,
)
from gptgate.core.events import End, EndState, Intent
from gptgate.core.facts import (
    ChatRequest,
    Decision,
    Grant,
    Inspection,
    Permit,
    PolicyFacts,
    Principal,
    RawRequest,
    Reservation,
    Route,
    Settlement,
)
from gptgate.core.ports import Outlet
from gptgate.core.snapshot import Effect
from gptgate.core.wire import Dialect, Endpoint
from gptgate.pipeline.approve import claim_approval
from gptgate.pipeline.aside import Aside
from gptgate.pipeline.charges import month_spent
from gptgate.pipeline.classify import ask_classifiers, weigh_more, weigh_opinions
from gptgate.pipeline.defects import told
from gptgate.pipeline.discretion import Discretion
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.exchange import Exchange
from gptgate.pipeline.guards import Guards
from gptgate.pipeline.judge import (
    decide_request,
    decide_routed,
    enforce,
    inspect_request,
    pseudonyms_for,
    weigh_routed,
)
from gptgate.pipeline.limit_headers import limit_headers
from gptgate.pipeline.limit_plan import LimitPlan
from gptgate.pipeline.limiting import Admitted
from gptgate.pipeline.policy_facts import named_tags, policy_facts
from gptgate.pipeline.reserve import Reserving, price_of
from gptgate.pipeline.services import Services
from gptgate.pipeline.sharing import SharedAdmitted, move, reserve_shared
from gptgate.pipeline.turns import Turns

UNUSED = Settlement(nano=0, tokens=0, source="unused")
READERS = 2
"""Large requests and answers that are inspected at a time."""


class Gate:
    """Serves requests under one Snapshot."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._discretion = Discretion(services.inspector)
        self._readers = Aside(READERS, Turns(lambda: self.active), services.pulse)
        self._exchange = partial(Exchange, services, self._readers)
        self._plan = LimitPlan(services.snapshot)
        self._guards = Guards(services.snapshot.guards, services.limiter, services.clock, services.ceiling)
        self._heed = self._guards.patience.heed
        self.budgets = services.budgets
        self._outliving: set[asyncio.Task[None]] = set()
        self._idle: asyncio.Event | None = None
        self.active = 0
        """Requests that hold on to this Gate."""

    def enter(self) -> None:
        """A request begins, of which only the head is known. The caller must `leave`, and may `serve` in between."""
        self.active += 1

    def leave(self) -> None:
        """A request is over."""
        self.active -= 1
        if self._idle is not None and not self.active:
            self._idle.set()

    def authenticate(self, headers: Mapping[str, str], peer: str) -> Principal:
        """Step 1, on the head alone, so that a stranger's body is never read. Raises ClientError."""
        services = self._services
        authenticator, now_ms = services.authenticator, services.clock.wall_ms()
        return self._guards.authenticate(peer, lambda: authenticator.authenticate(headers, peer, now_ms))

    async def serve(self, raw: RawRequest, principal: Principal, out: Outlet) -> None:
        """Steps 2 to 14. Raises GateError for what the caller must be told; it is on record by then.

        Cancel the call when the caller hangs up: it settles, records and lets go of the provider at once.
        """
        admitted = self._limits(raw, principal)
        try:
            try:
                await self._serve(raw, principal, admitted, out)
            finally:
                if not admitted.handed_over:
                    admitted.release()
        except GateError as error:
            admitted.told(error)
            raise

    async def _serve(self, raw: RawRequest, principal: Principal, admitted: Admitted, out: Outlet) -> None:
        draft = self._draft(raw, principal)
        try:
            if raw.endpoint is Endpoint.MODELS:
                self._services.authorize_endpoint(principal, raw.endpoint)
                if isinstance(admitted, SharedAdmitted):
                    await admitted.ask(draft, self._route)
                else:
                    admitted.admit()
                await self._models(raw, principal, draft, admitted, out)
                return
            exchange = await self._permit(raw, principal, draft, admitted, out)
        except GateError as refusal:
            await self._refuse(draft, refusal)
            raise
        except asyncio.CancelledError:
            # Steps that wait (a large inspection, a judge outside) can be cut short before anything is on record.
            if not draft.on_record:
                with suppress(AuditUnavailable):  # nobody is there to be told; readiness says it
                    await self._refuse(draft, _cut_short(out))
            raise
        except Exception as defect:
            failure = InternalFault.of(defect, told(defect))
            await self._refuse(draft, failure)
            raise failure from defect
        if exchange.outlives_caller:
            await self._outlive(exchange, out, admitted)
        else:
            await exchange.run(out)

    async def refuse(self, raw: RawRequest, principal: Principal, refusal: GateError) -> None:
        """Record a known caller's request that was refused before its body could be read (`raw` has none).

        Raises AuditUnavailable when that cannot be recorded.
        """
        self._limits(raw, principal).told(refusal)
        await self._refuse(self._draft(raw, principal), refusal)

    def _limits(self, raw: RawRequest, principal: Principal) -> Admitted:
        services = self._services
        if services.counters is not None:
            return SharedAdmitted(self._plan, services, services.counters, self._guards.patience, raw, principal)
        return Admitted(self._plan, services.limiter, services.clock, raw, principal)

    def _draft(self, raw: RawRequest, principal: Principal) -> Draft:
        return Draft(raw, principal, self._services.snapshot.digest, self._services.clock, self._discretion)

    async def idle(self) -> None:
        """Wait until no request holds on to this Gate. For one that gets no new ones."""
        if self.active:
            self._idle = asyncio.Event()
            await self._idle.wait()

    def abandon(self) -> None:
        """Cut short the exchanges whose callers have left.

        Soon, not now: a task that is cancelled before its first step never runs, and its request would have no end.
        """
        loop = asyncio.get_running_loop()
        for task in self._outliving:
            loop.call_soon(task.cancel)

    async def drain(self) -> None:
        """Wait for the exchanges whose callers have left."""
        while self._outliving:
            await asyncio.wait(self._outliving)

    async def _outlive(self, exchange: Exchange, out: Outlet, admitted: Admitted) -> None:
        """Run an exchange that is read to its end, for its usage, although the caller has hung up."""
        task = asyncio.create_task(exchange.run(out))
        self._outliving.add(task)
        admitted.handed_over = True
        self.enter()

        def done(finished: asyncio.Task[None]) -> None:
            self._outliving.discard(finished)
            admitted.release()
            self.leave()
            if not finished.cancelled():
                finished.exception()  # it is on record; asked for here so that asyncio does not report it again

        task.add_done_callback(done)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if not out.gone:
                task.cancel()
            raise

    async def _permit(
        self, raw: RawRequest, principal: Principal, draft: Draft, admitted: Admitted, out: Outlet
    ) -> Exchange:
        """Steps 2 to 10: until the intent is durable, nothing has any effect outside."""
        services = self._services
        # 2 parse
        draft.request = request = services.adapters[raw.endpoint].read(raw, read_object(raw.body))
        draft.tags = named_tags(raw)
        # 3 authorize
        grant = services.authorize(principal, raw.endpoint, raw.dialect, request.model, services.snapshot)
        draft.grant = grant
        # 4 admit; released on every exit
        self._guards.check(raw, request, grant)
        shared = admitted if isinstance(admitted, SharedAdmitted) else None
        spent_nano = await shared.ask(draft, self._route) if shared else self._admit(draft, request, grant, admitted)
        draft.mark("admit")
        # 5 inspect
        facts = policy_facts(raw, request, grant, spent_nano)
        draft.facts = facts
        inspection = await self._readers.run(len(raw.body), lambda: inspect_request(services, request, facts))
        draft.inspection = inspection
        draft.mark("inspect")
        # 5b classify, where a rule asks judges outside
        opinions = await ask_classifiers(services, request, facts, inspection)
        if opinions:
            draft.opinions = opinions
            draft.mark("classify")
            inspection = weigh_opinions(services, facts, inspection, opinions, request.segments)
            draft.inspection = inspection
        # 6 decide
        decision = decide_request(services, facts, inspection)
        draft.decision = decision
        # 6b decide again, on the model that a rule routes to
        if decision.obligations.route_to and decision.effect is not Effect.DENY:
            grant = services.reroute(grant, raw.dialect, decision.obligations.route_to, services.snapshot)
            await move(admitted, draft, request, grant, self._route)
            facts = policy_facts(raw, request, grant, facts.spent_nano)
            inspection, decision = await self._decide_routed(request, facts, inspection, decision, draft)
            draft.grant, draft.decision = grant, decision
        # 6c approve, where a rule holds the request up; given back on every refusal
        draft.approval = approval = await claim_approval(services, raw, grant, decision, draft.end_user)
        # 7 enforce
        pseudonyms = pseudonyms_for(services, facts, decision)
        permit = enforce(services, request, inspection, decision, grant.model, approval, pseudonyms, facts)
        # 8 route
        route = self._route(permit, grant, raw)
        draft.route = route
        draft.mark("decide")
        # 9 reserve
        price = price_of(services, draft, permit, grant)
        if shared is None:
            step = Reserving(services, draft, permit, grant, route, price, admitted, self._heed, self._route)
            taken = await step.run()
        else:
            taken = await reserve_shared(services, draft, permit, grant, price, shared, self._route)
        draft.route, draft.reservation, draft.reserved_uses = taken.route, taken.reservation, taken.ceiling.uses
        # 10 record the intent, durable
        intent = await self._begin(draft, taken.reservation, out)
        draft.mark("record")
        admitted.keep_tokens()
        return self._exchange(grant, facts, pseudonyms, taken, price, intent, draft, admitted)

    async def _decide_routed(
        self, request: ChatRequest, facts: PolicyFacts, inspection: Inspection, first: Decision, draft: Draft
    ) -> tuple[Inspection, Decision]:
        """Steps 5 to 6 on the routed model: weigh, ask the classifiers that only its rules ask, decide."""
        services, known = self._services, draft.opinions
        inspection = weigh_routed(services.policy, facts, inspection)
        more = await ask_classifiers(services, request, facts, inspection, known, first)
        draft.opinions = known + more
        if more:
            draft.mark("classify")
        inspection = weigh_more(services, facts, inspection, known, more, request.segments)
        draft.inspection = inspection
        return inspection, decide_routed(services.policy, facts, inspection, first)

    def _route(self, permit: Permit, grant: Grant, raw: RawRequest) -> Route:
        adapter = self._services.adapters[raw.endpoint]
        return Route(
            provider=grant.provider,
            model=grant.model,
            path=adapter.path,
            headers=self._services.headers.request(raw.dialect, raw.headers),
            body=adapter.encode(permit, grant.model, grant.provider),
        )

    def _admit(self, draft: Draft, request: ChatRequest, grant: Grant, admitted: Admitted) -> int:
        """Step 4. What the app's month has cost before."""
        raw = draft.raw
        self._guards.patience.heed(draft.principal, raw.started_ns, lambda: admitted.admit(request, grant))
        return month_spent(self._services, draft)

    async def _begin(self, draft: Draft, reservation: Reservation, out: Outlet) -> Intent:
        intent = draft.intent()
        draft.on_record = True
        try:
            await self._services.store.begin(intent, draft.kept_request(self._services.redaction))
        except (AuditUnavailable, asyncio.CancelledError) as failure:
            # Nothing was sent. The row may still become durable, so it gets its end, and the money goes back.
            self._services.ledger.settle(reservation, NOTHING)
            error: GateError = failure if isinstance(failure, GateError) else _cut_short(out)
            end = draft.end(EndState.REFUSED, error, error.status, UNUSED)
            self._services.store.finish(end, None)
            self._services.observer.observe(intent, end)
            raise
        return intent

    async def _refuse(self, draft: Draft, refusal: GateError) -> None:
        """One intent and one end for a known caller's request that was refused; durable before the answer."""
        await self._give_back(draft)
        if isinstance(refusal, AuditUnavailable):
            return
        if draft.reservation is not None:
            self._services.ledger.settle(draft.reservation, NOTHING)
        # Where a part of the gateway failed, it may be the one that decides what of a text may be kept.
        sound = not isinstance(refusal, InternalFault | GuardFailed)
        # Names are the detectors' matter alone.
        if not sound and not (isinstance(refusal, GuardFailed) and refusal.spares_detectors):
            draft.distrust()
        draft.withhold()
        intent = draft.intent()
        end = draft.end(EndState.REFUSED, refusal, refusal.status, UNUSED)
        await self._record(intent, end, draft.kept_of_refused(self._services.redaction if sound else None))

    async def _give_back(self, draft: Draft) -> None:
        """A permit by which nothing passed may be used again. Where that cannot be written down it stays used, and
        the record names it."""
        if draft.approval is None:
            return
        try:
            await self._services.approvals.give_back(draft.approval.id, draft.raw.id)
        except GuardFailed:
            return
        draft.approval = None

    async def _record(self, intent: Intent, end: End, content: bytes | None) -> None:
        """Both rows, durable. A caller who hangs up meanwhile is recorded and observed like everybody else."""
        try:
            await self._services.store.refuse(intent, end, content)
        except asyncio.CancelledError:
            self._services.observer.observe(intent, end)
            raise
        self._services.observer.observe(intent, end)

    async def _models(
        self, raw: RawRequest, principal: Principal, draft: Draft, admitted: Admitted, out: Outlet
    ) -> None:
        services = self._services
        dialect = Dialect.ANTHROPIC if "anthropic-version" in raw.headers else Dialect.OPENAI
        models = services.visible_models(principal, services.snapshot)
        body = (
            services.render_models(models, dialect)
            if not raw.model
            else services.render_model(models, dialect, raw.model)
        )
        intent = draft.intent()
        end = draft.end(EndState.COMPLETED, None, 200, UNUSED)
        draft.on_record = True
        await self._record(intent, end, None)
        headers = limit_headers(admitted.standing(), dialect, services.clock.wall_ms())
        await out.answer(200, [*headers, ("x-gptgate-overhead-ms", f"{draft.overhead_us() / 1000:.3f}")], body)


def _cut_short(out: Outlet) -> GateError:
    """Why a request was cancelled."""
    return ClientGone("The caller hung up.") if out.gone else ShuttingDown("The gateway shut down.")
