"""Steps 11 to 14: send, inspect the answer, settle, record the outcome.

From the moment the intent is durable, every way out of here, a hang-up among them, settles and records: both are plain
calls that neither block nor await, so no cancellation can come between them.
"""

import asyncio
from hashlib import sha256

from gptgate.core.adapter import Adapter, Answer
from gptgate.core.document import read_object
from gptgate.core.errors import (
    ClientGone,
    GateError,
    InternalFault,
    MalformedRequest,
    Reach,
    ShuttingDown,
    UpstreamBroken,
    UpstreamCredential,
    UpstreamError,
    UpstreamFailed,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamRefused,
)
from gptgate.core.events import EndState, Intent
from gptgate.core.facts import Grant, PolicyFacts, Settlement, Usage
from gptgate.core.ports import Outlet, Price, Pseudonyms, UpstreamReply
from gptgate.core.snapshot import ProviderKind
from gptgate.pipeline.answer_guard import AnswerGuard
from gptgate.pipeline.aside import Aside
from gptgate.pipeline.charges import is_counted
from gptgate.pipeline.defects import told
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.judge import words_to_mind
from gptgate.pipeline.limit_headers import limit_headers
from gptgate.pipeline.limiting import Admitted
from gptgate.pipeline.outgrowth import AROUND_TOKENS, Outgrowth
from gptgate.pipeline.services import Services
from gptgate.pipeline.sharing import Taken
from gptgate.pipeline.tool_fees import covers_uses, with_untold

UNBILLED_STATUS = frozenset({400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 503, 529})
"""Answers by which a provider says that it did not begin to work on the request."""

REPORTING = frozenset({ProviderKind.OPENAI, ProviderKind.ANTHROPIC})
"""Kinds that report the usage of every answer. Where one of them does not, something is wrong, and nobody knows what is
billed; of others, what was delivered can be estimated."""

FAILED = "The gateway failed on this request."


