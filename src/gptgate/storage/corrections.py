"""What somebody found out about a request whose usage was unknown, or is beyond what it can have taken."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gptgate.core.facts import Usage
from gptgate.core.money import format_usd
from gptgate.storage.errors import StorageError
from gptgate.storage.events import BUDGET_RECONCILED, insert_event
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors

BUSY_MS = 5000
BILLED = "operator"
UNUSED = "unused"
"""Sources of a corrected usage: somebody says what was billed, or that nothing was."""

# SQLite reads JSON from text only before 3.45, so the body is cast.
OVERRAN = """(e.usage_source <> 'unused'
    AND e.cost_nano > max(i.reserved_nano, coalesce(json_extract(CAST(e.body AS TEXT), '$.extended_nano'), 0))
    OR e.usage_source = 'provider' AND i.reserved_tokens > 0 AND e.input_tokens + e.output_tokens > i.reserved_tokens
    AND coalesce(json_extract(CAST(e.body AS TEXT), '$.extensions'), 0) = 0)"""
"""As `core.events.has_overrun`, of an intent `i` and its end `e`."""
FIND = f"""
SELECT e.usage_source, e.cost_nano, c.by, {OVERRAN} FROM intents i LEFT JOIN ends e ON e.id = i.id
LEFT JOIN corrections c ON c.id = i.id WHERE i.id = ?
"""  # noqa: S608
INSERT = """
INSERT INTO corrections (id, at_ms, usage_source, input_tokens, output_tokens, cost_nano, by)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""


def reconcile(
    folder: Path,
    request_id: str,
    at_ms: int,
    source: str,
    usage: Usage,
    cost_nano: int,
    by: str,
    *,
    user: str = "",
    is_beyond: bool = False,
) -> int:
    """Correct the sums by what one request really cost; what stayed spent for it until now. `by` is who says so, `user`
    who the operating system says it is.

    The records stay as they are; the correction stands beside them, with its event, durable when this returns. Each
    request is corrected once at most, also by two at the same time. A usage that the provider reported can be corrected
    where it is beyond what was reserved: one that lies, or counts wrongly, could take a whole budget.

    Blocks. Raises StorageError when the request is not known, still runs, has another known usage, or was corrected
    before; and when it would cost more than stayed spent for it, unless it `is_beyond` that on purpose: a typing error
    could take a whole budget, once and for all.
    """
    with (
        storage_errors("correct what was spent"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS)) as connection,
    ):
        require_latest(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            spent = _in_doubt(connection, request_id)
            if cost_nano > spent and not is_beyond:
                raise StorageError(
                    f"that is more than the ${format_usd(spent)} that stayed spent for request {request_id}",
                    hint="a correction cannot be taken back; if it is right, add --beyond-reservation",
                )
            tokens = usage.input_tokens, usage.output_tokens
            connection.execute(INSERT, (request_id, at_ms, source, *tokens, cost_nano, by))
            fields = {
                "request": request_id,
                "usage_source": source,
                "input_tokens": usage.input_tokens,
                "output_tokens": usage.output_tokens,
                "cost_nano": cost_nano,
                "before_nano": spent,
                "by": by,
                "user": user,
            }
            insert_event(connection, at_ms, BUDGET_RECONCILED, fields)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    return spent


def _in_doubt(connection: sqlite3.Connection, request_id: str) -> int:
    row = connection.execute(FIND, (request_id,)).fetchone()
    if row is None:
        raise StorageError(f"there is no request {request_id}", hint="gptgate audit search shows the ids")
    source, spent, corrected_by, overran = row
    if source is None:
        raise StorageError(f"request {request_id} has no end yet", hint="wait until it has, or restart the gateway")
    if corrected_by is not None:
        raise StorageError(f"request {request_id} was corrected before, by {corrected_by}")
    if source not in ("unknown", "estimated") and not overran:
        raise StorageError(f"the usage of request {request_id} is known ({source})", hint="there is nothing to correct")
    return int(spent)
