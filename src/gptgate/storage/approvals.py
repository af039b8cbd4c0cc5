"""Approvals in a file of their own: commands decide on them while the gateway runs, the gateway uses them up.

The file is another than that of the records, so that what requests ask and claim never holds up a commit of records. A
person's decision is an event among the records too, and counts only once that is durable.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec.structs import replace

from gptgate.core.approvals import Approval, ApprovalState, Subject
from gptgate.storage.errors import StorageError
from gptgate.storage.events import APPROVAL_GIVEN, APPROVAL_REJECTED, record_event
from gptgate.storage.folder import create_file, create_folder
from gptgate.storage.schema import connect, storage_errors

APPROVALS_NAME = "approvals.db"
BUSY_MS = 5000
MAX_PENDING = 1000
"""Of one app: a flood of held-up requests must not fill the disk."""
PENDING_MS = 24 * 3_600_000
"""How long an approval may be decided on."""
KEPT_MS = 30 * 86_400_000
"""How long one that is over stays in the list; who approved what stands in the records too."""
VERSION = 1
RULES = msgspec.json.Decoder(tuple[str, ...])

TABLE = """
CREATE TABLE IF NOT EXISTS approvals (
    id TEXT PRIMARY KEY NOT NULL, app TEXT NOT NULL, endpoint TEXT NOT NULL, model TEXT NOT NULL, digest TEXT NOT NULL,
    rules TEXT NOT NULL, key_id TEXT NOT NULL, end_user TEXT NOT NULL, state TEXT NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_ms INTEGER NOT NULL,
    used_by TEXT NOT NULL, used_ms INTEGER NOT NULL)
"""
INDEX = "CREATE INDEX IF NOT EXISTS approvals_digest ON approvals (digest)"
PERMIT = """
SELECT * FROM approvals WHERE digest = ? AND app = ? AND endpoint = ? AND model = ? AND rules = ?
AND state = 'approved' AND expires_ms > ? ORDER BY created_ms, id LIMIT 1
"""
STANDING = """
SELECT * FROM approvals WHERE digest = ? AND app = ? AND endpoint = ? AND model = ? AND rules = ?
AND state IN ('pending', 'rejected') AND expires_ms > ? ORDER BY created_ms, id LIMIT 1
"""
ONE = "SELECT * FROM approvals WHERE id = ?"
INSERT = "INSERT INTO approvals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class ApprovalStore:
    """The `approvals` table. Each change is one short durable transaction; of two that want one permit, one gets it.

    Methods block on the disk, raise StorageError, and may be called from any thread.
    """

    def __init__(self, folder: Path) -> None:
        """Open the folder's approvals; the file is made when missing. The caller must `close`."""
        create_folder(folder)
        path = folder / APPROVALS_NAME
        self._folder = folder
        self._guard = threading.Lock()
        with storage_errors(f"open {path}"):
            if not path.exists():
                create_file(path)
            self._connection = connect(path, busy_ms=BUSY_MS)
            try:
                self._prepare(path)
            except (sqlite3.Error, StorageError):
                self._connection.close()
                raise

    def _prepare(self, path: Path) -> None:
        _require_known(self._connection, path)
        self._connection.execute(TABLE)
        self._connection.execute(INDEX)
        self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def claim(self, subject: Subject, request_id: str, now_ms: int) -> Approval | None:
        """Use up a permit for this subject; None when there is none. It is durably used when this returns."""
        values = (*_same(subject), now_ms)
        with self._guard, storage_errors("read the approvals"):
            if self._connection.execute(PERMIT, values).fetchone() is None:
                return None
        with self._change("use an approval") as connection:
            row = connection.execute(PERMIT, values).fetchone()
            if row is None:
                return None
            connection.execute(
                "UPDATE approvals SET state = 'used', used_by = ?, used_ms = ? WHERE id = ?",
                (request_id, now_ms, row[0]),
            )
        return replace(_approval(row, now_ms), state=ApprovalState.USED, used_by=request_id, used_ms=now_ms)

    def give_back(self, approval_id: str, request_id: str) -> None:
        """Undo a claim of a request that was not sent after all. Changes nothing for any other claim."""
        with self._change("give an approval back") as connection:
            connection.execute(
                "UPDATE approvals SET state = 'approved', used_by = '', used_ms = 0 "
                "WHERE id = ? AND state = 'used' AND used_by = ?",
                (approval_id, request_id),
            )

    def ask(self, asked: Approval, now_ms: int) -> Approval | None:
        """Hold a request up: the approval that waits for its subject or was rejected, else this new one.

        None when so many of its app wait already that no more are taken. `expires_ms` is set here.
        """
        subject = asked.subject
        with self._change("ask for an approval") as connection:
            connection.execute("DELETE FROM approvals WHERE expires_ms < ?", (now_ms - KEPT_MS,))
            row = connection.execute(STANDING, (*_same(subject), now_ms)).fetchone()
            if row is not None:
                return _approval(row, now_ms)
            count = "SELECT count(*) FROM approvals WHERE app = ? AND state = 'pending' AND expires_ms > ?"
            (waiting,) = connection.execute(count, (subject.app, now_ms)).fetchone()
            if waiting >= MAX_PENDING:
                return None
            new = replace(asked, state=ApprovalState.PENDING, created_ms=now_ms, expires_ms=now_ms + PENDING_MS)
            connection.execute(INSERT, _row(new))
        return new

    def decide(self, approval_id: str, *, approve: bool, by: str, user: str, now_ms: int, expires_ms: int) -> Approval:
        """Approve what waits until `expires_ms`, or reject what waits or was not used yet, for as long as it stands.

        `by` is who says to decide, `user` the operating system's user who did it. Both are on record before the
        decision counts. A crash in between leaves an event of a decision that can be made, and recorded, again.

        Raises StorageError when there is no such approval, it cannot be decided on so, or that cannot be recorded.
        """
        with self._change(f"decide on approval {approval_id}") as connection:
            row = connection.execute(ONE, (approval_id,)).fetchone()
            if row is None:
                raise StorageError(f"there is no approval {approval_id}", hint="gptgate approvals list shows all ids")
            before = _approval(row, now_ms)
            if before.state is not ApprovalState.PENDING and (approve or before.state is not ApprovalState.APPROVED):
                raise StorageError(f"approval {approval_id} is {before.state.value}: it waits for no decision")
            after = replace(
                before,
                state=ApprovalState.APPROVED if approve else ApprovalState.REJECTED,
                expires_ms=expires_ms if approve else before.expires_ms,
                decided_by=by,
                decided_ms=now_ms,
            )
            connection.execute(
                "UPDATE approvals SET state = ?, expires_ms = ?, decided_by = ?, decided_ms = ? WHERE id = ?",
                (after.state.value, after.expires_ms, by, now_ms, approval_id),
            )
            kind = APPROVAL_GIVEN if approve else APPROVAL_REJECTED
            record_event(self._folder, now_ms, kind, {**decision_fields(after), "user": user})
        return after

    @contextmanager
    def _change(self, doing: str) -> Iterator[sqlite3.Connection]:
        """One transaction under the file's write lock: a crash leaves all of it or nothing."""
        with self._guard, storage_errors(doing):
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def read_approvals(folder: Path, now_ms: int) -> list[Approval]:
    """Every approval that is kept, newest first; nothing is made or written.

    At 0 for `now_ms` they are as they stand in the file, over or not. Raises StorageError, also for a damaged file.
    """
    path = folder / APPROVALS_NAME
    if not path.exists():
        return []
    with storage_errors(f"read {path}"), closing(connect(path, busy_ms=BUSY_MS, read_only=True)) as connection:
        for (line,) in connection.execute("PRAGMA integrity_check(1)"):
            if line != "ok":
                raise StorageError(f"{path} is damaged: {line}")
        _require_known(connection, path)
        # A crash may have left the file without its table.
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'approvals'").fetchone() is None:
            return []
        rows = connection.execute("SELECT * FROM approvals ORDER BY created_ms DESC, id DESC").fetchall()
    return [_approval(row, now_ms) for row in rows]


