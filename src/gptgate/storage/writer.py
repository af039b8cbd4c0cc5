"""The one thread that writes records: all rows that wait are one transaction, one sync.

Threads meet at three places only. The event loop puts rows into `queue` (which wakes the writer) and ends into `ends`
(which does not: they ride with the next intent, or go alone within `IDLE_S`); the writer hands a batch back through
`done`. Every other attribute belongs to the writer, but for `fault` and the counters, which anybody may read.
"""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from gptgate.core.errors import AuditUnavailable
from gptgate.core.events import End, Intent
from gptgate.core.ports import Clock
from gptgate.storage.errors import StorageError
from gptgate.storage.extensions import extensions_of
from gptgate.storage.folder import file_identity
from gptgate.storage.rows import (
    INSERT_END,
    INSERT_END_OF_EXISTING,
    INSERT_INTENT,
    SELECT_FOR_END,
    UPDATE_MARK,
    Values,
    abandoned_end,
    end_values,
    insert_many,
    intent_values,
    next_seq,
    unused_end,
)
from gptgate.storage.schema import connect, require_latest
from gptgate.storage.vault import Seals, Vault

IDLE_S = 0.010
"""How long an end waits at most for an intent to ride with."""
CROWD = 3
GATHER_S = 0.003
"""After a batch of CROWD rows or more, wait this long for others, unless half as many are there already: a sync costs
the CPU of several rows, and every batch costs a dozen exchanges of the interpreter lock with the event loop. A caller
alone never waits for company."""
BACKOFF_FIRST_S = 0.020
BACKOFF_MOST_S = 1.0
MARK_EVERY = 4096
"""Rows between two updates of `ended_before`: what a recovery after a crash has to read at least."""

ROW_FAULTS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    TypeError,
    ValueError,
)
"""The row is at fault, and only its own caller must hear of it."""

STORE_FAULTS = (sqlite3.Error, OSError, MemoryError, StorageError)
"""The disk, the file or another process is at fault."""


@dataclass(slots=True, eq=False)
class Row:
    """A `begin` (no `end`) or a `refuse` on its way. The writer sets `seq`, or `error` when the row is not durable."""

    intent: Intent
    body: bytes
    content: bytes | None
    end: End | None
    future: asyncio.Future[int]
    deadline: float
    size: int
    seq: int = 0
    error: str = ""
    decided: bool = False
    late: tuple[End, bytes | None] | None = None


