"""Approvals, changed by somebody who can write to their file, and what `gptgate audit verify` says of it."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import Records, sequence, unverified
from gptgate.core.approvals import Approval, ApprovalState, Subject
from gptgate.core.events import encode_event
from gptgate.storage.approvals import APPROVALS_NAME, ApprovalStore
from gptgate.storage.rows import INSERT_INTENT, intent_values, next_seq
from gptgate.storage.schema import connect
from storage_samples import intent


def held_up(name: str, digest: str) -> Approval:
    subject = Subject(app="shop", endpoint="chat", model="m", digest=digest, rules=("ask",))
    state = ApprovalState.PENDING
    return Approval(id=name, subject=subject, key_id="k", end_user="ada", state=state, created_ms=0, expires_ms=0)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Approvals that wait, are given, used and rejected; what asked for them, and every decision, is in the log."""
    folder = tmp_path_factory.mktemp("approvals")
    records = Records(folder)
    with ApprovalStore(folder) as store:
        for number, name in enumerate(("waits", "given", "used", "rejected", "taken", "killed")):
            asked = held_up(name, str(number) * 64)
            store.ask(asked, 5)
            if name == "killed":
                continue
            with closing(connect(records.path, busy_ms=1000)) as connection:
                record = intent(
                    name, app="shop", endpoint="chat", key_id="k", end_user="ada", request_digest=asked.subject.digest
                )
                values = intent_values(next_seq(connection), record, encode_event(record), None)
                connection.execute(INSERT_INTENT, values)
        for name in ("given", "used", "rejected"):
            store.decide(name, approve=name != "rejected", by="eve", user="root", now_ms=9, expires_ms=100)
        store.decide("taken", approve=True, by="eve", user="root", now_ms=9, expires_ms=100)
        store.decide("taken", approve=False, by="ada", user="root", now_ms=10, expires_ms=0)
        assert store.claim(held_up("used", "2" * 64).subject, "r9", 20) is not None
    sequence(records)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "data")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def change(folder: Path, statement: str, name: str = APPROVALS_NAME) -> None:
    with closing(sqlite3.connect(folder / name)) as connection, connection:
        connection.execute(statement)


def test_what_people_decided_is_verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert unverified(folder) == ""
    assert "before decisions left events" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE approvals SET state = 'approved', decided_by = 'eve', decided_ms = 9 WHERE id = 'waits'",
            "approval waits: no event tells of its decision",
        ),
        ("UPDATE approvals SET state = 'approved' WHERE id = 'waits'", "approval waits: no event tells"),
        ("UPDATE approvals SET state = 'approved' WHERE id = 'rejected'", "approval rejected: it may pass, or has"),
        ("UPDATE approvals SET decided_by = 'bob' WHERE id = 'used'", "approval used: no event tells"),
        ("UPDATE approvals SET expires_ms = 101 WHERE id = 'given'", "approval given: no event tells"),
        ("UPDATE approvals SET decided_ms = 10 WHERE id = 'given'", "approval given: no event tells"),
        (
            "UPDATE approvals SET state = 'approved', decided_by = 'eve', decided_ms = 9 WHERE id = 'taken'",
            "approval taken: it may pass, or has passed, although its last event rejects it",
        ),
        (
            "UPDATE approvals SET state = 'used', decided_by = 'eve', decided_ms = 9 WHERE id = 'taken'",
            "approval taken: it may pass, or has passed, although its last event rejects it",
        ),
        ("UPDATE approvals SET rules = '[]' WHERE id = 'given'", "approval given: no event tells"),
        ("UPDATE approvals SET model = 'large' WHERE id = 'given'", "approval given: no event tells"),
        ("UPDATE approvals SET digest = 'other' WHERE id = 'waits'", "approval waits: it is not for the request"),
        ("UPDATE approvals SET app = 'bank' WHERE id = 'waits'", "approval waits: it is not for the request"),
        ("UPDATE approvals SET end_user = '' WHERE id = 'waits'", "approval waits: it is not for the request"),
        ("UPDATE approvals SET state = 'nonsense' WHERE id = 'waits'", "approval waits cannot be read"),
        ("UPDATE approvals SET app = CAST(x'8a' AS TEXT) WHERE id = 'waits'", "approvals.db: "),
        ("DROP TABLE approvals", ""),
    ],
)
def test_what_nobody_decided_is_found_and_named(folder: Path, statement: str, said: str) -> None:
    change(folder, statement)
    assert said in unverified(folder)
    assert bool(unverified(folder)) is bool(said)


