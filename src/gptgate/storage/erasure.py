"""Erasing texts: what was kept of prompts and answers goes, with the salts; what was logged of them stays.

The log has a digest over salt and text only. Without the salt it says nothing about the text, so it need not change.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from msgspec import Struct, structs

from gptgate.storage.errors import StorageError
from gptgate.storage.events import CONTENT_ERASED, insert_event
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors

BUSY_MS = 5000
PATIENCE_S = 10.0
CONDITIONS = {
    "end_user": "end_user = :end_user",
    "app": "app = :app",
    "request_id": "id = :request_id",
    "before_ms": "at_ms < :before_ms",
}


class Erasure(Struct, frozen=True, kw_only=True):
    """Whose texts are to go: all conditions that are stated must hold, and one must be."""

    end_user: str | None = None
    app: str | None = None
    request_id: str | None = None
    before_ms: int | None = None


def erase(folder: Path, wanted: Erasure, at_ms: int, by: str) -> int:
    """Erase the texts of the requests that fit, durably; how many requests had any. Safe beside a gateway that runs.

    Afterwards no byte of them is in the folder's files: freed space is overwritten, and the write-ahead log is emptied.
    The event is in the same transaction: a crash leaves both or neither. One before the write-ahead log is emptied
    leaves old pages in it, and erasing again empties it. Raises ValueError without a condition, StorageError.
    """
    stated = {name: value for name, value in structs.asdict(wanted).items() if value is not None}
    if not stated:
        raise ValueError("an erasure needs a condition")
    which = "SELECT id FROM intents WHERE " + " AND ".join(CONDITIONS[name] for name in stated)  # noqa: S608
    with (
        storage_errors("erase texts"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS)) as connection,
    ):
        require_latest(connection)
        # Without it the bytes would stay in the file until something else is written there.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        try:
            erased: set[str] = set()
            for table in ("intents", "ends"):
                change = f"UPDATE {table} SET content = NULL, salt = NULL WHERE content IS NOT NULL AND id IN ({which})"  # noqa: S608  names of ours
                erased.update(name for (name,) in connection.execute(f"{change} RETURNING id", stated).fetchall())
            insert_event(connection, at_ms, CONTENT_ERASED, {**stated, "requests": len(erased), "by": by})
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        _empty_log(connection)
    return len(erased)


def _empty_log(connection: sqlite3.Connection) -> None:
    """Fold the write-ahead log in and cut it to nothing. A reader or a writer may be in the way for a moment."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
        if time.monotonic() > deadline:
            raise StorageError(
                "the texts are erased, but old copies may still stand in the write-ahead log, which is in use",
                hint="run the same command again",
            )
        time.sleep(0.05)
