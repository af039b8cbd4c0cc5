"""An audit log that cannot be written, a disk that became read-only, a page that rotted, a key that was swapped."""

import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gptgate.core.errors import AuditUnavailable
from gptgate.storage import log_folder
from gptgate.storage.schema import connect
from gptgate.storage.sqlite import SqliteStore
from gptgate.wiring import open_audit_log
from storage_samples import SystemClock, end, intent
from waiting import eventually


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStore]:
    for name in ("INTERVAL_S", "BACKOFF_S", "LOOK_S"):
        monkeypatch.setattr(f"gptgate.storage.sequencer.{name}", 0.01)
    made = SqliteStore.open(tmp_path, clock=SystemClock(), timeout_ms=2000, open_log=open_audit_log)
    yield made
    await made.close(5000)


async def asked(store: SqliteStore, name: str) -> None:
    """One request from its begin to its end."""
    await store.begin(intent(name), None)
    store.finish(end(name), None)


async def test_a_log_that_lags_too_far_stops_requests_until_it_comes_forward(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(store, "a")
    await eventually(lambda: store.stats().log_size == 2)
    assert (store.stats().log_lag_rows, store.healthy()) == (0, [])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(log_folder, "write_durably", full)
        await asked(store, "b")
        await eventually(
            lambda: store.healthy() == ["the audit log cannot be continued: OSError: [Errno 28] " + os.strerror(28)]
        )
        # Records are durable, so requests go on, up to the bound.
        await asked(store, "c")
        await eventually(lambda: store.stats().log_lag_rows == 4)
        assert store.stats().log_lag_ns > 0
        store.max_log_lag_ns = 1_000_000
        with pytest.raises(AuditUnavailable) as refused:
            await store.begin(intent("d"), None)
        assert refused.value.detail == "the audit log lags too far behind the records"
        assert any(reason.endswith("requests are refused") for reason in store.healthy())
        store.max_log_lag_ns = 60_000_000_000
        await asked(store, "e")
        store.max_log_lag_ns = 1_000_000
    await eventually(lambda: store.stats().log_lag_ns == 0)
    assert store.healthy() == []
    await asked(store, "f")
    store.max_log_lag_ns = 60_000_000_000
    await eventually(lambda: store.stats().log_size == 10)


async def test_a_missing_record_stops_requests_after_a_while(store: SqliteStore, tmp_path: Path) -> None:
    """A hole in the records is never logged over: the gateway refuses rather than go on unlogged for ever."""
    await asked(store, "a")
    await eventually(lambda: store.stats().log_size == 2)
    with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO events (seq, at_ms, type, body) VALUES (2, 1, 'x', x'7b7d')")
    await eventually(lambda: any("records are missing" in reason for reason in store.healthy()))
    store.max_log_lag_ns = 1_000_000
    await eventually(lambda: any(reason.endswith("requests are refused") for reason in store.healthy()))
    with pytest.raises(AuditUnavailable):
        await store.begin(intent("b"), None)
    with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO events (seq, at_ms, type, body) VALUES (1, 1, 'x', x'7b7d')")
    await eventually(lambda: store.healthy() == [])
    await asked(store, "c")


async def test_a_key_that_was_swapped_or_removed_is_told(store: SqliteStore, tmp_path: Path) -> None:
    key = tmp_path / "log.key"
    told = ["log.key was changed or removed: put the log's own key back before a restart"]
    assert store.healthy() == []
    key.rename(tmp_path / "elsewhere")
    assert store.healthy() == told
    key.write_bytes(b"\x01" * 32)
    assert store.healthy() == told
    key.unlink()
    (tmp_path / "elsewhere").rename(key)
    assert store.healthy() == []


@contextmanager
def rotten(path: Path) -> Iterator[None]:
    """Every page but the first holds nonsense, and nobody has another copy in memory."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET value = value")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (len(data) - 4096))
        file.flush()
        try:
            yield
        finally:
            file.seek(4096)
            file.write(data[4096:])


async def test_a_rotten_page_refuses_requests_until_it_is_mended(store: SqliteStore, tmp_path: Path) -> None:
    await asked(store, "a")
    await eventually(lambda: store.stats().log_size == 2 and not store.stats().waiting_ends)
    with rotten(tmp_path / "gptgate.db"):
        with pytest.raises(AuditUnavailable) as refused:
            await store.begin(intent("b"), None)
        assert "malformed" in refused.value.detail
        stopped = "records cannot be written: DatabaseError"
        await eventually(lambda: any(stopped in reason for reason in store.healthy()))
        with pytest.raises(AuditUnavailable):
            await store.refuse(intent("c"), end("c"), None)
    await eventually(lambda: store.healthy() == [])
    await asked(store, "d")
    await eventually(lambda: store.stats().log_size == 4)


@contextmanager
def read_only(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What SQLite and the system say of a disk that became read-only under open files, which nobody but the kernel can
    bring about."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def reading_only(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.execute("PRAGMA query_only=ON")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(log_folder, "write_durably", refuse)
        for module in ("writer", "sequencer"):
            patch.setattr(f"gptgate.storage.{module}.connect", reading_only)
        writing = store._writer._connection
        assert writing is not None
        writing.execute("PRAGMA query_only=ON")
        yield


async def test_a_disk_that_became_read_only_refuses_requests_until_it_is_writable(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(store, "a")
    await eventually(lambda: store.stats().log_size == 2)
    with read_only(store, monkeypatch):
        with pytest.raises(AuditUnavailable) as refused:
            await store.begin(intent("b"), None)
        assert "attempt to write a readonly database" in refused.value.detail
        await eventually(lambda: any("records cannot be written" in reason for reason in store.healthy()))
        with pytest.raises(AuditUnavailable):
            await store.begin(intent("c"), None)
    await eventually(lambda: store.healthy() == [])
    await asked(store, "d")
    await eventually(lambda: store.stats().log_size == 4)
