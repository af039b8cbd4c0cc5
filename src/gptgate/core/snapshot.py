"""The Snapshot: one validated, immutable, content-addressed configuration. Built by `gptgate.config` only.

Money is in nano-dollars, times carry their unit in the name. Secrets stand as references, never as values.
"""

from enum import StrEnum

from msgspec import Struct

from gptgate.core.finding import Origin
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


class SecretRef(Struct, frozen=True):
    """Where a secret is found: ``env:NAME`` or ``file:PATH``."""

    source: str
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


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


class PriceOverride(Struct, frozen=True, kw_only=True):
    """A price from the configuration, in nano-dollars per million tokens. `free` must be said, never implied."""

    free: bool = False
    input: int = 0
    output: int = 0
    cache_read: int | None = None
    cache_write: int | None = None


class ModelSpec(Struct, frozen=True, kw_only=True):
    """A public model name and where it leads. `max_output_tokens` bounds the answer of a request that sets no bound
    of its own (the bound is then sent along); `context_window` bounds the input, 0 when not known.
    """

    name: str
    provider: str
    upstream_name: str
    context_window: int
    max_output_tokens: int
    price: PriceOverride | None
    location: str


class Limits(Struct, frozen=True, kw_only=True):
    """Rates; 0 means that no such limit was configured."""

    requests_per_minute: int = 0
    concurrency: int = 0


class AppSpec(Struct, frozen=True, kw_only=True):
    """An application of a team. `models` empty means every model. `monthly_budget_nano` None means no budget.

    `limits` count over the whole app, `key_limits` for each of its keys. `content` says what is kept of texts.
    """

    name: str
    team: str
    models: tuple[str, ...]
    limits: Limits
    key_limits: Limits
    monthly_budget_nano: int | None
    content: str


class Stage(StrEnum):
    """Which side a rule looks at."""

    REQUEST = "request"
    RESPONSE = "response"


class Effect(StrEnum):
    """What a rule does. Order of strength: deny > redact > flag > allow.

    `ALLOWED_ON_FAILURE` is never written in a rule: it is the outcome where a guard failed and the configuration
    says ``on_failure: open``.
    """

    ALLOW = "allow"
    FLAG = "flag"
    REDACT = "redact"
    DENY = "deny"
    ALLOWED_ON_FAILURE = "allowed_on_failure"


class RuleSpec(Struct, frozen=True, kw_only=True):
    """A rule fires when every condition it states holds; an empty condition is not stated.

    `findings` are kind patterns: exact (``pii.email``) or a prefix (``secret.*``, ``*``). A rule with `findings` fires
    when at least one finding matches both `findings` and `origins`; redaction covers exactly the matching findings.
    `min_score` compares with the risk score of the stage.
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


class ServerSpec(Struct, frozen=True, kw_only=True):
    """Listeners and bounds of the edge."""

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


class Snapshot(Struct, frozen=True, kw_only=True):
    """The whole configuration. `digest` is the sha256 (hex) over its canonical form."""

    digest: str
    server: ServerSpec
    providers: dict[str, ProviderSpec]
    models: dict[str, ModelSpec]
    teams: tuple[str, ...]
    apps: dict[str, AppSpec]
    rules: tuple[RuleSpec, ...]


ENDPOINT_NAMES: tuple[str, ...] = tuple(endpoint.value for endpoint in Endpoint)
