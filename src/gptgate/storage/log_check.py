"""The records against the log: whether the database still says what was logged."""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec import Struct

from gptgate.core.events import End
from gptgate.core.log import commitment, log_entry
from gptgate.storage.access_check import Access, check_access
from gptgate.storage.errors import StorageError
from gptgate.storage.events import event_columns
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.late_sealing import SealedAs, committed_first, sealed_later
from gptgate.storage.rows import end_columns
from gptgate.storage.schema import connect, migrate, require_latest, storage_errors
from gptgate.storage.sequencer import BATCH, Batch
from gptgate.storage.sums_check import UNREADABLE, wrong_money
from gptgate.storage.vault import MasterKey, WrappedKeys, try_data_keys

BUSY_MS = 5000
END = msgspec.json.Decoder(End)

UndecodableText = (UnicodeDecodeError, sqlite3.OperationalError)
"""What reading a text that is not UTF-8 raises, by the version of Python."""

INTENT_COLUMNS = """seq, id, at_ms, team, app, key_id, end_user, client, endpoint, stream, model, provider,
upstream_model, effect, score, window, reserved_nano, session, reserved_tokens, tags"""
END_COLUMNS = """id, at_ms, app, window, state, status, code, effect, answered_model, input_tokens, output_tokens,
cost_nano, usage_source, fees_nano"""


SCHEMA = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
UNSOUGHT = """
SELECT seq, id FROM intents WHERE seq < (SELECT value FROM meta WHERE name = 'ended_before')
AND NOT EXISTS (SELECT 1 FROM ends WHERE ends.id = intents.id) ORDER BY seq LIMIT 1
"""


class _Asked(Struct, frozen=True):
    """What the columns of an intent say, in their order: a part of `core.events.Intent`, read faster than the whole."""

    id: str
    at_ms: int
    team: str
    app: str
    key_id: str
    end_user: str
    client: str
    endpoint: str
    stream: bool
    model: str
    provider: str
    upstream_model: str
    effect: str
    score: int
    window: str
    reserved_nano: int
    session: str = ""
    reserved_tokens: int = 0
    tags: msgspec.Raw = msgspec.Raw(b"{}")


INTENT = msgspec.json.Decoder(_Asked)


class Row(Struct, frozen=True):
    """A row as the log must have it. `wrong` says what contradicts itself in the row, ``""`` when nothing does.

    `committed` is the commitment to the text that is kept, None where none is; `first` the one in the log, where the
    text was sealed later and an event says how.
    """

    kind: str
    seq: int
    name: str
    body: bytes
    committed: str | None
    wrong: str = ""
    first: str | None = None

    @property
    def place(self) -> str:
        """The row, for people."""
        return f"{self.kind} {self.seq}" + (f" ({self.name})" if self.name else "")

    def difference(self, entry: bytes) -> str:
        """What the row says differently from its entry in the log; ``""`` when nothing.

        A text that the entry commits to may be gone from the row: it was erased, or its time was over.
        """
        if log_entry(self.kind, self.body, self.committed) == entry:
            return ""
        try:
            logged = ENTRY.decode(entry)
        except UNREADABLE:
            return "the log has something there that is no entry of the gateway's"
        if log_entry(self.kind, self.body, logged.content) != entry:
            return "it is not what was logged"
        return (
            ""
            if self.committed is None or self.first == logged.content
            else "the text beside it is not the one that was logged"
        )


class _Entry(Struct, frozen=True):
    content: str | None


ENTRY = msgspec.json.Decoder(_Entry)


