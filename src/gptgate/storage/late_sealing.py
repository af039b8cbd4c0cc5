"""Sealing texts that were kept before texts were sealed: nothing of them is in clear in any file afterwards.

The log commits to such a text and its salt. Both go into the sealed text, whose own commitment is then the one in the
log: it stays provable which text it is, to who can open it. That the sealed bytes are those that were written then, to
everybody: an event has a digest over them and a new salt, which lies beside the record.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gptgate.core.log import END, INTENT, commitment
from gptgate.core.sealing import ANSWER, MAGIC, REQUEST, SALT_BYTES, is_sealed, parse
from gptgate.storage.erasure import empty_log, erasing, transaction
from gptgate.storage.errors import StorageError
from gptgate.storage.events import CONTENT_SEALED, insert_event
from gptgate.storage.log_folder import LogFolder
from gptgate.storage.schema import storage_errors
from gptgate.storage.sequencer import BATCH
from gptgate.storage.vault import Vault, day_of

MOST_ROWS = 100
"""Of one transaction, and so of one event: the writer of records waits for no more."""
CLEAR = f"""
SELECT seq, id, app, at_ms, content, salt FROM {{table}} WHERE content IS NOT NULL AND salt IS NOT NULL
AND substr(content, 1, {len(MAGIC)}) <> ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT {MOST_ROWS}"""  # noqa: S608
SIDES = ((INTENT, "intents", REQUEST), (END, "ends", ANSWER))

SealedAs = dict[tuple[str, int], str]
"""A kind of record and its number → what an event says of the sealed text beside it."""


class _Told(Struct, frozen=True):
    texts: list[tuple[str, int, str]]


_TOLD = msgspec.json.Decoder(_Told)


def seal_texts(folder: Path, vault: Vault, at_ms: int, by: str) -> int:
    """Seal what lies in clear and is in the log, durably; how many texts. Safe beside a gateway that runs.

    Afterwards none of these bytes is in the folder's files. A crash leaves a text and its event as they were, or both
    sealed; one before the write-ahead log is emptied leaves old pages in it, and running it again empties it. Raises
    StorageError.
    """
    sealed = 0
    with erasing(folder, "seal texts") as connection:
        reached = _logged(connection, folder)
        for kind, table, side in SIDES:
            last = 0
            while rows := connection.execute(CLEAR.format(table=table), (MAGIC, last, reached[kind])).fetchall():
                last = rows[-1][0]
                # Their keys are durable before a text is sealed with them.
                vault.prepare(connection, {(app, day_of(at)) for _, _, app, at, _, _ in rows})
                with transaction(connection):
                    told = [_seal(connection, vault, kind, table, side, row) for row in rows]
                    texts = [one for one in told if one is not None]
                    if texts:
                        insert_event(connection, at_ms, CONTENT_SEALED, {"texts": texts, "by": by})
                sealed += len(texts)
        empty_log(connection)
    return sealed


def _logged(connection: sqlite3.Connection, folder: Path) -> dict[str, int]:
    """Up to which record each kind is in the signed log: what is not gets its place with what lies there then."""
    with storage_errors("read the audit log"):
        note = LogFolder(folder).checkpoint()
    size = int(note.split(b"\n", 2)[1]) if note is not None else 0
    row = connection.execute(f"{BATCH} WHERE size = ?", (size,)).fetchone()
    if row is None and size:
        raise StorageError("the records do not know of the log that was signed", hint="gptgate audit verify")
    _, intents, ends, _ = row or (0, 0, 0, 0)
    return {INTENT: intents, END: ends}


def _seal(
    connection: sqlite3.Connection, vault: Vault, kind: str, table: str, side: str, row: tuple[Any, ...]
) -> tuple[str, int, str] | None:
    """Within a transaction; None for a text that was erased meanwhile."""
    seq, request_id, app, at_ms, content, salt = row
    sealed = vault.seal((app, day_of(at_ms)), request_id, side, content, salt)
    fresh = os.urandom(SALT_BYTES)
    change = f"UPDATE {table} SET content = ?, salt = ? WHERE seq = ? AND content = ? AND salt = ?"  # noqa: S608
    if not connection.execute(change, (sealed, fresh, seq, content, salt)).rowcount:
        return None
    return kind, seq, commitment(fresh, sealed)


def sealed_later(connection: sqlite3.Connection) -> SealedAs:
    """What events tell of texts that were sealed later. Raises sqlite3.Error."""
    found: SealedAs = {}
    for (body,) in connection.execute("SELECT body FROM events WHERE type = ? ORDER BY seq", (CONTENT_SEALED,)):
        try:
            texts = _TOLD.decode(body).texts
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
            # Whether it is what was logged, others look at. It vouches for no text.
            continue
        found.update({(kind, seq): digest for kind, seq, digest in texts})
    return found


def committed_first(content: bytes) -> str | None:
    """What the log says of a text that was sealed later; None for bytes that are no sealed text."""
    try:
        return parse(content).commitment.hex() if is_sealed(content) else None
    except ValueError:
        return None
