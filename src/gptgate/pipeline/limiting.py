"""What one request holds of its limits, from step 4 until it is over."""

from gptgate.core.errors import ClientError, GateError, OverBudget
from gptgate.core.facts import ChatRequest, Grant, Principal, RawRequest, Reservation, Usage
from gptgate.core.limit import Charge, Standing
from gptgate.core.ports import Admission, Clock, Ledger, Limiter
from gptgate.pipeline.charges import Ceiling
from gptgate.pipeline.limit_plan import UNNAMED, LimitPlan, Names, tokens_of
from gptgate.pipeline.policy_facts import named_end_user, named_session


class Admitted:
    """The admissions of one request. A limit's refusal leaves none of them charged.

    `release` it when the request is over. Its tokens are then given back, unless `keep_tokens` was called: from there
    on they stay spent until `settle` says what was really taken.
    """

    __slots__ = (
        "_charges",
        "_clock",
        "_extra",
        "_kept",
        "_limiter",
        "_plan",
        "_principal",
        "_raw",
        "_request",
        "_tokens",
        "handed_over",
    )

    def __init__(self, plan: LimitPlan, limiter: Limiter, clock: Clock, raw: RawRequest, principal: Principal) -> None:
        self._plan = plan
        self._limiter = limiter
        self._clock = clock
        self._raw = raw
        self._principal = principal
        self._request: Admission | None = None
        self._tokens: Admission | None = None
        self._charges: tuple[Charge, ...] = ()
        """Those of the tokens."""
        self._extra: list[int] = []
        """Tokens that were charged besides, for a stream that outgrew its reservation."""
        self._kept = False
        self.handed_over = False
        """Whoever runs the exchange on without its caller releases it."""

    def admit(self, request: ChatRequest | None = None, grant: Grant | None = None) -> None:
        """Step 4: one request, and its place. Raises RateLimited or ConcurrencyLimited."""
        charges = self.charges(request, grant)
        self._request = self._limiter.admit(charges, self._clock.monotonic_ns())

    def charges(self, request: ChatRequest | None = None, grant: Grant | None = None) -> tuple[Charge, ...]:
        """What step 4 charges."""
        plan, principal = self._plan, self._principal
        if plan.is_fixed(principal.app.name):
            return plan.of_caller(principal)
        stream = request is not None and request.stream
        return plan.of_request(principal, grant, self._names(request), stream)

    def token_charges(
        self, request: ChatRequest, grant: Grant, input_tokens: int, output_tokens: int
    ) -> tuple[Charge, ...]:
        """What step 9 charges."""
        if not self._plan.has_tokens(self._principal.app.name):
            return ()
        return self._plan.of_tokens(grant, self._names(request), input_tokens, output_tokens)

    def move(self, request: ChatRequest, grant: Grant) -> None:
        """A rule routes the request to another model, whose limits hold instead. Raises as `admit`."""
        if not self._plan.is_fixed(self._principal.app.name):
            self._cancel()
            self.admit(request, grant)

    def reserve(self, request: ChatRequest, grant: Grant, input_tokens: int, output_tokens: int) -> None:
        """Step 9: the most tokens that the request can take; asked again, nothing more. Raises RateLimited or
        ExceedsLimit; the request of step 4 is then not charged either."""
        charges = self.token_charges(request, grant, input_tokens, output_tokens)
        if not charges or self._tokens is not None:
            return
        try:
            self._tokens = self._limiter.admit(charges, self._clock.monotonic_ns())
        except ClientError as refusal:
            self._cancel()
            refusal.standing += self.standing()
            raise
        self._charges = charges

    async def extend(self, ledger: Ledger, reservation: Reservation, wanted: Ceiling) -> Reservation:
        """Hold more for the request's stream: in its limits of tokens and in its budgets, or in none of them.

        Raises as `Ledger.extend`, RateLimited or ExceedsLimit; then what was held is held.
        """
        more, now_ns = self._more_tokens(wanted), self._clock.monotonic_ns()
        charges = [one._replace(amount=extra) for one, extra in zip(self._charges, more, strict=True) if extra]
        admission = self._limiter.admit(charges, now_ns) if charges else None
        try:
            extended = ledger.extend(reservation, wanted.spend)
        except OverBudget:
            if admission is not None:
                admission.cancel(now_ns)
            raise
        if admission is not None:
            admission.release()
            self._extra = [before + extra for before, extra in zip(self._extra or [0] * len(more), more, strict=True)]
        return extended

    def _more_tokens(self, wanted: Ceiling) -> list[int]:
        """How much each limit of tokens lacks of this."""
        if self._tokens is None:
            return [0] * len(self._charges)
        most = [tokens_of(one.spec.unit, wanted.input_tokens, wanted.output_tokens) for one in self._charges]
        held = [one.amount + extra for one, extra in zip(self._charges, self._extra or [0] * len(most), strict=True)]
        return [max(one - other, 0) for one, other in zip(most, held, strict=True)]

    def give_tokens_back(self) -> None:
        """The opposite of `reserve`: a budget refused, and the request may wait. How the limits stand can be told."""
        tokens, self._tokens = self._tokens, None
        if tokens is not None:
            tokens.cancel(self._clock.monotonic_ns())

    def keep_tokens(self) -> None:
        """The request is about to be sent."""
        self._kept = True

    def settle(self, usage: Usage) -> None:
        """Put the tokens that were really taken in the place of the ceiling, once; a second time changes nothing."""
        tokens, self._tokens = self._tokens, None
        if tokens is not None:
            spent = [tokens_of(one.spec.unit, usage.input_tokens, usage.output_tokens) for one in self._charges]
            if self._extra:
                spent = [real - extra for real, extra in zip(spent, self._extra, strict=True)]
            tokens.settle(spent, self._clock.monotonic_ns())
            tokens.release()

    def standing(self) -> tuple[Standing, ...]:
        """How the limits that apply to this request stand; before it is admitted, those that apply to its caller."""
        now_ns = self._clock.monotonic_ns()
        if self._request is None:
            return self._limiter.look(self._plan.of_caller(self._principal), now_ns)
        standing = self._request.standing(now_ns)
        return standing + self._limiter.look(self._charges, now_ns) if self._charges else standing

    def told(self, error: GateError) -> None:
        """Say with an error how the limits stand, where the limiter did not."""
        if not error.standing:
            error.standing = self.standing()

    def release(self) -> None:
        """Give the places back, and what was never sent."""
        if self._tokens is not None and not self._kept:
            self.settle(Usage())
        for admission in (self._request, self._tokens):
            if admission is not None:
                admission.release()

    def _names(self, request: ChatRequest | None) -> Names:
        if not self._plan.asks_for_names(self._principal.app.name):
            return UNNAMED
        return Names(named_end_user(self._raw, request), named_session(self._raw, request))

    def _cancel(self) -> None:
        """As if the request had never been admitted."""
        if self._request is not None:
            self._request.cancel(self._clock.monotonic_ns())
            self._request = None
