"""Writes of records that fail, and how the store recovers without a restart."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from disk_faults import FAULTS, held_by_another
from gptgate.core.errors import AuditUnavailable
from gptgate.core.events import EndState
from gptgate.core.facts import Usage
from gptgate.storage.errors import StorageError
from gptgate.storage.queries import SqliteReader
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.views import AuditRecord
from storage_samples import end, intent, spent_by_app
from waiting import PATIENCE_S, eventually

TIMEOUT_MS = 300
"""How long SQLite waits for a lock before the write counts as failed."""


CLOSE_MS = int(PATIENCE_S * 1000)


class GatedClock:
    """The system's clock, which the writer thread can be made to wait on: a machine that stalls before a commit."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.ahead_ns = 0

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        now = time.monotonic_ns() + self.ahead_ns
        if threading.current_thread() is not threading.main_thread():
            self.reached.set()
            self.gate.wait()
        return now

    @contextmanager
    def stalled(self) -> Iterator[None]:
        self.gate.clear()
        self.reached.clear()
        try:
            yield
        finally:
            self.gate.set()


@pytest.fixture
def clock() -> GatedClock:
    return GatedClock()


def opened(folder: Path, clock: GatedClock, waits_s: float = PATIENCE_S) -> SqliteStore:
    """A store that finds out soon that a write fails. Callers wait for so long for one that neither fails nor ends."""
    made = SqliteStore.open(folder, clock=clock, timeout_ms=TIMEOUT_MS, max_pending=5)
    made._timeout_s = waits_s
    return made


@pytest.fixture
async def store(tmp_path: Path, clock: GatedClock) -> AsyncIterator[SqliteStore]:
    made = opened(tmp_path, clock)
    yield made
    await made.close(CLOSE_MS)


def show(folder: Path, request_id: str) -> AuditRecord | None:
    with SqliteReader(folder) as reader:
        return reader.show(request_id)


async def until_healthy(store: SqliteStore) -> None:
    """Poll as the readiness check does."""
    await eventually(lambda: not store.healthy())


async def until_written(store: SqliteStore) -> None:
    await eventually(lambda: not (store.stats().waiting_ends or store.stats().open_requests))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_failing_write_refuses_requests_keeps_ends_and_mends_itself(
    store: SqliteStore, tmp_path: Path, fault: Any
) -> None:
    await store.begin(intent("before"), b"x" * 5000)
    with fault(tmp_path):
        store.finish(end("before"), b"y" * 50_000)
        with pytest.raises(AuditUnavailable):
            await store.begin(intent("during-1"), b"z" * 50_000)
        await eventually(lambda: store.stats().failures)
        assert any("records cannot be written" in sentence for sentence in store.healthy())
        with pytest.raises(AuditUnavailable) as refused:
            await store.refuse(intent("during-2"), end("during-2"), None)
        assert refused.value.detail
        assert refused.value.detail not in refused.value.message
        assert store.stats().waiting_ends == 1
    await until_healthy(store)
    index = await store.begin(intent("after"), None)
    store.finish(end("after"), None)
    await store.close(CLOSE_MS)
    before = show(tmp_path, "before")
    after = show(tmp_path, "after")
    assert before is not None
    assert after is not None
    assert (before.end, before.answer_content) == (end("before"), b"y" * 50_000)
    assert (after.seq, after.end) == (index.seq, end("after"))
    assert show(tmp_path, "during-1") is None
    assert show(tmp_path, "during-2") is None


