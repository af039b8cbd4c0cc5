"""The Snapshot: one validated, immutable, content-addressed configuration. Built by `gptgate.config` only.

Money is in nano-dollars, times carry their unit in the name. Secrets stand as references, never as values.
"""

from enum import StrEnum

from msgspec import Struct

from gptgate.core.beside import ClassifierSpec, CountersSpec, SinkSpec, WitnessSpec
from gptgate.core.budgets import APP_MONTH, BudgetSpec, Outgrown
from gptgate.core.finding import Origin
from gptgate.core.kept import TextSpec
from gptgate.core.limit import GuardSpec, LimitSpec
from gptgate.core.price import MOST_USES, PriceOverride, ToolFee
from gptgate.core.secret_ref import SecretRef as SecretRef
from gptgate.core.wire import Dialect, Endpoint


class ProviderKind(StrEnum):
    """Which adapter talks to a provider."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    OPENAI_COMPATIBLE = "openai_compatible"
    SIMULATOR = "simulator"


DIALECTS: dict[ProviderKind, frozenset[Dialect]] = {
    ProviderKind.OPENAI: frozenset({Dialect.OPENAI}),
    ProviderKind.ANTHROPIC: frozenset({Dialect.ANTHROPIC}),
    ProviderKind.OPENAI_COMPATIBLE: frozenset({Dialect.OPENAI}),
    ProviderKind.SIMULATOR: frozenset({Dialect.OPENAI, Dialect.ANTHROPIC}),
}


class ProviderSpec(Struct, frozen=True, kw_only=True):
    """An upstream. `base_url` is empty for a simulator that runs inside this process.

    `retries` bounds the further attempts after a failure that cannot have been billed.
    `finish_on_disconnect`: read a stream to its end for its usage although the caller has left.
    """

    name: str
    kind: ProviderKind
    base_url: str
    credential: SecretRef | None
    connect_timeout_ms: int
    first_byte_timeout_ms: int
    idle_timeout_ms: int
    retries: int
    finish_on_disconnect: bool

    @property
    def dialects(self) -> frozenset[Dialect]:
        return DIALECTS[self.kind]


SERVICE_TIERS: tuple[str, ...] = ("batch", "flex", "priority")
"""Service tiers that can have a price of their own."""


class TokenizerSpec(Struct, frozen=True, kw_only=True):
    """How a model's provider counts texts: by an encoding of `cost.encodings`, whose vocabulary is in a local file."""

    encoding: str
    file: str


class ModelSpec(Struct, frozen=True, kw_only=True):
    """A public model name and where it leads. `max_output_tokens` bounds the answer of a request that sets no bound
    of its own (the bound is then sent along); `context_window` bounds the input, 0 when not known. `calibrated`: what
    the provider counted of a conversation bounds what it counts when that goes on. `service_tiers` are what tiers cost
    in percent of the price. `tokenizer` counts its texts where it is known. `provider_tools` are the fees of tools that
    the provider runs.
    """

    name: str
    provider: str
    upstream_name: str
    context_window: int
    max_output_tokens: int
    price: PriceOverride | None
    location: str
    calibrated: bool = False
    service_tiers: dict[str, int] = {}
    tokenizer: TokenizerSpec | None = None
    provider_tools: dict[str, ToolFee] = {}

    def most_uses(self, tool: str) -> int:
        """How often a request that does not say may use this tool of the provider's."""
        fee = self.provider_tools.get(tool)
        return MOST_USES if fee is None else fee.most


class Limits(Struct, frozen=True, kw_only=True):
    """An app's own limits in short; 0 means that no such limit was configured."""

    requests_per_minute: int = 0
    concurrency: int = 0


class AppSpec(Struct, frozen=True, kw_only=True):
    """An application of a team. `models` empty means every model. `monthly_budget_nano` None means no budget.

    `limits` count over the whole app, `key_limits` for each of its keys. `content` says what is kept of texts,
    `class_content` what of those with a finding of a category, where that is said.
    """

    name: str
    team: str
    models: tuple[str, ...]
    limits: Limits
    key_limits: Limits
    monthly_budget_nano: int | None
    content: str
    class_content: tuple[tuple[str, str], ...] = ()


class Stage(StrEnum):
    """Which side a rule looks at."""

    REQUEST = "request"
    RESPONSE = "response"


class Effect(StrEnum):
    """What a rule does, in the order of strength; see `STRENGTH`.

    `REDACT`, `HASH`, `MASK` and `PSEUDONYMISE` rewrite the findings that a rule matches. `ALLOWED_ON_FAILURE` is never
    written in a rule: it is the outcome where a guard failed and the configuration says ``on_failure: open``.
    """

    ALLOW = "allow"
    FLAG = "flag"
    ALLOWED_ON_FAILURE = "allowed_on_failure"
    PSEUDONYMISE = "pseudonymise"
    MASK = "mask"
    HASH = "hash"
    REDACT = "redact"
    ROUTE = "route"
    REQUIRE_APPROVAL = "require_approval"
    DENY = "deny"


STRENGTH: dict[Effect, int] = {effect: place for place, effect in enumerate(Effect)}
"""Which of two effects wins: a decision's, and among the rewriting ones that of a finding which several rules rewrite.
An allow is recorded and lifts nothing."""

