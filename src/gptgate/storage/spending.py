"""What was spent, summed up by quarters of an hour: what the ledger starts with, and what it was topped up by."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from gptgate.core.budgets import SLOT_MS, BudgetSpec, Correction, Dimension, Spend, Spent, TopUp, Unit
from gptgate.core.events import Intent
from gptgate.core.money import NANO_PER_USD
from gptgate.storage.errors import StorageError
from gptgate.storage.events import BUDGET_SET, BUDGET_TOPPED_UP, BUDGET_UNSET, insert_event
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors

BUSY_MS = 5000
IDS_AT_ONCE = 500

COLUMNS = {
    "team": "team",
    "app": "app",
    "key": "key_id",
    "end_user": "end_user",
    "session": "session",
    "model": "model",
    "provider": "provider",
}
"""Dimension of a budget → its column."""

AMOUNTS = {
    Unit.USD: ("sum(usd)", "sum(nano)"),
    Unit.TOKENS: ("0", "sum(tokens)"),
    Unit.REQUESTS: ("0", "sum(billed)"),
}
"""Unit → whole dollars and the rest: a sum of nano-dollars past 2**63 is an error in SQLite."""

NAMES = msgspec.json.Decoder(tuple[str, ...])
"""An account's key, or a scope."""


def spent_by(connection: sqlite3.Connection, budget: BudgetSpec, since_ms: int) -> Iterator[Spent]:
    """What all ended requests from this time on have spent of a budget. Raises sqlite3.Error."""
    columns = [COLUMNS[dimension] for dimension in budget.scope]
    conditions = ["slot_ms >= ?"]
    arguments: list[object] = [since_ms // SLOT_MS * SLOT_MS]
    for dimension, wanted in budget.match:
        conditions.append(f"{COLUMNS[dimension]} IN ({', '.join('?' * len(wanted))})")
        arguments += wanted
    whole, rest = AMOUNTS[budget.unit]
    names, groups = ", ".join(["slot_ms", whole, rest, *columns]), ", ".join(["slot_ms", *columns])
    query = f"SELECT {names} FROM spending WHERE {' AND '.join(conditions)} GROUP BY {groups}"  # noqa: S608
    for slot_ms, dollars, amount, *key in connection.execute(query, arguments):
        yield Spent(tuple(key), slot_ms, dollars * NANO_PER_USD + amount)


def newest_slot(connection: sqlite3.Connection) -> int:
    """The last slot in which anything was recorded, 0 when nothing was. Raises sqlite3.Error."""
    (newest,) = connection.execute("SELECT max(slot_ms) FROM spending").fetchone()
    return newest or 0


CORRECTIONS = f"""
SELECT c.seq, i.at_ms, {", ".join(f"i.{column}" for column in COLUMNS.values())},
       e.cost_nano, CASE e.usage_source WHEN 'unknown' THEN i.reserved_tokens ELSE e.input_tokens + e.output_tokens END,
       c.cost_nano, c.input_tokens + c.output_tokens, c.usage_source <> 'unused'
FROM corrections c JOIN intents i ON i.id = c.id JOIN ends e ON e.id = c.id WHERE c.seq > ? ORDER BY c.seq
"""  # noqa: S608


def names_of(intent: Intent) -> dict[Dimension, str]:
    """What an intent says of each dimension."""
    return {Dimension(dimension): getattr(intent, column) for dimension, column in COLUMNS.items()}


def _correction(row: tuple[Any, ...]) -> tuple[int, Correction]:
    seq, at_ms, *names, cost_nano, reserved_tokens, nano, tokens, billed = row
    reserved = Spend(nano=cost_nano, tokens=reserved_tokens, requests=1)
    spent = Spend(nano=nano, tokens=tokens, requests=billed)
    return seq, Correction(at_ms, dict(zip(map(Dimension, COLUMNS), names, strict=True)), reserved, spent)


class Spending:
    """The sums of a data folder and its top-ups. Methods block; use it from one thread at a time.

    The caller must `close`. Raises StorageError.
    """

    def __init__(self, folder: Path) -> None:
        with storage_errors("read what was spent"):
            self._connection = connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)
            try:
                require_latest(self._connection)
            except (sqlite3.Error, StorageError):
                self._connection.close()
                raise

    def close(self) -> None:
        self._connection.close()

    def of(self, budget: BudgetSpec, since_ms: int) -> list[Spent]:
        """See `spent_by`."""
        with storage_errors("read what was spent"):
            return list(spent_by(self._connection, budget, since_ms))

    def newest_ms(self) -> int:
        """See `newest_slot`."""
        with storage_errors("read what was spent"):
            return newest_slot(self._connection)

    def top_ups(self) -> list[TopUp]:
        """All top-ups, oldest first."""
        with storage_errors("read the top-ups"):
            return _top_ups(self._connection)

    def corrections(self, after: int) -> list[tuple[int, Correction]]:
        """The corrections after this place, each with its place, oldest first."""
        with storage_errors("read the corrections"):
            rows = self._connection.execute(CORRECTIONS, (after,)).fetchall()
        return [_correction(row) for row in rows]

    def ended(self, ids: Sequence[str]) -> set[str]:
        """Those of these requests that are in the sums."""
        found: set[str] = set()
        with storage_errors("read what was spent"):
            for start in range(0, len(ids), IDS_AT_ONCE):
                some = ids[start : start + IDS_AT_ONCE]
                query = f"SELECT id FROM ends WHERE id IN ({', '.join('?' * len(some))})"  # noqa: S608
                found.update(row[0] for row in self._connection.execute(query, some))
        return found

    def correction_count(self) -> int:
        """The place of the last correction."""
        with storage_errors("read the corrections"):
            (count,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM corrections").fetchone()
        return int(count)

    @contextmanager
    def moment(self) -> Iterator[None]:
        """What is read within is as of one moment."""
        with storage_errors("read what was spent"):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def top_up_count(self) -> int:
        """How many there are: none is ever changed or removed."""
        with storage_errors("read the top-ups"):
            (count,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM top_ups").fetchone()
        return int(count)


def add_top_up(folder: Path, top_up: TopUp, by: str, user: str = "") -> None:
    """Add to one account of a budget, with its event, durable when this returns. Blocks; raises StorageError.

    `by` is who says to do it, `user` who the operating system says it is.
    """
    _change(folder, by, user, lambda _: top_up)


def set_amount(folder: Path, by: str, change: Callable[[list[TopUp]], TopUp], user: str = "") -> None:
    """Set an account's amount as `change` says, which is given the changes so far, also back to what is configured.
    `by` and `user` are as above.

    Durable, with its event, when this returns; nobody else's change comes in between. Blocks; raises StorageError.
    """
    _change(folder, by, user, change)


def _change(folder: Path, by: str, user: str, change: Callable[[list[TopUp]], TopUp]) -> None:
    with (
        storage_errors("change a budget"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS)) as connection,
    ):
        require_latest(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            top_up = change(_top_ups(connection))
            said = {name: value for name, value in top_up._asdict().items() if value is not None and value is not False}
            row = {name: _column(value) for name, value in said.items()} | {"by": by}
            connection.execute(
                f"INSERT INTO top_ups ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
                tuple(row.values()),
            )
            insert_event(connection, top_up.at_ms, _kind(top_up), {**said, "by": by, "user": user})
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _top_ups(connection: sqlite3.Connection) -> list[TopUp]:
    rows = connection.execute(f"SELECT {', '.join(TopUp._fields)} FROM top_ups ORDER BY seq").fetchall()  # noqa: S608
    return [
        TopUp(
            budget,
            NAMES.decode(key),
            at_ms,
            amount,
            set_to,
            unit,
            window,
            scope and NAMES.decode(scope),
            bool(configured),
        )
        for budget, key, at_ms, amount, set_to, unit, window, scope, configured in rows
    ]


def _kind(change: TopUp) -> str:
    if change.configured:
        return BUDGET_UNSET
    return BUDGET_TOPPED_UP if change.set_to is None else BUDGET_SET


def _column(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, tuple) else value
