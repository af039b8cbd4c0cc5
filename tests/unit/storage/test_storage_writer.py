"""Every statement of a transaction fails once, before it took effect and after; the writer must come out of both."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gptgate.core.errors import AuditUnavailable
from gptgate.core.events import encode_event
from gptgate.storage.folder import create_folder
from gptgate.storage.queries import SqliteReader
from gptgate.storage.schema import connect, migrate
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.writer import GATHER_S, Row, Writer
from storage_samples import FixedClock, SystemClock, end, intent
from waiting import PATIENCE_S, eventually


class FailingConnection(sqlite3.Connection):
    """A real connection that reports a failure of one statement, which took effect (`persisted`) or did not."""

    verb = ""
    persisted = False

    def _fail_at(self, run: Callable[..., sqlite3.Cursor], sql: str, *values: Any) -> sqlite3.Cursor:
        if not self.verb or self.verb not in sql:
            return run(sql, *values)
        if self.persisted:
            run(sql, *values)
        raise sqlite3.OperationalError("disk I/O error")

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._fail_at(super().execute, sql, *values)

    def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._fail_at(super().executemany, sql, *values)


class Batches:
    """Collects what the writer hands back, in the loop's thread."""

    def __init__(self) -> None:
        self.rows: asyncio.Queue[Row] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def __call__(self, rows: list[Row]) -> None:
        for row in rows:
            self._loop.call_soon_threadsafe(self.rows.put_nowait, row)


def row(request_id: str, *, refused: bool = False) -> Row:
    event = intent(request_id)
    final = end(request_id, cost_nano=0) if refused else None
    return Row(event, encode_event(event), b"content", final, asyncio.get_running_loop().create_future(), 0.0, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = create_folder(tmp_path)
    with closing(connect(made, busy_ms=100)) as connection:
        migrate(connection)
    return made


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "persisted"])
@pytest.mark.parametrize("verb", ["BEGIN", "INSERT INTO intents", "INSERT INTO ends", "COMMIT"])
async def test_a_statement_that_fails_is_survived(path: Path, verb: str, persisted: bool) -> None:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FailingConnection)
    batches = Batches()
    writer = Writer(path, connection, clock=FixedClock(), busy_ms=1000, done=batches, committed=lambda _rows: None)
    writer.start()
    async with asyncio.timeout(PATIENCE_S):
        writer.queue.put(row("before"))
        assert (await batches.rows.get()).seq == 1
        connection.persisted = persisted
        connection.verb = verb
        writer.ends.append((end("before", cost_nano=7), b"answer"))
        failing, refusal = row("failing"), row("refusal", refused=True)
        writer.queue.put(failing)
        writer.queue.put(refusal)
        for _ in range(2):
            answered = await batches.rows.get()
            assert answered.seq == 0
            assert "disk I/O error" in answered.error or answered.error == "withdrawn"
        while writer.fault:
            await asyncio.sleep(0.002)
        writer.queue.put(row("after"))
        after = await batches.rows.get()
    assert writer.failures == 1
    assert await asyncio.to_thread(writer.stop, 5.0)
    assert writer.waiting_ends == 0
    durable = persisted and verb == "COMMIT"
    with SqliteReader(path.parent) as reader:
        before, failed, refused, last = (reader.show(name) for name in ("before", "failing", "refusal", "after"))
    assert before is not None
    assert (before.end, before.answer_content) == (end("before", cost_nano=7), b"answer")
    assert (failed is not None) is durable
    assert last is not None
    assert last.end is None
    assert last.seq == after.seq
    if durable:
        assert failed is not None
        assert failed.end is not None
        assert (failed.end.code, failed.end.cost_nano) == ("audit_unavailable", 0)
        assert after.seq > failed.seq
    elif refused is None:
        assert after.seq == 2


@pytest.mark.parametrize(("waiting", "gathers"), [(1, True), (3, True), (4, False), (9, False)])
async def test_the_writer_gathers_no_others_where_half_as_many_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch, waiting: int, gathers: bool
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("gptgate.storage.writer.time.sleep", slept.append)
    with closing(connect(path, busy_ms=100)) as connection:
        writer = Writer(path, connection, clock=FixedClock(), busy_ms=100, done=Batches(), committed=lambda _rows: None)
        for size in (8, waiting):
            for number in range(size):
                writer.queue.put(row(f"{size}-{number}"))
            assert len(writer._gather()) == size
    assert slept == ([GATHER_S] if gathers else [])


class BrokenClock(SystemClock):
    """Raises what no writer expects, in the writer's thread."""

    def __init__(self) -> None:
        self.broken = False

    def monotonic_ns(self) -> int:
        if self.broken:
            raise LookupError("a defect")
        return super().monotonic_ns()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_defect_that_ends_the_writer_refuses_everything_from_then_on(tmp_path: Path) -> None:
    clock = BrokenClock()
    store = SqliteStore.open(tmp_path, clock=clock, timeout_ms=8_000)  # time enough for "a"; "b" waits it out
    await store.begin(intent("a"), None)
    clock.broken = True
    with pytest.raises(AuditUnavailable):
        await store.begin(intent("b"), None)
    await eventually(lambda: len(store.healthy()) >= 2)
    assert store.healthy() == ["records cannot be written: the writer has ended", "the record writer has ended"]
    with pytest.raises(AuditUnavailable) as refused:
        await store.begin(intent("c"), None)
    assert refused.value.detail == "the writer has ended"
    await store.close(1000)
    again = SqliteStore.open(tmp_path, clock=SystemClock(), timeout_ms=60_000)
    assert again.recovered == 1
    await again.close(60_000)
