"""Steps 5 to 7: inspect, decide, enforce."""

from collections.abc import Iterable, Sequence

from gptgate.core.document import encode_json
from gptgate.core.errors import PolicyDenied, RedactionImpossible
from gptgate.core.facts import ChatRequest, Decision, Inspection, Permit, PolicyFacts
from gptgate.core.finding import Finding, Path, Segment
from gptgate.core.ports import Redaction
from gptgate.core.snapshot import Effect
from gptgate.pipeline.services import Services

UNCUTTABLE: frozenset[Path] = frozenset({("model",)})
KEPT_KINDS = ("pii.", "secret.")
"""Categories that a kept text never holds when the configuration says ``content: redacted``."""


def inspect_request(services: Services, request: ChatRequest, facts: PolicyFacts) -> Inspection:
    """Step 5. Everything recognised in the request, and its risk score."""
    return services.policy.assess(facts, services.inspector.inspect(request.segments))


def decide_request(services: Services, facts: PolicyFacts, inspection: Inspection) -> Decision:
    """Step 6. What the rules say of it."""
    return services.policy.decide(facts, inspection)


def enforce(services: Services, request: ChatRequest, inspection: Inspection, decision: Decision) -> Permit:
    """Step 7. The request as it may be sent.

    Raises PolicyDenied when a rule denies it, RedactionImpossible when a rule redacts what cannot be cut out.
    """
    if decision.effect is Effect.DENY:
        raise denial(decision)
    if not decision.rewrites:
        return Permit(request=request, edits={})
    findings = [inspection.findings[index] for index, _ in decision.rewrites]
    return Permit(request=request, edits=redaction_edits(services.redaction, request.segments, findings))


def denial(decision: Decision) -> PolicyDenied:
    """The refusal of a denying decision, in the rule's own words where it has some."""
    unnamed = f"Refused by policy rule '{decision.denied_by}'." if decision.public else "Refused by policy."
    return PolicyDenied(decision.message or unnamed)


def redaction_edits(
    redaction: Redaction, segments: Sequence[Segment], findings: Iterable[Finding]
) -> dict[Path, bytes]:
    """Edits that cut these findings out of the segments they were found in.

    Raises RedactionImpossible for a finding in a key, in a header, or in a value that names something.
    """
    spans: dict[int, list[tuple[int, int, str]]] = {}
    for finding in findings:
        spans.setdefault(finding.segment, []).append((finding.start, finding.end, finding.kind))
    edits: dict[Path, bytes] = {}
    for index, cuts in spans.items():
        segment = segments[index]
        if segment.is_key or segment.path in UNCUTTABLE:
            raise RedactionImpossible(
                f"A rule redacts {cuts[0][2]}, which stands where nothing can be cut out: in a name or a header."
            )
        edits[segment.path] = encode_json(redaction.text(segment.text, cuts, segment.is_json))
    return edits


def is_kept_out(finding: Finding) -> bool:
    """Whether a kept text must not hold this finding."""
    return finding.kind.startswith(KEPT_KINDS)