async def test_a_removed_write_ahead_log_takes_no_acknowledged_record_with_it(
    store: SqliteStore, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        await store.begin(intent(name), None)
        store.finish(end(name), None)
    await until_written(store)
    os.unlink(tmp_path / "gptgate.db-wal")
    assert store.healthy() == ["the database's write-ahead log was removed; restart the gateway"]
    for name in ("c", "d"):
        with pytest.raises(AuditUnavailable):
            await store.begin(intent(name), None)
    assert any("write-ahead log was removed" in reason for reason in store.healthy())
    # What a gateway that is killed now leaves behind is the database file alone.
    after = tmp_path / "after"
    after.mkdir()
    shutil.copy(tmp_path / "gptgate.db", after)
    assert [name for name in "abcd" if show(after, name)] == ["a", "b"]


async def test_requests_are_refused_at_once_while_writes_fail(store: SqliteStore, tmp_path: Path) -> None:
    with held_by_another(tmp_path):
        with pytest.raises(AuditUnavailable):
            await store.begin(intent("first"), None)
        await eventually(lambda: store.stats().failures)
        started = time.monotonic()
        for number in range(100):
            with pytest.raises(AuditUnavailable):
                await store.begin(intent(f"r{number}"), b"x" * 1000)
        assert time.monotonic() - started < PATIENCE_S / 2, "none of them waits"
        stats = store.stats()
        assert (stats.pending_rows, stats.pending_bytes, stats.open_requests) == (0, 0, 0)
    await until_healthy(store)


async def test_close_says_which_ends_it_could_not_write_and_the_next_open_abandons_them(
    tmp_path: Path, clock: GatedClock
) -> None:
    store = opened(tmp_path, clock)
    await store.begin(intent("a"), None)
    with held_by_another(tmp_path):
        store.finish(end("a"), None)
        with pytest.raises(StorageError, match="1 ends could not be written"):
            await store.close(200)
    again = opened(tmp_path, clock)
    assert again.recovered == 1
    await again.close(CLOSE_MS)
    assert spent_by_app(tmp_path) == {"shop": 900}


async def test_close_waits_for_rows_whose_callers_gave_up(tmp_path: Path, clock: GatedClock) -> None:
    store = opened(tmp_path, clock, waits_s=1)
    with clock.stalled():
        with pytest.raises(AuditUnavailable):
            await store.begin(intent("late"), None)
        closed = asyncio.create_task(store.close(CLOSE_MS))
        await asyncio.sleep(0.02)
    await closed
    record = show(tmp_path, "late")
    assert record is not None
    assert record.end is not None
    assert record.end.usage_source == "unused"


async def test_close_gives_up_on_a_stuck_write_at_its_deadline_and_keeps_the_lock(
    tmp_path: Path, clock: GatedClock
) -> None:
    store = opened(tmp_path, clock, waits_s=0.3)
    with clock.stalled():
        with pytest.raises(AuditUnavailable):
            await store.begin(intent("stuck"), None)
        with pytest.raises(StorageError, match="hangs"):
            await store.close(100)
        with pytest.raises(StorageError, match="another gateway"):
            opened(tmp_path, clock)


async def test_close_keeps_trying_until_its_deadline(store: SqliteStore, tmp_path: Path) -> None:
    await store.begin(intent("a"), None)
    with held_by_another(tmp_path):
        store.finish(end("a"), None)
        closed = asyncio.create_task(store.close(CLOSE_MS))
        await eventually(lambda: store.stats().failures)
        assert not closed.done()
    await closed
    record = show(tmp_path, "a")
    assert record is not None
    assert record.end == end("a")


async def test_a_write_that_hangs_is_not_healthy(tmp_path: Path, clock: GatedClock) -> None:
    store = SqliteStore.open(tmp_path, clock=clock, timeout_ms=CLOSE_MS)
    with held_by_another(tmp_path):
        task = asyncio.create_task(store.begin(intent("a"), None))
        await asyncio.sleep(0)
        await asyncio.to_thread(clock.reached.wait, PATIENCE_S)
        assert store.healthy() == []
        clock.ahead_ns = CLOSE_MS * 10**6
        await eventually(lambda: store.healthy() == ["a write of records hangs"])
    await task
    await until_healthy(store)
    await store.close(CLOSE_MS)


async def test_a_hanging_write_is_a_refusal_at_the_deadline_and_a_late_row_is_ended_unspent(
    tmp_path: Path, clock: GatedClock
) -> None:
    store = opened(tmp_path, clock, waits_s=1)
    with clock.stalled():
        started = time.monotonic()
        with pytest.raises(AuditUnavailable, match="cannot record"):
            await store.begin(intent("late"), None)
        assert 1 <= time.monotonic() - started < PATIENCE_S
        with pytest.raises(AuditUnavailable):
            await store.begin(intent("never written"), None)
    await until_written(store)
    assert store.healthy() == []
    record = show(tmp_path, "late")
    assert record is not None
    assert record.end is not None
    assert (record.end.state, record.end.status, record.end.code) == (EndState.REFUSED, 503, "audit_unavailable")
    assert (record.end.cost_nano, record.end.usage_source) == (0, "unused")
    assert show(tmp_path, "never written") is None
    await store.close(CLOSE_MS)


async def test_each_request_has_a_deadline_of_its_own(tmp_path: Path, clock: GatedClock) -> None:
    store = opened(tmp_path, clock, waits_s=0.3)
    loop = asyncio.get_running_loop()

    async def waited(request_id: str) -> float:
        started = loop.time()
        with pytest.raises(AuditUnavailable):
            await store.begin(intent(request_id), None)
        return loop.time() - started

    with clock.stalled():
        tasks = []
        for number in range(3):
            tasks.append(asyncio.create_task(waited(f"r{number}")))
            await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE_S):
            times = await asyncio.gather(*tasks)
    assert all(0.3 <= time_s < PATIENCE_S for time_s in times)
    await store.close(CLOSE_MS)


