"""What the gateway and people did besides requests, read back from the table `events`."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from gptgate.storage.errors import StorageError
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.sequencer import place_of

BUSY_MS = 5000
NAMED = ("key_id", "name", "budget", "end_user", "app")
"""Fields besides `about` that say what an event is about."""
_FIELD = "json_extract(CAST(body AS TEXT), '$.{}') = :{}"
CONDITIONS: dict[str, str] = {
    "by": f"({_FIELD.format('by', 'by')} OR {_FIELD.format('user', 'by')})",
    "about": f"(about = :about OR {' OR '.join(_FIELD.format(name, 'about') for name in NAMED)})",
    "since_ms": "at_ms >= :since_ms",
    "until_ms": "at_ms < :until_ms",
}
"""One for each field of ActFilters but the types."""


class ActFilters(Struct, frozen=True, kw_only=True):
    """Conditions that all hold; None is not stated. `by` is who says to have done it, or who did by the system's word;
    `about` a request, an approval, a configuration's digest, a key, an auditor, a budget, an end user or an app."""

    types: Sequence[str]
    by: str | None = None
    about: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class Act(Struct, frozen=True):
    """One event. `place` is its index in the signed log, None while it has none."""

    seq: int
    at_ms: int
    kind: str
    fields: dict[str, object]
    place: int | None


def acts(folder: Path, filters: ActFilters, limit: int, before_seq: int | None = None) -> list[Act]:
    """At most `limit` events that fit, newest first; those before `before_seq` when it is given.

    Events of other types are not looked at, however many there are. Raises StorageError.
    """
    values = {name: value for name in CONDITIONS if (value := getattr(filters, name)) is not None}
    types = {f"type{number}": kind for number, kind in enumerate(filters.types)}
    conditions = [f"type IN ({', '.join(f':{name}' for name in types)})", *(CONDITIONS[name] for name in values)]
    if before_seq is not None:
        conditions.append("seq < :before_seq")
    # The bodies of those alone that are given out are carried through the sorting.
    query = f"""SELECT seq, at_ms, type, body FROM events WHERE seq IN (
        SELECT seq FROM events INDEXED BY events_about WHERE {" AND ".join(conditions)} ORDER BY seq DESC LIMIT :limit
        ) ORDER BY seq DESC"""  # noqa: S608  constants of ours
    with (
        storage_errors("read the events"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
    ):
        require_latest(connection)
        rows = connection.execute(query, {**values, **types, "limit": limit, "before_seq": before_seq}).fetchall()
        return [_act(connection, *row) for row in rows]


def _act(connection: sqlite3.Connection, seq: int, at_ms: int, kind: str, body: bytes) -> Act:
    try:
        fields = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise StorageError(f"event {seq} cannot be read: {error}", hint="gptgate audit verify") from error
    return Act(seq, at_ms, kind, fields, place_of(connection, kind, seq))
