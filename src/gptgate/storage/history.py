"""What is on record around a request: the configuration that decided on it, and what was done with it later."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from gptgate.core.snapshot import RuleSpec
from gptgate.storage.errors import StorageError
from gptgate.storage.events import CONFIG_APPLIED, CONTENT_ERASED, CONTENT_READ
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.proofs import request_places
from gptgate.storage.schema import connect, require_latest, storage_errors

BUSY_MS = 5000
ABOUT_REQUESTS = (CONTENT_ERASED, CONTENT_READ)
"""Events that may name one request, in `request_id`."""


class Later(Struct, frozen=True):
    """Something that was done with a request's record after its end."""

    at_ms: int
    kind: str
    by: str


class History(Struct, frozen=True):
    """`rules` are those of the configuration that decided, None when it is not on record. Places are indices in the
    signed log, None for what is not in it yet."""

    rules: dict[str, RuleSpec] | None
    places: dict[str, int | None]
    later: tuple[Later, ...]


class _Configuration(Struct, frozen=True):
    rules: tuple[RuleSpec, ...]


class _Applied(Struct, frozen=True):
    configuration: _Configuration


class _Done(Struct, frozen=True):
    at_ms: int
    by: str


def history(folder: Path, request_id: str, config_digest: str) -> History:
    """Raises StorageError."""
    with (
        storage_errors("read the history of a request"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
    ):
        require_latest(connection)
        try:
            return History(
                rules=_rules(connection, config_digest),
                places=request_places(connection, request_id),
                later=tuple(_later(connection, request_id)),
            )
        except msgspec.DecodeError as error:
            raise StorageError(f"an event cannot be read: {error}") from error


def _rules(connection: sqlite3.Connection, digest: str) -> dict[str, RuleSpec] | None:
    row = connection.execute(
        "SELECT body FROM events WHERE type = ? AND json_extract(CAST(body AS TEXT), '$.digest') = ?"
        " ORDER BY seq DESC LIMIT 1",
        (CONFIG_APPLIED, digest),
    ).fetchone()
    if row is None:
        return None
    applied = msgspec.json.decode(row[0], type=_Applied)
    return {rule.id: rule for rule in applied.configuration.rules}


def _later(connection: sqlite3.Connection, request_id: str) -> list[Later]:
    marks = ", ".join("?" * len(ABOUT_REQUESTS))
    rows = connection.execute(
        f"SELECT type, body FROM events WHERE type IN ({marks})"  # noqa: S608  marks only
        " AND json_extract(CAST(body AS TEXT), '$.request_id') = ? ORDER BY seq",
        (*ABOUT_REQUESTS, request_id),
    ).fetchall()
    done = [(kind, msgspec.json.decode(body, type=_Done)) for kind, body in rows]
    return [Later(one.at_ms, kind, one.by) for kind, one in done]
