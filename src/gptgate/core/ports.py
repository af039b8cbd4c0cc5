"""Ports: what the pipeline needs of the outside, as contracts. Each implementation passes the port's contract suite."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from gptgate.core.approvals import Approval, Subject
from gptgate.core.budgets import BudgetCharge, Spend
from gptgate.core.classifier import Opinion
from gptgate.core.events import End, Intent
from gptgate.core.facts import Decision, Inspection, LogIndex, PolicyFacts, Principal, Reservation, Usage
from gptgate.core.finding import Finding, Origin, Segment
from gptgate.core.keys import KeyRecord
from gptgate.core.limit import Charge, Standing
from gptgate.core.log import Growth
from gptgate.core.snapshot import Effect, ModelSpec, ProviderSpec


class Clock(Protocol):
    """Time, injected."""

    def wall_ms(self) -> int:
        """Unix time in milliseconds."""
        ...

    def monotonic_ns(self) -> int:
        """A clock that never goes back."""
        ...


class KeyDirectory(Protocol):
    """All keys, in memory."""

    def find(self, key_id: str) -> KeyRecord | None:
        """The record of this id, revoked and expired ones too. Never blocks, never does I/O."""
        ...


class RecordStore(Protocol):
    """Durable records.

    - `begin`, `refuse` and `extend` return only when the rows would survive the loss of the process and of power.
    - All raise AuditUnavailable when that cannot be said within the deadline; nothing may then be sent. A row whose
      writer gave up waiting may still become durable: recovery ends it as abandoned.
    - `refuse` writes both rows of a request that needed no provider, in one transaction; `extend`, what one holds now.
    - `finish` never blocks and never raises. It accepts exactly one end for each `begin`; a second end of the same id
      is ignored. Room for it was reserved by `begin`, so memory is bounded by the requests in flight.
    - Ends become durable soon, together with other writes, and before `close` returns.
    """

    async def begin(self, intent: Intent, content: bytes | None) -> LogIndex: ...

    async def refuse(self, intent: Intent, end: End, content: bytes | None) -> LogIndex: ...

    async def extend(self, reservation: Reservation, tokens: Usage) -> None: ...

    def finish(self, end: End, content: bytes | None) -> None: ...


class TransparencyLog(Protocol):
    """The audit log's right edge in memory. Used by one thread.

    - `append` takes entries in, in this order; every file that it gives must be durable before `checkpoint` is shown.
    - `checkpoint` is the signed note over all entries. It must be durable before more is appended: a log that signs two
      heads of one size with different roots has forked.
    """

    @property
    def size(self) -> int: ...

    def append(self, entries: Sequence[bytes]) -> Growth: ...

    def checkpoint(self) -> bytes: ...


class Admission(Protocol):
    """What a request holds of its limits."""

    def release(self) -> None:
        """Give the places back; calling it twice changes nothing."""
        ...

    def cancel(self, now_ns: int) -> None:
        """Give everything back, as if nothing had been charged. Not after `settle`."""
        ...

    def settle(self, spent: Sequence[int], now_ns: int) -> None:
        """Put what was really spent, for each charge in its order, in the place of what was charged. Call it once."""
        ...

    def standing(self, now_ns: int) -> tuple[Standing, ...]:
        """How its counters with a window stand, this request counted."""
        ...


class Limiter(Protocol):
    """How often. All charges of one call are made together, or none is."""

    def admit(self, charges: Sequence[Charge], now_ns: int) -> Admission:
        """Charge a request.

        Raises RateLimited with the exact `retry_after_ms`, ConcurrencyLimited, or ExceedsLimit when a charge is larger
        than its whole limit. The error's `limit` and `standing` are set.
        """
        ...

    def look(self, charges: Sequence[Charge], now_ns: int) -> tuple[Standing, ...]:
        """How the counters of these charges stand. Charges nothing."""
        ...


class Price(Protocol):
    """A model's price in whole nano-dollars, rounded up. `version` names the price list it comes from.

    The service tier of a usage is the one that the provider served it with; the others are those asked for. `always`
    are the tools of the provider's that it uses for each request, without being asked.
    """

    version: str
    always: tuple[str, ...]

    def cost(self, usage: Usage, asked_tier: str = "") -> int: ...

    def ceiling(self, input_tokens: int, output_tokens: int, service_tier: str = "") -> int:
        """The most that this many tokens can cost, whatever of them turns out to be cached."""
        ...

    def covers(self, service_tier: str) -> bool:
        """Whether it is known what this service tier costs. `cost` and `ceiling` are only for those that it is."""
        ...

    def fee(self, tool: str) -> int | None:
        """What a thousand uses of a tool that the provider runs cost; None when nobody knows. `cost` has them for the
        uses that a usage names, `ceiling` has none, and `fees` is what so many cost: only for those that it knows."""
        ...

    def fees(self, uses: Mapping[str, int]) -> int: ...


class PriceBook(Protocol):
    """Prices of configured models."""

    def find(self, model: ModelSpec, at_ms: int) -> Price | None:
        """None when nobody knows the price. Never zero by default."""
        ...


class Ledger(Protocol):
    """How much. For each account of each budget: settled + reserved, never below what was really spent.

    - `reserve` sets the ceiling aside in every account, or in none, and raises BudgetExceeded when it does not fit a
      hard budget; two reservations that do not both fit never both pass. The same id is never charged twice.
    - `extend` holds more for an open reservation in every account, or in none, and raises as `reserve`; never less.
    - `settle` replaces a reservation by what was really spent, once; a second settle of the same id changes nothing.
    - `when_settled`, where it is set, is called after each settlement that changed anything.
    """

    when_settled: Callable[[], None] | None

    def reserve(
        self, request_id: str, app: str, charges: Sequence[BudgetCharge], spend: Spend, at_ms: int
    ) -> Reservation: ...

    def extend(self, reservation: Reservation, spend: Spend) -> Reservation: ...

    def settle(self, reservation: Reservation, spend: Spend) -> None: ...

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        """What a new reservation may take of this account, not below 0; None where nothing limits it. `freed`: if all
        that is held settled at nothing."""
        ...

    def spent(self, charge: BudgetCharge, at_ms: int) -> int:
        """Settled plus reserved, in the budget's unit, in the window of `at_ms`."""
        ...


