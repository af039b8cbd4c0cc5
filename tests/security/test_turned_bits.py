"""A thousand single bits, turned at random in all files of a store that stopped in order: none goes unnoticed."""

import os
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from audit_logs import SIGNER, Records, sequence, unverified
from gptgate.cli.audit_verify import verify
from gptgate.cli.failure import CommandError
from gptgate.cli.main import execute
from gptgate.core.approvals import Approval, ApprovalState, Subject
from gptgate.storage.approvals import APPROVALS_NAME, ApprovalStore, read_approvals
from gptgate.storage.auditors import add_auditor
from gptgate.storage.erasure import Erasure, erase
from gptgate.storage.errors import StorageError
from gptgate.storage.fingerprints import SECRETS, FileCheck, renewing, take_fingerprints
from gptgate.storage.folder import LOCK_NAME, FolderLock, admin_token, content_secret, rewriting_secret
from gptgate.storage.log_folder import KEY_NAME
from gptgate.storage.schema import FINGERPRINTS_NAME, connect
from harness import CONFIG, make_key, write_config

COUNT = int(os.environ.get("GPTGATE_FLIPS", "1000"))
NOTHING = {LOCK_NAME, "gptgate.db-wal", "gptgate.db-shm", "approvals.db-wal", "approvals.db-shm"}
"""The lock says nothing; the others are empty, or made anew, where no gateway runs."""


TOKENS: list[str] = []
"""Of the auditor in the store."""


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with records, keys, auditors, approvals and an erasure behind it, as a gateway leaves it."""
    folder = tmp_path_factory.mktemp("store")
    records = Records(folder)
    (folder / KEY_NAME).write_bytes(b"\x07" * 32)
    for make in (admin_token, content_secret, rewriting_secret):
        make(folder)
    make_key(folder, app="shop")
    TOKENS[:] = [add_auditor(folder, "ada", 1, "test")]
    with ApprovalStore(folder) as approvals:
        subject = Subject(app="shop", endpoint="chat", model="m", digest="d", rules=("r",))
        approvals.ask(
            Approval(
                id="a1",
                subject=subject,
                key_id="k",
                end_user="",
                state=ApprovalState.PENDING,
                created_ms=1,
                expires_ms=2,
            ),
            time.time_ns() // 1_000_000,
        )
    records.add([f"r{number}" for number in range(150)])
    erase(folder, Erasure(request_id="r7"), 1, "test")
    sequence(records)
    records.files.keep_witnessed("w1", records.files.read("checkpoint"))
    take_fingerprints(folder)
    return folder


@contextmanager
def turned(path: Path, at: int, bit: int) -> Iterator[None]:
    def turn() -> None:
        with path.open("r+b", buffering=0) as file:
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 1 << bit]))

    turn()
    try:
        yield
    finally:
        turn()


def places(folder: Path) -> Iterator[tuple[Path, int, int]]:
    """Bits of the store, each as likely as any other, and of every file some."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in NOTHING]
    sizes = [path.stat().st_size for path in files]
    choose = random.Random(5)
    chosen = [*range(len(files)), *choose.choices(range(len(files)), sizes, k=COUNT)]
    for number in chosen:
        yield files[number], choose.randrange(sizes[number]), choose.randrange(8)


def fingerprint_differs(folder: Path) -> bool:
    """One of the things that `audit verify` looks at, and the fastest."""
    with FileCheck(folder) as check:
        return check.compare().wrong != ""


def test_no_turned_bit_of_a_stopped_store_goes_unnoticed(stopped: Path) -> None:
    assert unverified(stopped) == ""
    turns: Counter[str] = Counter()
    missed = []
    for number, (path, at, bit) in enumerate(places(stopped)):
        turns[path.name] += 1
        with turned(path, at, bit):
            fast = number % 10 != 0 and fingerprint_differs(stopped)
            if not fast and unverified(stopped) == "":
                missed.append(f"{path.relative_to(stopped)}: bit {bit} of byte {at}")
    assert missed == []
    assert turns["gptgate.db"] > COUNT / 2
    assert {KEY_NAME, FINGERPRINTS_NAME, APPROVALS_NAME, "checkpoint", "w1", "admin.token"} < turns.keys()
    assert unverified(stopped) == ""


def test_what_is_turned_in_space_that_no_table_uses_is_named(stopped: Path) -> None:
    path = stopped / "gptgate.db"
    # The first page's cells begin far behind its list of them.
    with turned(path, 1000, 0):
        said = unverified(stopped)
    assert said.startswith("not verified: gptgate.db is not what it was when files.sha256 was written")


