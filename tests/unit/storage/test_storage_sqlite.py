"""What `SqliteStore` adds to the contract: opening, recovery, closing. Faults are in tests/fault."""

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.core.events import EndState
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import LOCK_NAME
from gptgate.storage.queries import SqliteReader
from gptgate.storage.schema import LATEST
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.views import SearchFilters
from storage_samples import FixedClock, end, intent, spent_by_app
from waiting import eventually


def opened(folder: Path) -> SqliteStore:
    return SqliteStore.open(folder, clock=FixedClock(), timeout_ms=60_000)


def mark(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection:
        (value,) = connection.execute("SELECT value FROM meta WHERE name = 'ended_before'").fetchone()
    return int(value)


async def test_only_the_owner_can_read_what_open_makes(tmp_path: Path) -> None:
    store = opened(tmp_path / "deep" / "data")
    await store.begin(intent("a"), None)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "deep" / "data").iterdir()}
    assert modes == dict.fromkeys(["gptgate.db", "gptgate.db-wal", "gptgate.db-shm", "gptgate.lock"], 0o600)
    assert stat.S_IMODE((tmp_path / "deep" / "data").stat().st_mode) == 0o700
    await store.close(60_000)


async def test_two_gateways_cannot_use_one_folder(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(StorageError, match=r"another gateway \(process \d+\) uses"):
        opened(tmp_path)
    await first.begin(intent("still works"), None)
    await first.close(60_000)
    await opened(tmp_path).close(60_000)


async def test_who_removes_the_lock_file_opens_no_door_to_a_second_gateway(tmp_path: Path) -> None:
    first = opened(tmp_path)
    (tmp_path / LOCK_NAME).unlink()
    with pytest.raises(StorageError, match="another gateway"):
        opened(tmp_path)
    await first.close(60_000)
    await opened(tmp_path).close(60_000)


async def test_a_store_that_fails_to_open_leaves_the_folder_free(tmp_path: Path) -> None:
    await opened(tmp_path).close(60_000)
    with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
        with pytest.raises(StorageError, match="schema version 99"):
            opened(tmp_path)
        connection.execute("UPDATE schema_version SET version = ?", (LATEST,))
    await opened(tmp_path).close(60_000)


async def test_recovery_abandons_what_has_no_end_and_leaves_its_reservation_spent(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.begin(intent("lost", effect="redact", score=7), b"question")
    await store.begin(intent("done"), None)
    store.finish(end("done"), None)
    await store.close(60_000)
    again = opened(tmp_path)
    assert again.recovered == 1
    await again.close(60_000)
    assert spent_by_app(tmp_path) == {"shop": 1000}
    with SqliteReader(tmp_path) as reader:
        record = reader.show("lost")
    assert record is not None
    assert record.request_content == b"question"
    assert record.end == end(
        "lost",
        at_ms=FixedClock().wall_ms(),
        state=EndState.ABANDONED,
        effect="redact",
        score=7,
        usage_source="unknown",
        cost_nano=900,
    )
    third = opened(tmp_path)
    assert third.recovered == 0
    await third.close(60_000)


async def test_close_moves_the_mark_to_the_oldest_request_without_an_end(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for name in ("a", "b", "c", "d"):
        await store.begin(intent(name), None)
    for name in ("a", "b", "d"):
        store.finish(end(name), None)
    await store.close(60_000)
    assert mark(tmp_path) == 3
    again = opened(tmp_path)
    assert again.recovered == 1
    assert mark(tmp_path) == 5
    await again.close(60_000)


async def test_a_long_run_moves_the_mark_by_itself(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path, clock=FixedClock(), timeout_ms=60_000, max_pending=10_000)
    for start in range(0, 9000, 3000):
        names = [f"r{number}" for number in range(start, start + 3000)]
        await asyncio.gather(*(store.begin(intent(name), None) for name in names))
        for name in names:
            store.finish(end(name), None)
    await store.begin(intent("last"), None)
    moved = mark(tmp_path)
    assert 4096 <= moved <= 9001
    with SqliteReader(tmp_path) as reader:
        assert all(row.seq >= moved for row in reader.search(SearchFilters(state="open"), 10_000))
    await store.close(60_000)


async def test_ends_are_written_soon_without_another_request(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.begin(intent("a"), None)
    store.finish(end("a"), None)
    with SqliteReader(tmp_path) as reader:
        await eventually(lambda: reader.search(SearchFilters(state="completed"), 1))
    await store.close(60_000)


async def test_waiting_requests_share_transactions(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await asyncio.gather(*(store.begin(intent(f"r{number}"), None) for number in range(200)))
    assert 1 <= store.stats().batches < 20
    await store.close(60_000)


async def test_a_cleanly_closed_store_is_one_file_and_a_lock_that_is_free(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.begin(intent("a"), b"x" * 10_000)
    store.finish(end("a"), None)
    await store.close(60_000)
    await store.close(60_000)
    assert sorted(os.listdir(tmp_path)) == ["gptgate.db", "gptgate.lock"]
    with SqliteReader(tmp_path) as reader:
        record = reader.show("a")
    assert record is not None
    assert record.end == end("a")


async def test_requests_that_wait_when_close_is_called_are_still_answered(tmp_path: Path) -> None:
    store = opened(tmp_path)
    tasks = [asyncio.create_task(store.begin(intent(f"r{number}"), None)) for number in range(50)]
    await asyncio.sleep(0)
    await store.close(60_000)
    assert sorted(index.seq for index in await asyncio.gather(*tasks)) == list(range(1, 51))


def test_an_unwritable_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot create") as refused:
        opened(tmp_path / "file" / "data")
    assert refused.value.hint


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "gptgate.db").write_text("something else entirely, long enough to be read as a header " * 20)
    with pytest.raises(StorageError, match=r"cannot open .*not a database"):
        opened(tmp_path)
