"""Records in a folder that nothing can be written to: an auditor's copy, or a read-only file system."""

import errno
import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import SIGNER, Records, sequence, unverified
from gptgate.cli.failure import UNVERIFIED, USAGE
from gptgate.cli.main import execute
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
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
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


def verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code of `gptgate audit verify`, the line that it failed with and the hint."""
    code = execute(["audit", "verify", "--data", str(folder), "--key", str(SIGNER.key)])
    failure, hint = capsys.readouterr().err.splitlines()
    return code, failure, hint


def test_an_index_without_its_write_ahead_log_is_said_and_is_no_tampering(
    records: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    with closing(connect(records.path, busy_ms=1000)) as connection:
        connection.execute("UPDATE meta SET value = value + 1")
        shutil.copytree(records.path.parent, copy, ignore=shutil.ignore_patterns("*-wal"))
    code, failure, hint = verified(copy, capsys)
    assert code == USAGE
    assert failure == (
        f"gptgate: could not check: {copy}/gptgate.db-wal is missing, although gptgate.db-shm is there: "
        "the newest rows may be in it"
    )
    assert hint.startswith("hint: copy the folder again, with gptgate.db-wal")


@pytest.mark.parametrize("name", ["gptgate.db", "gptgate.db-wal", "gptgate.db-shm"])
@pytest.mark.parametrize("writable", [True, False])
def test_a_file_that_this_user_cannot_read_is_said_and_is_no_tampering(
    records: Records,
    name: str,
    writable: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def allowed(path: Path, mode: int) -> bool:
        return writable if mode == os.W_OK else Path(path).name != name

    monkeypatch.setattr(os, "access", allowed)
    with closing(connect(records.path, busy_ms=1000)) as connection:
        connection.execute("UPDATE meta SET value = value + 1")
        code, failure, hint = verified(records.path.parent, capsys)
        assert code == USAGE
        assert failure == f"gptgate: could not check: {records.path.parent}/{name} cannot be read by this user"
        assert hint.startswith("hint: run this as the gateway's user, or name a copy")
        # Other commands say it too.
        assert execute(["audit", "search", "--data", str(records.path.parent)]) == 1
        assert "hint: run this as the gateway's user" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/4", "witness"])
def test_a_file_of_the_log_that_this_user_cannot_read_is_said_and_is_no_tampering(
    records: Records, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, read = records.path.parent, Path.read_bytes
    records.files.keep_witnessed("w1", records.files.read("checkpoint"))
    shutil.copy(folder / "log" / "checkpoint", folder / "kept")

    def refuse(path: Path) -> bytes:
        if str(path).startswith(f"{folder}/log/{name}"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    code, failure, hint = verified(folder, capsys)
    assert (code, hint) == (USAGE, "hint: run this as the gateway's user")
    assert failure.startswith(f"gptgate: could not check: {folder}/log/{name}")
    arguments = ["audit", "consistency", str(folder / "kept"), "--data", str(folder), "--key", str(SIGNER.key)]
    assert execute(arguments) == (0 if name == "witness" else USAGE)


def test_a_folder_that_is_not_a_gateways_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--key", str(SIGNER.key)], []):
        assert execute(["audit", "verify", "--data", str(tmp_path / "none"), *arguments]) == USAGE
        assert capsys.readouterr().err == (
            f"gptgate: there is no folder {tmp_path}/none\nhint: name the data folder with --data\n"
        )
    code, failure, _ = verified(tmp_path, capsys)
    assert (code, failure) == (USAGE, f"gptgate: there is neither gptgate.db nor log in {tmp_path}")


def test_a_log_that_was_removed_from_beside_its_records_is_no_wrong_usage(
    records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = records.path.parent
    shutil.rmtree(folder / "log")
    assert execute(["audit", "verify", "--data", str(folder), "--key", str(SIGNER.key)]) == UNVERIFIED
    assert "not verified: there is no checkpoint" in capsys.readouterr().err


def test_a_database_that_changes_during_a_verification_was_not_checked(
    records: Records, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sums = LogCheck.money

    def money(check: LogCheck) -> str:
        write(records.path)
        return sums(check)

    monkeypatch.setattr(LogCheck, "money", money)
    code, failure, hint = verified(records.path.parent, capsys)
    assert (code, hint) == (USAGE, "hint: try again")
    assert failure == "gptgate: could not check: gptgate.db was changed while it was read"
