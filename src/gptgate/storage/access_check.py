"""Who may do what, against the log: for every key, auditor and key of a text there is what it comes from.

The gateway believes the tables. Whoever writes to them could make a key of his own, give one more rights, or let a
revoked one live again; the events say what really happened, and the log holds them.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from gptgate.core.sealing import MAGIC
from gptgate.storage.events import (
    AUDITOR_ADDED,
    AUDITOR_REMOVED,
    KEY_CREATED,
    KEY_EXPIRY_SET,
    KEY_REVOKED,
    hash_digest,
)
from gptgate.storage.schema import storage_errors
from gptgate.storage.sums_check import UNREADABLE
from gptgate.storage.vault import DAY_MS

KEY_COLUMNS = (
    "id", "secret_hash", "app", "name", "created_ms", "expires_ms", "revoked_ms", "models", "endpoints", "networks",
    "replaces",
)  # fmt: skip
AUDITOR_COLUMNS = ("name", "token_hash", "created_ms")
EVENTS = "SELECT type, body FROM events WHERE type IN (?, ?, ?, ?, ?) ORDER BY seq"
SEALED_BY = f"""
SELECT min(id), number, app, day FROM (
    SELECT id, substr(content, {len(MAGIC) + 1}, 8) AS number, app, at_ms / {DAY_MS} AS day FROM {{table}}
    WHERE content IS NOT NULL AND substr(content, 1, {len(MAGIC)}) = ?)
GROUP BY number, app, day"""  # noqa: S608  constants of ours
"""The data keys that texts name, each with the app and day of the text, and one text of those."""

Rows = dict[str, dict[str, Any]]


class Access(Struct, frozen=True):
    """`wrong` says where a table is not what the log says, ``""`` when nowhere. `unbound` is how many keys and auditors
    were made before events had a digest of what is stored of their secrets: that it is the same cannot be told."""

    wrong: str
    unbound: int = 0


class _Created(Struct, frozen=True):
    key_id: str
    app: str
    name: str
    created_ms: int
    expires_ms: int
    models: list[str]
    endpoints: list[str]
    networks: list[str]
    replaces: str
    hash_digest: str = ""


class _Changed(Struct, frozen=True):
    key_id: str
    at_ms: int
    expires_ms: int = 0


class _Auditor(Struct, frozen=True):
    name: str
    at_ms: int
    hash_digest: str = ""


_CREATED = msgspec.json.Decoder(_Created)
_CHANGED = msgspec.json.Decoder(_Changed)
_AUDITOR = msgspec.json.Decoder(_Auditor)


def check_access(connection: sqlite3.Connection) -> Access:
    """Compare the tables with the events. Raises StorageError."""
    with storage_errors("look at keys and auditors"):
        keys, auditors = _told(connection)
        wrong = (
            _difference("key", keys, _found(connection, "keys", KEY_COLUMNS))
            or _difference("auditor", auditors, _found(connection, "auditors", AUDITOR_COLUMNS))
            or _keyless_text(connection)
        )
    unbound = sum(not said["digest"] for told in (keys, auditors) for said in told.values())
    return Access(wrong, unbound)


def _told(connection: sqlite3.Connection) -> tuple[Rows, Rows]:
    """The keys and the auditors that there must be, by the events in their order."""
    keys: Rows = {}
    auditors: Rows = {}
    kinds = (KEY_CREATED, KEY_REVOKED, KEY_EXPIRY_SET, AUDITOR_ADDED, AUDITOR_REMOVED)
    for kind, body in connection.execute(EVENTS, kinds):
        try:
            _tell(kind, body, keys, auditors)
        except UNREADABLE:
            # Whether it is what was logged, others look at. It makes nobody a key.
            continue
    return keys, auditors


def _tell(kind: str, body: bytes, keys: Rows, auditors: Rows) -> None:
    if kind == KEY_CREATED:
        made = _CREATED.decode(body)
        said = msgspec.structs.asdict(made)
        lists = {name: msgspec.json.encode(said[name]).decode() for name in ("models", "endpoints", "networks")}
        keys[made.key_id] = {**said, **lists, "id": made.key_id, "revoked_ms": 0, "digest": made.hash_digest}
    elif kind in (AUDITOR_ADDED, AUDITOR_REMOVED):
        auditor = _AUDITOR.decode(body)
        auditors.pop(auditor.name, None)
        if kind == AUDITOR_ADDED:
            auditors[auditor.name] = {
                "name": auditor.name,
                "created_ms": auditor.at_ms,
                "digest": auditor.hash_digest,
            }
    else:
        changed = _CHANGED.decode(body)
        key = keys.get(changed.key_id, {})
        if kind == KEY_EXPIRY_SET:
            key["expires_ms"] = changed.expires_ms
        else:
            # The first revocation's time stays.
            key["revoked_ms"] = key.get("revoked_ms") or changed.at_ms


def _found(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Rows:
    """The rows of a table, by their first column, which names them; with a digest in the place of a secret's hash."""
    query = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608  names of ours
    rows: Rows = {}
    for values in connection.execute(query):
        row = dict(zip(columns, values, strict=True))
        hashed = row.pop(columns[1])
        rows[str(values[0])] = {**row, "digest": hash_digest(hashed) if type(hashed) is bytes else "no bytes"}
    return rows


def _difference(what: str, told: Rows, found: Rows) -> str:
    for name in sorted(told.keys() | found.keys()):
        if name not in told:
            return f"{what} {name} was added without an event"
        if name not in found:
            return f"{what} {name} is gone, and no event says so"
        said, row = told[name], found[name]
        for column, value in row.items():
            if value != said[column] and not (column == "digest" and not said[column]):
                shown = "the hash of its secret" if column == "digest" else f"its column {column}"
                return f"{what} {name}: {shown} is not what the events say"
    return ""


def _keyless_text(connection: sqlite3.Connection) -> str:
    """A sealed text whose data key is not there, or is another place's: an erasure takes the text with the key."""
    keys: Mapping[int, tuple[str, int]] = {
        number: (app, day) for number, app, day in connection.execute("SELECT number, app, day FROM data_keys")
    }
    for side, table in (("request", "intents"), ("answer", "ends")):
        named: Iterable[tuple[str, bytes, str, int]] = connection.execute(SEALED_BY.format(table=table), (MAGIC,))
        for name, number, app, day in named:
            if keys.get(int.from_bytes(number)) != (app, day):
                return f"the key of a text is gone ({side} of {name}, app {app}), and the text is not erased"
    return ""
