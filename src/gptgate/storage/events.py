"""What the gateway and its operators did: events beside those of requests, on their way into the log."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from gptgate.core.events import ENCODER
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, storage_errors

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
BUDGET_RECONCILED = "budget_reconciled"
RESERVATION_EXTENDED = "reservation_extended"
BUDGET_THRESHOLD = "budget_threshold"
LOG_FORKED = "log_forked"


def insert_event(connection: sqlite3.Connection, at_ms: int, kind: str, fields: Mapping[str, object]) -> None:
    """Add an event within the caller's transaction. `fields` hold no secret and no floating point number."""
    body = ENCODER.encode({"at_ms": at_ms, **fields})
    connection.execute("INSERT INTO events (at_ms, type, body) VALUES (?, ?, ?)", (at_ms, kind, body))


def hash_digest(secret_hash: bytes) -> str:
    """What an event says of the hash of a secret. The secret has 256 random bits: nobody finds it by trying."""
    return sha256(secret_hash).hexdigest()


def record_event(folder: Path, at_ms: int, kind: str, fields: Mapping[str, object]) -> None:
    """Add an event, durable when this returns. Blocks; raises StorageError."""
    with (
        storage_errors(f"record the event {kind}"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS)) as connection,
    ):
        insert_event(connection, at_ms, kind, fields)
