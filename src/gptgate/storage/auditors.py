"""Auditors: people who may read kept texts. Each has a token; each reading of a text is on record."""

import hmac
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from gptgate.storage.errors import StorageError
from gptgate.storage.events import AUDITOR_ADDED, AUDITOR_REMOVED, hash_digest, insert_event
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors

BUSY_MS = 5000
PREFIX = "gptgate-auditor-"


class Auditor(Struct, frozen=True):
    """Somebody who may read texts."""

    name: str
    created_ms: int


@contextmanager
def _database(folder: Path, doing: str, *, read_only: bool = True) -> Iterator[sqlite3.Connection]:
    path = folder / DATABASE_NAME
    with storage_errors(doing), closing(connect(path, busy_ms=BUSY_MS, read_only=read_only)) as connection:
        require_latest(connection)
        yield connection


@contextmanager
def changing(folder: Path, doing: str) -> Iterator[sqlite3.Connection]:
    """One durable transaction: the change and its event, or neither."""
    with _database(folder, doing, read_only=False) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def add_auditor(folder: Path, name: str, at_ms: int, by: str) -> str:
    """The new auditor's token, which is stored nowhere. Raises StorageError, also for a name that is taken."""
    token = PREFIX + secrets.token_urlsafe(32)
    with changing(folder, "add an auditor") as connection:
        if connection.execute("SELECT 1 FROM auditors WHERE name = ?", (name,)).fetchone() is not None:
            raise StorageError(f"there is an auditor {name} already", hint="remove that one first")
        hashed = _hash(token)
        connection.execute("INSERT INTO auditors VALUES (?, ?, ?)", (name, hashed, at_ms))
        insert_event(connection, at_ms, AUDITOR_ADDED, {"name": name, "by": by, "hash_digest": hash_digest(hashed)})
    return token


def remove_auditor(folder: Path, name: str, at_ms: int, by: str) -> None:
    """The token is good for nothing from now on. Raises StorageError, also when there is no such auditor."""
    with changing(folder, "remove an auditor") as connection:
        if connection.execute("DELETE FROM auditors WHERE name = ?", (name,)).rowcount == 0:
            raise StorageError(f"there is no auditor {name}", hint="gptgate audit auditors list")
        insert_event(connection, at_ms, AUDITOR_REMOVED, {"name": name, "by": by})


def auditors(folder: Path) -> list[Auditor]:
    """All of them, by name. Raises StorageError."""
    with _database(folder, "read the auditors") as connection:
        rows = connection.execute("SELECT name, created_ms FROM auditors ORDER BY name").fetchall()
    return [Auditor(*row) for row in rows]


def auditor_of(folder: Path, token: str) -> str | None:
    """Whose token this is; None when nobody's. Raises StorageError."""
    wanted = _hash(token)
    with _database(folder, "read the auditors") as connection:
        rows = connection.execute("SELECT name, token_hash FROM auditors").fetchall()
    found = [name for name, known in rows if hmac.compare_digest(known, wanted)]
    return found[0] if found else None


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