class StreamScanner(Protocol):
    """Recognises and holds back in one growing text (one channel of a stream).

    - The concatenation of all released pieces equals the text that was fed, cut nowhere inside a finding of a held
      kind: `released` ends where no finding of a held kind can still be growing.
    - Findings are final when reported, each exactly once, with absolute positions, and before the text they stand in
      is released when their kind is held.
    """

    def feed(self, text: str) -> tuple[str, tuple[Finding, ...]]:
        """Released text and the findings that became final. Findings of held kinds lie inside the released text."""
        ...

    def finish(self) -> tuple[str, tuple[Finding, ...]]:
        """All that was still held; the channel is complete."""
        ...


class Inspector(Protocol):
    """Text → findings. Pure; raises GuardFailed when a detector cannot answer."""

    digest: str

    def inspect(self, segments: Sequence[Segment]) -> tuple[Finding, ...]: ...

    def minding(self, texts: Sequence[str]) -> "Inspector":
        """The same, which also finds where the words of these texts come back: the system's, in an answer."""
        ...

    def stream(self, place: str, origin: Origin, held: frozenset[str], is_json: bool) -> StreamScanner:
        """A scanner for one channel. `held` are the kind patterns that must not get out in pieces; `is_json` says that
        the text is JSON (tool-call arguments), so that its escapes are read."""
        ...


class UpstreamReply(Protocol):
    """A provider's answer whose head has arrived. Header names are lower case. The caller must `close` it."""

    status: int
    headers: Mapping[str, str]
    attempts: int

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises AnswerTooLarge past `limit` bytes, UpstreamBroken or UpstreamTimeout."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises UpstreamBroken when it is cut, UpstreamTimeout when it falls silent."""
        ...

    def close(self) -> None:
        """Give the connection back, or abort the request at once when the body was not read to its end."""
        ...


