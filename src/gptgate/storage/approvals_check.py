"""Approvals against the records: whether each decision is one that somebody made, on what a request really asked.

The gateway believes the approvals' file. Whoever writes to it could give a permit to himself, or put other words under
one; the events say what was decided by whom, and the log holds them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from gptgate.core.approvals import Approval, ApprovalState
from gptgate.storage.approvals import APPROVALS_NAME, KEPT_MS, decision_fields, read_approvals
from gptgate.storage.events import APPROVAL_GIVEN, APPROVAL_REJECTED, APPROVALS_LOGGED, events_about
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.sums_check import UNREADABLE

BUSY_MS = 5000
ASKED = """SELECT app, endpoint, key_id, end_user, json_extract(CAST(body AS TEXT), '$.request_digest') FROM intents
WHERE id = ?"""
USED = """SELECT id, at_ms, app, request_digest, approval FROM (
    SELECT id, at_ms, app, json_extract(CAST(body AS TEXT), '$.request_digest') AS request_digest,
        json_extract(CAST(body AS TEXT), '$.approval') AS approval
    FROM intents WHERE effect = 'require_approval' AND json_valid(CAST(body AS TEXT)))
WHERE approval <> '' ORDER BY at_ms"""
"""Requests that a permit let pass. Whether these rows are what was logged, others look at."""
KINDS = {ApprovalState.REJECTED: APPROVAL_REJECTED}
"""State → the event that led to it. All others that were decided on were approved."""
DECIDED = "SELECT type, body FROM events WHERE type IN (?, ?) AND about = ? ORDER BY seq DESC LIMIT 1"
ALL_DECIDED = "SELECT about, body FROM events WHERE type IN (?, ?)"


class Decisions(Struct, frozen=True):
    """`wrong` says where an approval is not what the log tells of. `unlogged` is how many were decided on before
    decisions left events: whether anybody made them cannot be told. `unseen` is how many approvals the log has
    decisions on that the file has no more, although it should."""

    wrong: str = ""
    unlogged: int = 0
    unseen: int = 0


def check_approvals(folder: Path, now_ms: int) -> Decisions:
    """Compare the approvals with the events and the requests. Raises StorageError."""
    # Before the records: a decision that is made meanwhile is in the events first.
    kept = read_approvals(folder, 0)
    with (
        storage_errors("look at approvals"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
    ):
        require_latest(connection)
        (since_ms,) = connection.execute("SELECT min(at_ms) FROM events WHERE type = ?", (APPROVALS_LOGGED,)).fetchone()
        unlogged = 0
        for approval in kept:
            if wrong := _unlike_request(connection, approval):
                return Decisions(f"approval {approval.id}: {wrong}")
            if approval.state is ApprovalState.PENDING or not (wrong := _unlike_log(connection, approval)):
                continue
            before = since_ms is not None and approval.decided_ms < since_ms
            if not before or not _asked_before(connection, approval.id, since_ms):
                return Decisions(f"approval {approval.id}: {wrong}")
            unlogged += 1
        if wrong := _used_unlogged(connection, since_ms):
            return Decisions(wrong)
        # One that is over leaves the file after a while, and no other does.
        oldest_ms = now_ms - KEPT_MS if (folder / APPROVALS_NAME).exists() else 0
        unseen = len(_lasting(connection, oldest_ms).difference(approval.id for approval in kept))
    return Decisions(unlogged=unlogged, unseen=unseen)


def _unlike_request(connection: sqlite3.Connection, approval: Approval) -> str:
    """What it says otherwise than the record of the request that asked for it; a crash may have kept that from being
    written."""
    row = connection.execute(ASKED, (approval.id,)).fetchone()
    subject = approval.subject
    said = (subject.app, subject.endpoint, approval.key_id, approval.end_user, subject.digest)
    return "it is not for the request that asked for it" if row is not None and row != said else ""


def _used_unlogged(connection: sqlite3.Connection, since_ms: int | None) -> str:
    """The first request that passed by a permit of which nothing tells, also where the permit is gone since."""
    for request, at_ms, app, digest, approval in connection.execute(USED):
        if since_ms is not None and (at_ms < since_ms or _asked_before(connection, approval, since_ms)):
            # It may have been given before decisions left events, and used later.
            continue
        given = _told(events_about(connection, APPROVAL_GIVEN, approval))
        if not any((told.get("app"), told.get("digest")) == (app, digest) for told in given):
            return f"request {request} passed by approval {approval}, and no event tells who gave that"
    return ""


def _asked_before(connection: sqlite3.Connection, name: str, at_ms: int) -> bool:
    """Whether a request asked for this approval then."""
    return connection.execute("SELECT 1 FROM intents WHERE id = ? AND at_ms < ?", (name, at_ms)).fetchone() is not None


def _unlike_log(connection: sqlite3.Connection, approval: Approval) -> str:
    """What it says otherwise than the last event on it: whether just this was decided, by this person at this time."""
    expected = {"at_ms": approval.decided_ms, **decision_fields(approval)}
    wanted = KINDS.get(approval.state, APPROVAL_GIVEN)
    for kind, body in connection.execute(DECIDED, (APPROVAL_GIVEN, APPROVAL_REJECTED, approval.id)):
        if kind == APPROVAL_REJECTED != wanted:
            return "it may pass, or has passed, although its last event rejects it"
        if kind == wanted and any(expected.items() <= told.items() for told in _told([body])):
            return ""
    return "no event tells of its decision as it stands there"


def _lasting(connection: sqlite3.Connection, oldest_ms: int) -> set[str]:
    """The approvals that the log has decisions on, and that were to stand in the file since then at least."""
    found = set()
    for about, body in connection.execute(ALL_DECIDED, (APPROVAL_GIVEN, APPROVAL_REJECTED)):
        for told in _told([body]):
            until_ms = told.get("expires_ms")
            if isinstance(until_ms, int) and until_ms >= oldest_ms:
                found.add(about)
    return found


def _told(bodies: list[bytes]) -> Iterator[dict[str, object]]:
    for body in bodies:
        try:
            yield msgspec.json.decode(body, type=dict[str, object])
        except UNREADABLE:
            # Whether it is what was logged, others look at. It gives nobody a permit.
            continue
