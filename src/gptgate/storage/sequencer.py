"""Gives rows their places in the audit log, and writes the log's files: one thread beside the writer of the rows.

A row is durable before its request has any effect; its place in the log comes a moment later, and this module bounds
that moment. The order of writes, and what a crash after each leaves:

1. a row in `log_batches`: which rows are the batch. Durable alone: the next start makes the same entries again;
2. the batch's bundles and tiles: nobody asks for them before a checkpoint tells of them;
3. the checkpoint: the batch is in the log.

So a batch is written again after a crash, with the same bytes, or not at all; and no head is signed that contradicts
another, since no batch begins before the checkpoint of the one before it is durable.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct

from gptgate.core.log import END, INTENT, Growth, commitment, log_entry
from gptgate.core.ports import TransparencyLog
from gptgate.storage.errors import StorageError
from gptgate.storage.log_folder import LogFolder
from gptgate.storage.schema import connect

INTERVAL_S = 1.0
"""Between two batches, at least: so far, and the time of a batch, the log lags behind the records."""
LOOK_S = 5.0
"""How often to look for rows that nobody announced: commands write some."""
MAX_BATCH = 1024
"""Rows of each table in one batch: what is in memory at a time."""
BACKOFF_S = 1.0
FAULTS = (sqlite3.Error, OSError, StorageError, MemoryError)

OpenLog = Callable[[LogFolder], TransparencyLog]
"""The log that goes on from the last checkpoint in the folder. Raises StorageError when its files are not whole."""

BATCH = "SELECT size, intents_to, ends_to, events_to FROM log_batches"
HEIGHTS = """
SELECT coalesce((SELECT max(seq) FROM intents), 0), coalesce((SELECT max(seq) FROM ends), 0),
       coalesce((SELECT max(seq) FROM events), 0)
