"""Tables, their versions, and how a connection is opened."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gptgate.storage.durable import remove, sync_folders
from gptgate.storage.errors import StorageError, Unreadable
from gptgate.storage.unlocked import UNLOCKED, UnlockedConnection

FINGERPRINTS_NAME = "files.sha256"
"""What the files were when gptgate was done with them; see `storage.fingerprints`."""

_SUMS: dict[str, str] = {
    "requests": "1",
    "refused": "{end}.state = 'refused'",
    "billed": "{end}.usage_source <> 'unused'",
    "input_tokens": "{end}.input_tokens",
    "output_tokens": "{end}.output_tokens",
    "tokens": """CASE {end}.usage_source WHEN 'unknown' THEN i.reserved_tokens
        ELSE {end}.input_tokens + {end}.output_tokens END""",
    "usd": "{end}.cost_nano / 1000000000",
    "nano": "{end}.cost_nano % 1000000000",
    "unknown_usd": """CASE WHEN {end}.usage_source IN ('unknown', 'estimated')
        THEN {end}.cost_nano / 1000000000 ELSE 0 END""",
    "unknown_nano": """CASE WHEN {end}.usage_source IN ('unknown', 'estimated')
        THEN {end}.cost_nano % 1000000000 ELSE 0 END""",
}
"""Columns of `spending` → what an end adds to them."""
_SUMMED = ", ".join(f"sum({term.format(end='e')})" for term in _SUMS.values())
SPENT_BY_RECORDS = f"""
SELECT i.at_ms / 900000 * 900000 AS slot_ms, i.team, i.app, i.key_id, i.end_user, i.session, i.model, i.provider,
       {_SUMMED}