def _require_known(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StorageError(f"{path} has version {version}, this gptgate knows versions up to {VERSION}")


def decision_fields(decided: Approval) -> dict[str, object]:
    """What the event of a decision says of the approval that it is on."""
    subject = decided.subject
    return {
        "approval": decided.id,
        "app": subject.app,
        "endpoint": subject.endpoint,
        "model": subject.model,
        "digest": subject.digest,
        "rules": list(subject.rules),
        "key_id": decided.key_id,
        "end_user": decided.end_user,
        "by": decided.decided_by,
        "expires_ms": decided.expires_ms,
    }


def _same(subject: Subject) -> tuple[str, ...]:
    return subject.digest, subject.app, subject.endpoint, subject.model, _rules(subject)


def _rules(subject: Subject) -> str:
    return msgspec.json.encode(subject.rules).decode()


def _row(approval: Approval) -> tuple[Any, ...]:
    subject = approval.subject
    return (
        approval.id,
        subject.app,
        subject.endpoint,
        subject.model,
        subject.digest,
        _rules(subject),
        approval.key_id,
        approval.end_user,
        approval.state.value,
        approval.created_ms,
        approval.expires_ms,
        approval.decided_by,
        approval.decided_ms,
        approval.used_by,
        approval.used_ms,
    )


def _approval(row: tuple[Any, ...], now_ms: int) -> Approval:
    """A row; what nobody used or decided on in time is shown as expired."""
    id, app, endpoint, model, digest, rules, key_id, end_user, state, created_ms, expires_ms, *rest = row
    over = expires_ms <= now_ms and state in (ApprovalState.PENDING, ApprovalState.APPROVED)
    decided_by, decided_ms, used_by, used_ms = rest
    try:
        return Approval(
            id=id,
            subject=Subject(app=app, endpoint=endpoint, model=model, digest=digest, rules=RULES.decode(rules)),
            key_id=key_id,
            end_user=end_user,
            state=ApprovalState.EXPIRED if over else ApprovalState(state),
            created_ms=created_ms,
            expires_ms=expires_ms,
            decided_by=decided_by,
            decided_ms=decided_ms,
            used_by=used_by,
            used_ms=used_ms,
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise StorageError(f"approval {id} cannot be read: {error}") from error
