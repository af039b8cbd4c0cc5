"""RecordStore over SQLite: the event loop's side. The writer's side is `storage.writer`."""

import asyncio
import sqlite3
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from msgspec import Struct

from gptgate.core.errors import AuditUnavailable, ClientGone
from gptgate.core.events import End, Intent, encode_event
from gptgate.core.facts import LogIndex, Reservation, Usage
from gptgate.core.ports import Clock
from gptgate.storage.errors import StorageError
from gptgate.storage.extensions import NOT_EXTENDED, record_extension
from gptgate.storage.folder import DATABASE_NAME, FolderLock, create_folder
from gptgate.storage.log_folder import KEY_NAME, LogFolder
from gptgate.storage.rows import recover, unused_end
from gptgate.storage.schema import connect, migrate, storage_errors
from gptgate.storage.sequencer import OpenLog, Sequencer
from gptgate.storage.vault import Vault
from gptgate.storage.writer import Row, Writer

MAX_PENDING_BYTES = 64 * 1024 * 1024
MAX_LOG_LAG_NS = 15 * 60 * 10**9
NOT_RECORDED = "The gateway cannot record this request, so it was not sent."


class StoreStats(Struct, frozen=True, kw_only=True):
    """Queue depths and counters, for metrics. `replaced_ends` could not be stored and became abandoned ones.

    `log_lag_rows` are durable and not in the audit log yet, the oldest of them for `log_lag_ns`.
    """

    pending_rows: int
    pending_bytes: int
    waiting_ends: int
    open_requests: int
    batches: int
    failures: int
    replaced_ends: int
    log_size: int
    log_lag_rows: int
    log_lag_ns: int


