"""The pipeline's parts for tests of the pipeline alone: all real, but for the provider, the caller and the clock."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gptgate.auth.authorize import authorize, authorize_endpoint, reroute, visible_models
from gptgate.compose import HEADERS
from gptgate.core.adapter import StreamCodec
from gptgate.core.classifier import Opinion
from gptgate.core.document import read_object
from gptgate.core.facts import ChatRequest, Grant, PolicyFacts, Principal, RawRequest
from gptgate.core.finding import Origin
from gptgate.core.snapshot import ProviderSpec, Snapshot
from gptgate.core.wire import Dialect, Endpoint
from gptgate.cost.ceiling import ceiling_tokens
from gptgate.cost.conversations import Conversations
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.prices import GenaiPriceBook
from gptgate.detectors import build_inspector
from gptgate.detectors.canary import Canaries
from gptgate.installed import read_config_text
from gptgate.limits.memory import MemoryLimiter
from gptgate.pipeline.answer_guard import AnswerGuard
from gptgate.pipeline.charged import ChargedBudgets
from gptgate.pipeline.crowd import Crowd
from gptgate.pipeline.discretion import Discretion
from gptgate.pipeline.draft import Draft
from gptgate.pipeline.policy_facts import policy_facts
from gptgate.pipeline.services import Services
from gptgate.policy.engine import compile_policy
from gptgate.policy.redact import Rewriting
from gptgate.providers.models_list import render_model, render_models
from gptgate.providers.registry import ADAPTERS
from gptgate.storage.memory import MemoryStore
from harness import CONFIG
from sse_reader import SseReader

INSPECTOR = build_inspector()
CANARIES = Canaries(b"a secret of the installation")
AT_MS = 1_800_000_000_000
CARD = "4111 1111 1111 1111"
OPENAI_KEY = "sk-proj-" + "aB3_" * 8
GITHUB_KEY = "ghp_" + "a1B2c3" * 6
RULES = """\
policy:
  rules:
    - {id: redact-answers, stage: response, effect: redact, findings: ["secret.*", "pii.*"]}
"""
DENYING = """\
policy:
  rules:
    - {id: deny-keys, stage: response, effect: deny, findings: ["secret.*"], message: "No keys here."}
    - {id: redact-answers, stage: response, effect: redact, findings: ["pii.*"]}
