"""The sentences of `gptgate.core.ports.Approvals`, for every implementation; and what the file promises besides."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gptgate.core.approvals import Approval, ApprovalState, Subject
from gptgate.core.errors import GuardFailed
from gptgate.core.ports import Approvals
from gptgate.storage.approval_desk import ApprovalDesk
from gptgate.storage.approvals import APPROVALS_NAME, KEPT_MS, MAX_PENDING, PENDING_MS, ApprovalStore, read_approvals
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import DATABASE_NAME, create_folder
from gptgate.storage.schema import FINGERPRINTS_NAME, connect, migrate

NOW = 1_800_000_000_000
HOUR = 3_600_000
SUBJECT = Subject(app="demo", endpoint="chat", model="m", digest="d" * 64, rules=("r1", "r2"))
CLAIM = """
import sys, pathlib
from gptgate.core.approvals import Subject
from gptgate.storage.approvals import ApprovalStore
subject = Subject(app="demo", endpoint="chat", model="m", digest="d" * 64, rules=("r1", "r2"))
store = ApprovalStore(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print("got" if store.claim(subject, sys.argv[2], int(sys.argv[3])) else "none", flush=True)
sys.stdin.readline()
"""


def asked(request_id: str = "a1", subject: Subject = SUBJECT) -> Approval:
    return Approval(
        id=request_id,
        subject=subject,
        key_id="k",
        end_user="ada",
        state=ApprovalState.PENDING,
        created_ms=0,
        expires_ms=0,
    )


def approve(folder: Path, approval_id: str, now_ms: int = NOW, life_ms: int = HOUR) -> None:
    with ApprovalStore(folder) as store:
        store.decide(approval_id, approve=True, by="eve", user="root", now_ms=now_ms, expires_ms=now_ms + life_ms)


@pytest.fixture(autouse=True)
def records(tmp_path: Path) -> None:
    """What decisions leave their events in."""
    with closing(connect(create_folder(tmp_path), busy_ms=1000)) as connection:
        migrate(connection)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Approvals]:
    desk = ApprovalDesk(tmp_path)
    yield desk
    desk.close()


async def test_without_a_permit_there_is_nothing_to_claim(desk: Approvals) -> None:
    assert await desk.claim(SUBJECT, "r", NOW) is None
    await desk.ask(asked(), NOW)
    assert await desk.claim(SUBJECT, "r", NOW) is None


async def test_the_same_subject_waits_once(desk: Approvals) -> None:
    first = await desk.ask(asked("a1"), NOW)
    again = await desk.ask(asked("a2"), NOW + 5)
    assert first is not None
    assert again == first
    assert (first.id, first.state, first.expires_ms) == ("a1", ApprovalState.PENDING, NOW + PENDING_MS)


async def test_of_any_number_of_claims_one_gets_the_permit(desk: Approvals, tmp_path: Path) -> None:
    await desk.ask(asked(), NOW)
    approve(tmp_path, "a1")
    got = await asyncio.gather(*(desk.claim(SUBJECT, f"r{n}", NOW + 1) for n in range(20)))
    (permit,) = [one for one in got if one is not None]
    assert (permit.id, permit.decided_by, permit.state) == ("a1", "eve", ApprovalState.USED)
    assert await desk.claim(SUBJECT, "later", NOW + 2) is None


def test_of_claims_in_many_processes_one_gets_the_permit_and_death_does_not_give_it_back(tmp_path: Path) -> None:
    with ApprovalStore(tmp_path) as store:
        store.ask(asked(), NOW)
    approve(tmp_path, "a1")
    command = [sys.executable, "-c", CLAIM, str(tmp_path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    racers = [subprocess.Popen([*command, f"r{n}", str(NOW + 1)], **pipes) for n in range(4)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.stdout.readline().strip() for racer in racers if racer.stdout is not None]
    for racer in racers:
        racer.kill()
        racer.communicate()
    assert sorted(told) == ["got", "none", "none", "none"]
    with ApprovalStore(tmp_path) as store:
        assert store.claim(SUBJECT, "after", NOW + 2) is None
        (found,) = read_approvals(tmp_path, NOW + 2)
        assert (found.state, found.used_by) == (ApprovalState.USED, f"r{told.index('got')}")


@pytest.mark.parametrize(
    "other",
    [
        {"app": "other"},
        {"endpoint": "messages"},
        {"model": "other"},
        {"digest": "e" * 64},
        {"rules": ("r1",)},
        {"rules": ("r2", "r1")},
    ],
    ids=str,
)
async def test_a_permit_is_for_its_subject_alone(desk: Approvals, tmp_path: Path, other: dict[str, Any]) -> None:
    await desk.ask(asked(), NOW)
    approve(tmp_path, "a1")
    assert await desk.claim(replace(SUBJECT, **other), "r", NOW + 1) is None
    assert await desk.claim(SUBJECT, "r", NOW + 1) is not None


async def test_a_permit_ends(desk: Approvals, tmp_path: Path) -> None:
    await desk.ask(asked(), NOW)
    approve(tmp_path, "a1", life_ms=1000)
    assert await desk.claim(SUBJECT, "r", NOW + 1000) is None
    anew = await desk.ask(asked("a2"), NOW + 1000)
    assert anew is not None
    assert anew.id == "a2"


async def test_what_is_given_back_can_be_used_once_more_by_whoever_asks(desk: Approvals, tmp_path: Path) -> None:
    await desk.ask(asked(), NOW)
    approve(tmp_path, "a1")
    await desk.claim(SUBJECT, "r1", NOW + 1)
    await desk.give_back("a1", "somebody else")
    assert await desk.claim(SUBJECT, "r2", NOW + 2) is None
    await desk.give_back("a1", "r1")
    assert await desk.claim(SUBJECT, "r2", NOW + 2) is not None
    await desk.give_back("a1", "r1")
    assert await desk.claim(SUBJECT, "r3", NOW + 3) is None


async def test_a_rejection_stands_until_it_expires(desk: Approvals, tmp_path: Path) -> None:
    await desk.ask(asked(), NOW)
    with ApprovalStore(tmp_path) as store:
        store.decide("a1", approve=False, by="eve", user="root", now_ms=NOW, expires_ms=0)
    told = await desk.ask(asked("a2"), NOW + 5)
    assert told is not None
    assert (told.id, told.state, told.decided_by) == ("a1", ApprovalState.REJECTED, "eve")
    assert await desk.claim(SUBJECT, "r", NOW + 5) is None
    anew = await desk.ask(asked("a2"), NOW + PENDING_MS)
    assert anew is not None
    assert anew.id == "a2"


def test_only_what_waits_can_be_decided_on(tmp_path: Path) -> None:
    with ApprovalStore(tmp_path) as store:
        for number in range(3):
            store.ask(asked(f"a{number}", replace(SUBJECT, digest=str(number))), NOW)
        decided: dict[str, Any] = {"by": "eve", "user": "root", "now_ms": NOW + 1, "expires_ms": NOW + HOUR}
        store.decide("a0", approve=True, **decided)
        store.decide("a1", approve=False, **decided)
        for approval_id, reason in (("a1", "is rejected"), ("nobody", "there is no approval")):
            for choice in (True, False):
                with pytest.raises(StorageError, match=reason):
                    store.decide(approval_id, approve=choice, **decided)
        with pytest.raises(StorageError, match="is approved"):
            store.decide("a0", approve=True, **decided)
        with pytest.raises(StorageError, match="is expired"):
            store.decide("a2", approve=True, **decided | {"now_ms": NOW + PENDING_MS})


def test_a_permit_can_be_taken_back_until_it_is_used(tmp_path: Path) -> None:
    rejected: dict[str, Any] = {"approve": False, "by": "ada", "user": "root", "expires_ms": 0}
    with ApprovalStore(tmp_path) as store:
        for number in range(3):
            store.ask(asked(f"a{number}", replace(SUBJECT, digest=str(number))), NOW)
            approve(tmp_path, f"a{number}")
        taken = store.decide("a0", **rejected, now_ms=NOW + 1)
        assert (taken.state, taken.decided_by) == (ApprovalState.REJECTED, "ada")
        assert store.claim(replace(SUBJECT, digest="0"), "r", NOW + 2) is None
        again = store.ask(asked("a9", replace(SUBJECT, digest="0")), NOW + 2)
        assert again is not None
        assert (again.id, again.state) == ("a0", ApprovalState.REJECTED)
        assert store.claim(replace(SUBJECT, digest="1"), "r", NOW + 2) is not None
        with pytest.raises(StorageError, match="is used"):
            store.decide("a1", **rejected, now_ms=NOW + 3)
        with pytest.raises(StorageError, match="is expired"):
            store.decide("a2", **rejected, now_ms=NOW + PENDING_MS)


def test_a_decision_is_on_record_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ApprovalStore(tmp_path) as store:
        store.ask(asked(), NOW)
        with monkeypatch.context() as broken:

            def full(*_: object) -> None:
                raise StorageError("the disk is full")

            broken.setattr("gptgate.storage.approvals.record_event", full)
            with pytest.raises(StorageError, match="the disk is full"):
                approve(tmp_path, "a1")
        (waiting,) = read_approvals(tmp_path, NOW)
        assert waiting.state is ApprovalState.PENDING
        approve(tmp_path, "a1", NOW + 5)
    with closing(connect(tmp_path / DATABASE_NAME, busy_ms=1000, read_only=True)) as connection:
        rows = connection.execute("SELECT type, at_ms, about, body FROM events").fetchall()
    ((kind, at_ms, about, body),) = rows
    assert (kind, at_ms, about) == ("approval_given", NOW + 5, "a1")
    assert json.loads(body) == {
        "approval": "a1",
        "app": "demo",
        "at_ms": NOW + 5,
        "by": "eve",
        "digest": "d" * 64,
        "end_user": "ada",
        "endpoint": "chat",
        "expires_ms": NOW + 5 + HOUR,
        "key_id": "k",
        "model": "m",
        "rules": ["r1", "r2"],
        "user": "root",
    }


def test_a_flood_of_one_app_is_bounded_and_leaves_room_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_PENDING >= 100
    monkeypatch.setattr("gptgate.storage.approvals.MAX_PENDING", 3)
    with ApprovalStore(tmp_path) as store:
        made = [store.ask(asked(f"a{n}", replace(SUBJECT, digest=str(n))), NOW) for n in range(5)]
        assert [one is None for one in made] == [False, False, False, True, True]
        assert store.ask(asked("b", replace(SUBJECT, app="other")), NOW) is not None
        assert store.ask(asked("late", replace(SUBJECT, digest="late")), NOW + PENDING_MS) is not None


def test_what_is_long_over_goes(tmp_path: Path) -> None:
    with ApprovalStore(tmp_path) as store:
        store.ask(asked("old"), NOW)
        later = NOW + PENDING_MS + KEPT_MS + 1
        assert [one.state for one in read_approvals(tmp_path, later)] == [ApprovalState.EXPIRED]
        store.ask(asked("new", replace(SUBJECT, digest="n")), later)
        assert [one.id for one in read_approvals(tmp_path, later)] == ["new"]


def test_the_file_is_its_owner_s_alone_and_a_newer_one_is_left_alone(tmp_path: Path) -> None:
    ApprovalStore(tmp_path).close()
    path = tmp_path / APPROVALS_NAME
    assert path.stat().st_mode & 0o077 == 0
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match="version 99"):
        ApprovalStore(tmp_path)
    with pytest.raises(StorageError, match="version 99"):
        read_approvals(tmp_path, NOW)


def test_reading_makes_and_writes_nothing(tmp_path: Path) -> None:
    assert read_approvals(tmp_path, NOW) == []
    assert not (tmp_path / APPROVALS_NAME).exists()
    ApprovalStore(tmp_path).close()
    (tmp_path / FINGERPRINTS_NAME).write_text("")
    assert read_approvals(tmp_path, NOW) == []
    assert (tmp_path / FINGERPRINTS_NAME).exists()


async def test_a_file_that_cannot_be_read_refuses(tmp_path: Path) -> None:
    create_folder(tmp_path)
    (tmp_path / APPROVALS_NAME).write_bytes(b"no database" * 500)
    desk = ApprovalDesk(tmp_path)
    for call in (desk.claim(SUBJECT, "r", NOW), desk.ask(asked(), NOW), desk.give_back("a", "r")):
        with pytest.raises(GuardFailed) as caught:
            await call
        assert "no database" not in caught.value.message


def test_a_row_that_was_tampered_with_is_no_permit(tmp_path: Path) -> None:
    with ApprovalStore(tmp_path) as store:
        store.ask(asked(), NOW)
        store._connection.execute("UPDATE approvals SET state = 'maybe'")
        with pytest.raises(StorageError, match="cannot be read"):
            read_approvals(tmp_path, NOW)
        assert store.claim(SUBJECT, "r", NOW) is None