class Writer:
    """Owns the writing connection. Start it once; `stop` ends it."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        *,
        clock: Clock,
        busy_ms: int,
        done: Callable[[list[Row]], None],
        committed: Callable[[int], None],
        vault: Vault | None = None,
    ) -> None:
        """In the writer's thread, `done` is called with each batch whose rows have their `seq` or `error`, `committed`
        whenever something new is durable, with about how many rows that is."""
        self.queue: SimpleQueue[Row | None] = SimpleQueue()
        self.ends: deque[tuple[End, bytes | None]] = deque()
        self.fault = ""
        self.busy_since_ns = 0
        self.batches = 0
        self.failures = 0
        self.replaced_ends = 0
        self.written_ends = 0
        """Durable ones, in the order of `ends`."""
        self._seals = Seals(vault)
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._identity = file_identity(path)
        self._log_identity = file_identity(self._log)
        self._connection: sqlite3.Connection | None = connection
        self._clock = clock
        self._busy_ms = busy_ms
        self._done = done
        self._committed = committed
        self._held: list[tuple[End, bytes | None]] = []
        self._doubtful: list[Intent] = []
        self._unended: dict[str, int] = {}
        self._next_seq = next_seq(connection)
        self._marked_at = self._next_seq
        self._backoff_s = BACKOFF_FIRST_S
        self._last_batch = 0
        self._stopping = False
        self._give_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gptgate-records", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Write what is left, checkpoint, close. Blocks; False when the thread is stuck in a write.

        What could not be written in time stays counted in `waiting_ends`.
        """
        self.queue.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._give_up.set()
            self.queue.put(None)
            self._thread.join(1.0)
        return not self._thread.is_alive()

    def wait_for_ends(self, count: int, timeout_s: float) -> bool:
        """Whether so many ends are durable in time. Blocks."""
        give_up = time.monotonic() + timeout_s
        while self.written_ends < count and time.monotonic() < give_up:
            time.sleep(IDLE_S)
        return self.written_ends >= count

    def require_same_files(self) -> None:
        """Raises StorageError when the path of the database, or of its write-ahead log, no longer leads to the file
        that was opened.

        SQLite would go on writing to the unlinked file, and acknowledge records that nobody can ever read.
        """
        if file_identity(self._path) != self._identity:
            raise StorageError("the database file was removed or replaced; put it back or restart the gateway")
        if self._log_is_lost():
            raise StorageError("the database's write-ahead log was removed; restart the gateway")

    def _log_is_lost(self) -> bool:
        return self._log_identity is not None and file_identity(self._log) != self._log_identity

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def waiting_ends(self) -> int:
        """Ends in memory that are not durable yet."""
        return len(self.ends) + len(self._held)

    def _run(self) -> None:
        try:
            while not self._give_up.is_set():
                broken = self.fault
                rows = self._gather()
                if rows and broken and not self._stopping:
                    # These slipped in while the fault became known; the next try is due when nothing arrives.
                    self._answer(rows, broken)
                    continue
                self._attempt(rows)
                if self._stopping and not self.waiting_ends and self.queue.empty():
                    break
        finally:
            self.fault = self.fault or "the writer has ended"
            self._farewell()

    def _gather(self) -> list[Row]:
        """All rows that wait; blocks until there is a row, or a reason to try without one."""
        if self.fault:
            patience: float | None = self._backoff_s
        elif self._unended or self.ends or self._held:
            patience = IDLE_S
        else:
            patience = None
        rows: list[Row] = []
        try:
            item = self.queue.get(timeout=patience)
            if self._last_batch >= CROWD and 2 * (self.queue.qsize() + 1) < self._last_batch:
                time.sleep(GATHER_S)
            while True:
                if item is None:
                    self._stopping = True
                else:
                    rows.append(item)
                item = self.queue.get_nowait()
        except Empty:
            self._last_batch = len(rows)
            return rows

    def _attempt(self, rows: list[Row]) -> None:
        """Commit the rows, and all ends. A fault fails the rows and keeps the ends.

        Rows whose callers were told that it took too long are left out. Those whose callers were cancelled are not: who
        hangs up at once would otherwise leave no trace of what was asked, or refused.
        """
        ends = self._held
        while self.ends:
            ends.append(self.ends.popleft())
        live = [row for row in rows if not row.future.done() or row.future.cancelled()]
        if not live and not ends and not self.fault:
            self._answer(rows, "withdrawn")
            return
        self.busy_since_ns = self._clock.monotonic_ns()
        try:
            self.require_same_files()
            self._write(self._connection or self._reopen(), live, ends)
        except STORE_FAULTS as error:
            self._break(f"{type(error).__name__}: {error}", live)
        else:
            written = len(live) + len(ends) + sum(row.end is not None for row in live)
            self.written_ends += len(ends)
            ends.clear()
            self.fault = ""
            self._backoff_s = BACKOFF_FIRST_S
            self.batches += 1
            self._committed(written)
        self.busy_since_ns = 0
        self._answer(rows, "withdrawn")

    def _answer(self, rows: list[Row], reason: str) -> None:
        if not rows:
            return
        for row in rows:
            if row.seq == 0 and not row.error:
                row.error = reason
        self._done(rows)

    def _write(self, connection: sqlite3.Connection, rows: list[Row], ends: list[tuple[End, bytes | None]]) -> None:
        """One transaction for everything.

        A crash before COMMIT returns leaves nothing of it, or all of it. Of all of it, intents whose callers were
        never answered are ended by recovery as abandoned; ends that were lost leave their intents to recovery too.
        """
        mark = self._mark()
        self._seals.prepare(connection, [*((row.intent, row.content) for row in rows), *ends])
        connection.execute("BEGIN IMMEDIATE")
        try:
            numbered = enumerate(rows, self._next_seq)
            insert_many(connection, INSERT_INTENT, [self._values(seq, row) for seq, row in numbered])
            values = [end_values(end, self._seals.seal(end, content)) for end, content in ends]
            values += [end_values(row.end, None) for row in rows if row.end is not None]
            insert_many(connection, INSERT_END, values)
            good = rows
        except ROW_FAULTS:
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            good = self._insert_singly(connection, rows)
            self._insert_ends_singly(connection, ends)
        if self.fault or self._stopping or mark - self._marked_at >= MARK_EVERY:
            # Also the probe after a fault: a transaction that writes nothing would prove nothing. The mark counts only
            # what earlier transactions made durable, so it is right whether or not this one survives.
            connection.execute(UPDATE_MARK, (mark,))
            self._marked_at = mark
        connection.execute("COMMIT")
        for seq, row in enumerate(good, self._next_seq):
            row.seq = seq
            if row.end is None:
                self._unended[row.intent.id] = seq
        self._next_seq += len(good)
        for end, _ in ends:
            self._unended.pop(end.id, None)

    def _values(self, seq: int, row: Row) -> Values:
        return intent_values(seq, row.intent, row.body, self._seals.seal(row.intent, row.content))

    def _mark(self) -> int:
        """The lowest seq that may have no durable end."""
        return next(iter(self._unended.values()), self._next_seq)

    def _insert_singly(self, connection: sqlite3.Connection, rows: list[Row]) -> list[Row]:
        """Row by row, so that one that cannot be stored fails alone; the rows that went in."""
        good: list[Row] = []
        for row in rows:
            connection.execute("SAVEPOINT one")
            try:
                seq = self._next_seq + len(good)
                connection.execute(INSERT_INTENT, self._values(seq, row))
                if row.end is not None:
                    connection.execute(INSERT_END, end_values(row.end, None))
            except ROW_FAULTS as error:
                connection.execute("ROLLBACK TO one")
                row.error = f"{type(error).__name__}: {error}"
            else:
                good.append(row)
            connection.execute("RELEASE one")
        return good

    def _insert_ends_singly(self, connection: sqlite3.Connection, ends: list[tuple[End, bytes | None]]) -> None:
        """End by end. One that cannot be stored gives way to an abandoned end: its reservation stays spent."""
        for end, content in ends:
            try:
                connection.execute(INSERT_END, end_values(end, self._seals.seal(end, content)))
            except ROW_FAULTS:
                self.replaced_ends += 1
                for row in connection.execute(SELECT_FOR_END, (end.id,)).fetchall():
                    extension = extensions_of(connection, [end.id]).get(end.id)
                    stand_in = abandoned_end(row, self._clock.wall_ms(), extension)
                    connection.execute(INSERT_END, end_values(stand_in, None))

    def _break(self, fault: str, rows: list[Row]) -> None:
        """After a fault: let go of the connection, and remember whose COMMIT may have been durable all the same."""
        self.fault = fault
        self.failures += 1
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_MOST_S)
        for row in rows:
            row.seq = 0
            row.error = row.error or fault
            if row.end is None:
                self._doubtful.append(row.intent)
        if self._log_is_lost():
            # It lives as long as somebody has it open: what was acknowledged is copied into the database while it
            # does. Its identity stays, so nothing is written until a restart opens a new one.
            self._checkpoint()
        else:
            self._log_identity = None
        self._close_connection()

    def _reopen(self) -> sqlite3.Connection:
        """A new connection, after the doubtful rows of the fault before have been ended.

        Until that has succeeded no other batch is tried, so the list never outgrows one batch. A crash here leaves
        their intents to recovery.
        """
        connection = connect(self._path, busy_ms=self._busy_ms)
        try:
            require_latest(connection)
            if self._doubtful:
                now_ms = self._clock.wall_ms()
                connection.execute("BEGIN IMMEDIATE")
                for intent in self._doubtful:
                    values = end_values(unused_end(intent, now_ms, AuditUnavailable), None)
                    connection.execute(INSERT_END_OF_EXISTING, (*values, intent.id))
                connection.execute("COMMIT")
                self._doubtful.clear()
            self._next_seq = next_seq(connection)
        except STORE_FAULTS:
            connection.close()
            raise
        self._connection = connection
        self._log_identity = file_identity(self._log)
        return connection

    def _farewell(self) -> None:
        """Fold the write-ahead log into the database and close. A crash or a fault here loses nothing: the next open
        reads the log."""
        if not self._give_up.is_set():
            self._checkpoint()
        self._log_identity = None
        self._close_connection()

    def _checkpoint(self) -> None:
        if self._connection is not None:
            try:
                self._connection.execute(UPDATE_MARK, (self._mark(),))
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                self.fault = f"the last checkpoint failed: {error}"

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error as error:
                self.fault = f"{self.fault}; closing failed: {error}"
