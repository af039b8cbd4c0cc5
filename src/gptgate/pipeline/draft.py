"""The record in the making: facts are noted as they are earned; no stage reads them back."""

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType

from msgspec.structs import replace

from gptgate.core.approvals import Approval
from gptgate.core.classifier import Opinion
from gptgate.core.conversation import Conversation
from gptgate.core.document import apply_edits
from gptgate.core.errors import GateError, GuardFailed, RedactionImpossible
from gptgate.core.events import Circumstances, End, EndState, Intent
from gptgate.core.facts import (
    ChatRequest,
    Decision,
    Grant,
    Inspection,
    PolicyFacts,
    Principal,
    RawRequest,
    Reservation,
    Route,
    Settlement,
    Usage,
)
from gptgate.core.finding import Finding
from gptgate.core.ports import Clock, Redaction
from gptgate.core.snapshot import STRENGTH, Effect
from gptgate.core.tokens import Counted
from gptgate.pipeline.discretion import NOBODY, Discretion
from gptgate.pipeline.judge import rewriting_edits
from gptgate.pipeline.keeping import class_of, content_of, content_unjudged, kept_out
from gptgate.pipeline.policy_facts import MAX_NAME, named_end_user, named_session

MAX_FINDINGS = 200
MAX_TOOLS = 128


