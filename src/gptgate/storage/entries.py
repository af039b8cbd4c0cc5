"""The entries of the audit log in their order, out of its files: what is exported, and what sinks get."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gptgate.core.log import END, INTENT
from gptgate.core.sinks import LogLine
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.log_folder import LogFolder
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.sequencer import BATCH, Batch
from gptgate_verify import VerificationError
from gptgate_verify.tiles import WIDTH, bundle_path, unpack_bundle

BUSY_MS = 5000
TRIES = 5
"""A gateway that runs replaces the last bundle by a wider one, perhaps in the moment between two looks."""


class _Body(Struct, frozen=True):
    at_ms: int


class _Entry(Struct, frozen=True):
    type: str
    body: _Body | None = None


_ENTRY = msgspec.json.Decoder(_Entry)
_BODY = msgspec.json.Decoder(_Body)


class LogEntries:
    """Reads a data folder's signed log, also while a gateway writes it. Methods block and raise StorageError.

    Only entries that a checkpoint tells of are given out, so no index ever has another entry.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = LogFolder(folder)

    def size(self) -> int:
        """How many entries the last checkpoint tells of; 0 before there is one."""
        with storage_errors("read the audit log"):
            note = self._files.checkpoint()
        if note is None:
            return 0
        try:
            return int(note.split(b"\n", 2)[1])
        except (IndexError, ValueError):
            raise StorageError("the audit log's checkpoint is damaged", hint="gptgate audit verify") from None

    def read(self, index: int) -> list[LogLine]:
        """The entries from this one on, a few hundred at most; none at the end of the log."""
        size = self.size()
        number = index // WIDTH
        for left in reversed(range(TRIES)):
            if index >= size:
                return []
            width = min(WIDTH, size - number * WIDTH)
            path = bundle_path(number, width)
            try:
                entries = unpack_bundle(self._files.read(path), width, path)
            except FileNotFoundError as error:
                if not left:
                    raise StorageError(f"the audit log has no file {path}", hint="gptgate audit verify") from error
                size = self.size()
            except (OSError, VerificationError) as error:
                raise StorageError(f"the audit log cannot be read: {error}", hint="gptgate audit verify") from error
            else:
                break
        first = number * WIDTH
        return [self._line(first + at, entry) for at, entry in enumerate(entries) if first + at >= index]

    def _line(self, index: int, entry: bytes) -> LogLine:
        """The entry with its index: the bytes after ``"entry":`` are those whose hash is in the log.

        Of an event too large for the log, whose entry has a digest in its place, the body follows.
        """
        data = b'{"index":%d,"entry":%b' % (index, entry)
        try:
            read = _ENTRY.decode(entry)
            body = read.body
            if body is None:
                large = self._body(index, read.type)
                body = _BODY.decode(large)
                data += b',"body":' + large
        except msgspec.DecodeError as error:
            raise StorageError(f"entry {index} of the audit log cannot be read: {error}") from error
        return LogLine(index, body.at_ms, read.type, data + b"}")

    def _body(self, index: int, kind: str) -> bytes:
        """The body of a large event, out of its row."""
        with (
            storage_errors("read the records"),
            closing(connect(self._folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
        ):
            require_latest(connection)
            table, seq = row_of(connection, index, kind)
            found: tuple[bytes] | None = connection.execute(
                f"SELECT body FROM {table} WHERE seq = ?",  # noqa: S608  a table of ours
                (seq,),
            ).fetchone()
        if found is None:
            raise StorageError(f"entry {index} has no row in the records", hint="gptgate audit verify")
        return found[0]


def row_of(connection: sqlite3.Connection, index: int, kind: str) -> tuple[str, int]:
    """The table, and the place in it, of an entry of this type; the other way round than `sequencer.place_of`."""
    found = connection.execute(f"{BATCH} WHERE size > ? ORDER BY size LIMIT 1", (index,)).fetchone()
    if found is None:
        raise StorageError(f"entry {index} is in no batch of the records", hint="gptgate audit verify")
    batch = Batch(*found)
    row: tuple[Any, ...] | None = connection.execute(
        f"{BATCH} WHERE size < ? ORDER BY size DESC LIMIT 1", (batch.size,)
    ).fetchone()
    before = Batch(*row) if row is not None else Batch()
    within = index - before.size
    if kind == INTENT:
        return "intents", before.intents + within + 1
    within -= batch.intents - before.intents
    if kind == END:
        return "ends", before.ends + within + 1
    return "events", before.events + within - (batch.ends - before.ends) + 1