class SqliteStore:
    """`core.ports.RecordStore` over SQLite, by group commit. Use it from one event loop.

    A `begin` that raised or was cancelled needs no `finish`: should its row become durable all the same, the store
    ends it as refused and unspent (a `finish` that comes before that is taken instead).
    """

    def __init__(
        self,
        folder: Path,
        lock: FolderLock,
        connection: sqlite3.Connection,
        *,
        clock: Clock,
        timeout_ms: int,
        max_pending: int,
        recovered: int,
        sequencer: Sequencer | None,
        vault: Vault | None,
    ) -> None:
        """For `open` only."""
        self.recovered = recovered
        """How many intents without an end the opening found and ended as abandoned."""
        self._path = folder / DATABASE_NAME
        self._lock = lock
        self._clock = clock
        self._timeout_s = timeout_ms / 1000
        self._max_pending = max_pending
        self._pending_rows = 0
        self._pending_bytes = 0
        self._open: dict[str, Row] = {}
        self._waiting: deque[Row] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._extending: set[asyncio.Future[None]] = set()
        self._ends = 0
        """Given to the writer so far."""
        self._resolved: asyncio.Future[None] | None = None
        self._sequencer = sequencer
        self.max_log_lag_ns = MAX_LOG_LAG_NS
        """How long a record may wait for its place in the audit log before requests are refused."""
        self._log_key = _mark_of(folder / KEY_NAME)
        self._writer = Writer(
            self._path,
            connection,
            clock=clock,
            busy_ms=timeout_ms,
            done=self._hand_back,
            committed=self._wake_log,
            vault=vault,
        )
        self._writer.start()
        if sequencer is not None:
            sequencer.start()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock,
        timeout_ms: int,
        max_pending: int = 4096,
        open_log: OpenLog | None = None,
        vault: Vault | None = None,
    ) -> Self:
        """Open the folder's store, made anew when missing, for this process alone, and recover what a crash left.

        `open_log` opens the audit log that the records go into; None keeps records without one. `vault` seals the
        texts; None keeps them as they are. `timeout_ms` bounds how long `begin` and `refuse` wait. Blocks; raises
        StorageError. The caller must `close`.
        """
        path = create_folder(folder)
        with ExitStack() as undo:
            lock = FolderLock(folder)
            undo.callback(lock.release)
            with storage_errors(f"open {path}"):
                connection = connect(path, busy_ms=timeout_ms)
                undo.callback(connection.close)
                migrate(connection)
                recovered = recover(connection, clock.wall_ms())
                files = LogFolder(folder)
                sequencer = None
                if open_log is not None:
                    sequencer = Sequencer(path, files, open_log(files), busy_ms=timeout_ms)
                store = cls(
                    folder,
                    lock,
                    connection,
                    clock=clock,
                    timeout_ms=timeout_ms,
                    max_pending=max_pending,
                    recovered=recovered,
                    sequencer=sequencer,
                    vault=vault,
                )
            undo.pop_all()
        return store

    async def begin(self, intent: Intent, content: bytes | None) -> LogIndex:
        """Durable when it returns. Raises AuditUnavailable; see the port."""
        if intent.id in self._open:
            raise AuditUnavailable(NOT_RECORDED, detail=f"request {intent.id} has begun already")
        row = self._queue(intent, None, content)
        self._open[intent.id] = row
        try:
            return LogIndex(seq=await row.future)
        except asyncio.CancelledError:
            if row.decided and not row.error:
                # Durable, but cancelled before the caller could hear so. Soon, not now: an end that the caller gives
                # while it unwinds says more than ours.
                row.future.get_loop().call_soon(self._end_unheard, row)
            raise

    async def refuse(self, intent: Intent, end: End, content: bytes | None) -> LogIndex:
        """Intent and end in one transaction, durable when it returns. Raises AuditUnavailable; see the port."""
        return LogIndex(seq=await self._queue(intent, end, content).future)

    def finish(self, end: End, content: bytes | None) -> None:
        """Queue the end of a begun request. Never blocks, never raises; see the port."""
        row = self._open.get(end.id)
        if row is None:
            return
        if row.decided:
            del self._open[end.id]
            self._give_end((end, content))
        elif row.late is None:
            row.late = (end, content)

    async def extend(self, reservation: Reservation, tokens: Usage) -> None:
        """Durable when it returns. Raises AuditUnavailable; see the port. Cancelled, it is written all the same."""
        if self._closing or self._writer.fault:
            raise AuditUnavailable(NOT_EXTENDED, detail=self._writer.fault or "the record store is closed")
        at_ms = self._clock.wall_ms()
        writing = asyncio.ensure_future(
            asyncio.to_thread(record_extension, self._path.parent, at_ms, reservation, tokens)
        )
        self._extending.add(writing)
        writing.add_done_callback(self._extended)
        try:
            await asyncio.shield(writing)
        except StorageError as error:
            raise AuditUnavailable(NOT_EXTENDED, detail=error.message) from error

    def _extended(self, writing: "asyncio.Future[None]") -> None:
        self._extending.discard(writing)
        if not writing.cancelled():
            writing.exception()  # whoever waited has heard of it; asked for so that asyncio does not report it

    def open_intents(self) -> list[Intent]:
        """Those that have no end yet, which is where reservations can be open."""
        return [row.intent for row in self._open.values()]

    async def ends_written(self) -> None:
        """Wait until every end that was given so far is durable. Raises StorageError when that takes too long."""
        if not await asyncio.to_thread(self._writer.wait_for_ends, self._ends, self._timeout_s):
            raise StorageError(f"ends cannot be written: {self._writer.fault or 'it takes too long'}")

    def healthy(self) -> list[str]:
        """What is wrong, one sentence each; empty when requests can be recorded. For the readiness check."""
        writer = self._writer
        if self._closing:
            return ["the record store is closed"]
        wrong = []
        if writer.fault:
            wrong.append(f"records cannot be written: {writer.fault}")
        if not writer.alive:
            wrong.append("the record writer has ended")
        busy_since_ns = writer.busy_since_ns
        if busy_since_ns and self._clock.monotonic_ns() - busy_since_ns > self._timeout_s * 1e9:
            wrong.append("a write of records hangs")
        if self._sequencer is not None and self._sequencer.fault:
            wrong.append(f"the audit log cannot be continued: {self._sequencer.fault}")
        lag_ns = self._log_lag_ns()
        if lag_ns > self.max_log_lag_ns:
            wrong.append(f"the audit log lags {lag_ns // 10**9} s behind the records; requests are refused")
        if self._sequencer is not None and _mark_of(self._path.with_name(KEY_NAME)) != self._log_key:
            wrong.append(f"{KEY_NAME} was changed or removed: put the log's own key back before a restart")
        try:
            writer.require_same_files()
        except (StorageError, OSError) as error:
            wrong.append(str(error))
        return wrong

    def stats(self) -> StoreStats:
        """Depths and counters at this moment."""
        writer = self._writer
        return StoreStats(
            pending_rows=self._pending_rows,
            pending_bytes=self._pending_bytes,
            waiting_ends=writer.waiting_ends,
            open_requests=len(self._open),
            batches=writer.batches,
            failures=writer.failures,
            replaced_ends=writer.replaced_ends,
            log_size=self._sequencer.size if self._sequencer is not None else 0,
            log_lag_rows=self._sequencer.lag_rows if self._sequencer is not None else 0,
            log_lag_ns=self._log_lag_ns(),
        )

    async def close(self, deadline_ms: int) -> None:
        """Write all that waits, checkpoint, give the folder back. Further requests are refused from the first moment.

        Raises StorageError when ends could not be written within the deadline; the next open abandons their intents.
        """
        if self._closing:
            return
        self._closing = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + deadline_ms / 1000
        # The writer goes last: resolving what is under way can still queue ends for callers that gave up.
        await asyncio.sleep(0)
        if self._extending:
            await asyncio.wait(self._extending, timeout=deadline_ms / 1000)
        if self._pending_rows:
            self._resolved = loop.create_future()
            await asyncio.wait([self._resolved], timeout=deadline_ms / 1000)
        ended = await asyncio.to_thread(self._writer.stop, max(0.0, deadline - loop.time()))
        if self._timer is not None:
            self._timer.cancel()
        if not ended:
            # The lock stays: the stuck write may still land, and nobody else may write beside it.
            raise StorageError(f"the record writer hangs; {self._writer.waiting_ends} ends may not be written")
        if self._sequencer is not None and not await asyncio.to_thread(
            self._sequencer.stop, max(1.0, deadline - loop.time())
        ):
            raise StorageError("the audit log's writer hangs; the next start brings the log up to the records")
        self._lock.release()
        if self._writer.waiting_ends:
            raise StorageError(
                f"{self._writer.waiting_ends} ends could not be written: {self._writer.fault}",
                hint="the next start ends their requests as abandoned, with what was reserved for them spent",
            )

    def _queue(self, intent: Intent, end: End | None, content: bytes | None) -> Row:
        if self._closing:
            raise AuditUnavailable(NOT_RECORDED, detail="the record store is closed")
        if self._writer.fault:
            raise AuditUnavailable(NOT_RECORDED, detail=self._writer.fault)
        if self._log_lag_ns() > self.max_log_lag_ns:
            raise AuditUnavailable(NOT_RECORDED, detail="the audit log lags too far behind the records")
        try:
            body = encode_event(intent)
        except (ValueError, TypeError, OverflowError) as error:
            raise AuditUnavailable(NOT_RECORDED, detail=f"the intent cannot be encoded: {error}") from error
        size = len(body) + (len(content) if content is not None else 0)
        # One row larger than the bound may pass alone, so that the bound cannot refuse it for ever.
        if self._pending_rows >= self._max_pending or (
            self._pending_bytes and self._pending_bytes + size > MAX_PENDING_BYTES
        ):
            raise AuditUnavailable(NOT_RECORDED, detail="too many records wait to be written")
        loop = asyncio.get_running_loop()
        row = Row(intent, body, content, end, loop.create_future(), loop.time() + self._timeout_s, size)
        self._pending_rows += 1
        self._pending_bytes += size
        self._waiting.append(row)
        if self._timer is None:
            self._timer = loop.call_at(row.deadline, self._expire, loop)
        self._writer.queue.put(row)
        return row

    def _wake_log(self, rows: int) -> None:
        """In the writer's thread."""
        if self._sequencer is not None:
            self._sequencer.wake(rows)

    def _log_lag_ns(self) -> int:
        """How long the oldest record that is not in the audit log has waited for its place."""
        since = self._sequencer.waiting_since_ns if self._sequencer is not None else 0
        return self._clock.monotonic_ns() - since if since else 0

    def _hand_back(self, rows: list[Row]) -> None:
        """In the writer's thread: let the loop resolve the whole batch in one call."""
        loop = rows[0].future.get_loop()
        try:
            loop.call_soon_threadsafe(self._resolve, rows)
        except RuntimeError:
            # The loop is closed, so nobody waits any more.
            return

    def _resolve(self, rows: list[Row]) -> None:
        for row in rows:
            self._pending_rows -= 1
            self._pending_bytes -= row.size
            row.decided = True
            row.body = b""
            row.content = None
            future = row.future
            if row.error:
                if row.end is None and self._open.get(row.intent.id) is row:
                    del self._open[row.intent.id]
                if not future.done():
                    future.set_exception(AuditUnavailable(NOT_RECORDED, detail=row.error))
                continue
            if row.end is None and (row.late is not None or future.done()):
                self._end_unheard(row)
            if not future.done():
                future.set_result(row.seq)
        waiting = self._waiting
        while waiting and waiting[0].future.done():
            waiting.popleft()
        if self._resolved is not None and not self._pending_rows and not self._resolved.done():
            self._resolved.set_result(None)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for all: deadlines are in queue order."""
        now = loop.time()
        waiting = self._waiting
        while waiting and (waiting[0].future.done() or waiting[0].deadline <= now):
            future = waiting.popleft().future
            if not future.done():
                future.set_exception(AuditUnavailable(NOT_RECORDED, detail="the records are not written in time"))
        self._timer = loop.call_at(waiting[0].deadline, self._expire, loop) if waiting else None

    def _end_unheard(self, row: Row) -> None:
        """The intent is durable, its caller does not know: it gets the end that came meanwhile, or an unspent one."""
        if self._open.get(row.intent.id) is not row:
            return
        del self._open[row.intent.id]
        if row.late is None:
            reason = ClientGone if row.future.cancelled() or row.future.exception() is None else AuditUnavailable
            row.late = (unused_end(row.intent, self._clock.wall_ms(), reason), None)
        self._give_end(row.late)

    def _give_end(self, end: tuple[End, bytes | None]) -> None:
        self._ends += 1
        self._writer.ends.append(end)


def _mark_of(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is replaced or written; None when it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
