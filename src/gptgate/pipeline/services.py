"""What the pipeline is given: one immutable bundle of ports for one Snapshot."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gptgate.core.adapter import Adapter
from gptgate.core.conversation import Conversations
from gptgate.core.facts import ChatRequest, Grant, Principal
from gptgate.core.ports import (
    Approvals,
    Authenticator,
    Classifier,
    Clock,
    Inspector,
    Ledger,
    Limiter,
    Observer,
    Policy,
    PriceBook,
    RecordStore,
    Redaction,
    Upstream,
)
from gptgate.core.shared import Counters
from gptgate.core.snapshot import ModelSpec, Snapshot
from gptgate.core.tokens import NoTokenizers
from gptgate.core.wire import Dialect, Endpoint
from gptgate.pipeline.charged import ChargedBudgets
from gptgate.pipeline.counting import Counting
from gptgate.pipeline.crowd import Crowd
from gptgate.pipeline.turns import Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """Which headers travel between caller and provider."""

    request: Callable[[Dialect, Mapping[str, str]], tuple[tuple[str, str], ...]]
    answer: Callable[[Mapping[str, str]], list[tuple[str, str]]]
    provider_request_id: Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The gateway's parts under one Snapshot. Limiter, ledger, store and observer outlive a change of Snapshot."""

    snapshot: Snapshot
    budgets: ChargedBudgets
    clock: Clock
    authenticator: Authenticator
    authorize: Callable[[Principal, Endpoint, Dialect, str, Snapshot], Grant]
    reroute: Callable[[Grant, Dialect, str, Snapshot], Grant]
    authorize_endpoint: Callable[[Principal, Endpoint], None]
    visible_models: Callable[[Principal, Snapshot], list[ModelSpec]]
    render_models: Callable[[Sequence[ModelSpec], Dialect], bytes]
    render_model: Callable[[Sequence[ModelSpec], Dialect, str], bytes]
    adapters: Mapping[Endpoint, Adapter]
    limiter: Limiter
    inspector: Inspector
    policy: Policy
    redaction: Redaction
    canary: Callable[[str, str], str]
    """The sentence for the system's text that carries the token of an app's session."""
    prices: PriceBook
    ceiling: Callable[[ChatRequest, ModelSpec, int], tuple[int, int]]
    conversations: Conversations
    ledger: Ledger
    crowd: Crowd
    store: RecordStore
    upstream: Upstream
    headers: Headers
    observer: Observer
    classifiers: Mapping[str, Classifier]
    approvals: Approvals
    pulse: Pulse = field(default_factory=Pulse)
    tokens: Counting = field(default_factory=lambda: Counting(NoTokenizers()))
    counters: Counters | None = None
    """Limits and budgets of several gateways. The ledger then counts what this one spends, and settles with them."""
