"""Tokens and money by whom and when, out of sums: a year's report does not read a year's records.

A span of time is covered by whole days, then quarters of an hour at its edges, then single requests where it begins or
ends within one. So every report is exact to the millisecond, and reads a few rows for each day and group.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gptgate.core.money import NANO_PER_USD
from gptgate.storage.views import UsageRow

DAY_MS = 86_400_000
SLOT_MS = 900_000
DAY, MONTH, TAG = "day", "month", "tag"
NAMES: dict[str, str] = {
    "app": "i.app",
    "team": "i.team",
    "model": "i.model",
    "provider": "i.provider",
    "key": "i.key_id",
    "end_user": "i.end_user",
    "session": "i.session",
}
GROUPS: tuple[str, ...] = (*NAMES, TAG, DAY, MONTH)
"""What usage can be grouped by. Days and months are those of UTC, of the request. A tag is ``name=value``: a request
counts in the row of each of its tags."""
BESIDE_TAG = frozenset({TAG, DAY, MONTH, "app"})
"""What can be asked for together with tags."""
_FORMATS = {DAY: "%Y-%m-%d", MONTH: "%Y-%m"}
_MADE_UP = frozenset({"end_user", "session"})
"""Values that callers make up: the sums of days leave them out."""

_KEPT = """sum(requests), sum(refused), sum(input_tokens), sum(output_tokens), sum(usd), sum(nano), sum(unknown_usd),
sum(unknown_nano)"""
# Dollars and the rest apart: a sum of nano-dollars past 2**63 (9.2 billion dollars, which a provider that lies about
# its usage can reach) is an error in SQLite.
_COUNTED = """count(*), sum(e.state = 'refused'), sum(e.input_tokens), sum(e.output_tokens),
sum(e.cost_nano / 1000000000), sum(e.cost_nano % 1000000000),
sum(CASE WHEN e.usage_source IN ('unknown', 'estimated') THEN e.cost_nano / 1000000000 ELSE 0 END),
sum(CASE WHEN e.usage_source IN ('unknown', 'estimated') THEN e.cost_nano % 1000000000 ELSE 0 END)"""


_FEES = "sum(e.fees_nano / 1000000000), sum(e.fees_nano % 1000000000)"
_PAID_FEES = """ends e INDEXED BY ends_fees CROSS JOIN intents i ON i.id = e.id AND e.fees_nano > 0
AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.id = e.id)"""
"""The requests that paid fees. They are few, and read one by one."""


class _Level(NamedTuple):
    """A table of sums. `step_ms` is the time that a row is about; `tag` is how a tag is written there; `width` is how
    many sums there are."""

    step_ms: int
    sums: str
    source: str
    at: str
    tag: str = ""
    width: int = 8


_RECORDS = _Level(1, _COUNTED, "intents i JOIN outcomes e ON e.id = i.id", "i.at_ms")
_TAGGED_RECORDS = _Level(
    1,
    _COUNTED,
    "intents i JOIN outcomes e ON e.id = i.id JOIN json_each(i.tags) t",
    "i.at_ms",
    "t.key || '=' || t.value",
)
_FEE_RECORDS = _Level(1, _FEES, _PAID_FEES, "i.at_ms", width=2)
_TAGGED_FEES = _Level(1, _FEES, f"{_PAID_FEES} JOIN json_each(i.tags) t", "i.at_ms", "t.key || '=' || t.value", width=2)
_SLOTS = _Level(SLOT_MS, _KEPT, "spending i", "i.slot_ms")
_DAYS = _Level(DAY_MS, _KEPT, "spending_days i", "i.day_ms")
_TAGS = _Level(DAY_MS, _KEPT, "spending_tags i", "i.day_ms", "i.tag || '=' || i.value")


def usage(
    connection: sqlite3.Connection,
    group_by: Sequence[str],
    since_ms: int,
    until_ms: int,
    app: str | None = None,
    team: str | None = None,
) -> list[UsageRow]:
    """See `SqliteReader.usage`. Raises ValueError and sqlite3.Error."""
    if team is not None and TAG in group_by:
        raise ValueError("by tags, usage can be that of one app, not of one team")
    only = {name: value for name, value in (("app", app), ("team", team)) if value is not None}
    found: dict[tuple[str, ...], list[int]] = {}
    for level, from_ms, to_ms in _cover(_levels(group_by), since_ms, until_ms):
        for row in connection.execute(_query(level, group_by, only), {"since": from_ms, "until": to_ms, **only}):
            sums, group = row[:8], row[8:]
            if sums[0]:
                known = found.setdefault(group, [0] * 8)
                found[group] = [before + more for before, more in zip(known, sums, strict=True)]
    fees: dict[tuple[str, ...], int] = {}
    paid = _query(_TAGGED_FEES if TAG in group_by else _FEE_RECORDS, group_by, only)
    for usd, nano, *group in connection.execute(paid, {"since": since_ms, "until": until_ms, **only}):
        # A sum over nothing is NULL.
        fees[tuple(group)] = (usd or 0) * NANO_PER_USD + (nano or 0)
    return [_row(group, sums, fees.get(group, 0)) for group, sums in sorted(found.items())]


def _levels(group_by: Sequence[str]) -> tuple[_Level, ...]:
    """The tables that can answer, finest first."""
    unknown = [name for name in group_by if name not in GROUPS]
    if unknown:
        raise ValueError(f"usage cannot be grouped by {', '.join(unknown)}; it can by {', '.join(GROUPS)}")
    if TAG in group_by:
        if not BESIDE_TAG.issuperset(group_by):
            raise ValueError("beside a tag, usage can be grouped by app, day and month only")
        return _TAGGED_RECORDS, _TAGS
    return (_RECORDS, _SLOTS) if _MADE_UP.intersection(group_by) else (_RECORDS, _SLOTS, _DAYS)


def _cover(levels: Sequence[_Level], since_ms: int, until_ms: int) -> Iterator[tuple[_Level, int, int]]:
    """The span in pieces, each of which its table has whole."""
    if since_ms >= until_ms:
        return
    *finer, level = levels
    first, last = -(-since_ms // level.step_ms) * level.step_ms, until_ms // level.step_ms * level.step_ms
    if first >= last:
        yield from _cover(finer, since_ms, until_ms)
        return
    yield from _cover(finer, since_ms, first)
    yield level, first, last
    yield from _cover(finer, last, until_ms)


def _query(level: _Level, group_by: Sequence[str], only: Iterable[str]) -> str:
    columns = [_column(level, name) for name in group_by]
    places = ", ".join(str(level.width + 1 + index) for index in range(len(columns)))
    return (
        f"SELECT {', '.join([level.sums, *columns])} FROM {level.source} "  # noqa: S608
        f"WHERE {level.at} >= :since AND {level.at} < :until"
        + "".join(f" AND {NAMES[name]} = :{name}" for name in only)
        + (f" GROUP BY {places}" if columns else "")
    )


def _column(level: _Level, name: str) -> str:
    if name in _FORMATS:
        return f"strftime('{_FORMATS[name]}', {level.at} / 1000, 'unixepoch')"
    return level.tag if name == TAG else NAMES[name]


def _row(group: tuple[str, ...], sums: Sequence[int], fees_nano: int) -> UsageRow:
    requests, refused, input_tokens, output_tokens, cost, cost_rest, unknown, unknown_rest = sums
    return UsageRow(
        group=group,
        requests=requests,
        refused=refused,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_nano=cost * NANO_PER_USD + cost_rest,
        unknown_nano=unknown * NANO_PER_USD + unknown_rest,
        fees_nano=fees_nano,
    )
