"""Records in a folder that nothing can be written to: an auditor's copy, or a read-only file system."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import Records, sequence, unverified
from gptgate.storage.errors import StorageError
from gptgate.storage.log_check import LogCheck
from gptgate.storage.queries import SqliteReader
from gptgate.storage.schema import connect

CHANGED = r"^gptgate\.db was changed while it was read$"


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """A store; from now on no folder can be written to, as far as anybody asks: tests may run as root, who may all."""
    found = Records(tmp_path / "data")
    found.add(["r1", "r2"])
    sequence(found)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    return found


def test_it_is_verified_and_read_and_gets_no_files(records: Records) -> None:
    folder = records.path.parent
    before = sorted(path.name for path in folder.iterdir())
    assert unverified(folder) == ""
    with SqliteReader(folder) as reader:
        assert reader.show("r1") is not None
    assert sorted(path.name for path in folder.iterdir()) == before


def test_rows_that_only_the_write_ahead_log_has_need_another_place(records: Records, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with closing(connect(records.path, busy_ms=1000)) as connection:
        connection.execute("UPDATE meta SET value = value + 1")
        shutil.copytree(records.path.parent, copy, ignore=shutil.ignore_patterns("*-shm"))
    with pytest.raises(
        StorageError, match=r"gptgate\.db has a write-ahead log, which cannot be read in a folder"
    ) as found:
        SqliteReader(copy)
    assert "copy the folder, with gptgate.db-wal" in found.value.hint


def test_what_a_gateway_uses_is_read_beside_it(records: Records) -> None:
    with closing(connect(records.path, busy_ms=1000)) as connection:
        connection.execute("INSERT INTO events (at_ms, type, body) VALUES (1, 'a', x'7b7d')")
        with closing(connect(records.path, busy_ms=1000, read_only=True)) as reader:
            assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)


def write(path: Path) -> None:
    """As somebody who may: the folder's owner, or root."""
    with closing(connect(path, busy_ms=1000)) as connection:
        connection.execute("INSERT INTO events (at_ms, type, body) VALUES (1, 'a', x'7b7d')")


def test_an_answer_out_of_what_somebody_else_wrote_to_meanwhile_is_none(records: Records) -> None:
    reader = SqliteReader(records.path.parent)
    assert reader.show("r1") is not None
    write(records.path)
    with pytest.raises(StorageError, match=CHANGED):
        reader.close()


def test_it_is_said_instead_of_what_went_wrong_by_it(records: Records) -> None:
    def check() -> None:
        with LogCheck(records.path.parent) as opened:
            with records.path.open("r+b") as file:
                file.seek(4096)
                file.write(b"\xff" * (records.path.stat().st_size - 4096))
            for _ in opened.rows(1):
                raise AssertionError("a row of a database without any")

    with pytest.raises(StorageError, match=CHANGED) as found:
        check()
    assert "malformed" in str(found.value.__context__)


def test_a_writer_that_is_still_there_is_seen(records: Records) -> None:
    reader = connect(records.path, busy_ms=1000, read_only=True)
    with closing(connect(records.path, busy_ms=1000)) as writer:
        writer.execute("INSERT INTO events (at_ms, type, body) VALUES (1, 'a', x'7b7d')")
        with pytest.raises(StorageError, match=CHANGED):
            reader.close()


def test_a_database_that_was_replaced_or_removed_is_seen(records: Records, tmp_path: Path) -> None:
    shutil.copy2(records.path, tmp_path / "same")
    reader = connect(records.path, busy_ms=1000, read_only=True)
    (tmp_path / "same").replace(records.path)
    with pytest.raises(StorageError, match=CHANGED):
        reader.close()
    reader = connect(records.path, busy_ms=1000, read_only=True)
    records.path.unlink()
    with pytest.raises(StorageError, match=CHANGED):
        reader.close()


def test_a_folder_that_cannot_be_looked_at_again_is_said(records: Records, tmp_path: Path) -> None:
    folder = records.path.parent
    reader = connect(records.path, busy_ms=1000, read_only=True)
    folder.rename(tmp_path / "elsewhere")
    folder.write_bytes(b"")
    with pytest.raises(StorageError, match=r"gptgate\.db cannot be looked at again: Not a directory"):
        reader.close()
