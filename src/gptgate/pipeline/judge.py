"""Steps 5 to 7: inspect, decide, enforce."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from gptgate.core.adapter import Adapter, Answer
from gptgate.core.approvals import Approval
from gptgate.core.document import apply_edits, encode_json
from gptgate.core.errors import ApprovalRequired, PolicyDenied, RedactionImpossible
from gptgate.core.facts import ChatRequest, Decision, Inspection, Permit, PolicyFacts
from gptgate.core.finding import Finding, Origin, Path, Segment
from gptgate.core.ports import Cut, Policy, Pseudonyms, Redaction
from gptgate.core.snapshot import STRENGTH, Effect, ModelSpec, Obligations, Stage
from gptgate.pipeline.services import Services
from gptgate.pipeline.soundness import sound, sound_findings, sound_rewriting

UNCUTTABLE: frozenset[Path] = frozenset({("model",)})
SYSTEM_TEXT = "exfil.system_prompt"
"""The kind of a system's text in an answer. It is looked for only where a rule wants to know."""
SYSTEM_WORDS = frozenset({Origin.SYSTEM, Origin.DEVELOPER})
UNREAD = "unscannable."
"""Findings of content that nobody has looked into."""


def inspect_request(services: Services, request: ChatRequest, facts: PolicyFacts) -> Inspection:
    """Step 5. Everything recognised in the request, and its risk score."""
    found = sound_findings(services.inspector.inspect(request.segments), request.segments)
    return sound(Inspection, services.policy.assess(facts, found))


def decide_request(services: Services, facts: PolicyFacts, inspection: Inspection) -> Decision:
    """Step 6. What the rules say of it."""
    return sound(Decision, services.policy.decide(facts, inspection))


def weigh_routed(policy: Policy, facts: PolicyFacts, inspection: Inspection) -> Inspection:
    """Step 5 once more, on the facts of the model that a rule routes to: the higher of the two scores holds."""
    again = policy.assess(facts, inspection.findings, inspection.failures)
    return again if again.score > inspection.score else inspection


def decide_routed(policy: Policy, facts: PolicyFacts, inspection: Inspection, first: Decision) -> Decision:
    """Step 6 once more, on the facts of the model that a rule routes to. It only adds to the first decision.

    Raises PolicyDenied where the rules would send the request on from there: they contradict each other.
    """
    second = policy.decide(facts, inspection)
    asked = second.obligations
    if asked.route_to not in ("", facts.model):
        raise PolicyDenied("Refused by policy: its rules send this request from one model to another and on.")
    rewrites = dict(first.rewrites)
    for index, effect in second.rewrites:
        rewrites[index] = max(effect, rewrites.get(index, effect), key=STRENGTH.__getitem__)
    before = first.obligations
    caps = [cap for cap in (before.max_output_tokens, asked.max_output_tokens) if cap]
    return replace(
        second,
        effect=max(first.effect, second.effect, key=STRENGTH.__getitem__),
        rules=_united(first.rules, second.rules),
        rewrites=tuple(sorted(rewrites.items())),
        obligations=Obligations(
            max_output_tokens=min(caps, default=0),
            strip_tools=before.strip_tools or asked.strip_tools,
            route_to=before.route_to,
            notice="\n".join(_united(tuple(before.notice.split("\n")), tuple(asked.notice.split("\n")))).strip("\n"),
            canary=before.canary or asked.canary,
        ),
        approval_for=_united(first.approval_for, second.approval_for),
        message=second.message or ("" if second.denied_by else first.message),
        public=second.public and (first.public or bool(second.denied_by)),
        shadowed=_united(first.shadowed, second.shadowed),
        failures=_united(first.failures, second.failures),
    )


def _united(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))


def pseudonyms_for(services: Services, facts: PolicyFacts, decision: Decision) -> Pseudonyms | None:
    """Those of the caller's session, or of this request alone where it names no session; None where no rule wants any.

    They are what the answer is restored with.
    """
    if all(effect is not Effect.PSEUDONYMISE for _, effect in decision.rewrites):
        return None
    return services.redaction.pseudonyms(facts.app, facts.session or facts.request_id)