@pytest.mark.parametrize(
    "damage", [b"", b"no digest  gptgate.db\n", b"0" * 64 + b"  gptgate.dc\n", b"0" * 64 + b" gptgate.db\n"]
)
def test_damaged_fingerprints_are_named(stopped: Path, damage: bytes) -> None:
    path = stopped / FINGERPRINTS_NAME
    good = path.read_bytes()
    path.write_bytes(damage)
    said = unverified(stopped)
    path.write_bytes(good)
    assert said == f"not verified: {FINGERPRINTS_NAME} is damaged"


@pytest.fixture
def copy(stopped: Path, tmp_path: Path) -> Path:
    """Without the empty write-ahead log that a reader leaves."""
    folder = tmp_path / "copy"
    shutil.copytree(stopped, folder, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    return folder


def test_an_auditors_copy_needs_no_secrets(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (KEY_NAME, "admin.token", "rewriting.secret", "content.key"):
        (copy / name).unlink()
    assert unverified(copy) == ""
    said = capsys.readouterr().out
    assert "because they are not in this copy: log.key, admin.token, rewriting.secret, content.key." in said


@pytest.mark.parametrize(
    "name", [KEY_NAME, "admin.token", "content.key", "gptgate.db", APPROVALS_NAME, "log/checkpoint", "log/witness/w1"]
)
def test_a_file_that_is_gone_is_named(copy: Path, name: str) -> None:
    """One of the secrets too: only a folder that has none of them can be an auditor's."""
    (copy / name).unlink()
    with FileCheck(copy) as check:
        assert name in (check.compare().wrong, *check.compare().gone) or check.compare().wrong.startswith(name)
    assert unverified(copy) != ""


def test_a_copy_without_secrets_is_taken_for_one_only_with_a_key_from_elsewhere(copy: Path) -> None:
    for name in SECRETS:
        (copy / name).unlink()
    with pytest.raises(CommandError, match="key cannot be read"):
        verify(proof=None, key=None, checkpoint=None, witness_key=None, data=copy)


def test_what_writes_takes_the_fingerprints_away(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(connect(copy / "gptgate.db", busy_ms=1000)) as connection:
        assert not (copy / FINGERPRINTS_NAME).exists()
        with pytest.raises(StorageError, match=r"gptgate\.db is in use"):
            take_fingerprints(copy)
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'data_keys'")
    assert unverified(copy) == ""
    said = capsys.readouterr().out
    assert "Not vouched for: space of the databases that no row uses (0 bytes of gptgate.db in free pages" in said
    assert "for admin.token, rewriting.secret, content.key. A gateway runs" in said
    connect(copy / "gptgate.db", busy_ms=1000).close()
    take_fingerprints(copy)
    assert not fingerprint_differs(copy)


COMMANDS = {
    "keys create": ["keys", "create", "--app", "demo"],
    "keys revoke": ["keys", "revoke", "KEY"],
    "approvals reject": ["approvals", "reject", "a1"],
    "audit erase": ["audit", "erase", "--id", "r9", "--yes"],
    "auditors add": ["audit", "auditors", "add", "bob"],
    "auditors remove": ["audit", "auditors", "remove", "ada"],
    "audit seal": ["audit", "seal"],
    "audit show": ["audit", "show", "r3", "--content"],
    "audit search": ["audit", "search", "--contains", "asked"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_writes_leaves_fingerprints_where_there_were_right_ones(
    copy: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTGATE_AUDITOR_TOKEN", TOKENS[0])
    write_config(copy, CONFIG, simulator="http://127.0.0.1:1")
    with closing(connect(copy / "gptgate.db", busy_ms=1000, read_only=True)) as connection:
        ((key_id,),) = connection.execute("SELECT id FROM keys").fetchall()
    before = (copy / FINGERPRINTS_NAME).read_bytes()
    arguments = [key_id if one == "KEY" else one for one in COMMANDS[name]]
    assert execute([*arguments, "--data", str(copy)]) == 0
    assert "was not written down" not in capsys.readouterr().err
    assert (copy / FINGERPRINTS_NAME).read_bytes() != before
    assert unverified(copy) == ""
    assert "Every byte of the files is what it was" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    "keys list,approvals list,approvals show a1,audit auditors list,audit search,audit index,audit trace r3,"
    "audit show r3,audit export,audit verify --key KEY,usage".split(","),
)
def test_a_command_that_only_reads_leaves_them_alone(copy: Path, command: str) -> None:
    before = (copy / FINGERPRINTS_NAME).read_bytes()
    arguments = command.replace("KEY", str(SIGNER.key)).split(" ")
    assert execute([*arguments, "--data", str(copy)]) == 0
    assert (copy / FINGERPRINTS_NAME).read_bytes() == before
    assert not fingerprint_differs(copy)
    take_fingerprints(copy)


def test_a_command_never_takes_what_is_damaged_for_right(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with turned(copy / "gptgate.db", 1000, 0):
        assert execute(["audit", "auditors", "remove", "ada", "--data", str(copy)]) == 0
        assert "gptgate.db is not what it was when files.sha256 was written" in capsys.readouterr().err
        assert not (copy / FINGERPRINTS_NAME).exists()


def test_a_command_does_not_make_what_is_gone_forgotten(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = copy / "rewriting.secret"
    kept = secret.read_bytes()
    secret.unlink()
    assert unverified(copy).startswith("not verified: rewriting.secret is gone")
    assert execute(["audit", "auditors", "remove", "ada", "--data", str(copy)]) == 0
    assert "rewriting.secret is gone" in capsys.readouterr().err
    assert unverified(copy).startswith("not verified: rewriting.secret is gone")
    secret.write_bytes(kept)
    assert unverified(copy) == ""
    assert "Every byte of the files is what it was" in capsys.readouterr().out


def test_a_command_beside_a_gateway_takes_none(copy: Path) -> None:
    with closing(connect(copy / "gptgate.db", busy_ms=1000)):
        assert execute(["audit", "auditors", "remove", "ada", "--data", str(copy)]) == 0
    assert not (copy / FINGERPRINTS_NAME).exists()


def test_a_gateway_that_starts_meanwhile_keeps_a_command_from_taking_any(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with renewing(copy, said.append):
        (copy / FINGERPRINTS_NAME).unlink()
        lock = FolderLock(copy)
    lock.release()
    (line,) = said
    assert "what the files are now was not written down: another gateway" in line
    assert not (copy / FINGERPRINTS_NAME).exists()


def test_the_empty_write_ahead_log_of_a_reader_keeps_nobody_from_taking_them(copy: Path) -> None:
    read_approvals(copy, 1)
    assert (copy / f"{APPROVALS_NAME}-wal").exists()
    take_fingerprints(copy)
    assert not fingerprint_differs(copy)


def test_a_file_that_is_too_large_for_the_time_of_a_stop_leaves_none(copy: Path) -> None:
    (copy / FINGERPRINTS_NAME).unlink()
    with pytest.raises(StorageError, match="too large"):
        take_fingerprints(copy, deadline_s=-1)
    assert not (copy / FINGERPRINTS_NAME).exists()


def test_records_that_something_else_wrote_since_are_named(copy: Path) -> None:
    with closing(sqlite3.connect(copy / "gptgate.db")) as connection:
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'data_keys'")
        connection.commit()
        assert "something else than gptgate, or an older gptgate, has written to gptgate.db" in unverified(copy)


def test_what_gptgate_writes_meanwhile_is_no_alarm(copy: Path) -> None:
    with FileCheck(copy) as check:
        make_key(copy, app="shop")
        found = check.compare()
    assert (found.wrong, found.taken) == ("", False)


def test_a_gateway_that_ran_and_stopped_meanwhile_is_no_alarm(copy: Path) -> None:
    with FileCheck(copy) as check:
        make_key(copy, app="shop")
        take_fingerprints(copy)
        found = check.compare()
    assert (found.wrong, found.taken) == ("", False)
    assert not fingerprint_differs(copy)


def test_a_write_ahead_log_that_came_with_a_writer_is_no_alarm(copy: Path) -> None:
    with closing(sqlite3.connect(copy / "gptgate.db")) as connection:
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'data_keys'")
        connection.commit()
        with FileCheck(copy) as check:
            # As if the fingerprints were taken away between the two looks at the folder.
            (copy / FINGERPRINTS_NAME).unlink()
            found = check.compare()
    assert (found.wrong, found.taken) == ("", False)


def test_an_older_gptgate_is_named_where_it_may_have_written(stopped: Path) -> None:
    with turned(stopped / "gptgate.db", 1000, 0):
        assert unverified(stopped).endswith("some of its bytes were changed, or an older gptgate wrote to it")
    with turned(stopped / "admin.token", 1, 0):
        assert unverified(stopped).endswith("some of its bytes were changed")