class Upstream(Protocol):
    """The only way to a provider."""

    async def send(
        self, provider: ProviderSpec, path: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> UpstreamReply:
        """POST to the provider, with its credential, without following redirects; retries inside.

        Raises UpstreamError whose `reach` says how far the request got. A status of 400 or more is a reply, not an
        error. Cancelling the call aborts the request.
        """
        ...


class Classifier(Protocol):
    """A judge outside. What it is shown leaves the gateway."""

    async def classify(self, texts: Sequence[tuple[Origin, str]]) -> Opinion:
        """Its opinion of these texts, in their order, within the configured time.

        Raises nothing: whatever goes wrong is an opinion with a `failure`. Cancelling the call aborts the request.
        """
        ...


class Approvals(Protocol):
    """Permits that people give, each for one request. All calls raise GuardFailed when nobody can look them up."""

    async def claim(self, subject: Subject, request_id: str, now_ms: int) -> Approval | None:
        """A permit for this subject, durably used up when this returns; None when there is none.

        Of any number of claims on one permit exactly one gets it, also after a crash: then it may be nobody.
        """
        ...

    async def ask(self, asked: Approval, now_ms: int) -> Approval | None:
        """The approval that a request of this subject waits for, pending or rejected; None when too many wait."""
        ...

    async def give_back(self, approval_id: str, request_id: str) -> None:
        """The request that claimed it was not sent."""
        ...


class Authenticator(Protocol):
    """Credential → Principal."""

    def authenticate(self, headers: Mapping[str, str], peer: str, now_ms: int) -> Principal: ...


class Policy(Protocol):
    """Facts → Decision. Pure: the same facts give the same decision."""

    def assess(self, facts: PolicyFacts, findings: tuple[Finding, ...], failures: tuple[str, ...] = ()) -> Inspection:
        """Findings with their risk score; `failures` are guards that could not answer and need not."""
        ...

    def decide(self, facts: PolicyFacts, inspection: Inspection) -> Decision:
        """What the rules say. Raises GuardFailed when a rule's condition cannot be evaluated."""
        ...

    def asks(self, facts: PolicyFacts) -> Mapping[str, bool]:
        """The external classifiers that applicable rules ask, ``*`` for all of them; and whether such a rule acts on
        this request, or all of them are its shadows. A rule whose condition is false whatever is found asks nobody."""
        ...

    def awaits(self, facts: PolicyFacts) -> bool:
        """Whether what external classifiers say of an answer can make a rule deny it on this request."""
        ...

    def seeks(self, facts: PolicyFacts, kind: str) -> bool:
        """Whether an applicable rule of this stage, a shadow too, names the kind or a prefix of it."""
        ...

    def held(self, facts: PolicyFacts) -> frozenset[str]:
        """Kind patterns that a rule on answers rewrites or denies, so that they must not get out in pieces."""
        ...


class Cut(NamedTuple):
    """Characters ``[start, end)`` to rewrite, the kind of what stands there, and how; see `core.snapshot.REWRITING`."""

    start: int
    end: int
    kind: str
    effect: Effect = Effect.REDACT


class TextRedactor(Protocol):
    """Rewrites a text that comes in pieces; `cuts` are absolute and never cross the edge of a piece."""

    def apply(self, released: str, cuts: Sequence[Cut]) -> str: ...


class TextRestorer(Protocol):
    """Restores a text that comes in pieces. The results together equal the restoration of the whole text.

    `pending` is the text that is held back.
    """

    pending: str

    def feed(self, text: str) -> str:
        """What may go out: all but a tail that may still become a pseudonym, which is short."""
        ...

    def finish(self) -> str:
        """The rest."""
        ...


class Pseudonyms(Protocol):
    """The pseudonyms of one session: the same value has the same one in every request of the session.

    What `name` was asked for is remembered as long as the object lives, and is all that is restored.
    """

    def name(self, kind: str, value: str) -> str: ...

    def restore(self, text: str, is_json: bool) -> str:
        """The text with the values in place of their pseudonyms; in JSON text they are escaped for a string."""
        ...

    def restorer(self, is_json: bool) -> TextRestorer: ...


class Redaction(Protocol):
    """Rewrites findings in texts."""

    def text(self, text: str, cuts: Sequence[Cut], is_json: bool, pseudonyms: Pseudonyms | None = None) -> str:
        """The text with each cut replaced by its mark. `pseudonyms` are needed where one is to be pseudonymised."""
        ...

    def stream(self, is_json: bool) -> TextRedactor: ...

    def pseudonyms(self, app: str, session: str) -> Pseudonyms: ...


class Observer(Protocol):
    """Telemetry. Never blocks, never raises."""

    def observe(self, intent: Intent, end: End) -> None: ...


class Outlet(Protocol):
    """The way back to the caller. `started` once the status is out; `gone` once the caller has hung up.

    Sending to a caller who has gone does nothing.
    """

    started: bool
    gone: bool

    async def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """A whole answer."""
        ...

    async def start_stream(self, headers: Sequence[tuple[str, str]]) -> None:
        """The head of an event stream, status 200. From here on comments keep the connection awake."""
        ...

    async def send(self, data: bytes) -> None:
        """Whole events."""
        ...

    async def end_stream(self) -> None:
        """The regular end."""
        ...
