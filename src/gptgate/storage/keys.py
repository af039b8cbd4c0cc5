"""API keys in the database: commands change them while the gateway runs, the gateway reads them into memory."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from gptgate.core.keys import KeyRecord
from gptgate.storage.errors import StorageError
from gptgate.storage.events import KEY_CREATED, KEY_EXPIRY_SET, KEY_REVOKED, hash_digest, insert_event
from gptgate.storage.folder import DATABASE_NAME, create_folder
from gptgate.storage.schema import connect, migrate, require_latest, storage_errors, version_of

BUSY_MS = 5000
RECORDED = ("app", "name", "created_ms", "expires_ms", "models", "endpoints", "networks", "replaces")
"""What of a key goes into the audit log; of the hash of its secret, a digest, by which it is known to be the same."""
LIST = msgspec.json.Decoder(tuple[str, ...])


class KeyStore:
    """The `keys` table. Needs no lock on the folder; each change is one short durable transaction of its own.

    Methods block on the disk, raise StorageError, and may be called from any thread.
    """

    def __init__(self, folder: Path, *, by: str = "", read_only: bool = False) -> None:
        """Open the folder's database; folder and database are made when missing, but for one that is `read_only`.

        `by` is who changes keys, for the record. The caller must `close`.
        """
        path = folder / DATABASE_NAME if read_only else create_folder(folder)
        self._by = by
        self._guard = threading.Lock()
        with storage_errors(f"open {path}"):
            self._connection = connect(path, busy_ms=BUSY_MS, read_only=read_only)
            try:
                if version_of(self._connection) == 0 and not read_only:
                    migrate(self._connection)
                # An older schema is left to the gateway, which holds the folder's lock when it migrates.
                require_latest(self._connection)
            except (sqlite3.Error, StorageError):
                self._connection.close()
                raise

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def all(self) -> list[KeyRecord]:
        """Every key, revoked and expired ones too, oldest first."""
        query = """SELECT id, app, name, secret_hash, created_ms, expires_ms, revoked_ms, models, endpoints, networks,
                   replaces FROM keys ORDER BY created_ms, id"""
        with self._guard, storage_errors("read the keys"):
            rows = self._connection.execute(query).fetchall()
        return [_record(row) for row in rows]

    def insert(self, record: KeyRecord) -> None:
        """Add a key. Raises StorageError when its id exists."""
        values = (
            record.id,
            record.app,
            record.name,
            record.secret_hash,
            record.created_ms,
            record.expires_ms,
            record.revoked_ms,
            _json(record.models),
            _json(record.endpoints),
            _json(record.networks),
            record.replaces,
        )
        with self._change(f"insert key {record.id}") as connection:
            connection.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            fields = {name: getattr(record, name) for name in RECORDED}
            fields["hash_digest"] = hash_digest(record.secret_hash)
            insert_event(connection, record.created_ms, KEY_CREATED, {"key_id": record.id, **fields, "by": self._by})

    def revoke(self, key_id: str, at_ms: int) -> None:
        """Revoke a key; the first revocation's time stays. Raises StorageError when there is no such key."""
        statement = "UPDATE keys SET revoked_ms = CASE revoked_ms WHEN 0 THEN ? ELSE revoked_ms END WHERE id = ?"
        with self._change(f"revoke key {key_id}") as connection:
            _update(connection, statement, at_ms, key_id)
            insert_event(connection, at_ms, KEY_REVOKED, {"key_id": key_id, "by": self._by})

    def set_expiry(self, key_id: str, expires_ms: int, now_ms: int) -> None:
        """Let a key expire at a time, 0 for never. Raises StorageError when there is no such key."""
        with self._change(f"expire key {key_id}") as connection:
            _update(connection, "UPDATE keys SET expires_ms = ? WHERE id = ?", expires_ms, key_id)
            fields = {"key_id": key_id, "expires_ms": expires_ms, "by": self._by}
            insert_event(connection, now_ms, KEY_EXPIRY_SET, fields)

    def data_version(self) -> int:
        """A number that every change of a key raises, in whatever process. About ten microseconds."""
        with self._guard, storage_errors("read the keys' generation"):
            (value,) = self._connection.execute("SELECT value FROM meta WHERE name = 'key_generation'").fetchone()
        return int(value)

    @contextmanager
    def _change(self, doing: str) -> Iterator[sqlite3.Connection]:
        """One transaction: a crash leaves the key as it was, or changed with a new generation."""
        with self._guard, storage_errors(doing):
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'key_generation'")
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _update(connection: sqlite3.Connection, statement: str, value: int, key_id: str) -> None:
    if connection.execute(statement, (value, key_id)).rowcount != 1:
        raise StorageError(f"there is no key {key_id}", hint="gptgate keys list shows all keys")


def _json(names: tuple[str, ...]) -> str:
    return msgspec.json.encode(names).decode()


def _record(row: tuple[Any, ...]) -> KeyRecord:
    key_id, app, name, secret_hash, created_ms, expires_ms, revoked_ms, models, endpoints, networks, replaces = row
    try:
        return KeyRecord(
            id=key_id,
            app=app,
            name=name,
            secret_hash=bytes(secret_hash),
            created_ms=created_ms,
            expires_ms=expires_ms,
            revoked_ms=revoked_ms,
            models=LIST.decode(models),
            endpoints=LIST.decode(endpoints),
            networks=LIST.decode(networks),
            replaces=replaces,
        )
    except msgspec.DecodeError as error:
        # An allow list that cannot be read must not become an empty one, which would allow everything.
        raise StorageError(f"the lists of key {key_id} cannot be read: {error}") from error