def test_a_file_that_is_no_database_any_more_is_named(folder: Path) -> None:
    with (folder / APPROVALS_NAME).open("r+b") as file:
        file.write(b"\x00" * 100)
    assert APPROVALS_NAME in unverified(folder)


def test_decisions_from_before_they_left_events_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    statement = "INSERT INTO events (at_ms, type, body) VALUES (50, 'approvals_logged', CAST('{\"at_ms\":50}' AS BLOB))"
    change(folder, statement, "gptgate.db")
    change(folder, "UPDATE approvals SET state = 'approved', decided_by = 'eve', decided_ms = 49 WHERE id = 'waits'")
    assert unverified(folder) == ""
    assert "decided on before decisions left events: 1." in capsys.readouterr().out
    change(folder, "UPDATE approvals SET decided_ms = 51 WHERE id = 'waits'")
    assert "approval waits: no event tells of its decision" in unverified(folder)


def test_without_their_file_it_is_said_that_nothing_was_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert unverified(folder) == ""
    assert "not compared" not in capsys.readouterr().out
    (folder / APPROVALS_NAME).unlink()
    assert unverified(folder) == ""
    assert "not compared because approvals.db has them not: 4." in capsys.readouterr().out


def test_a_decision_whose_approval_was_deleted_is_not_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ApprovalStore(folder) as store:
        store.ask(held_up("new", "9" * 64), now_ms())
        store.decide("new", approve=True, by="eve", user="root", now_ms=now_ms(), expires_ms=now_ms() + 60_000)
    assert unverified(folder) == ""
    change(folder, "DELETE FROM approvals")
    capsys.readouterr()
    assert unverified(folder) == ""
    assert "not compared because approvals.db has them not: 1." in capsys.readouterr().out


def passed(folder: Path, approval: str, *, at_ms: int, digest: str = "2" * 64) -> None:
    """A request that was let pass by this approval is on record, and in the log."""
    with closing(connect(folder / "gptgate.db", busy_ms=1000)) as connection:
        record = intent(
            f"by-{approval}",
            app="shop",
            at_ms=at_ms,
            request_digest=digest,
            effect="require_approval",
            approval=approval,
            approved_by="eve",
        )
        connection.execute(INSERT_INTENT, intent_values(next_seq(connection), record, encode_event(record), None))


def logged_since(folder: Path, at_ms: int) -> None:
    body = f'{{"at_ms":{at_ms}}}'
    values = f"({at_ms}, 'approvals_logged', CAST('{body}' AS BLOB))"
    change(folder, f"INSERT INTO events (at_ms, type, body) VALUES {values}", "gptgate.db")


def test_a_permit_that_nobody_gave_is_found_by_its_use_when_it_is_gone(folder: Path) -> None:
    passed(folder, "used", at_ms=20)
    assert unverified(folder) == ""
    passed(folder, "forged", at_ms=21)
    assert "request by-forged passed by approval forged, and no event tells" in unverified(folder)


def test_a_permit_for_another_request_is_found_by_its_use(folder: Path) -> None:
    passed(folder, "used", at_ms=20, digest="9" * 64)
    assert "request by-used passed by approval used, and no event tells" in unverified(folder)


def test_what_passed_around_an_upgrade_needs_a_request_from_before(folder: Path) -> None:
    logged_since(folder, 10**15)
    passed(folder, "long-gone", at_ms=10**15 - 1)
    passed(folder, "waits", at_ms=10**15 + 1)
    assert unverified(folder) == ""
    passed(folder, "forged", at_ms=10**15 + 1)
    assert "request by-forged passed by approval forged, and no event tells" in unverified(folder)


def test_a_permit_from_before_that_no_request_asked_for_is_named(folder: Path) -> None:
    logged_since(folder, 10**15)
    change(folder, "UPDATE approvals SET state = 'approved', decided_by = 'eve', decided_ms = 5 WHERE id = 'killed'")
    assert "approval killed: no event tells of its decision" in unverified(folder)
