"""What was spent, summed up by quarters of an hour: what the ledger starts with, and what it was topped up by."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from gptgate.core.budgets import SLOT_MS, BudgetSpec, Spent, TopUp, Unit
from gptgate.core.money import NANO_PER_USD
from gptgate.storage.events import BUDGET_TOPPED_UP, insert_event
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, storage_errors

BUSY_MS = 5000

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

KEY = msgspec.json.Decoder(tuple[str, ...])


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


class Spending:
    """The sums of a data folder and its top-ups. Methods block; use it from one thread at a time.

    The caller must `close`. Raises StorageError.
    """

    def __init__(self, folder: Path) -> None:
        with storage_errors("read what was spent"):
            self._connection = connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)

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
            rows = self._connection.execute("SELECT budget, key, at_ms, amount FROM top_ups ORDER BY seq").fetchall()
        return [TopUp(budget, KEY.decode(key), at_ms, amount) for budget, key, at_ms, amount in rows]

    def top_up_count(self) -> int:
        """How many there are: none is ever changed or removed."""
        with storage_errors("read the top-ups"):
            (count,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM top_ups").fetchone()
        return int(count)


def add_top_up(folder: Path, top_up: TopUp, by: str) -> None:
    """Add to one account of a budget, with its event, durable when this returns. Blocks; raises StorageError."""
    budget, key, at_ms, amount = top_up
    fields = {"budget": budget, "key": list(key), "amount": amount, "by": by}
    with (
        storage_errors("top a budget up"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS)) as connection,
    ):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(
                "INSERT INTO top_ups (budget, key, at_ms, amount, by) VALUES (?, ?, ?, ?, ?)",
                (budget, msgspec.json.encode(key).decode(), at_ms, amount, by),
            )
            insert_event(connection, at_ms, BUDGET_TOPPED_UP, fields)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