class Draft:
    """One request's record. `mark` notes the end of a stage; the stages' durations are in microseconds."""

    request: ChatRequest | None = None
    tags: Mapping[str, str] = MappingProxyType({})
    grant: Grant | None = None
    inspection: Inspection | None = None
    opinions: tuple[Opinion, ...] = ()
    on_record = False
    """The intent has been given to the store."""
    facts: PolicyFacts | None = None
    """Those of the model that was asked for, also where a rule routes to another."""
    decision: Decision | None = None
    approval: Approval | None = None
    route: Route | None = None
    reservation: Reservation | None = None
    conversation: Conversation | None = None
    """What is sent, where a provider's count of it bounds later requests."""
    counted: Counted | None = None
    """What is sent, where its texts were counted."""
    reserved_uses: Mapping[str, int] = MappingProxyType({})
    """Of tools that the provider runs."""
    price_version = ""
    lowered_from = 0
    answer_findings: tuple[Finding, ...] = ()
    answer_rules: tuple[str, ...] = ()
    answer_shadowed: tuple[str, ...] = ()
    answer_failures: tuple[str, ...] = ()
    answer_opinions: tuple[Opinion, ...] = ()
    answer_effect = Effect.ALLOW
    answer_score = 0
    answered_model = ""
    provider_request_id = ""
    attempts = 0
    chunks = 0
    answer_digest = ""
    usage: Usage | None = None
    extensions = 0
    extended_nano = 0

    def __init__(
        self, raw: RawRequest, principal: Principal, config_digest: str, clock: Clock, discretion: Discretion
    ) -> None:
        self.raw = raw
        self.principal = principal
        self.timings_us: dict[str, int] = {}
        self._config_digest = config_digest
        self._clock = clock
        self._discretion = discretion
        self._marked_ns = raw.started_ns

    def distrust(self) -> None:
        """A part of the gateway failed: names that nobody vouches for stay out of the record."""
        self._discretion = NOBODY

    def withhold(self) -> None:
        """Nothing of the request may be sent any more: its record names no bytes that could have been."""
        self.route = None

    def mark(self, stage: str) -> None:
        now = self._clock.monotonic_ns()
        self.timings_us[stage] = self.timings_us.get(stage, 0) + (now - self._marked_ns) // 1000
        self._marked_ns = now

    def overhead_us(self) -> int:
        """The gateway's own time, from the request's head to that of its answer: without the wait for the provider, and
        for what other requests held of a budget.

        Fixed by the first call, so that a stream's record does not count the time in which the provider speaks.
        """
        overhead = self.timings_us.get("overhead")
        if overhead is None:
            total = (self._clock.monotonic_ns() - self.raw.started_ns) // 1000
            timings = self.timings_us
            others = timings.get("upstream", 0) + timings.get("wait", 0)
            overhead = timings["overhead"] = max(0, total - others)
        return overhead

    @property
    def end_user(self) -> str:
        """As `named_end_user`, without secrets."""
        return self._discretion.name(named_end_user(self.raw, self.request))

    @property
    def session(self) -> str:
        """As `named_session`, without secrets."""
        return self._discretion.name(named_session(self.raw, self.request))

    @property
    def effect(self) -> Effect:
        """The stronger effect of both sides."""
        asked = self.decision.effect if self.decision else Effect.ALLOW
        return max(asked, self.answer_effect, key=STRENGTH.__getitem__)

    @property
    def score(self) -> int:
        """The higher risk score of both sides."""
        return max(self.inspection.score if self.inspection else 0, self.answer_score)

    def _routed_from(self) -> str:
        if self.request is None or self.grant is None or self.request.model == self.grant.model.name:
            return ""
        return self.request.model

    def intent(self) -> Intent:
        """The record of what is about to happen, or was refused."""
        found = self.inspection.findings if self.inspection else ()
        body_digest = sha256(self.raw.body).hexdigest()
        if self.route is None:
            sent_digest = ""
        else:
            sent_digest = body_digest if self.route.body is self.raw.body else sha256(self.route.body).hexdigest()
        return Intent(
            id=self.raw.id,
            at_ms=self.raw.at_ms,
            team=self.principal.team,
            app=self.principal.app.name,
            key_id=self.principal.key_id,
            end_user=self.end_user,
            client=self.raw.peer,
            endpoint=self.raw.endpoint.value,
            stream=self.request.stream if self.request else False,
            model=self.grant.model.name if self.grant else "",
            provider=self.grant.provider.name if self.grant else "",
            upstream_model=self.grant.model.upstream_name if self.grant else "",
            effect=(self.decision.effect if self.decision else Effect.ALLOW).value,
            score=self.inspection.score if self.inspection else 0,
            parts=self.inspection.parts if self.inspection else (),
            rules=self.decision.rules if self.decision else (),
            findings=self._discretion.places(found[:MAX_FINDINGS]),
            config_digest=self._config_digest,
            request_digest=body_digest,
            sent_digest=sent_digest,
            window=self.reservation.window if self.reservation else "",
            reserved_nano=self.reservation.nano if self.reservation else 0,
            price_version=self.price_version,
            traceparent=self.raw.headers.get("traceparent", "")[:128],
            finding_counts=count_kinds(found),
            shadowed=self.decision.shadowed if self.decision else (),
            failures=self.inspection.failures if self.inspection else (),
            opinions=tuple([on_record(opinion) for opinion in self.opinions]),
            approval=self.approval.id if self.approval else "",
            approved_by=self.approval.decided_by if self.approval else "",
            routed_from=self._routed_from(),
            session=self.session,
            reserved_tokens=self.reservation.tokens if self.reservation else 0,
            lowered_from=self.lowered_from,
            tags={tag: self._discretion.name(value) for tag, value in self.tags.items()},
            circumstances=self._circumstances(),
            reserved_uses=dict(self.reserved_uses),
        )

    def _circumstances(self) -> Circumstances | None:
        facts = self.facts
        if facts is None or self.decision is None:
            return None
        name = self._discretion.name
        return Circumstances(
            dialect=facts.dialect,
            location=facts.location,
            max_output_tokens=facts.max_output_tokens,
            choices=facts.choices,
            media=facts.media,
            tools=tuple([name(tool[:MAX_NAME]) for tool in facts.tools[:MAX_TOOLS]]),
            session=name(facts.session) if facts.session else "",
            spent_nano=facts.spent_nano,
            budget_nano=facts.budget_nano,
        )

    def end(self, state: EndState, error: GateError | None, status: int, settlement: Settlement) -> End:
        """The record of how it ended."""
        self.timings_us["total"] = (self._clock.monotonic_ns() - self.raw.started_ns) // 1000
        self.timings_us["overhead"] = min(self.overhead_us(), self.timings_us["total"])
        return End(
            id=self.raw.id,
            at_ms=self._clock.wall_ms(),
            app=self.principal.app.name,
            window=self.reservation.window if self.reservation else "",
            state=state,
            status=status,
            code=error.code if error else "",
            limit=error.limit if error else "",
            failed_guard=error.guard if error else "",
            failure=error.why if error else "",
            effect=self.effect.value,
            rules=self.answer_rules,
            findings=self._discretion.places(self.answer_findings[:MAX_FINDINGS]),
            score=self.answer_score,
            answered_model=self._discretion.name(self.answered_model[:MAX_NAME]),
            provider_request_id=self.provider_request_id[:MAX_NAME],
            usage=self.usage or Usage(),
            usage_source=settlement.source,
            cost_nano=settlement.nano,
            attempts=self.attempts,
            answer_digest=self.answer_digest,
            timings_us=dict(self.timings_us),
            chunks=self.chunks,
            finding_counts=count_kinds(self.answer_findings),
            shadowed=self.answer_shadowed,
            failures=self.answer_failures,
            opinions=self.answer_opinions,
            extensions=self.extensions,
            extended_nano=self.extended_nano,
            fees_nano=settlement.fees,
        )

    def request_classes(self) -> set[str]:
        """The classes of what was found in the request, where the app's configuration says anything of classes."""
        if self.inspection is None or not self.principal.app.class_content:
            return set()
        return {class_of(finding) for finding in self.inspection.findings}

    def kept_request(self, redaction: Redaction | None) -> bytes | None:
        """The request as the configuration lets it be kept; None when nothing is kept.

        A body that was never inspected is kept only where every class may be kept in full; one that nothing can redact
        only under ``full``.
        """
        app, judged = self.principal.app, self.inspection
        keep = content_unjudged(app) if judged is None else content_of(app, self.request_classes())
        if keep == "full":
            return self.raw.body
        if keep != "redacted" or self.request is None or judged is None or redaction is None:
            return None
        found = kept_out(app, judged.findings)
        if not found:
            return self.raw.body
        try:
            return apply_edits(self.raw.body, rewriting_edits(redaction, self.request.segments, found))
        except RedactionImpossible:
            return None

    def kept_of_refused(self, redaction: Redaction | None) -> bytes | None:
        """As `kept_request`, of a request that is refused in any case: a text that no guard can redact is not kept."""
        try:
            return self.kept_request(redaction)
        except GuardFailed:
            return None


def on_record(opinion: Opinion) -> Opinion:
    """The opinion with as many of its places as there are findings on record."""
    return replace(opinion, spans=opinion.spans[:MAX_FINDINGS]) if len(opinion.spans) > MAX_FINDINGS else opinion


def count_kinds(findings: tuple[Finding, ...]) -> tuple[tuple[str, int], ...]:
    """How many findings of each kind, sorted by kind."""
    return tuple(sorted(Counter(finding.kind for finding in findings).items())) if findings else ()
