"""Rows get their places in the log: all of them, once each, in any state that a crash or a fault leaves."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import Records
from gptgate.storage import durable, log_folder
from gptgate.storage.errors import StorageError
from gptgate.storage.log_folder import LogFolder, load_or_make_seed
from gptgate.storage.sequencer import LARGE, PIECE, Sequencer, place_of
from gptgate.wiring import open_audit_log
from waiting import PATIENCE_S, wait_until


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "data")


def sequence(records: Records) -> None:
    """Bring the log up to the records, as a start and an orderly end do."""
    sequencer = records.sequencer()
    sequencer.start()
    assert sequencer.stop(PATIENCE_S)
    assert sequencer.fault == ""


def check(records: Records) -> None:
    entries = records.entries()
    assert sorted(entries) == sorted(records.rows())


def test_every_row_is_in_the_log_once(records: Records) -> None:
    records.add(["a", "b"])
    records.add_event("config_applied")
    sequence(records)
    check(records)
    records.add([f"r{number}" for number in range(600)])
    records.add(["open"], ends=False)
    sequence(records)
    check(records)
    assert len(records.entries()) == 1206


def test_a_long_text_and_an_erased_one_are_logged_as_they_are(records: Records) -> None:
    names = [f"r{number}" for number in range(PIECE + 3)]
    records.add(names)
    with closing(sqlite3.connect(records.path)) as connection, connection:
        connection.execute("UPDATE intents SET content = ? WHERE seq = ?", (b"x" * (LARGE + 1), PIECE + 1))
        connection.execute("UPDATE intents SET content = NULL, salt = NULL WHERE seq = 2")
    sequence(records)
    check(records)


def test_a_log_without_news_is_left_alone(records: Records) -> None:
    sequence(records)
    assert records.files.checkpoint() is None
    records.add(["a"])
    sequence(records)
    before = records.files.checkpoint()
    sequence(records)
    assert records.files.checkpoint() == before


def test_a_row_knows_its_place(records: Records) -> None:
    for names in (["a", "b", "c"], ["d"], ["e", "f"]):
        records.add(names)
        records.add_event(f"event-{names[0]}")
        sequence(records)
    records.add(["late"])
    entries = records.entries()
    with closing(sqlite3.connect(records.path)) as connection:
        for table, kind in (("intents", "intent"), ("ends", "end"), ("events", "")):
            for seq, body in connection.execute(f"SELECT seq, body FROM {table} WHERE seq <= 6").fetchall():
                place = place_of(connection, kind or "event", seq)
                assert place is not None
                assert body in entries[place]
        assert place_of(connection, "intent", 7) is None


class Crash(BaseException):
    """The process dies here."""


def steps(monkeypatch: pytest.MonkeyPatch, act: Callable[[int, Callable[[], None]], None]) -> None:
    """Let `act` decide at each write of the log's files; it gets the write's number and the write itself."""
    count = iter(range(1_000_000))
    write, sync = durable.write_durably, durable.sync_folders
    monkeypatch.setattr(log_folder, "write_durably", lambda path, data: act(next(count), lambda: write(path, data)))
    monkeypatch.setattr(log_folder, "sync_folders", lambda folders: act(next(count), lambda: sync(folders)))


def crash_points(records: Records, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each write in turn, once lost and once done, until one run has fewer writes than that."""
    for number in range(100):
        for done in (False, True):
            reached = False
            records.add([f"{number}-{done}-{index}" for index in range(40)])

            def act(at: int, work: Callable[[], None], number: int = number, done: bool = done) -> None:
                nonlocal reached
                if at == number:
                    reached = True
                    if done:
                        work()
                    raise Crash
                work()

            with monkeypatch.context() as patch:
                steps(patch, act)
                sequencer = records.sequencer()
                with closing(sqlite3.connect(records.path, isolation_level=None)) as connection:
                    try:
                        while sequencer._step(connection):
                            pass
                    except Crash:
                        reached = True
            yield
            if not reached:
                return


