"""What the gateway and its operators did: events beside those of requests, on their way into the log."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from gptgate.core.events import ENCODER
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors

BUSY_MS = 5000

GATEWAY_STARTED = "gateway_started"
CONTENT_ERASED = "content_erased"
CONTENT_READ = "content_read"
CONTENT_SEALED = "content_sealed"
CONTENT_KEYS_REWRAPPED = "content_keys_rewrapped"
AUDITOR_ADDED = "auditor_added"
AUDITOR_REMOVED = "auditor_removed"
GATEWAY_STOPPED = "gateway_stopped"
CONFIG_APPLIED = "config_applied"
KEY_CREATED = "key_created"
KEY_REVOKED = "key_revoked"
KEY_EXPIRY_SET = "key_expiry_set"
BUDGET_TOPPED_UP = "budget_topped_up"
BUDGET_SET = "budget_set"
BUDGET_UNSET = "budget_unset"
BUDGET_RECONCILED = "budget_reconciled"
RESERVATION_EXTENDED = "reservation_extended"
BUDGET_THRESHOLD = "budget_threshold"
LOG_FORKED = "log_forked"
APPROVAL_GIVEN = "approval_given"
APPROVAL_REJECTED = "approval_rejected"
APPROVALS_LOGGED = "approvals_logged"
"""Written where a store is brought forward from before decisions on approvals left events."""

TYPES = (
    GATEWAY_STARTED,
    GATEWAY_STOPPED,
    CONFIG_APPLIED,
    KEY_CREATED,
    KEY_REVOKED,
    KEY_EXPIRY_SET,
    APPROVAL_GIVEN,
    APPROVAL_REJECTED,
    APPROVALS_LOGGED,
    AUDITOR_ADDED,
    AUDITOR_REMOVED,
    CONTENT_READ,
    CONTENT_ERASED,
    CONTENT_SEALED,
    CONTENT_KEYS_REWRAPPED,
    BUDGET_TOPPED_UP,
    BUDGET_SET,
    BUDGET_UNSET,
    BUDGET_RECONCILED,
    BUDGET_THRESHOLD,
    LOG_FORKED,
    RESERVATION_EXTENDED,
)
"""Every one that there is. The last belongs to a request, and can be as frequent."""

ABOUT: dict[str, str] = {
    CONFIG_APPLIED: "digest",
    CONTENT_READ: "request_id",
    CONTENT_ERASED: "request_id",
    BUDGET_RECONCILED: "request",
    RESERVATION_EXTENDED: "request",
    APPROVAL_GIVEN: "approval",
    APPROVAL_REJECTED: "approval",
}
"""Types of events that are looked up by what they are about → their field that names it. It is the column `about`."""


class _When(Struct, frozen=True):
    at_ms: int


class _Named(Struct, frozen=True):
    at_ms: int
    digest: str = ""
    request_id: str | None = None
    request: str = ""
    approval: str = ""


_WHEN = msgspec.json.Decoder(_When)
_NAMED = msgspec.json.Decoder(_Named)


def insert_event(connection: sqlite3.Connection, at_ms: int, kind: str, fields: Mapping[str, object]) -> None:
    """Add an event within the caller's transaction. `fields` hold no secret and no floating point number."""
    body = ENCODER.encode({"at_ms": at_ms, **fields})
    about = fields.get(ABOUT[kind]) if kind in ABOUT else ""
    statement = "INSERT INTO events (at_ms, type, about, body) VALUES (?, ?, ?, ?)"
    connection.execute(statement, (at_ms, kind, about or "", body))


def event_columns(kind: str, body: bytes) -> tuple[int, str]:
    """`at_ms` and `about` as the row of this event must have them. Raises what `sums_check.UNREADABLE` names."""
    if kind not in ABOUT:
        return _WHEN.decode(body).at_ms, ""
    said = _NAMED.decode(body)
    return said.at_ms, getattr(said, ABOUT[kind]) or ""


def events_about(connection: sqlite3.Connection, kind: str, about: str) -> list[bytes]:
    """The bodies of all events of a type about this, in their order. However long the log, it reads only these."""
    query = "SELECT body FROM events WHERE type = ? AND about = ? ORDER BY seq"
    return [body for (body,) in connection.execute(query, (kind, about))]


def hash_digest(secret_hash: bytes) -> str:
    """What an event says of the hash of a secret. The secret has 256 random bits: nobody finds it by trying."""
    return sha256(secret_hash).hexdigest()


def record_event(folder: Path, at_ms: int, kind: str, fields: Mapping[str, object]) -> None:
    """Add an event, durable when this returns. Blocks; raises StorageError."""
    with (
        storage_errors(f"record the event {kind}"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS)) as connection,
    ):
        require_latest(connection)
        insert_event(connection, at_ms, kind, fields)