"""


class SteppingClock:
    """Moves on by a microsecond with every question."""

    def __init__(self) -> None:
        self._now_ns = 0

    def wall_ms(self) -> int:
        return AT_MS + self._now_ns // 1_000_000

    def monotonic_ns(self) -> int:
        self._now_ns += 1000
        return self._now_ns


@dataclass
class Observed:
    """An observer that remembers."""

    seen: list[tuple[Any, Any]] = field(default_factory=list)

    def observe(self, intent: Any, end: Any) -> None:
        self.seen.append((intent, end))


@dataclass
class PlayedReply:
    """A provider's answer whose body comes in these pieces; an exception among them is raised at its place."""

    status: int = 200
    pieces: Sequence[bytes | Exception] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 1
    closed: bool = False

    async def read(self, limit: int) -> bytes:
        return b"".join([piece async for piece in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(0)
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed = True


@dataclass
class PlayedUpstream:
    """A provider that gives these answers, one a request, and remembers what it was sent."""

    replies: list[PlayedReply | Exception] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    async def send(
        self, provider: ProviderSpec, path: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> PlayedReply:
        self.sent.append(body)
        await asyncio.sleep(0)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


class PlayedClassifier:
    """A classifier that says this and remembers what it was shown. `on_asked` is called with every question."""

    def __init__(
        self, name: str = "w", *, failure: str = "", on_asked: Callable[[], None] | None = None, **labels: int
    ) -> None:
        self.opinion = Opinion(classifier=name, failure=failure, labels=tuple(sorted(labels.items())))
        self.shown: list[list[tuple[Origin, str]]] = []
        self.on_asked = on_asked

    async def classify(self, texts: Sequence[tuple[Origin, str]]) -> Opinion:
        self.shown.append(list(texts))
        if self.on_asked is not None:
            self.on_asked()
        await asyncio.sleep(0)
        return self.opinion


@dataclass
class Caller:
    """`core.ports.Outlet` that remembers. `on_send` is called with every piece of a stream."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    started: bool = False
    gone: bool = False
    ended: bool = False
    on_send: Callable[[bytes], None] | None = None

    async def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        if not self.gone:
            self.status, self.headers, self.body = status, dict(headers), body
            self.started = self.ended = True

    async def start_stream(self, headers: Sequence[tuple[str, str]]) -> None:
        if not self.gone:
            self.status, self.headers, self.started = 200, dict(headers), True

    async def send(self, data: bytes) -> None:
        if not self.gone:
            self.body += data
            if self.on_send is not None:
                self.on_send(data)

    async def end_stream(self) -> None:
        if not self.gone:
            self.ended = True


def configured(rules: str = RULES, *, config: str = CONFIG) -> Snapshot:
    """The harness's configuration with other rules."""
    head, _, _ = config.partition("policy:")
    filled = head.replace("@DATA@", "1").replace("@CONTROL@", "2").replace("@SIMULATOR@", "http://127.0.0.1:1")
    return read_config_text(filled + rules, "test.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedServices(Services):
    """The parts of a gateway that can be asked afterwards what happened to them."""

    limiter: MemoryLimiter
    ledger: MemoryLedger
    store: MemoryStore
    upstream: PlayedUpstream
    observer: Observed


def services(snapshot: Snapshot, **parts: Any) -> PlayedServices:
    """Everything that a Gate needs; any part can be given, also one that only behaves like the real one."""
    kinds = {provider.name: provider.kind for provider in snapshot.providers.values()}
    made: dict[str, Any] = {
        "snapshot": snapshot,
        "budgets": ChargedBudgets(snapshot.budgets),
        "clock": SteppingClock(),
        "authenticator": None,
        "authorize": authorize,
        "reroute": reroute,
        "authorize_endpoint": authorize_endpoint,
        "visible_models": visible_models,
        "render_model": render_model,
        "render_models": render_models,
        "adapters": ADAPTERS,
        "limiter": MemoryLimiter(),
        "inspector": INSPECTOR,
        "policy": compile_policy(snapshot.rules, snapshot.digest),
        "redaction": Rewriting(b"a secret of the installation"),
        "canary": CANARIES.text,
        "prices": GenaiPriceBook(kinds),
        "ceiling": ceiling_tokens,
        "conversations": Conversations(),
        "ledger": MemoryLedger(),
        "store": MemoryStore(),
        "upstream": PlayedUpstream(),
        "headers": HEADERS,
        "observer": Observed(),
        "classifiers": {},
        "approvals": None,
    }
    made["crowd"] = Crowd(parts.get("ledger", made["ledger"]))
    return PlayedServices(**{**made, **parts})


def principal_of(snapshot: Snapshot, app: str = "demo") -> Principal:
    """A caller of this app, without restrictions of its own."""
    spec = snapshot.apps[app]
    return Principal(team=spec.team, app=spec, key_id="testkey", models=(), endpoints=())


def chat(
    dialect: Dialect, text: str = "hello", *, stream: bool = True, request_id: str = "r1", **more: Any
) -> RawRequest:
    """A request with one user text."""
    anthropic = dialect is Dialect.ANTHROPIC
    fields = {"model": "sim-claude", "max_tokens": 100} if anthropic else {"model": "sim-gpt"}
    document = {**fields, "stream": stream, "messages": [{"role": "user", "content": text}], **more}
    return RawRequest(
        id=request_id,
        endpoint=Endpoint.MESSAGES if anthropic else Endpoint.CHAT,
        dialect=dialect,
        headers={},
        body=json.dumps(document).encode(),
        peer="192.0.2.1",
        at_ms=AT_MS,
        started_ns=0,
    )


@dataclass
class Judged:
    """What a guard needs to judge one answer."""

    request: ChatRequest
    grant: Grant
    facts: PolicyFacts
    draft: Draft


def judged(parts: Services, raw: RawRequest) -> Judged:
    """The facts up to the grant, earned as the gate earns them."""
    principal = principal_of(parts.snapshot)
    request = parts.adapters[raw.endpoint].read(raw, read_object(raw.body))
    grant = parts.authorize(principal, raw.endpoint, raw.dialect, request.model, parts.snapshot)
    draft = Draft(raw, principal, parts.snapshot.digest, parts.clock, Discretion(parts.inspector))
    return Judged(request, grant, policy_facts(raw, request, grant, 0), draft)


def new_codec(parts: Services, facts: Judged) -> StreamCodec:
    """A codec for this request's stream."""
    return parts.adapters[facts.request.endpoint].stream(facts.request, 1_000_000)


def play(guard: AnswerGuard, codec: StreamCodec, pieces: Iterable[bytes], reader: SseReader | None = None) -> bytes:
    """Let a guard judge a stream that comes in these pieces; what gets out, which goes to the reader piece by piece."""
    raw = b""
    for piece in pieces:
        out = b"".join([guard.event(codec, event) for event in codec.feed(piece)])
        raw += out
        if reader is not None:
            reader.feed(out)
    return raw
