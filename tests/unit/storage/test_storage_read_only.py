"""Records in a folder that nothing can be written to: an auditor's copy, or a read-only file system."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import Records, sequence, unverified
from gptgate.storage.errors import StorageError
from gptgate.storage.queries import SqliteReader
from gptgate.storage.schema import connect


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
