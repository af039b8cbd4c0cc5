"""Names that stand in the records: they tell a mistyped one from one of which there is nothing."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gptgate.storage.acts import NAMED
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors

BUSY_MS = 5000
COLUMNS: dict[str, str] = {
    "app": "app",
    "team": "team",
    "model": "model",
    "upstream_model": "upstream_model",
    "end_user": "end_user",
    "request_id": "id",
}
"""What a request is known by → its column."""
DOERS = ("by", "user")
SUBJECTS = ("about", *NAMED)
EVENT_FIELDS: dict[str, str] = {
    "about": "about",
    **{name: f"json_extract(CAST(body AS TEXT), '$.{name}')" for name in (*DOERS, *NAMED)},
}
"""What an event is known by → where it stands. `DOERS` say who did it, `SUBJECTS` what it is about."""
NEWEST = 10_000
"""Requests, and events, that are looked at for names: enough to know those in use, however long the records are."""


def recent_names(folder: Path, what: str) -> frozenset[str]:
    """The names of this sort in the newest requests; none where there are no records. Blocks; raises StorageError."""
    column = COLUMNS[what]
    query = f"SELECT DISTINCT {column} FROM (SELECT {column} FROM intents ORDER BY seq DESC LIMIT {NEWEST})"  # noqa: S608  constants of ours
    return frozenset(_column(folder, query)) - {""}


def event_names(folder: Path, fields: Sequence[str], kind: str | None = None) -> frozenset[str]:
    """The values of these fields in the newest events, of one type or of all. Blocks; raises StorageError."""
    found: set[str] = set()
    for field in fields:
        query = f"""SELECT DISTINCT {EVENT_FIELDS[field]} FROM (
            SELECT about, body FROM events WHERE ? IN ('', type) ORDER BY seq DESC LIMIT {NEWEST})"""  # noqa: S608  the same
        found.update(_column(folder, query, kind or ""))
    return frozenset(found) - {""}


def is_recorded(folder: Path, what: str, name: str) -> bool:
    """Whether any request has this name. Reads all of them where none has. Blocks; raises StorageError."""
    return bool(_column(folder, f"SELECT 1 FROM intents WHERE {COLUMNS[what]} = ? LIMIT 1", name))  # noqa: S608  the same


def _column(folder: Path, query: str, *values: str) -> list[str]:
    if not (folder / DATABASE_NAME).is_file():
        return []
    with (
        storage_errors("read the names in the records"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
    ):
        require_latest(connection)
        return [value for (value,) in connection.execute(query, values) if value is not None]
