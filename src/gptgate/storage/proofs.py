"""Where things stand in the log: the entries of a request, and of the configuration that decided on it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gptgate.core.log import END, INTENT
from gptgate.storage.errors import StorageError
from gptgate.storage.events import CONFIG_APPLIED
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.sequencer import place_of

BUSY_MS = 5000


def places_of(folder: Path, request_id: str) -> list[tuple[str, int]]:
    """(type, index in the log) of the request's intent, its end if it has one, and the configuration it names.

    Raises StorageError when there is no such request, or when one of its entries has no place yet.
    """
    with (
        storage_errors("find a request in the log"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
    ):
        require_latest(connection)
        found = []
        for kind, seq in _rows(connection, request_id):
            place = place_of(connection, kind, seq)
            if place is None:
                raise StorageError(
                    f"request {request_id} is not in the audit log yet", hint="it will be in a moment; try again"
                )
            found.append((kind, place))
    return found


def request_places(connection: sqlite3.Connection, request_id: str) -> dict[str, int | None]:
    """The index in the log of each entry of a request; None for one that is not in it yet."""
    return {kind: place_of(connection, kind, seq) for kind, seq in _rows(connection, request_id)}


def _rows(connection: sqlite3.Connection, request_id: str) -> Iterator[tuple[str, int]]:
    intent = connection.execute(
        "SELECT seq, json_extract(CAST(body AS TEXT), '$.config_digest') FROM intents WHERE id = ?", (request_id,)
    ).fetchone()
    if intent is None:
        raise StorageError(f"there is no request {request_id}", hint="gptgate audit search lists requests")
    yield INTENT, intent[0]
    end = connection.execute("SELECT seq FROM ends WHERE id = ?", (request_id,)).fetchone()
    if end is not None:
        yield END, end[0]
    applied = connection.execute(
        "SELECT max(seq) FROM events WHERE type = ? AND about = ?", (CONFIG_APPLIED, intent[1])
    ).fetchone()
    if applied[0] is not None:
        yield CONFIG_APPLIED, applied[0]
