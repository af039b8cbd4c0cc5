"""The audit event: an intent before the effect and an end after it. Everything else is a projection of these."""

from enum import StrEnum

import msgspec
from msgspec import Struct

from gptgate.core.classifier import Opinion
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding


class EndState(StrEnum):
    """How an intent ended. REFUSED: the gateway sent nothing. ABANDONED: the process died before an end was known."""

    COMPLETED = "completed"
    REFUSED = "refused"
    ABANDONED = "abandoned"


class Circumstances(Struct, frozen=True, kw_only=True):
    """What else the rules could see when they decided: with it, and the rest of the intent, a decision can be repeated.

    The fields are those of `core.facts.PolicyFacts`.
    """

    dialect: str
    location: str
    max_output_tokens: int
    choices: int
    media: int
    tools: tuple[str, ...]
    session: str
    spent_nano: int
    budget_nano: int


class Intent(Struct, frozen=True, kw_only=True):
    """What is about to happen, durable before any byte goes to a provider. Digests are sha256 in hex.

    `findings` holds the first 200 at most; `finding_counts` counts all of them by kind. `circumstances` is None where
    no decision was reached.
    `routed_from` is the model that was asked for, where a rule sent the request to another: `model` is that one.
    `session` is the caller's own name for its session. `lowered_from` is the bound of the output that the request would
    have had, where a budget could pay only for less; 0 where nothing was lowered. `tags` are the caller's own, by name.
    `reserved_uses` says for how many uses of tools that the provider runs the reservation is.
    """

    id: str
    at_ms: int
    team: str
    app: str
    key_id: str
    end_user: str
    client: str
    endpoint: str
    stream: bool
    model: str
    provider: str
    upstream_model: str
    effect: str
    score: int
    parts: tuple[tuple[str, int], ...]
    rules: tuple[str, ...]
    findings: tuple[Finding, ...]
    config_digest: str
    request_digest: str
    sent_digest: str
    window: str
    reserved_nano: int
    price_version: str
    traceparent: str
    finding_counts: tuple[tuple[str, int], ...] = ()
    shadowed: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    approval: str = ""
    approved_by: str = ""
    routed_from: str = ""
    circumstances: Circumstances | None = None
    session: str = ""
    reserved_tokens: int = 0
    lowered_from: int = 0
    tags: dict[str, str] = {}
    reserved_uses: dict[str, int] = {}


class End(Struct, frozen=True, kw_only=True):
    """What happened. `status` is the HTTP status the caller was given, `code` the gateway's error code or ``""``.

    `usage_source` as in `Settlement.source`; `cost_nano` is what stays spent. `timings_us` are the stages' durations.
    `effect` and `rules` are those of the whole request: the stronger effect of both sides, the answer's rules.
    `chunks` counts the events of a stream that were given out. `limit` names the limit, guard or budget that refused.
    `failed_guard` is the guard that could not answer, such as ``rule ID``, and `failure` why.
    `extensions` says how often more was reserved for a stream, `extended_nano` what was then reserved in all.
    `fees_nano` is how much of `cost_nano` is for uses of tools, where the usage is the provider's.
    """

    id: str
    at_ms: int
    app: str
    window: str
    state: EndState
    status: int
    code: str
    effect: str
    rules: tuple[str, ...]
    findings: tuple[Finding, ...]
    score: int
    answered_model: str
    provider_request_id: str
    usage: Usage
    usage_source: str
    cost_nano: int
    attempts: int
    answer_digest: str
    timings_us: dict[str, int]
    chunks: int = 0
    finding_counts: tuple[tuple[str, int], ...] = ()
    shadowed: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    limit: str = ""
    failed_guard: str = ""
    failure: str = ""
    opinions: tuple[Opinion, ...] = ()
    extensions: int = 0
    extended_nano: int = 0
    fees_nano: int = 0


def overrun_nano(intent: Intent, end: End) -> int:
    """The nano-dollars that a request cost beyond all that was reserved for it."""
    return 0 if end.usage_source == "unused" else max(0, end.cost_nano - max(intent.reserved_nano, end.extended_nano))


def has_overrun(intent: Intent, end: End) -> bool:
    """Whether the usage is beyond what was reserved, in dollars or, of a price that does not tell, in tokens: the
    provider counts what no field of the request bounds, or what is not true."""
    tokens = end.usage.input_tokens + end.usage.output_tokens
    in_tokens = end.usage_source == "provider" and not end.extensions and 0 < intent.reserved_tokens < tokens
    return in_tokens or overrun_nano(intent, end) > 0


ENCODER = msgspec.json.Encoder(order="sorted")


def encode_event(event: Intent | End) -> bytes:
    """The event as canonical JSON (RFC 8785): the bytes that the store keeps and the audit log commits to."""
    return ENCODER.encode(event)
