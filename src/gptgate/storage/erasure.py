"""Erasing texts: what was kept of prompts and answers goes, with the salts; what was logged of them stays.

The log has a digest over salt and text only. Without the salt it says nothing about the text, so it need not change.
A data key under which no text is left goes too: copies of the database that were made before hold nothing then that the
key in the present one could open.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct, structs

from gptgate.storage.errors import StorageError
from gptgate.storage.events import CONTENT_ERASED, insert_event
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.vault import DAY_MS, Place, day_of

BUSY_MS = 5000
PATIENCE_S = 10.0
BATCH = 1000
"""Requests of one transaction of an expiry: the writer of records waits for no more."""
CONDITIONS = {
    "end_user": "end_user = :end_user",
    "app": "app = :app",
    "request_id": "id = :request_id",
    "before_ms": "at_ms < :before_ms",
}
_OF_CLASS = """EXISTS (SELECT 1 FROM json_each(CAST({row}.body AS TEXT), '$.finding_counts')
    WHERE substr(json_extract(value, '$[0]'), 1, length(:class) + 1) = :class || '.')"""
_EXPIRED = f"""
SELECT i.id FROM intents i LEFT JOIN ends e ON e.id = i.id
WHERE i.at_ms < :before_ms AND (i.content IS NOT NULL OR e.content IS NOT NULL)
AND (:class = '' OR {_OF_CLASS.format(row="i")} OR {_OF_CLASS.format(row="e")})
AND i.id IN (SELECT id FROM intents INDEXED BY intents_kept WHERE content IS NOT NULL AND at_ms < :before_ms
    UNION SELECT id FROM ends INDEXED BY ends_kept WHERE content IS NOT NULL AND at_ms < :before_ms + {DAY_MS})
LIMIT {BATCH}"""  # noqa: S608  parts of ours


class Erasure(Struct, frozen=True, kw_only=True):
    """Whose texts are to go: all conditions that are stated must hold, and one must be."""

    end_user: str | None = None
    app: str | None = None
    request_id: str | None = None
    before_ms: int | None = None


def count_texts(folder: Path, wanted: Erasure) -> int:
    """How many requests have texts that this erasure would take. Raises ValueError, StorageError."""
    which, stated = _chosen(wanted)
    with (
        storage_errors("count texts"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
    ):
        require_latest(connection)
        (count,) = connection.execute(
            f"SELECT count(*) FROM (SELECT id FROM intents WHERE content IS NOT NULL AND id IN ({which})"  # noqa: S608
            f" UNION SELECT id FROM ends WHERE content IS NOT NULL AND id IN ({which}))",
            stated,
        ).fetchone()
    return int(count)


def erase(folder: Path, wanted: Erasure, at_ms: int, by: str, *, compact: bool = False) -> int:
    """Erase the texts of the requests that fit, durably; how many requests had any. Safe beside a gateway that runs.

    Afterwards they are in none of the folder's files: freed space is overwritten, and the write-ahead log is emptied. A
    piece that SQLite left in a page when it moved rows to another may stay, sealed as it was, where `compact` is not
    asked for: it writes the whole database anew, and requests wait meanwhile.
    The event is in the same transaction: a crash leaves both or neither. One before the write-ahead log is emptied
    leaves old pages in it, and erasing again empties it. Raises ValueError without a condition, StorageError.
    """
    which, stated = _chosen(wanted)
    with erasing(folder) as connection:
        with transaction(connection):
            erased = _erase(connection, which, stated)
            insert_event(connection, at_ms, CONTENT_ERASED, {**stated, "requests": erased, "by": by})
        if compact:
            # A crash here leaves the old database, or the new one.
            connection.execute("VACUUM")
        empty_log(connection)
    return erased


def _chosen(wanted: Erasure) -> tuple[str, dict[str, object]]:
    """The query for the ids that fit, and its values."""
    stated = {name: value for name, value in structs.asdict(wanted).items() if value is not None}
    if not stated:
        raise ValueError("an erasure needs a condition")
    return "SELECT id FROM intents WHERE " + " AND ".join(CONDITIONS[name] for name in stated), stated  # noqa: S608


def expire(folder: Path, before_ms: int, at_ms: int, data_class: str = "") -> int:
    """Erase the texts of requests that began before then, and have a finding of this category where one is named; how
    many requests had any.

    In batches, so that requests are not kept waiting; each has its event. Raises StorageError.
    """
    values = {"before_ms": before_ms, "class": data_class}
    total = 0
    with erasing(folder) as connection:
        more = True
        while more:
            ids = [name for (name,) in connection.execute(_EXPIRED, values).fetchall()]
            more = bool(ids)
            if not more:
                break
            with transaction(connection):
                connection.executemany("INSERT INTO temp.chosen VALUES (?)", [(name,) for name in ids])
                erased = _erase(connection, "SELECT id FROM temp.chosen", {})
                connection.execute("DELETE FROM temp.chosen")
                named = {"class": data_class} if data_class else {}
                fields = {**named, "before_ms": before_ms, "requests": erased, "by": "retention"}
                insert_event(connection, at_ms, CONTENT_ERASED, fields)
            total += erased
        if total:
            empty_log(connection)
    return total


@contextmanager
def erasing(folder: Path, doing: str = "erase texts") -> Iterator[sqlite3.Connection]:
    """A connection by which nothing stays of what is removed or replaced. Raises StorageError."""
    with (
        storage_errors(doing),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS)) as connection,
    ):
        require_latest(connection)
        # Without it the bytes would stay in the file until something else is written there.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("CREATE TEMP TABLE chosen (id TEXT PRIMARY KEY)")
        yield connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it durable, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _erase(connection: sqlite3.Connection, which: str, values: Mapping[str, object]) -> int:
    """Within a transaction: the texts of these ids go, and the data keys that sealed nothing else."""
    erased: set[str] = set()
    places: set[Place] = set()
    for table in ("intents", "ends"):
        change = f"UPDATE {table} SET content = NULL, salt = NULL WHERE content IS NOT NULL AND id IN ({which})"  # noqa: S608  names of ours
        for name, app, at_ms in connection.execute(f"{change} RETURNING id, app, at_ms", values).fetchall():
            erased.add(name)
            places.add((app, day_of(at_ms)))
    _destroy_keys(connection, places)
    return len(erased)


def _destroy_keys(connection: sqlite3.Connection, places: Iterable[Place]) -> None:
    for app, day in places:
        left = connection.execute(
            """SELECT EXISTS (SELECT 1 FROM intents WHERE content IS NOT NULL AND at_ms >= :from AND at_ms < :to
                   AND app = :app)
               OR EXISTS (SELECT 1 FROM ends WHERE content IS NOT NULL AND at_ms >= :from AND at_ms < :to
                   AND app = :app)""",
            {"app": app, "from": day * DAY_MS, "to": (day + 1) * DAY_MS},
        ).fetchone()
        if not left[0]:
            connection.execute("DELETE FROM data_keys WHERE app = ? AND day = ?", (app, day))


def empty_log(connection: sqlite3.Connection) -> None:
    """Fold the write-ahead log in and cut it to nothing. A reader or a writer may be in the way for a moment."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
        if time.monotonic() > deadline:
            raise StorageError(
                "it is done, but old copies may still stand in the write-ahead log, which is in use",
                hint="run the same command again",
            )
        time.sleep(0.05)