class LogCheck:
    """Reads rows in the order of the log. Raises StorageError. For one thread at a time; the caller must `close`."""

    def __init__(self, folder: Path) -> None:
        path = folder / DATABASE_NAME
        with storage_errors(f"open {path}"):
            self._connection = connect(path, busy_ms=BUSY_MS, read_only=True)
            try:
                require_latest(self._connection)
                # One moment for all questions, although a gateway goes on writing.
                self._connection.execute("BEGIN")
            except (sqlite3.Error, StorageError):
                self._connection.close()
                raise

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def integrity(self) -> list[str]:
        """What SQLite itself finds wrong with the file, and what of its tables and triggers is not the gateway's: a
        trigger that was changed or added can make any later record something else."""
        with storage_errors("check the database"):
            found = [line for (line,) in self._connection.execute("PRAGMA integrity_check(20)")]
            if found != ["ok"]:
                return found
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
                migrate(model)
                expected = dict(model.execute(SCHEMA).fetchall())
            found_here = dict(self._connection.execute(SCHEMA).fetchall())
        names = sorted(expected.keys() | found_here.keys())
        return [f"its {name} is not the gateway's" for name in names if expected.get(name) != found_here.get(name)]

    def free_bytes(self) -> int:
        """In whole pages that nothing uses. How much space there is within the others, SQLite does not tell so fast."""
        with storage_errors("look at the database's pages"):
            (pages,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return int(pages * size)

    def unsought(self) -> str:
        """An intent without an end for which no recovery will look, ``""`` when there is none."""
        with storage_errors("look for intents without an end"):
            row = self._connection.execute(UNSOUGHT).fetchone()
        return "" if row is None else f"intent {row[0]} ({row[1]}) has no end, and is marked as if it had"

    def rows(self, size: int) -> Generator[Row, None, None]:
        """The rows of the first `size` entries, in their order. Raises StorageError when the batches do not fit.

        Close it before this object.
        """
        with storage_errors("read the records"):
            before, later = Batch(), sealed_later(self._connection)
            for found in self._connection.execute(f"{BATCH} WHERE size <= ? ORDER BY size", (size,)).fetchall():
                batch = Batch(*found)
                try:
                    yield from self._batch(before, batch, later)
                except UndecodableText as error:
                    raise StorageError(
                        f"the records cannot be read: {self._wrong_in(before, batch) or error}"
                    ) from error
                before = batch
            if before.size != size:
                raise StorageError(
                    f"the records know of a log of {before.size} entries, the checkpoint of {size}",
                    hint="a copy of a database in use needs its gptgate.db-wal" if before.size < size else "",
                )

    def beyond(self, size: int) -> int:
        """How many rows have no place in the first `size` entries."""
        with storage_errors("count the records"):
            (count,) = self._connection.execute(
                "SELECT (SELECT count(*) FROM intents) + (SELECT count(*) FROM ends) + (SELECT count(*) FROM events)"
            ).fetchone()
        return int(count) - size

    def money(self) -> str:
        """Where the sums that budgets are counted by are not those of the records, or a top-up not that of its event;
        ``""`` when they are."""
        return wrong_money(self._connection)

    def access(self) -> Access:
        """Where a key, an auditor or the key of a text is not what the log tells of."""
        return check_access(self._connection)

    def data_keys(self, master: MasterKey | None) -> WrappedKeys:
        """Whether the keys of texts are still what this master key has wrapped."""
        with storage_errors("try the keys of texts"):
            return try_data_keys(self._connection, master)

    def _wrong_in(self, before: Batch, batch: Batch) -> str:
        """The first row of a batch that contradicts itself, where it holds a text that is not UTF-8."""
        self._connection.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
        return next((f"{row.place}: {row.wrong}" for row in self._batch(before, batch, {}) if row.wrong), "")

    def _batch(self, before: Batch, batch: Batch, later: SealedAs) -> Iterator[Row]:
        # The columns are constants of ours.
        query = f"SELECT {INTENT_COLUMNS}, body, content, salt FROM intents WHERE seq > ? AND seq <= ? ORDER BY seq"  # noqa: S608
        with closing(self._connection.execute(query, (before.intents, batch.intents))) as found:
            intents = (_first(_intent(row), row[-2], later) if later else _intent(row) for row in found)
            yield from _whole("intent", before.intents, batch.intents, intents)
        query = f"SELECT seq, {END_COLUMNS}, body, content, salt FROM ends WHERE seq > ? AND seq <= ? ORDER BY seq"  # noqa: S608
        with closing(self._connection.execute(query, (before.ends, batch.ends))) as found:
            ends = (_first(_end(row), row[-2], later) if later else _end(row) for row in found)
            yield from _whole("end", before.ends, batch.ends, ends)
        query = "SELECT seq, type, body, at_ms, about FROM events WHERE seq > ? AND seq <= ? ORDER BY seq"
        with closing(self._connection.execute(query, (before.events, batch.events))) as found:
            yield from _whole("event", before.events, batch.events, map(_event, found))


def _whole(kind: str, before: int, last: int, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows of a batch, which have every number from that after `before` to `last`; one that has no row is named in
    its place, so that what stands behind it is not held against the wrong entry."""
    number = before + 1
    for row in rows:
        while number < row.seq:
            yield _missing(kind, number)
            number += 1
        yield row
        number += 1
    for gone in range(number, last + 1):
        yield _missing(kind, gone)


def _missing(kind: str, seq: int) -> Row:
    return Row(kind, seq, "", b"", None, "it is missing in the records")


def _intent(row: tuple[Any, ...]) -> Row:
    *columns, body, content, salt = row
    wrong = ""
    try:
        asked = INTENT.decode(body)
    except UNREADABLE as error:
        wrong = f"its event cannot be read: {error}"
    else:
        *known, tags = msgspec.structs.astuple(asked)
        expected = (columns[0], *known, bytes(tags).decode("utf-8", "replace"))
        if list(expected) != columns:
            wrong = _difference(INTENT_COLUMNS, columns, expected)
    return _row("intent", columns[0], columns[1], body, content, salt, wrong)


def _end(row: tuple[Any, ...]) -> Row:
    seq, *columns, body, content, salt = row
    wrong = ""
    try:
        ended = END.decode(body)
    except UNREADABLE as error:
        wrong = f"its event cannot be read: {error}"
    else:
        expected = end_columns(ended)
        if list(expected) != columns:
            wrong = _difference(END_COLUMNS, columns, expected)
    return _row("end", seq, columns[0], body, content, salt, wrong)


def _event(row: tuple[Any, ...]) -> Row:
    seq, kind, body, *columns = row
    wrong = ""
    try:
        expected = event_columns(kind, body)
    except UNREADABLE as error:
        wrong = f"its event cannot be read: {error}"
    else:
        if list(expected) != columns:
            wrong = _difference("at_ms, about", columns, expected)
    return _row(str(kind), seq, "event", body, None, None, wrong)


def _row(kind: str, seq: int, name: str, body: bytes, content: bytes | None, salt: bytes | None, wrong: str) -> Row:
    kept_as_bytes = (content is None or type(content) is bytes) and (salt is None or type(salt) is bytes)
    if type(body) is not bytes or not kept_as_bytes:
        # What SQLite calls text was not written by the gateway.
        return Row(kind, seq, name, b"", None, "it holds text where there are bytes")
    if (content is None) != (salt is None):
        wrong = wrong or "its text and the text's salt do not go together"
    committed = None if salt is None or content is None else commitment(salt, content)
    return Row(kind, seq, name, body, committed, wrong)


def _first(row: Row, content: object, later: SealedAs) -> Row:
    """The row with what the log says of its text, where an event tells how exactly this text was sealed later."""
    if type(content) is not bytes or row.committed is None or later.get((row.kind, row.seq)) != row.committed:
        return row
    return msgspec.structs.replace(row, first=committed_first(content))


def _difference(names: str, found: list[Any], expected: tuple[Any, ...]) -> str:
    pairs = zip(names.replace("\n", " ").split(","), found, expected, strict=True)
    return next(f"its column {name.strip()} is not what its event says" for name, one, other in pairs if one != other)
