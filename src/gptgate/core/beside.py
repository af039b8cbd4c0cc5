"""What stands beside the gateway and is asked or told: classifiers, sinks, witnesses, counters. Part of a Snapshot.

Times carry their unit in the name. Secrets stand as references, never as values.
"""

from enum import StrEnum

from msgspec import Struct

from gptgate.core.finding import Origin
from gptgate.core.secret_ref import SecretRef


class ClassifierKind(StrEnum):
    """How an external classifier is asked."""

    MODERATION = "moderation"
    GUARD_MODEL = "guard_model"
    WEBHOOK = "webhook"
    PRESIDIO = "presidio"


POINTING = frozenset({ClassifierKind.PRESIDIO})
"""Kinds that say where in a text they found something: in a request it can be cut out there."""


class GuardTemplate(StrEnum):
    """How a guard model is asked and how its answer is read."""

    LLAMA_GUARD = "llama_guard"
    PROMPT_GUARD = "prompt_guard"
    SHIELD_GEMMA = "shield_gemma"


class OnFailure(StrEnum):
    """What becomes of a request whose classifier cannot answer."""

    CLOSED = "closed"
    OPEN = "open"


class ClassifierSpec(Struct, frozen=True, kw_only=True):
    """An external classifier. `model`, `template` and `language` are empty where its kind has none.

    `labels` are those that it may report; any other becomes ``other``. `scores` are pairs (permille, points), rising:
    a label counts the points of the last pair that its score reaches. `origins`: whose words it is shown.
    `max_chars` bounds what it is shown; past it, it cannot answer. After `breaker_failures` failures in a row it is not
    asked for `breaker_cool_down_ms`, which is a failure too.
    """

    name: str
    kind: ClassifierKind
    base_url: str
    model: str
    template: GuardTemplate | None
    language: str
    credential: SecretRef | None
    timeout_ms: int
    on_failure: OnFailure
    max_chars: int
    origins: tuple[Origin, ...]
    labels: tuple[str, ...]
    scores: tuple[tuple[int, int], ...]
    breaker_failures: int
    breaker_cool_down_ms: int


class SinkKind(StrEnum):
    """How a sink is written to."""

    FILE = "file"
    WEBHOOK = "webhook"
    SYSLOG = "syslog"
    OTLP = "otlp"


class SinkSpec(Struct, frozen=True, kw_only=True):
    """A place outside that gets the entries of the audit log. `to` is a file's path, or a URL; see `config.sinks`.

    `only` are the kinds of entries that it gets, empty for all.
    """

    name: str
    kind: SinkKind
    to: str
    credential: SecretRef | None
    timeout_ms: int
    only: tuple[str, ...] = ()


class WitnessKind(StrEnum):
    """How a witness takes a checkpoint of the audit log: as a copy in a folder, as a message, or by the protocol of
    c2sp.org/tlog-witness, the only one whose answer is a cosignature."""

    FILE = "file"
    WEBHOOK = "webhook"
    TLOG = "tlog"


class WitnessSpec(Struct, frozen=True, kw_only=True):
    """Somebody else who keeps the audit log's checkpoints. What its kind does not have is empty.

    `key` is its public key (``name+id+key``); `every_ms` is how often it is shown a log that has grown.
    """

    name: str
    kind: WitnessKind
    path: str
    url: str
    key: str
    credential: SecretRef | None
    every_ms: int
    timeout_ms: int


class CountersSpec(Struct, frozen=True, kw_only=True):
    """The server that keeps limits and budgets of several gateways together. Its keys begin with `prefix`. `ca` is a
    file of certificates that may have signed the server's, besides those that the system trusts; `cert` and `key` are
    the files of the certificate that the gateway shows, empty: none, and where the key stands in the same file.
    """

    url: str
    user: str
    credential: SecretRef | None
    ca: str = ""
    cert: str = ""
    key: str = ""
    prefix: str
    timeout_ms: int
