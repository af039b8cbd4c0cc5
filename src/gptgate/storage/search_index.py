"""The index that makes searches quick: `search.db` beside the records, made from them alone.

Nothing is written here on the path of a request: a search takes in what is new since the last one before it asks. The
file may be removed at any time; it is made anew. It holds names and numbers out of the records, never a text.

For each value that requests are searched by (a *term*, such as the app `shop`) it has the places of the requests that
have it, in order. A search walks the rarest of its terms, newest first, and looks the others up beside it. What it
meets is still judged on the records themselves: the index only has to miss none.
"""

import errno
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from gptgate.storage.durable import remove
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import create_file
from gptgate.storage.schema import connect
from gptgate.storage.views import SearchFilters

NAME = "search.db"
VERSION = 2
BUSY_MS = 60_000
BATCH = 20_000
"""Requests that are taken in within one transaction."""
CACHE_KIB = 128 * 1024
FEW = 300_000
"""So many requests can be sorted in a moment; what has several terms is only walked when it has no more."""

_TABLES = (
    "CREATE TABLE state (version INTEGER NOT NULL, intents_to INTEGER NOT NULL, ends_to INTEGER NOT NULL)",
    f"INSERT INTO state VALUES ({VERSION}, 0, 0)",  # noqa: S608  a number
    """CREATE TABLE terms (
        id INTEGER PRIMARY KEY, field TEXT NOT NULL, value TEXT NOT NULL, requests INTEGER NOT NULL,
        UNIQUE (field, value))""",
    "CREATE TABLE marks (term INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (term, seq)) WITHOUT ROWID",
    "CREATE TABLE facts (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, at_ms INTEGER NOT NULL, score INTEGER NOT NULL)",
)

Mark = tuple[str, str, int]
"""Field, value, and the place of a request that has it."""

FIELDS = ("app", "team", "key_id", "end_user", "model", "rule", "effect", "state", "code", "kind", "config", "session")
"""Fields of SearchFilters that have terms of their own, and each of its tags has one. Empty values have none."""
TAG = "tag"

_INTENTS = """SELECT seq, id, at_ms, score, team, app, key_id, end_user, model, effect, session, tags,
body FROM intents
WHERE seq > ? AND seq <= ? ORDER BY seq"""
_ENDS = """SELECT i.seq, e.state, e.code, e.effect, e.answered_model, e.body FROM ends e JOIN intents i ON i.id = e.id
WHERE e.seq > ? AND e.seq <= ? ORDER BY e.seq"""


class _Kind(Struct, frozen=True):
    kind: str


class _Side(Struct, frozen=True):
    """What both events have."""

    rules: tuple[str, ...]
    findings: tuple[_Kind, ...]
    finding_counts: tuple[tuple[str, int], ...] = ()
    config_digest: str = ""
    routed_from: str = ""


_SIDE = msgspec.json.Decoder(_Side)
_TAGS = msgspec.json.Decoder(dict[str, str])