def enforce(
    services: Services,
    request: ChatRequest,
    inspection: Inspection,
    decision: Decision,
    model: ModelSpec,
    approval: Approval | None,
    pseudonyms: Pseudonyms | None,
    facts: PolicyFacts,
) -> Permit:
    """Step 7. The request as it may be sent to this model.

    Raises PolicyDenied when a rule denies it, ApprovalRequired when a rule holds it up and `approval` is not given,
    RedactionImpossible when a rule rewrites what cannot be cut out.
    """
    if decision.effect is Effect.DENY:
        raise denial(decision)
    if decision.effect is Effect.REQUIRE_APPROVAL and approval is None:
        raise ApprovalRequired("This request needs an approval.")
    rewrites = rewritten(inspection.findings, decision.rewrites)
    edits = rewriting_edits(services.redaction, request.segments, rewrites, pseudonyms)
    cap = decision.obligations.max_output_tokens
    if cap:
        asked = model.max_output_tokens if request.max_output_tokens is None else request.max_output_tokens
        request = replace(request, max_output_tokens=min(asked, cap))
    return Permit(request=request, edits=edits, obligations=_with_canary(services, facts, decision.obligations))


def _with_canary(services: Services, facts: PolicyFacts, asked: Obligations) -> Obligations:
    """The obligations with the canary of the caller's session, or of this request alone, in their notice."""
    if not asked.canary:
        return asked
    text = services.canary(facts.app, facts.session or facts.request_id)
    return replace(asked, notice=f"{asked.notice}\n{text}" if asked.notice else text)


def words_to_mind(services: Services, request: ChatRequest, facts: PolicyFacts) -> list[str]:
    """The system's text, where a rule on answers asks whether it comes back; else nothing."""
    if not services.policy.seeks(replace(facts, stage=Stage.RESPONSE), SYSTEM_TEXT):
        return []
    return [one.text for one in request.segments if one.origin in SYSTEM_WORDS and not (one.is_key or one.media)]


def unjudged(request: ChatRequest) -> Permit:
    """The request as it would be sent if no rule changed anything of it: to be measured, never to be sent."""
    return Permit(request=request, edits={})


def lower_output(permit: Permit, max_output_tokens: int) -> Permit:
    """The same request with a lower bound on its output."""
    return replace(
        permit,
        request=replace(permit.request, max_output_tokens=max_output_tokens),
        obligations=replace(permit.obligations, max_output_tokens=max_output_tokens),
    )


def denial(decision: Decision) -> PolicyDenied:
    """The refusal of a denying decision, in the rule's own words where it has some."""
    unnamed = f"Refused by policy rule '{decision.denied_by}'." if decision.public else "Refused by policy."
    return PolicyDenied(decision.message or unnamed)


def rewritten(findings: Sequence[Finding], rewrites: Iterable[tuple[int, Effect]]) -> list[tuple[Finding, Effect]]:
    """The findings that a decision rewrites, each with how."""
    return [(findings[index], effect) for index, effect in rewrites]


def rewriting_edits(
    redaction: Redaction,
    segments: Sequence[Segment],
    rewrites: Iterable[tuple[Finding, Effect]],
    pseudonyms: Pseudonyms | None = None,
) -> dict[Path, bytes]:
    """Edits that rewrite these findings in the segments they were found in.

    Raises RedactionImpossible for a finding in a key, in a header, or in a value that names something, for content that
    could not be read, and for what a classifier said of the whole.
    """
    cuts: dict[int, list[Cut]] = {}
    for finding, effect in rewrites:
        if finding.kind.startswith(UNREAD):
            raise RedactionImpossible(f"A rule rewrites {finding.kind}, of which nothing can be cut out.")
        if finding.start == finding.end:
            raise RedactionImpossible(f"{finding.kind} stands on the whole text, so that nothing can be cut out.")
        cuts.setdefault(finding.segment, []).append(cut_of(finding, effect))
    edits: dict[Path, bytes] = {}
    for index, here in cuts.items():
        segment = segments[index]
        if segment.is_key or segment.path in UNCUTTABLE:
            raise RedactionImpossible(
                f"A rule redacts {here[0].kind}, which stands where nothing can be cut out: in a name or a header."
            )
        text = redaction.text(segment.text, here, segment.is_json, pseudonyms)
        edits[segment.path] = encode_json(sound_rewriting(segment.text, text))
    return edits


def cut_of(finding: Finding, effect: Effect) -> Cut:
    """Where a finding is rewritten, and how. What was found in a decoded text has no shape and no value of its own."""
    return Cut(finding.start, finding.end, finding.kind, Effect.REDACT if finding.view else effect)


def edited(adapter: Adapter, answer: Answer, body: bytes, edits: dict[Path, bytes]) -> bytes:
    """The body with these edits, and without what repeats the texts that they change."""
    if not edits:
        return body
    repeats = adapter.repeats(tuple(edits), answer.document)
    edits = {path: edit for path, edit in edits.items() if not any(path[: len(r)] == r for r in repeats)}
    return apply_edits(body, {**edits, **repeats})