FROM intents i JOIN outcomes e ON e.id = i.id GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"""  # noqa: S608
"""The rows that `spending` must have, out of the records."""
SPENT_BY_DAYS = f"""
SELECT slot_ms / 86400000 * 86400000, team, app, key_id, model, provider, {", ".join(f"sum({sum})" for sum in _SUMS)}
FROM spending GROUP BY 1, 2, 3, 4, 5, 6"""  # noqa: S608
"""The rows that `spending_days` must have, out of those of `spending`."""
SPENT_BY_TAGS = f"""
SELECT i.at_ms / 86400000 * 86400000, i.app, t.key, t.value, {_SUMMED}
FROM intents i JOIN outcomes e ON e.id = i.id JOIN json_each(i.tags) t GROUP BY 1, 2, 3, 4"""  # noqa: S608
"""The rows that `spending_tags` must have, out of the records."""
_SINGLE = ", ".join(term.format(end="new") for term in _SUMS.values())
_ADDED = ", ".join(f"{column} = {column} + excluded.{column}" for column in _SUMS)
_COLUMNS = ", ".join(f"{column} INTEGER NOT NULL" for column in _SUMS)
_CORRECTED = ", ".join(
    # Neither changes by what is found out about the usage.
    "0" if column in ("requests", "refused") else f"({term.format(end='new')}) - ({term.format(end='e')})"
    for column, term in _SUMS.items()
)
"""What a correction, a row with the columns of an end, adds to them."""


def _triggers(name: str, table: str, source: str, added: str) -> str:
    """Add to all three tables of sums what a new row of `table` is."""
    slot, day = "i.at_ms / 900000 * 900000", "i.at_ms / 86400000 * 86400000"
    into = {
        "spending": f"""{slot}, i.team, i.app, i.key_id, i.end_user, i.session, i.model, i.provider, {added}
            FROM {source}""",
        "spending_days": f"{day}, i.team, i.app, i.key_id, i.model, i.provider, {added} FROM {source}",
        "spending_tags": f"{day}, i.app, t.key, t.value, {added} FROM {source} JOIN json_each(i.tags) t",
    }
    statements = " ".join(
        f"INSERT INTO {sums} SELECT {row} WHERE i.id = new.id ON CONFLICT DO UPDATE SET {_ADDED};"
        for sums, row in into.items()
    )
    return f"CREATE TRIGGER {name} AFTER INSERT ON {table} BEGIN {statements} END"


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE schema_version (version INTEGER NOT NULL)",
        "INSERT INTO schema_version (version) VALUES (0)",
        # key_generation: raised by every change of a key. ended_before: every intent with a lower seq has its end.
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta (name, value) VALUES ('key_generation', 0), ('ended_before', 1)",
        """CREATE TABLE intents (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, team TEXT NOT NULL,
            app TEXT NOT NULL, key_id TEXT NOT NULL, end_user TEXT NOT NULL, client TEXT NOT NULL,
            endpoint TEXT NOT NULL, stream INTEGER NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL,
            upstream_model TEXT NOT NULL, effect TEXT NOT NULL, score INTEGER NOT NULL, window TEXT NOT NULL,
            reserved_nano INTEGER NOT NULL, body BLOB NOT NULL, content BLOB)""",
        "CREATE INDEX intents_at ON intents (at_ms)",
        """CREATE TABLE ends (
            id TEXT PRIMARY KEY NOT NULL, at_ms INTEGER NOT NULL, app TEXT NOT NULL, window TEXT NOT NULL,
            state TEXT NOT NULL, status INTEGER NOT NULL, code TEXT NOT NULL, effect TEXT NOT NULL,
            answered_model TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
            cost_nano INTEGER NOT NULL, usage_source TEXT NOT NULL, body BLOB NOT NULL, content BLOB)""",
        # Covers `spent_by_window`, so that starting does not read every body of the month.
        "CREATE INDEX ends_spent ON ends (window, app, cost_nano)",
        """CREATE TABLE keys (
            id TEXT PRIMARY KEY NOT NULL, app TEXT NOT NULL, name TEXT NOT NULL, secret_hash BLOB NOT NULL,
            created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL,
            models TEXT NOT NULL, endpoints TEXT NOT NULL, networks TEXT NOT NULL, replaces TEXT NOT NULL)""",
    ),
    (
        # Rows get their places in the audit log by `seq`, which has no gaps in any of the three tables: it is the
        # rowid, one more than the highest, and no row is ever deleted. `salt` belongs to the content; see `core.log`.
        "ALTER TABLE intents ADD COLUMN salt BLOB",
        "DROP INDEX ends_spent",
        "ALTER TABLE ends RENAME TO ends_1",
        """CREATE TABLE ends (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, app TEXT NOT NULL,
            window TEXT NOT NULL, state TEXT NOT NULL, status INTEGER NOT NULL, code TEXT NOT NULL,
            effect TEXT NOT NULL, answered_model TEXT NOT NULL, input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL, cost_nano INTEGER NOT NULL, usage_source TEXT NOT NULL, body BLOB NOT NULL,
            content BLOB, salt BLOB)""",
        """INSERT INTO ends (id, at_ms, app, window, state, status, code, effect, answered_model, input_tokens,
                             output_tokens, cost_nano, usage_source, body, content)
           SELECT id, at_ms, app, window, state, status, code, effect, answered_model, input_tokens,
                  output_tokens, cost_nano, usage_source, body, content FROM ends_1 ORDER BY rowid""",
        "DROP TABLE ends_1",
        "CREATE INDEX ends_spent ON ends (window, app, cost_nano)",
        # What else belongs into the log: what the gateway and its operators did.
        "CREATE TABLE events (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL)",
        # One row for each batch that was given its places in the log: the batch's entries are the intents after those
        # of the row before, up to `intents_to`, then the ends, then the events; `size` is the log's size with them.
        """CREATE TABLE log_batches (
            size INTEGER PRIMARY KEY, intents_to INTEGER NOT NULL, ends_to INTEGER NOT NULL,
            events_to INTEGER NOT NULL)""",
    ),
    (
        "ALTER TABLE intents ADD COLUMN session TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE intents ADD COLUMN reserved_tokens INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX ends_spent",
        # Sums over ends, by the quarter of an hour in which their requests began. `billed` requests are those that may
        # have cost something; `tokens` of an unknown usage are those that were reserved. Dollars and the rest stand
        # apart, because a sum past 2**63 would become a floating point number.
        """CREATE TABLE spending (
            slot_ms INTEGER NOT NULL, team TEXT NOT NULL, app TEXT NOT NULL, key_id TEXT NOT NULL,
            end_user TEXT NOT NULL, session TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL,
            requests INTEGER NOT NULL, refused INTEGER NOT NULL, billed INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, tokens INTEGER NOT NULL,
            usd INTEGER NOT NULL, nano INTEGER NOT NULL, unknown_usd INTEGER NOT NULL, unknown_nano INTEGER NOT NULL,
            PRIMARY KEY (slot_ms, team, app, key_id, end_user, session, model, provider)) WITHOUT ROWID""",
        f"INSERT INTO spending {SPENT_BY_RECORDS.replace('outcomes', 'ends')}",
        # In the same transaction as the end, and only for an end that is really new: a second one of an id is ignored.
        f"""CREATE TRIGGER ends_spending AFTER INSERT ON ends BEGIN
            INSERT INTO spending
            SELECT i.at_ms / 900000 * 900000, i.team, i.app, i.key_id, i.end_user, i.session, i.model, i.provider,
                   {_SINGLE}
            FROM intents i WHERE i.id = new.id
            ON CONFLICT DO UPDATE SET {_ADDED}; END""",  # noqa: S608
        """CREATE TABLE top_ups (
            seq INTEGER PRIMARY KEY, budget TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL,
            amount INTEGER NOT NULL, by TEXT NOT NULL)""",
    ),
    (
        "ALTER TABLE intents ADD COLUMN tags TEXT NOT NULL DEFAULT '{}'",
        # What somebody found out about a request whose usage was unknown. Once for each: records are not rewritten.
        """CREATE TABLE corrections (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, usage_source TEXT NOT NULL,
            input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nano INTEGER NOT NULL,
            by TEXT NOT NULL)""",
        """CREATE VIEW outcomes AS
            SELECT e.id, e.state, coalesce(c.usage_source, e.usage_source) AS usage_source,
                   coalesce(c.input_tokens, e.input_tokens) AS input_tokens,
                   coalesce(c.output_tokens, e.output_tokens) AS output_tokens,
                   coalesce(c.cost_nano, e.cost_nano) AS cost_nano
            FROM ends e LEFT JOIN corrections c ON c.id = e.id""",
        # A report over a year reads days, without what callers make up any number of: end users, sessions and tags.
        f"""CREATE TABLE spending_days (
            day_ms INTEGER NOT NULL, team TEXT NOT NULL, app TEXT NOT NULL, key_id TEXT NOT NULL, model TEXT NOT NULL,
            provider TEXT NOT NULL, {_COLUMNS},
            PRIMARY KEY (day_ms, team, app, key_id, model, provider)) WITHOUT ROWID""",
        f"INSERT INTO spending_days {SPENT_BY_DAYS}",
        f"""CREATE TABLE spending_tags (
            day_ms INTEGER NOT NULL, app TEXT NOT NULL, tag TEXT NOT NULL, value TEXT NOT NULL, {_COLUMNS},
            PRIMARY KEY (day_ms, app, tag, value)) WITHOUT ROWID""",
        "DROP TRIGGER ends_spending",
        _triggers("ends_spending", "ends", "intents i", _SINGLE),
        _triggers("corrections_spending", "corrections", "intents i JOIN ends e ON e.id = i.id", _CORRECTED),
    ),
    (
        # Keys of kept texts, each wrapped by the master key of that fingerprint. `day` counts from 1970, UTC. No number
        # is given twice, also when its key was destroyed: `meta` remembers the last.
        """CREATE TABLE data_keys (
            number INTEGER PRIMARY KEY, app TEXT NOT NULL, day INTEGER NOT NULL, master TEXT NOT NULL,
            wrapped BLOB NOT NULL)""",
        "CREATE INDEX data_keys_place ON data_keys (app, day)",
        "INSERT INTO meta (name, value) VALUES ('data_keys', 0)",
        # Finds the texts that are there, among many records that have none any more.
        "CREATE INDEX intents_kept ON intents (at_ms, app) WHERE content IS NOT NULL",
        "CREATE INDEX ends_kept ON ends (at_ms, app) WHERE content IS NOT NULL",
        # Who may read kept texts. A token itself is stored nowhere.
        """CREATE TABLE auditors (
            name TEXT PRIMARY KEY NOT NULL, token_hash BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL)""",
    ),
    (
        # What an event is about, where events of its type are looked up by it: a request, an approval, a
        # configuration's digest. A body that is no JSON any more is left to the verification to name.
        "ALTER TABLE events ADD COLUMN about TEXT NOT NULL DEFAULT ''",
        """UPDATE events SET about = coalesce(json_extract(CAST(body AS TEXT), CASE type
                WHEN 'config_applied' THEN '$.digest'
                WHEN 'content_read' THEN '$.request_id' WHEN 'content_erased' THEN '$.request_id'
                ELSE '$.request' END), '')
            WHERE type IN ('config_applied', 'content_read', 'content_erased', 'budget_reconciled',
                'reservation_extended') AND json_valid(CAST(body AS TEXT))""",
        "CREATE INDEX events_about ON events (type, about)",
        # From now on decisions on approvals leave events. Where some may have been made before, the log says from when.
        """INSERT INTO events (at_ms, type, body)
            SELECT now, 'approvals_logged', CAST('{"at_ms":' || now || '}' AS BLOB)
            FROM (SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) AS now)
            WHERE EXISTS (SELECT 1 FROM intents)""",
    ),
    (
        # What is estimated is not proven by a provider's usage either: the sums count it so from here on.
        "DROP TRIGGER ends_spending",
        "DROP TRIGGER corrections_spending",
        _triggers("ends_spending", "ends", "intents i", _SINGLE),
        _triggers("corrections_spending", "corrections", "intents i JOIN ends e ON e.id = i.id", _CORRECTED),
        "DELETE FROM spending",
        f"INSERT INTO spending {SPENT_BY_RECORDS}",
        "DELETE FROM spending_days",
        f"INSERT INTO spending_days {SPENT_BY_DAYS}",
        "DELETE FROM spending_tags",
        f"INSERT INTO spending_tags {SPENT_BY_TAGS}",
    ),
    (
        # An amount that was set is that amount, and no difference to what was configured then. Events know it.
        "ALTER TABLE top_ups ADD COLUMN set_to INTEGER",
        """UPDATE top_ups SET set_to = (
            SELECT CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.set_to') END
            FROM (SELECT body, row_number() OVER (ORDER BY seq) AS place FROM events
                  WHERE type IN ('budget_topped_up', 'budget_set'))
            WHERE place = top_ups.seq)""",
    ),
    (
        # What the budget was when its amount was changed. Nobody wrote it down before: NULL.
        "ALTER TABLE top_ups ADD COLUMN unit TEXT",
        "ALTER TABLE top_ups ADD COLUMN window TEXT",
        "ALTER TABLE top_ups ADD COLUMN scope TEXT",
    ),
    # An amount that was changed can go back to what is configured.
    ("ALTER TABLE top_ups ADD COLUMN configured INTEGER NOT NULL DEFAULT 0",),
    (
        # What was paid for tools that the provider runs. Few requests pay for any, so reports add these up themselves.
        "ALTER TABLE ends ADD COLUMN fees_nano INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX ends_fees ON ends (id, fees_nano) WHERE fees_nano > 0",
    ),
)
"""One tuple of statements per version, in order. A released one is never edited."""

LATEST = len(MIGRATIONS)


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn SQLite's and the system's errors into StorageError: ``cannot <doing>: ...``."""
    try:
        yield
    # The last is what some versions of Python make of a text in the database that is not UTF-8.
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot {doing}: {error}") from error