@pytest.mark.parametrize("finishes", [False, True])
async def test_a_cancelled_begin_whose_row_becomes_durable_gets_exactly_one_end(
    store: SqliteStore, tmp_path: Path, clock: GatedClock, finishes: bool
) -> None:
    with clock.stalled():
        task = asyncio.create_task(store.begin(intent("gone"), None))
        await asyncio.to_thread(clock.reached.wait, PATIENCE_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if finishes:
            store.finish(end("gone", status=499, cost_nano=0), b"kept")
            store.finish(end("gone", status=200, cost_nano=5), None)
    await until_written(store)
    record = show(tmp_path, "gone")
    assert record is not None
    assert record.end is not None
    assert (record.end.status, record.end.cost_nano) == (499, 0)
    assert record.answer_content == (b"kept" if finishes else None)
    assert (record.end.code == "client_disconnected") is not finishes


async def test_a_begin_cancelled_between_its_commit_and_its_return_gets_an_end(
    store: SqliteStore, tmp_path: Path
) -> None:
    task = asyncio.create_task(store.begin(intent("gone"), None))
    async with asyncio.timeout(PATIENCE_S):
        while store.stats().pending_rows == 0:
            await asyncio.sleep(0)
        # The batch is resolved in one callback; this loop sees it before the task can resume.
        while store.stats().pending_rows:
            await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_written(store)
    record = show(tmp_path, "gone")
    assert record is not None
    assert record.end is not None
    assert (record.end.code, record.end.cost_nano) == ("client_disconnected", 0)


async def test_the_end_that_a_cancelled_caller_gives_while_it_unwinds_is_the_one_that_stays(
    store: SqliteStore, tmp_path: Path
) -> None:
    async def caller() -> None:
        try:
            await store.begin(intent("gone"), None)
        except asyncio.CancelledError:
            store.finish(end("gone", code="shutting_down"), None)
            raise

    task = asyncio.create_task(caller())
    async with asyncio.timeout(PATIENCE_S):
        while store.stats().pending_rows == 0:
            await asyncio.sleep(0)
        while store.stats().pending_rows:
            await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_written(store)
    record = show(tmp_path, "gone")
    assert record is not None
    assert record.end == end("gone", code="shutting_down")


async def test_waiting_rows_are_bounded(store: SqliteStore, clock: GatedClock) -> None:
    with clock.stalled():
        tasks = [asyncio.create_task(store.begin(intent(f"r{number}"), None)) for number in range(5)]
        await asyncio.sleep(0)
        assert store.stats().pending_rows == 5
        with pytest.raises(AuditUnavailable) as refused:
            await store.begin(intent("one too many"), None)
        assert refused.value.detail == "too many records wait to be written"
    assert len(await asyncio.gather(*tasks)) == 5
    await store.begin(intent("fits again"), None)


async def test_waiting_bytes_are_bounded(store: SqliteStore, clock: GatedClock) -> None:
    large = bytes(40 * 1024 * 1024)
    with clock.stalled():
        task = asyncio.create_task(store.begin(intent("a"), large))
        await asyncio.sleep(0)
        with pytest.raises(AuditUnavailable) as refused:
            await store.begin(intent("b"), large)
        assert refused.value.detail == "too many records wait to be written"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await until_written(store)
    assert store.stats().pending_bytes == 0


async def test_one_row_that_cannot_be_stored_fails_alone(store: SqliteStore, tmp_path: Path, clock: GatedClock) -> None:
    await store.begin(intent("there"), None)
    store.finish(end("there"), None)
    await until_written(store)
    with clock.stalled():
        first = asyncio.create_task(store.begin(intent("stalls"), None))
        await asyncio.to_thread(clock.reached.wait, PATIENCE_S)
        batch = [
            asyncio.create_task(store.begin(intent("good-1"), None)),
            asyncio.create_task(store.begin(intent("there"), None)),
            asyncio.create_task(store.refuse(intent("good-2"), end("good-2"), None)),
            asyncio.create_task(store.refuse(intent("huge"), end("huge", cost_nano=2**63), None)),
        ]
        await asyncio.sleep(0)
    await first
    results = await asyncio.gather(*batch, return_exceptions=True)
    assert [isinstance(result, AuditUnavailable) for result in results] == [False, True, False, True]
    assert store.healthy() == []
    assert [getattr(show(tmp_path, name), "seq", None) for name in ("there", "good-1", "good-2", "huge")] == [
        1,
        3,
        4,
        None,
    ]
    assert (await store.begin(intent("next"), None)).seq == 5


@pytest.mark.parametrize(
    "bad",
    [{"usage": Usage(input_tokens=10**30)}, {"cost_nano": 2**63}, {"answered_model": "\ud800"}],
    ids=["tokens", "cost", "surrogate"],
)
async def test_an_end_that_cannot_be_stored_leaves_the_reservation_spent(
    store: SqliteStore, tmp_path: Path, bad: dict[str, Any]
) -> None:
    await store.begin(intent("bad"), None)
    await store.begin(intent("good"), None)
    store.finish(end("bad", **bad), b"answer")
    store.finish(end("good"), None)
    await until_written(store)
    record = show(tmp_path, "bad")
    good = show(tmp_path, "good")
    assert record is not None
    assert record.end is not None
    assert (record.end.state, record.end.usage_source, record.end.cost_nano) == (EndState.ABANDONED, "unknown", 900)
    assert good is not None
    assert good.end == end("good")
    assert store.stats().replaced_ends == 1
    assert store.healthy() == []


async def test_an_intent_that_cannot_be_encoded_is_refused(store: SqliteStore) -> None:
    with pytest.raises(AuditUnavailable) as refused:
        await store.begin(intent("\ud800"), None)
    assert "cannot be encoded" in refused.value.detail
    assert store.stats().open_requests == 0