class Exchange:
    """One request's conversation with its provider."""

    def __init__(
        self,
        services: Services,
        readers: Aside,
        grant: Grant,
        facts: PolicyFacts,
        pseudonyms: Pseudonyms | None,
        taken: Taken,
        price: Price | None,
        intent: Intent,
        draft: Draft,
        admitted: Admitted,
    ) -> None:
        self._services = services
        self._may_estimate = taken.route.provider.kind not in REPORTING
        self._admitted = admitted
        self._readers = readers
        self._request = request = taken.permit.request
        self._route = taken.route
        self._growth = Outgrowth(services, draft, admitted, taken.reservation, taken.ceiling)
        self._price, self._uses = price, taken.ceiling.uses
        self._intent = intent
        self._draft = draft
        self._adapter: Adapter = services.adapters[request.endpoint]
        self._guard = AnswerGuard(
            services,
            grant,
            facts,
            draft,
            pseudonyms,
            offers_tools=not taken.permit.obligations.strip_tools,
            minded=words_to_mind(services, request, facts),
        )
        self._kept: bytes | None = None
        self._unbilled = False
        self._delivered: tuple[int, int] | None = None
        """Characters, and bytes at most, of a complete answer without usage, of a provider that may report none."""
        self._noted: GateError | None = None
        """An error that goes on record although its answer went out as it came."""

    @property
    def outlives_caller(self) -> bool:
        """Whether the configuration wants the provider's answer read to its end although the caller has left."""
        return self._route.provider.finish_on_disconnect

    async def run(self, out: Outlet) -> None:
        """Converse until the answer is out. Raises what the caller must be told, after it is on record."""
        error: GateError | None = InternalFault(FAILED)
        try:
            try:
                await self._converse(out)
                error = None
            except UpstreamError as failure:
                self._unbilled = self._unbilled or failure.reach is Reach.NOT_SENT
                error = failure
                raise
            except GateError as refusal:
                error = refusal
                raise
            except asyncio.CancelledError:
                error = ClientGone("The caller hung up.") if out.gone else ShuttingDown("The gateway shut down.")
                raise
            finally:
                self._conclude(out, error)
        except GateError:
            raise
        except Exception as defect:
            raise InternalFault(FAILED, detail=told(defect)) from defect

    def _conclude(self, out: Outlet, error: GateError | None) -> None:
        """Steps 13 and 14. Plain calls only; see the head of this file.

        Should the sums themselves fail, the reservation stays spent, and that too goes on record.
        """
        if error is None:
            error = ClientGone("The caller hung up.") if out.gone else self._noted
        ledger = self._services.ledger
        unknown = settlement = self._unknown()
        try:
            real = self._settlement()
            ledger.settle(self._growth.reservation, real.spend)
            settlement = real
            if real.source == "provider" and self._draft.usage:
                self._compare(self._draft.usage)
            if real.source != "unknown":
                self._admitted.settle(self._draft.usage if real.source != "unused" and self._draft.usage else Usage())
        finally:
            if settlement is unknown:
                ledger.settle(self._growth.reservation, unknown.spend)
                error = error or InternalFault(FAILED)
            status = error.status if error and (error is self._noted or not out.started) else 200
            end = self._draft.end(EndState.COMPLETED, error, status, settlement)
            self._services.store.finish(end, self._kept)
            self._services.observer.observe(self._intent, end)

    def _compare(self, usage: Usage) -> None:
        """What the provider counted, with the bounds that were taken for it."""
        conversation, counted = self._draft.conversation, self._draft.counted
        if conversation is not None:
            self._services.conversations.counted(conversation, usage.input_tokens)
        if counted is not None and counted.bound is not None and is_counted(self._draft, self._route):
            self._services.tokens.counted(counted.model, counted.bound, usage.input_tokens)

    def _settlement(self) -> Settlement:
        """Real usage where the provider reported it, what was delivered where it may report none, nothing where nothing
        can have been billed, else the ceiling."""
        if self._unbilled or not self._adapter.billed:
            return Settlement(nano=0, tokens=0, source="unused")
        usage = self._draft.usage
        if usage is not None and self._uses:
            usage = self._draft.usage = with_untold(usage, self._request, self._uses)
        if usage is None or self._price is None or not self._is_covered(usage, self._price):
            return self._estimated() or self._unknown()
        tokens = usage.input_tokens + usage.output_tokens
        nano = self._price.cost(usage, self._request.service_tier)
        fees = self._price.fees(usage.tool_uses) if usage.tool_uses else 0
        return Settlement(nano=nano, tokens=tokens, source="provider", fees=fees)

    def _is_covered(self, usage: Usage, price: Price) -> bool:
        """Whether it is known what all that the usage names costs."""
        return price.covers(usage.service_tier) and (not usage.tool_uses or covers_uses(price, usage))

    def _estimated(self) -> Settlement | None:
        """What is known of a complete answer, or of one that outgrew its reservation: never less than was delivered."""
        growth = self._growth
        estimate = growth.estimate() if self._delivered is None else growth.delivered(*self._delivered)
        if estimate is None:
            return None
        nano, self._draft.usage = estimate
        return Settlement(nano=nano, tokens=estimate[1].input_tokens + estimate[1].output_tokens, source="estimated")

    def _unknown(self) -> Settlement:
        held = self._growth.reservation
        return Settlement(nano=held.nano, tokens=held.tokens, source="unknown")

    async def _converse(self, out: Outlet) -> None:
        services, route, draft = self._services, self._route, self._draft
        sent_ns = services.clock.monotonic_ns()
        try:
            reply = await services.upstream.send(route.provider, route.path, route.headers, route.body)
        finally:
            draft.mark("upstream")
        try:
            draft.attempts = reply.attempts
            draft.provider_request_id = services.headers.provider_request_id(reply.headers)
            if reply.status >= 400:
                await self._provider_error(reply, out)
            elif self._request.stream:
                await self._stream(reply, out)
            else:
                await self._whole(reply, out, sent_ns)
        finally:
            reply.close()

    async def _whole(self, reply: UpstreamReply, out: Outlet, sent_ns: int) -> None:
        services, draft = self._services, self._draft
        body = await reply.read(services.snapshot.server.max_answer_bytes)
        draft.timings_us["upstream"] = (services.clock.monotonic_ns() - sent_ns) // 1000
        draft.mark("answer")
        try:
            answer = self._adapter.decode(read_object(body))
        except MalformedRequest as error:
            raise UpstreamBroken(
                "The provider's answer is not the JSON it should be.", reach=Reach.ANSWERED, detail=error.message
            ) from None
        draft.usage = answer.usage
        if answer.usage is not None:
            # Before the answer's head, which says how much is left.
            self._admitted.settle(answer.usage)
        elif self._may_estimate and answer.document.get("usage") is None:
            texts = [segment.text for segment in answer.segments]
            most_bytes = sum([AROUND_TOKENS + len(text.encode("utf-8", "surrogatepass")) for text in texts])
            self._delivered = sum(map(len, texts)), most_bytes
        draft.answered_model = answer.model
        try:
            released = await self._judged(answer, body)
        finally:
            self._kept = self._guard.kept_whole(self._adapter, answer, body)
        draft.mark("inspect_answer")
        draft.answer_digest = sha256(released).hexdigest()
        await out.answer(reply.status, self._answer_headers(reply), released)

    async def _judged(self, answer: Answer, body: bytes) -> bytes:
        """The whole answer's bytes as they may go out. A large one is inspected beside the event loop."""
        await self._readers.run(len(body), lambda: self._guard.inspect(answer))
        if self._guard.hearing is not None:
            self._draft.mark("inspect_answer")
            try:
                await self._guard.hear_whole(answer)
            finally:
                self._draft.mark("classify_answer")
        return self._guard.whole(self._adapter, answer, body)

    async def _stream(self, reply: UpstreamReply, out: Outlet) -> None:
        draft, guard, growth = self._draft, self._guard, self._growth
        guard.begin()
        codec = self._adapter.stream(self._request, self._services.snapshot.server.max_answer_bytes)
        digest, reported = sha256(), codec.so_far
        await out.start_stream(self._answer_headers(reply))
        try:
            try:
                async for chunk in reply.chunks():
                    events = codec.feed(chunk)
                    draft.chunks += len(events)
                    if len(events) == 1:
                        data = guard.event(codec, events[0])
                    else:
                        data = b"".join([guard.event(codec, event) for event in events])
                    if guard.received > growth.room or (codec.so_far is not reported and growth.passed(codec.so_far)):
                        await growth.follow(codec.so_far, guard.received)
                    reported = codec.so_far
                    if guard.hearing is not None:
                        data = guard.hold(data, at_end=codec.complete)
                    if data:
                        digest.update(data)
                        await out.send(data)
                    if codec.failure is not None:
                        raise codec.failure
            except UpstreamError:
                rest = guard.rest(codec)
                digest.update(rest)
                await out.send(rest)
                raise
            if not codec.complete:
                rest = guard.rest(codec)
                digest.update(rest)
                await out.send(rest)
                raise UpstreamBroken("The provider's stream ended before its end.", reach=Reach.ANSWERED)
            if guard.hearing is not None:
                data = await self._heard()
                digest.update(data)
                await out.send(data)
        finally:
            growth.told(codec.so_far)
            if guard.hearing is not None and guard.hearing.withholds_all:
                draft.chunks = 0
            draft.answered_model = codec.model
            draft.usage = codec.usage if codec.complete else None
            if codec.complete and not codec.reported and self._may_estimate:
                self._delivered = guard.received, guard.received + guard.beside
            draft.answer_digest = digest.hexdigest()
            self._kept = guard.kept_stream(codec)
            draft.mark("stream")
        await out.end_stream()

    async def _heard(self) -> bytes:
        """What of a stream waited for the classifiers' word, when they let it pass."""
        draft = self._draft
        draft.mark("stream")
        try:
            return await self._guard.hear_stream()
        finally:
            draft.mark("classify_answer")

    async def _provider_error(self, reply: UpstreamReply, out: Outlet) -> None:
        """A provider's refusal: its own words where they concern the request, ours where they concern the gateway."""
        status, name = reply.status, self._route.provider.name
        if status in UNBILLED_STATUS:
            self._unbilled = True
            self._admitted.settle(Usage())
        if status in (401, 403):
            raise UpstreamCredential(
                f"The provider '{name}' does not accept the gateway's credential.", reach=Reach.ANSWERED
            )
        if status == 429:
            raise UpstreamLimited(
                f"The provider '{name}' limits the gateway's requests.",
                reach=Reach.ANSWERED,
                retry_after_ms=_retry_after_ms(reply),
            )
        if status in (503, 529):
            raise UpstreamOverloaded(
                f"The provider '{name}' is overloaded.",
                reach=Reach.ANSWERED,
                status=status,
                retry_after_ms=_retry_after_ms(reply),
            )
        if status >= 500:
            raise UpstreamFailed(f"The provider '{name}' failed with status {status}.", reach=Reach.ANSWERED)
        body = await reply.read(self._services.snapshot.server.max_answer_bytes)
        try:
            answer = self._adapter.decode(read_object(body))
        except MalformedRequest:
            raise UpstreamRefused(
                f"The provider '{name}' refused the request with status {status}.",
                reach=Reach.ANSWERED,
                status=status,
            ) from None
        released = await self._judged(answer, body)
        self._kept = self._guard.kept_whole(self._adapter, answer, body)
        self._draft.answer_digest = sha256(released).hexdigest()
        self._noted = UpstreamRefused("passed on", reach=Reach.ANSWERED, status=status)
        headers = [*self._answer_headers(reply), ("x-should-retry", "false")]
        await out.answer(status, headers, released)

    def _answer_headers(self, reply: UpstreamReply) -> list[tuple[str, str]]:
        draft = self._draft
        risk = [("x-gptgate-risk", str(draft.score))] if self._services.snapshot.server.risk_header else []
        lowered = [("x-gptgate-max-output-tokens", str(self._request.max_output_tokens))] if draft.lowered_from else []
        return [
            *self._services.headers.answer(reply.headers),
            *limit_headers(self._admitted.standing(), self._request.dialect, self._services.clock.wall_ms()),
            *risk,
            *lowered,
            ("x-gptgate-effect", draft.effect.value),
            ("x-gptgate-overhead-ms", f"{draft.overhead_us() / 1000:.3f}"),
        ]


def _retry_after_ms(reply: UpstreamReply) -> int | None:
    text = reply.headers.get("retry-after", "")
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) < 7 else None