def connect(path: Path, *, busy_ms: int, read_only: bool = False, derived: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode that may move between threads, to an existing file.

    A commit returns when its pages are synced (`synchronous=FULL` in WAL mode). `busy_ms` bounds the wait for another
    process's write lock. `derived` is a database that is made from another, and has no fingerprint. Raises
    sqlite3.Error, OSError, or StorageError when the file system cannot do WAL, Unreadable when only reading was asked
    for and this user or this place cannot.

    The `close` of one to read may raise StorageError: see `UnlockedConnection`.
    """
    mode = _read_mode(path) if read_only else "mode=rw"
    if mode == UNLOCKED:
        return UnlockedConnection(path)
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{mode}",
        uri=True,
        timeout=busy_ms / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if not read_only:
            _make_durable(connection, path)
            # Not before: now there is a write-ahead log, by which whoever takes fingerprints sees this connection.
            if not derived:
                _forget_fingerprints(path.parent)
    except (sqlite3.Error, StorageError, OSError):
        connection.close()
        raise
    return connection


def _read_mode(path: Path) -> str:
    """A database in WAL mode needs files beside it, also to be read, and a read-only folder takes none. Raises
    Unreadable when rows of it are, or may be, out of reach."""
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    for file in (path, log, index):
        if file.exists() and not os.access(file, os.R_OK):
            raise Unreadable(
                f"{file} cannot be read by this user",
                hint=f"run this as the gateway's user, or name a copy, with {log.name}, that you may read",
            )
    if os.access(path.parent, os.W_OK):
        return "mode=ro"
    if index.exists():
        if not log.exists():
            raise Unreadable(
                f"{log} is missing, although {index.name} is there: the newest rows may be in it",
                hint=f"copy the folder again, with {log.name}; a gateway that has stopped in order leaves neither",
            )
        return "mode=ro"
    if log.exists() and log.stat().st_size:
        raise Unreadable(
            f"{path.name} has a write-ahead log, which cannot be read in a folder that nothing can be written to",
            hint=f"copy the folder, with {log.name}, to where this user may write, and name the copy",
        )
    return UNLOCKED


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StorageError(
            f"{path} cannot be written in WAL mode (SQLite says {mode!r})", hint="use a folder on a local disk"
        )
    connection.execute("PRAGMA synchronous=FULL")
    # On macOS only this reaches the platter; elsewhere it changes nothing.
    connection.execute("PRAGMA fullfsync=ON")


def _forget_fingerprints(folder: Path) -> None:
    """What is about to be written makes them untrue. A crash after this leaves none."""
    path = folder / FINGERPRINTS_NAME
    if path.exists():
        remove(path)
        sync_folders([folder])


def version_of(connection: sqlite3.Connection) -> int:
    """The schema's version, 0 for an empty database."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")
    if found.fetchone() is None:
        return 0
    (version,) = connection.execute("SELECT version FROM schema_version").fetchone()
    return int(version)


def require_latest(connection: sqlite3.Connection) -> None:
    """Raises StorageError when the schema is not the one that this program knows."""
    version = version_of(connection)
    if version > LATEST:
        raise StorageError(
            f"the database has schema version {version}, this gptgate knows versions up to {LATEST}",
            hint="use the gptgate that wrote it, or a newer one",
        )
    if version < LATEST:
        raise StorageError(
            f"the database has schema version {version}, this gptgate needs {LATEST}",
            hint="start the gateway once; it migrates the database",
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema forward to LATEST. Raises StorageError on a newer one.

    Each version is one transaction: a crash leaves the version before it, and the next open goes on from there.
    """
    version = version_of(connection)
    while version < LATEST:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Asked again under the write lock: another process may have migrated in between.
            version = version_of(connection)
            if version < LATEST:
                for statement in MIGRATIONS[version]:
                    connection.execute(statement)
                version += 1
                connection.execute("UPDATE schema_version SET version = ?", (version,))
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    require_latest(connection)
