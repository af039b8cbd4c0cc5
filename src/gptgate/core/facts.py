"""The facts of a request, one type per step. A fact is built only in the module that earns it (an AST test checks)."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from gptgate.core.budgets import Spend
from gptgate.core.finding import Finding, Path, Segment
from gptgate.core.snapshot import AppSpec, Effect, ModelSpec, Obligations, ProviderSpec, Stage
from gptgate.core.wire import Dialect, Endpoint


class RawRequest(Struct, frozen=True, kw_only=True):
    """Step 0. Bounded bytes and where they came from. Header names are lower case."""

    id: str
    endpoint: Endpoint
    dialect: Dialect
    headers: Mapping[str, str]
    body: bytes
    peer: str
    at_ms: int
    started_ns: int
    model: str = ""
    """The one model that a request of the endpoint `models` asks about, as its path names it; empty asks about all."""


class Principal(Struct, frozen=True, kw_only=True):
    """Step 1. Who calls. `models` and `endpoints` are the key's own allow lists; empty means no restriction."""

    team: str
    app: AppSpec
    key_id: str
    models: tuple[str, ...]
    endpoints: tuple[str, ...]


class HostedTool(Struct, frozen=True, kw_only=True):
    """A tool that the provider runs, as a request offers it. `name` is that of its fee.

    `most` is how often the request lets it be used, None where it does not say; `bound` is the place of that number,
    empty where there is none. `told`: the answer says how often it was used, and says nothing where it was not.
    """

    name: str
    most: int | None = None
    bound: Path = ()
    told: bool = False


class ChatRequest(Struct, frozen=True, kw_only=True):
    """Step 2. A parsed request of any dialect. `document` is shared and must not be changed.

    `max_output_tokens` is what the request asks for, None when it sets no bound. `choices` multiplies the output.
    `media` counts the parts that are not text. `wants_usage`: the caller asked for usage on the stream. `tools` are the
    names of the tools that the model may call, ``""`` for one without a name; `hosted` are those that the provider
    runs. `service_tier` is the one that is asked for.
    """

    endpoint: Endpoint
    dialect: Dialect
    body: bytes
    document: dict[str, Any]
    model: str
    stream: bool
    wants_usage: bool
    max_output_tokens: int | None
    choices: int
    media: int
    end_user: str
    segments: tuple[Segment, ...]
    tools: tuple[str, ...] = ()
    service_tier: str = ""
    hosted: tuple[HostedTool, ...] = ()


class Grant(Struct, frozen=True, kw_only=True):
    """Step 3. The principal may use this model, whose provider speaks the dialect of the request."""

    principal: Principal
    model: ModelSpec
    provider: ProviderSpec


class PolicyFacts(Struct, frozen=True, kw_only=True):
    """Everything that a rule can see of a request besides its findings. The same facts give the same decision.

    `max_output_tokens` is 0 when the request sets no bound, `budget_nano` 0 when the app has none. `hour` (0 to 23) and
    `weekday` (1 is Monday) are those of the request's arrival in UTC. `spent_nano` is settled and reserved.
    """

    stage: Stage
    request_id: str
    team: str
    app: str
    key_id: str
    end_user: str
    endpoint: str
    dialect: str
    stream: bool
    max_output_tokens: int
    choices: int
    media: int
    tools: tuple[str, ...]
    model: str
    upstream_model: str
    provider: str
    location: str
    session: str
    spent_nano: int
    budget_nano: int
    hour: int
    weekday: int


class Inspection(Struct, frozen=True, kw_only=True):
    """Step 5. What was found in one side, and the risk score (0 to 100) with the parts it is the sum of.

    `failures` names guards that could not answer where the configuration says ``on_failure: open``.
    """

    findings: tuple[Finding, ...]
    score: int
    parts: tuple[tuple[str, int], ...]
    failures: tuple[str, ...] = ()


class Decision(Struct, frozen=True, kw_only=True):
    """Step 6. `rules` are the ids of all enforced rules that fired, in configuration order; `shadowed` those that would
    have fired but do not act, with ``:failed`` behind the id where the condition could not be evaluated.

    `rewrites` says of findings (by index in the inspection, ascending) how each is rewritten. `obligations` are those
    of all rules that fired: the smallest cap, any stripping, the first route, all notices. `denied_by`, `message` and
    `public` belong to the first denying rule, the last two else to the first of `approval_for`: the ids of all rules
    that fired and want an approval. `failures` are those of the inspection.
    """

    effect: Effect
    rules: tuple[str, ...]
    rewrites: tuple[tuple[int, Effect], ...]
    denied_by: str
    message: str
    score: int
    config_digest: str
    obligations: Obligations = Obligations()
    shadowed: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    public: bool = True
    approval_for: tuple[str, ...] = ()


class Permit(Struct, frozen=True, kw_only=True):
    """Step 7. The request may be sent, with these edits: JSON path → the JSON that stands there instead.

    Where `obligations` cap the answer, the bound of `request` is lowered already. Its document and body never change.
    """

    request: ChatRequest
    edits: Mapping[Path, bytes]
    obligations: Obligations = Obligations()


class Route(Struct, frozen=True, kw_only=True):
    """Step 8. The request's bytes as the provider will read them."""

    provider: ProviderSpec
    model: ModelSpec
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Reservation(Struct, frozen=True, kw_only=True):
    """Step 9. What is set aside for one request: ceilings. `window` is the UTC month of the request, ``2026-11``."""

    id: str
    app: str
    window: str
    nano: int
    tokens: int


class LogIndex(Struct, frozen=True, kw_only=True):
    """Step 10. The place of the durable intent in the store."""

    seq: int


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens that a provider reports. `input_tokens` counts all input, cached reads and writes among them;
    `cache_read` and `cache_write` say how many of them. `output_tokens` counts reasoning too. `service_tier` is the one
    that it says it served the request with, ``""`` where it says none.

    `audio_input` to `image_output` say how many of the input, and of the output, were audio and images; None where the
    provider does not say, which is not none. `tool_uses` says how often tools that the provider runs were used.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read: int = 0
    cache_write: int = 0
    service_tier: str = ""
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    tool_uses: dict[str, int] = {}


class Settlement(Struct, frozen=True, kw_only=True):
    """Step 13. What stays spent. `source` is ``provider`` (its usage), ``unused`` (nothing can have been billed),
    ``unknown`` (the reservation stays spent) or ``estimated`` (what the gateway counts for what was delivered). `fees`
    is how much of `nano` is for uses of tools, where the usage is the provider's.
    """

    nano: int
    tokens: int
    source: str
    fees: int = 0

    @property
    def spend(self) -> Spend:
        """What budgets are charged. A request that cannot have been billed is not counted either."""
        return Spend(nano=self.nano, tokens=self.tokens, requests=0 if self.source == "unused" else 1)