def test_a_crash_at_any_write_loses_nothing_and_repeats_nothing(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.add([f"first-{number}" for number in range(300)])
    sequence(records)
    seen = 0
    for _ in crash_points(records, monkeypatch):
        check_prefix(records)
        sequence(records)
        check(records)
        seen += 1
    assert seen > 10


def check_prefix(records: Records) -> None:
    """Right after a crash: the checkpoint and its files fit, and hold nothing but rows."""
    assert set(records.entries()) <= set(records.rows())


def test_a_write_that_fails_is_tried_again(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    records.add([f"r{number}" for number in range(300)])
    sequencer = records.sequencer()
    with closing(sqlite3.connect(records.path, isolation_level=None)) as connection:
        for number in range(12):
            with monkeypatch.context() as patch:

                def act(at: int, work: Callable[[], None], number: int = number) -> None:
                    if at == number:
                        raise OSError(28, "No space left on device")
                    work()

                steps(patch, act)
                try:
                    sequencer._step(connection)
                except OSError:
                    check_prefix(records)
        while sequencer._step(connection):
            pass
    check(records)


@pytest.mark.parametrize(
    "place",
    [
        "gptgate.audit.growth.leaf_hash",
        "gptgate.audit.growth.perfect_root",
        "gptgate.audit.growth.tile_path",
        "gptgate.audit.growth.partial_files",
        "gptgate.audit.signing.Signer.checkpoint",
    ],
)
def test_memory_that_runs_out_anywhere_repeats_no_entry(
    records: Records, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    records.add([f"r{number}" for number in range(300)])
    sequencer = records.sequencer()
    with closing(sqlite3.connect(records.path, isolation_level=None)) as connection:
        with monkeypatch.context() as patch:

            def fail(*_: object) -> None:
                raise MemoryError

            patch.setattr(place, fail)
            with pytest.raises(MemoryError):
                sequencer._step(connection)
        while sequencer._step(connection):
            pass
    assert sequencer.size == len(records.rows())
    check(records)


@pytest.mark.parametrize("is_at_fault", [False, True])
def test_an_orderly_end_waits_for_no_interval(
    records: Records, monkeypatch: pytest.MonkeyPatch, is_at_fault: bool
) -> None:
    monkeypatch.setattr("gptgate.storage.sequencer.INTERVAL_S", 10 * PATIENCE_S)
    monkeypatch.setattr("gptgate.storage.sequencer.BACKOFF_S", 10 * PATIENCE_S)
    records.add(["a"])
    sequencer = records.sequencer()
    with monkeypatch.context() as patch:
        if is_at_fault:

            def act(_at: int, _work: Callable[[], None]) -> None:
                raise OSError(28, "No space left on device")

            steps(patch, act)
        sequencer.start()
        wait_until(lambda: sequencer.fault if is_at_fault else sequencer.size)
    records.add(["b"])
    assert sequencer.stop(PATIENCE_S)
    assert sequencer.fault == ""
    check(records)


def test_a_thread_that_ends_by_a_defect_says_so(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    records.add(["a"])
    sequencer = records.sequencer()

    def fail(_: object) -> None:
        raise TypeError("not a batch")

    monkeypatch.setattr(sequencer, "_planned", fail)
    sequencer.start()
    assert sequencer.stop(PATIENCE_S)
    assert sequencer.fault == "the audit log has ended: TypeError: not a batch"
    assert len(told) == 1


def test_the_thread_says_what_is_wrong_and_recovers(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.storage.sequencer.BACKOFF_S", 0.01)
    records.add(["a"])
    with monkeypatch.context() as patch:

        def act(_at: int, _work: Callable[[], None]) -> None:
            raise OSError(28, "No space left on device")

        steps(patch, act)
        sequencer = records.sequencer()
        sequencer.start()
        wait_until(lambda: sequencer.fault)
        assert "No space left" in sequencer.fault
    assert sequencer.stop(PATIENCE_S)
    assert sequencer.fault == ""
    check(records)


def test_records_that_are_older_than_the_log_are_refused(records: Records) -> None:
    records.add(["a"])
    sequence(records)
    with closing(sqlite3.connect(records.path)) as connection, connection:
        connection.execute("DELETE FROM log_batches")
    with pytest.raises(StorageError, match="do not know of the 2 entries"):
        records.sequencer()


def test_a_log_that_was_removed_is_not_written_anew(records: Records) -> None:
    for name in ("a", "b"):
        records.add([name])
        sequence(records)
    shutil.rmtree(records.files.path)
    with pytest.raises(StorageError, match="an audit log that is gone"):
        records.sequencer()


def test_the_log_of_a_key_that_is_gone_or_swapped_is_not_opened(tmp_path: Path) -> None:
    records = Records(tmp_path / "data")
    records.add(["a"])
    sequencer = Sequencer(records.path, records.files, open_audit_log(records.files), busy_ms=1000)
    sequencer.start()
    assert sequencer.stop(PATIENCE_S)
    key = tmp_path / "data" / "log.key"
    seed = key.read_bytes()
    key.unlink()
    with pytest.raises(StorageError, match=r"no log\.key"):
        open_audit_log(records.files)
    assert not key.exists()
    key.write_bytes(b"\x01" * 32)
    with pytest.raises(StorageError, match=r"log\.key is not the key that signed"):
        open_audit_log(records.files)
    key.write_bytes(seed)
    assert open_audit_log(records.files).size == 2


@pytest.mark.parametrize("missing", [1, PIECE, PIECE + 1])
def test_a_missing_row_stops_the_log(records: Records, missing: int) -> None:
    records.add([f"r{number}" for number in range(PIECE + 3)])
    with closing(sqlite3.connect(records.path)) as connection, connection:
        connection.execute("DELETE FROM ends WHERE seq = ?", (missing,))
    sequencer = records.sequencer()
    sequencer.start()
    sequencer.stop(PATIENCE_S)
    assert "records are missing" in sequencer.fault
    assert records.entries() == []


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    seed = load_or_make_seed(tmp_path)
    assert load_or_make_seed(tmp_path) == seed
    assert (tmp_path / "log.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "log.key").write_bytes(b"short")
    with pytest.raises(ValueError, match=r"log\.key"):
        load_or_make_seed(tmp_path)


def test_files_are_for_their_owner_only(records: Records) -> None:
    records.add(["a"])
    sequence(records)
    modes = {path: path.stat().st_mode & 0o777 for path in LogFolder(records.path.parent).path.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_the_lag_is_what_is_durable_and_not_in_the_log(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.storage.sequencer.MAX_BATCH", 10)
    records.add([f"r{number}" for number in range(25)])
    sequencer = records.sequencer()
    since = sequencer.waiting_since_ns
    assert since > 0
    with closing(sqlite3.connect(records.path, isolation_level=None)) as connection:
        lags = []
        while sequencer._step(connection):
            lags.append((sequencer.lag_rows, sequencer.waiting_since_ns == since, sequencer._more))
        assert lags == [(30, True, True), (10, True, True), (0, False, False)]
        assert sequencer.waiting_since_ns == 0
        # Hearsay is put right by the next look.
        sequencer.wake(7)
        sequencer.wake(7)
        assert sequencer.lag_rows == 14
        assert sequencer.waiting_since_ns > since
        assert not sequencer._step(connection)
        assert (sequencer.lag_rows, sequencer.waiting_since_ns) == (0, 0)


def test_the_lag_grows_as_long_as_the_log_cannot_be_written(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    records.add(["a"])
    sequencer = records.sequencer()
    since = sequencer.waiting_since_ns
    with closing(sqlite3.connect(records.path, isolation_level=None)) as connection:
        with monkeypatch.context() as patch:

            def act(_at: int, _work: Callable[[], None]) -> None:
                raise OSError(28, "No space left on device")

            steps(patch, act)
            for _ in range(2):
                with pytest.raises(OSError, match="No space"):
                    sequencer._step(connection)
                assert (sequencer.lag_rows, sequencer.waiting_since_ns) == (2, since)
        assert sequencer._step(connection)
    assert (sequencer.lag_rows, sequencer.waiting_since_ns) == (0, 0)