REWRITING = frozenset({Effect.PSEUDONYMISE, Effect.MASK, Effect.HASH, Effect.REDACT})
"""Effects that change the findings a rule matches, and nothing else."""

WRITABLE: tuple[Effect, ...] = (
    Effect.ALLOW,
    Effect.FLAG,
    Effect.PSEUDONYMISE,
    Effect.MASK,
    Effect.HASH,
    Effect.REDACT,
    Effect.ROUTE,
    Effect.REQUIRE_APPROVAL,
    Effect.DENY,
)
"""The effects that a configuration may write: those that are enforced. The others have their place in the order."""


class Mode(StrEnum):
    """SHADOW: decided and recorded, never acted on."""

    ENFORCE = "enforce"
    SHADOW = "shadow"


class Obligations(Struct, frozen=True, kw_only=True):
    """What a rule asks for besides its effect. The defaults ask for nothing.

    `max_output_tokens` caps the answer, `strip_tools` takes the tools away, `route_to` names the model that answers
    instead, `notice` is added to the system's text, `canary` adds a token that is known again wherever it turns up.
    """

    max_output_tokens: int = 0
    strip_tools: bool = False
    route_to: str = ""
    notice: str = ""
    canary: bool = False


WRITABLE_OBLIGATIONS: tuple[str, ...] = ("max_output_tokens", "strip_tools", "route_to", "notice", "canary")
"""The obligations that a configuration may write: those that are enforced."""

ORGANISATION = "organisation"
"""The layer of rules that hold for everybody."""


class RuleSpec(Struct, frozen=True, kw_only=True):
    """A rule fires when every condition it states holds; an empty condition is not stated.

    `findings` are kind patterns: exact (``pii.email``) or a prefix (``secret.*``, ``*``). A rule with `findings` fires
    when at least one finding matches both `findings` and `origins`; rewriting covers exactly the matching findings.
    `min_score` compares with the risk score of the stage, `min_points` with the points of the matching findings alone.
    `when` is a CEL expression, empty for none.

    `layer` says for whom the rule holds: ``organisation``, ``team:NAME`` or ``app:NAME``. `overrides` are rules of
    upper layers that do not hold there; only an `overridable` rule can be overridden. `rollout_percent` is the share of
    requests on which it acts; on the others it is a shadow. `public` says whether a denied caller is told its id.
    """

    id: str
    stage: Stage
    effect: Effect
    findings: tuple[str, ...]
    origins: tuple[Origin, ...]
    min_score: int
    apps: tuple[str, ...]
    models: tuple[str, ...]
    message: str
    min_points: int = 0
    when: str = ""
    mode: Mode = Mode.ENFORCE
    rollout_percent: int = 100
    public: bool = True
    layer: str = ORGANISATION
    overridable: bool = False
    overrides: tuple[str, ...] = ()
    obligations: Obligations = Obligations()


class ServerSpec(Struct, frozen=True, kw_only=True):
    """Listeners and bounds of the edge. `risk_header`: callers are told the risk score of what they sent."""

    data_host: str
    data_port: int
    control_host: str
    control_port: int
    max_body_bytes: int
    max_answer_bytes: int
    header_timeout_ms: int
    body_timeout_ms: int
    keep_alive_ms: int
    sse_keep_alive_ms: int
    drain_ms: int
    store_timeout_ms: int
    risk_header: bool = False
    budget_wait_ms: int = 0
    budget_waiters: int = 0
    outgrown: Outgrown = Outgrown.EXTEND


class CustomSpec(Struct, frozen=True, kw_only=True):
    """An organisation's own words, or a pattern of its own. Findings have the kind ``custom.<name>``."""

    name: str
    words: tuple[str, ...]
    pattern: str
    ignore_case: bool
    points: int
    origins: tuple[str, ...]
    """Empty: all."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """The whole configuration. `digest` is the sha256 (hex) over its canonical form.

    `rules` are those of the packs, the organisation, the teams and the apps, in this order. `packs` names the packs
    with their versions, `detectors` the digest of all that recognises findings, so that the one digest covers them.
    `max_log_lag_ms` is how long a record may wait for its place in the audit log before requests are refused.
    The first of the `budgets` counts every app's month, and limits those that have a budget of their own.
    """

    digest: str
    server: ServerSpec
    providers: dict[str, ProviderSpec]
    models: dict[str, ModelSpec]
    teams: tuple[str, ...]
    apps: dict[str, AppSpec]
    rules: tuple[RuleSpec, ...]
    classifiers: dict[str, ClassifierSpec] = {}
    packs: tuple[str, ...] = ()
    detectors: str = ""
    custom: tuple[CustomSpec, ...] = ()
    limits: tuple[LimitSpec, ...] = ()
    guards: GuardSpec = GuardSpec()
    budgets: tuple[BudgetSpec, ...] = (APP_MONTH,)
    max_log_lag_ms: int = 900_000
    witnesses: tuple[WitnessSpec, ...] = ()
    sinks: tuple[SinkSpec, ...] = ()
    counters: CountersSpec | None = None
    """None: limits and budgets are counted in this process."""
    texts: TextSpec = TextSpec()


ENDPOINT_NAMES: tuple[str, ...] = tuple(endpoint.value for endpoint in Endpoint)