"""
PIECE = 32
"""Rows that are read at a time. SQLite gives up the interpreter for every row of an answer, and has to win it back from
the event loop: so one row of the answer holds a piece of the table."""
CACHE_KIB = 256
"""Of pages: each is read once."""
LARGE = 65_536
"""A longer text is read alone."""


def _piece(table: str, *columns: str) -> str:
    """The query for the columns of PIECE rows, in one row: those that follow a seq. NULL where there is no row."""
    numbers = range(1, PIECE + 1)
    wanted = ", ".join(column.format(row=f"row{number}") for number in numbers for column in columns)
    rows = " ".join(f"LEFT JOIN {table} AS row{number} ON row{number}.seq = ?1 + {number}" for number in numbers)
    return f"SELECT {wanted} FROM (SELECT 1) {rows}"  # noqa: S608  names of ours


SHORT_TEXT = f"CASE WHEN length({{row}}.content) <= {LARGE} THEN {{row}}.content END"
PIECES = {
    "intents": _piece("intents", "NULL", "{row}.body", SHORT_TEXT, "{row}.salt"),
    "ends": _piece("ends", "NULL", "{row}.body", SHORT_TEXT, "{row}.salt"),
    "events": _piece("events", "{row}.type", "{row}.body", "NULL", "NULL"),
}
TEXT = "SELECT content FROM {table} WHERE seq = ?"


class Batch(Struct, frozen=True):
    """Up to which rows the log reaches with this batch, and its size then."""

    size: int = 0
    intents: int = 0
    ends: int = 0
    events: int = 0


class Sequencer:
    """Owns the log's files and the table `log_batches`. Start it once; `stop` ends it.

    `fault` says why it does not come forward, ``""`` when it does; `size` how many entries the signed log has. These
    and the lag may be read from every thread.
    """

    def __init__(self, path: Path, files: LogFolder, log: TransparencyLog, *, busy_ms: int) -> None:
        """`log` goes on from the last checkpoint in `files`. Raises StorageError when the records do not know of it."""
        self.fault = ""
        self.size = log.size
        self._path = path
        self._files = files
        self._log = log
        self._busy_ms = busy_ms
        self._news = threading.Event()
        self._announced = 0
        self._announced_ns = time.monotonic_ns()
        """How many rows were announced since the last plan, and when the first was; 0 when none was. A start has to
        look for those of the time before it."""
        self._planned_rows = 0
        self._planned_ns = 0
        """How many rows there were to log at the last plan, and since when; 0 once they are logged."""
        self._more = False
        """Whether the last batch left rows behind because it was full."""
        self._stop = threading.Event()
        """No wait outlasts it: an orderly end has a deadline."""
        self._unwritten: tuple[Batch, Growth] | None = None
        """What the log in memory has taken in, and its files have not."""
        with closing(connect(path, busy_ms=busy_ms)) as connection:
            self._done = _batch_of(connection, log.size)
        self._thread = threading.Thread(target=self._run, name="gptgate-log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, rows: int) -> None:
        """There are about this many new rows."""
        self._announced += rows
        if not self._announced_ns:
            self._announced_ns = time.monotonic_ns()
        self._news.set()

    @property
    def lag_rows(self) -> int:
        """How many rows are durable and not in the log. What was announced meanwhile is counted by hearsay."""
        return self._planned_rows + self._announced

    @property
    def waiting_since_ns(self) -> int:
        """When the oldest row that has no place in the log came, by the monotonic clock; 0 when there is none."""
        return self._planned_ns or self._announced_ns

    def stop(self, timeout_s: float) -> bool:
        """Write what is left, end. Blocks; False when the thread is stuck in a write."""
        self._stop.set()
        self._news.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            stopping = self._stop.is_set()
            try:
                with closing(connect(self._path, busy_ms=self._busy_ms)) as connection:
                    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
                    while self._step(connection):
                        pass
                    self.fault = ""
                    if stopping:
                        return
                    self._wait_and_step(connection)
            except FAULTS as error:
                self.fault = f"{type(error).__name__}: {error}"
                if stopping:
                    return
                self._stop.wait(BACKOFF_S)
            except BaseException as error:
                # A defect of ours ends the thread; what asks for the log's state must not take it for well.
                self.fault = f"the audit log has ended: {type(error).__name__}: {error}"
                raise

    def _wait_and_step(self, connection: sqlite3.Connection) -> None:
        """Go on with one connection until there is an end or a fault."""
        while not self._stop.is_set():
            self._news.wait(LOOK_S)
            self._news.clear()
            # Rows that come meanwhile wait for the next interval: each batch costs a dozen syncs.
            while self._step(connection) and self._more:
                pass
            self._stop.wait(INTERVAL_S)

    def _step(self, connection: sqlite3.Connection) -> bool:
        """Write one batch; whether there was any."""
        if self._unwritten is None:
            batch = self._planned(connection)
            if batch is None:
                return False
            entries = list(_entries(connection, self._done, batch))
            self._unwritten = batch, self._log.append(entries)
        batch, growth = self._unwritten
        if self._log.size != batch.size:
            raise StorageError(f"the log would sign {self._log.size} entries for the {batch.size} of the records")
        self._files.write(growth, self._log.checkpoint())
        self._unwritten = None
        before = self._done.size
        self._done, self.size = batch, batch.size
        self._planned_rows = max(0, self._planned_rows - batch.size + before)
        if not self._more:
            self._planned_rows = self._planned_ns = 0
        return True

    def _planned(self, connection: sqlite3.Connection) -> Batch | None:
        """The batch after the last signed one: that which a crash left planned, or a new one, made durable; None when
        there is nothing new."""
        done = self._done
        planned = connection.execute(f"{BATCH} WHERE size > ? ORDER BY size LIMIT 1", (done.size,)).fetchone()
        if planned is not None:
            self._more = True
            return Batch(*planned)
        # Before the look, not after it: what is announced from here on is perhaps not seen.
        self._planned_ns, self._announced_ns = self._planned_ns or self._announced_ns, 0
        self._announced = 0
        heights = connection.execute(HEIGHTS).fetchone()
        ends = [
            min(height, before + MAX_BATCH)
            for height, before in zip(heights, (done.intents, done.ends, done.events), strict=True)
        ]
        self._planned_rows, self._more = sum(heights) - done.size, sum(heights) > sum(ends)
        size = sum(ends)
        if size == done.size:
            self._planned_ns = 0
            return None
        # Commands of other processes announce nothing.
        self._planned_ns = self._planned_ns or time.monotonic_ns()
        connection.execute("INSERT INTO log_batches VALUES (?, ?, ?, ?)", (size, *ends))
        return Batch(size, *ends)


def _batch_of(connection: sqlite3.Connection, size: int) -> Batch:
    """The batch with which the log had this size. Raises StorageError when the records know of none."""
    if size == 0:
        # A crash leaves one batch without a checkpoint, never two.
        (planned,) = connection.execute("SELECT count(*) FROM log_batches").fetchone()
        if planned > 1:
            raise StorageError(
                "the records have places in an audit log that is gone", hint="restore the folder log, and log.key"
            )
        return Batch()
    row = connection.execute(f"{BATCH} WHERE size = ?", (size,)).fetchone()
    if row is None:
        raise StorageError(
            f"the records do not know of the {size} entries that the audit log's checkpoint signs",
            hint="the database is older than the log, or another one: restore both from the same moment",
        )
    return Batch(*row)


def _entries(connection: sqlite3.Connection, done: Batch, batch: Batch) -> Iterator[bytes]:
    """The entries of a batch. Raises StorageError when a row of it is missing."""
    for table, name, after, to in (
        ("intents", INTENT, done.intents, batch.intents),
        ("ends", END, done.ends, batch.ends),
        ("events", "", done.events, batch.events),
    ):
        for before in range(after, to, PIECE):
            rows = iter(connection.execute(PIECES[table], (before,)).fetchone())
            for seq, kind, body, content, salt in zip(range(before + 1, to + 1), rows, rows, rows, rows, strict=False):
                if body is None:
                    raise StorageError("records are missing between two places in the log; it is not continued")
                if salt is not None and content is None:
                    (content,) = connection.execute(TEXT.format(table=table), (seq,)).fetchone()
                yield log_entry(name or kind, body, None if content is None else commitment(salt, content))


def place_of(connection: sqlite3.Connection, kind: str, seq: int) -> int | None:
    """The index in the log, from 0, of a row of `intents`, `ends` or `events`; None when it has no place yet."""
    column = {INTENT: "intents", END: "ends"}.get(kind, "events")
    found: tuple[Any, ...] | None = connection.execute(
        f"{BATCH} WHERE {column}_to >= ? ORDER BY size LIMIT 1", (seq,)
    ).fetchone()
    if found is None:
        return None
    batch = Batch(*found)
    row = connection.execute(f"{BATCH} WHERE size < ? ORDER BY size DESC LIMIT 1", (batch.size,)).fetchone()
    before = Batch(*row) if row is not None else Batch()
    ahead = before.size
    if column != "intents":
        ahead += batch.intents - before.intents
    if column == "events":
        ahead += batch.ends - before.ends
    first: int = getattr(before, column)
    return ahead + seq - first - 1