def bring_up(folder: Path, records: Path, progress: Callable[[int], None] | None = None) -> Path | None:
    """Take in what is new in `records`; the index's path, None where this user cannot write one.

    `progress` is told how many rows were taken in, after each batch. Safe beside other searches: each batch is one
    transaction, and a crash leaves whole batches. Raises StorageError for a record that cannot be read, sqlite3.Error
    and OSError.
    """
    path = folder / NAME
    try:
        return _bring_up(path, records, progress)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return None
        raise
    except sqlite3.DatabaseError as error:
        if _code(error) == sqlite3.SQLITE_READONLY:
            return None
        if _code(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        # Made from the records alone, so nothing is lost with it. Were the records damaged, this fails again.
        for suffix in ("", "-wal", "-shm"):
            remove(path.with_name(path.name + suffix))
        return _bring_up(path, records, progress)


def _code(error: sqlite3.DatabaseError) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _bring_up(path: Path, records: Path, progress: Callable[[int], None] | None) -> Path:
    create_file(path)
    with closing(connect(path, busy_ms=BUSY_MS, derived=True)) as connection:
        # A power loss may undo batches, never halves of them.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("ATTACH ? AS records", (f"{records.resolve().as_uri()}?mode=ro",))
        _prepare(connection)
        taken = 0
        while (more := _take_in(connection)) > 0:
            taken += more
            if progress is not None:
                progress(taken)
    return path


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables; anew where they are another version's, or tell of other records than these."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _fits(connection):
            found = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in found:
                connection.execute(f'DROP TABLE main."{name}"')
            for statement in _TABLES:
                connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _fits(connection: sqlite3.Connection) -> bool:
    made = connection.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'state'").fetchone()
    if made is None:
        return False
    version, intents_to, ends_to = connection.execute("SELECT * FROM main.state").fetchone()
    if version != VERSION:
        return False
    (ends,) = connection.execute("SELECT coalesce(max(seq), 0) FROM records.ends").fetchone()
    last = connection.execute(
        "SELECT f.id = i.id FROM main.facts f LEFT JOIN records.intents i ON i.seq = f.seq WHERE f.seq = ?",
        (intents_to,),
    ).fetchone()
    return ends_to <= ends and (intents_to == 0 or (last is not None and last[0] == 1))


def _take_in(connection: sqlite3.Connection) -> int:
    """One batch; how many rows it had."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read under the write lock: another search may have come first.
        intents, ends = connection.execute("SELECT intents_to, ends_to FROM main.state").fetchone()
        # The ends first: the intent of each is then there to be counted.
        (most_ends,) = connection.execute("SELECT coalesce(max(seq), 0) FROM records.ends").fetchone()
        (most_intents,) = connection.execute("SELECT coalesce(max(seq), 0) FROM records.intents").fetchone()
        intents_to, ends_to = min(most_intents, intents + BATCH), min(most_ends, ends + BATCH)
        marks: set[Mark] = set()
        facts = list(_asked(connection.execute(_INTENTS, (intents, intents_to)), marks))
        _ended(connection.execute(_ENDS, (ends, ends_to)), marks)
        connection.executemany("INSERT INTO main.facts VALUES (?, ?, ?, ?)", facts)
        _insert(connection, marks)
        connection.execute("UPDATE main.state SET intents_to = ?, ends_to = ?", (intents_to, ends_to))
        connection.execute("COMMIT")
    except msgspec.DecodeError as error:
        raise StorageError(f"a record cannot be read: {error}") from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return int(intents_to - intents + ends_to - ends)


def _asked(rows: Iterable[tuple[Any, ...]], marks: set[Mark]) -> Iterator[tuple[int, str, int, int]]:
    for seq, name, at_ms, score, team, app, key_id, end_user, model, effect, session, tags, body in rows:
        side = _SIDE.decode(body)
        named = {"team": team, "app": app, "key_id": key_id, "end_user": end_user, "effect": effect, "session": session}
        marks.update((field, value, seq) for field, value in named.items())
        marks.update((TAG, _tag(*tag), seq) for tag in _TAGS.decode(tags).items())
        marks.update((("model", model, seq), ("model", side.routed_from, seq), ("config", side.config_digest, seq)))
        marks.add(("score", str(score), seq))
        _side(side, seq, marks)
        yield seq, name, at_ms, score


def _ended(rows: Iterable[tuple[Any, ...]], marks: set[Mark]) -> None:
    for seq, state, code, effect, answered, body in rows:
        marks.update((("state", state, seq), ("code", code, seq), ("effect", effect, seq), ("model", answered, seq)))
        _side(_SIDE.decode(body), seq, marks)


def _side(side: _Side, seq: int, marks: set[Mark]) -> None:
    marks.update(("rule", rule, seq) for rule in side.rules)
    marks.update(("kind", finding.kind, seq) for finding in side.findings)
    marks.update(("kind", kind, seq) for kind, _ in side.finding_counts)


def _insert(connection: sqlite3.Connection, marks: set[Mark]) -> None:
    """In the order of the table: each term's places go to one end of its part."""
    for (field, value), group in groupby(sorted(marks), key=lambda mark: mark[:2]):
        if not value:
            continue
        places = [seq for _, _, seq in group]
        (term,) = connection.execute(
            "INSERT INTO main.terms (field, value, requests) VALUES (?, ?, 0)"
            " ON CONFLICT DO UPDATE SET requests = requests RETURNING id",
            (field, value),
        ).fetchone()
        # An end may repeat what its intent said.
        before = connection.total_changes
        connection.executemany("INSERT OR IGNORE INTO main.marks VALUES (?, ?)", [(term, seq) for seq in places])
        added = connection.total_changes - before
        connection.execute("UPDATE main.terms SET requests = requests + ? WHERE id = ?", (added, term))


def _tag(name: str, value: str) -> str:
    """One of a request's tags as a term."""
    return f"{name}={value}"


class Plan(Struct, frozen=True):
    """How to come to the rows: what stands after FROM, what is asked before the filters' own conditions, and the column
    that has the rows' places."""

    source: str = "intents i"
    where: tuple[str, ...] = ()
    seq: str = "i.seq"


SCAN = Plan()
"""Every row, newest first."""
NOTHING = Plan(where=("0",))
"""What a search for a value comes to that no request has."""


def stated(filters: SearchFilters) -> list[tuple[str, str]]:
    """Fields and values of these filters that have terms."""
    found = [(field, value) for field in FIELDS if (value := getattr(filters, field))]
    found += [(TAG, _tag(*tag)) for tag in (filters.tags or {}).items()]
    return [one for one in found if one != ("state", "open")]


def plan(connection: sqlite3.Connection, filters: SearchFilters) -> Plan:
    """How to walk the index, attached as `search`, for these filters; SCAN where it does not help."""
    terms = [_terms(connection, field, value) for field, value in stated(filters)]
    scores = _scores(connection, filters)
    if scores is not None and scores[0] <= FEW:
        terms.append(scores)
    if any(not ids for _, ids in terms):
        return NOTHING
    walkable = sorted(one for one in terms if len(one[1]) == 1 or one[0] <= FEW)
    if not walkable:
        return SCAN
    first = walkable[0]
    if len(first[1]) > 1:
        _sort(connection, first[1])
    return _walk(first[1], [ids for _, ids in terms if ids != first[1]], filters)


def _sort(connection: sqlite3.Connection, terms: tuple[int, ...]) -> None:
    """The places of all of these terms in one order, in a table of this connection's own."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS picked (seq INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM picked")
    connection.execute(f"INSERT OR IGNORE INTO picked SELECT seq FROM search.marks WHERE term IN ({_list(terms)})")  # noqa: S608  numbers


def _terms(connection: sqlite3.Connection, field: str, value: str) -> tuple[int, tuple[int, ...]]:
    """How many requests have this value, and its terms: of a configuration's digest all that begin so."""
    like = "substr(value, 1, length(?2)) = ?2 AND value >= ?2" if field == "config" else "value = ?2"
    found = connection.execute(f"SELECT id, requests FROM search.terms WHERE field = ?1 AND {like}", (field, value))  # noqa: S608  names of ours
    rows = found.fetchall()
    return sum(count for _, count in rows), tuple(term for term, _ in rows)


def _scores(connection: sqlite3.Connection, filters: SearchFilters) -> tuple[int, tuple[int, ...]] | None:
    if filters.min_score is None and filters.max_score is None:
        return None
    rows = connection.execute("SELECT id, requests, value FROM search.terms WHERE field = 'score'").fetchall()
    low, high = filters.min_score or 0, 100 if filters.max_score is None else filters.max_score
    chosen = [(term, count) for term, count, value in rows if low <= int(value) <= high]
    return sum(count for _, count in chosen), tuple(term for term, _ in chosen)


def _walk(first: tuple[int, ...], others: list[tuple[int, ...]], filters: SearchFilters) -> Plan:
    """CROSS JOIN keeps SQLite to this order: the rarest term, the other terms, the facts, and last the wide rows."""
    one = len(first) == 1
    source, where = ("search.marks m", [f"m.term = {first[0]}"]) if one else ("picked m", [])
    where += [f"EXISTS (SELECT 1 FROM search.marks WHERE term IN ({_list(ids)}) AND seq = m.seq)" for ids in others]  # noqa: S608
    source += " CROSS JOIN search.facts f ON f.seq = m.seq CROSS JOIN intents i ON i.seq = m.seq"
    narrow = {
        "since_ms": "f.at_ms >= :since_ms",
        "until_ms": "f.at_ms < :until_ms",
        "min_score": "f.score >= :min_score",
        "max_score": "f.score <= :max_score",
    }
    where += [condition for name, condition in narrow.items() if getattr(filters, name) is not None]
    return Plan(source, tuple(where), "m.seq")


def _list(ids: Iterable[int]) -> str:
    return ", ".join(str(one) for one in ids)
