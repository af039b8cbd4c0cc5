"""The sums that budgets and reports are counted by against the records: whether they are those of the records."""

import sqlite3
from contextlib import closing
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec import Struct

from gptgate.storage.events import BUDGET_RECONCILED, BUDGET_SET, BUDGET_TOPPED_UP, BUDGET_UNSET
from gptgate.storage.schema import SPENT_BY_DAYS, SPENT_BY_RECORDS, SPENT_BY_TAGS, storage_errors

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError)
"""What bytes are that are no event: not JSON, not of its shape, not UTF-8, not even bytes."""

SUMS = (
    ("the quarter of an hour", SPENT_BY_RECORDS, "spending", 8),
    ("the day", SPENT_BY_DAYS, "spending_days", 6),
    ("the tags of the day", SPENT_BY_TAGS, "spending_tags", 4),
)
"""What a row is of, the query that gives the rows that must be there, where they are, and how many columns name one."""

TOP_UPS = "SELECT budget, key, at_ms, amount, by, set_to, unit, window, scope, configured FROM top_ups ORDER BY seq"
CORRECTIONS = "SELECT id, at_ms, usage_source, input_tokens, output_tokens, cost_nano, by FROM corrections ORDER BY seq"
CHANGES = (BUDGET_TOPPED_UP, BUDGET_SET, BUDGET_UNSET)
EVENTS = "SELECT body FROM events WHERE type IN (?, ?, ?) ORDER BY seq"


class _TopUp(Struct, frozen=True):
    budget: str
    key: list[str]
    at_ms: int
    amount: int
    by: str
    set_to: int | None = None
    unit: str | None = None
    window: str | None = None
    scope: list[str] | None = None
    configured: bool = False


class _Correction(Struct, frozen=True):
    request: str
    at_ms: int
    usage_source: str
    input_tokens: int
    output_tokens: int
    cost_nano: int
    by: str


TOP_UP = msgspec.json.Decoder(_TopUp)
CORRECTION = msgspec.json.Decoder(_Correction)


def wrong_money(connection: sqlite3.Connection) -> str:
    """Where the sums are not those of the records, or a top-up or a correction not that of its event; ``""`` when they
    are. Raises StorageError."""
    with storage_errors("count what was spent"):
        return _wrong_sums(connection) or _wrong_changes(connection)


def _wrong_sums(connection: sqlite3.Connection) -> str:
    for what, query, table, names in SUMS:
        order = ", ".join(str(place) for place in range(1, names + 1))
        with (
            closing(connection.execute(f"{query} ORDER BY {order}")) as counted,
            closing(connection.execute(f"SELECT * FROM {table} ORDER BY {order}")) as kept,  # noqa: S608
        ):
            for expected, found in zip_longest(counted, kept):
                if expected != found:
                    slot, *who = min(row[:names] for row in (expected, found) if row is not None)
                    named = ", ".join(name for name in who if name)
                    return f"the sums of {what} at {slot} ms ({named}) are not those of the records"
    return ""


def _wrong_changes(connection: sqlite3.Connection) -> str:
    top_ups, told = connection.execute(TOP_UPS), connection.execute(EVENTS, CHANGES)
    for number, (row, event) in enumerate(zip_longest(top_ups, map(_top_up, told)), 1):
        if row != event:
            return f"top-up {number} is not what its event says"
    corrections = connection.execute(CORRECTIONS)
    told = connection.execute(EVENTS, (BUDGET_RECONCILED,) * 3)
    for number, (row, event) in enumerate(zip_longest(corrections, map(_correction, told)), 1):
        if row != event:
            return f"correction {number} is not what its event says"
    return ""


def _top_up(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The row of `top_ups` that an event tells of; None for an event that tells of none."""
    try:
        said = TOP_UP.decode(row[0])
    except UNREADABLE:
        return None
    values = msgspec.structs.astuple(said)
    return tuple([msgspec.json.encode(each).decode() if isinstance(each, list) else each for each in values])


def _correction(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The row of `corrections` that an event tells of; None for an event that tells of none."""
    try:
        said = CORRECTION.decode(row[0])
    except UNREADABLE:
        return None
    return msgspec.structs.astuple(said)
