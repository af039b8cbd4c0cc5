import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.storage.errors import StorageError
from gptgate.storage.folder import create_folder
from gptgate.storage.schema import LATEST, MIGRATIONS, connect, migrate, require_latest, version_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return create_folder(tmp_path)


def test_an_empty_database_is_migrated_to_the_latest_version(path: Path) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        assert version_of(connection) == 0
        migrate(connection)
        assert version_of(connection) == LATEST
        migrate(connection)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    assert [name for (name,) in tables] == (
        "auditors corrections data_keys ends events intents keys log_batches meta schema_version "
        "spending spending_days spending_tags top_ups"
    ).split()


def test_processes_that_migrate_at_the_same_time_do_it_once(path: Path) -> None:
    faults: list[Exception] = []
    start = threading.Barrier(8)

    def run() -> None:
        with closing(connect(path, busy_ms=5000)) as connection:
            start.wait()
            try:
                migrate(connection)
            except (sqlite3.Error, StorageError) as error:
                faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with closing(connect(path, busy_ms=100)) as connection:
        assert connection.execute("SELECT count(*) FROM schema_version").fetchone() == (1,)
        assert version_of(connection) == LATEST


def test_a_failed_migration_leaves_the_version_before_it(path: Path) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        connection.execute("CREATE TABLE keys (id)")
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection)
        assert version_of(connection) == 0
        connection.execute("DROP TABLE keys")
        migrate(connection)
        assert version_of(connection) == LATEST


@pytest.mark.parametrize(("version", "message"), [(LATEST + 1, "knows versions up to"), (LATEST - 1, "needs")])
def test_another_version_is_refused_by_those_who_only_read(path: Path, version: int, message: str) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        migrate(connection)
        connection.execute("UPDATE schema_version SET version = ?", (version,))
        with pytest.raises(StorageError, match=message) as refused:
            require_latest(connection)
        assert refused.value.hint


def test_commits_are_synced(path: Path) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect(tmp_path / "none.db", busy_ms=100)
    assert not (tmp_path / "none.db").exists()


def test_a_reading_connection_cannot_write(path: Path) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        migrate(connection)
    with (
        closing(connect(path, busy_ms=100, read_only=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM meta")


def test_records_of_version_1_keep_their_order(path: Path) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("UPDATE schema_version SET version = 1")
        for name in ("z", "a", "m"):
            connection.execute(
                "INSERT INTO ends VALUES (?, 1, 'shop', 'w', 'completed', 200, '', '', '', 1, 2, 3, '', '{}', 'kept')",
                (name,),
            )
        migrate(connection)
        rows = connection.execute("SELECT seq, id, cost_nano, content, salt FROM ends ORDER BY seq").fetchall()
        connection.execute(
            "INSERT INTO ends SELECT NULL, 'b', at_ms, app, window, state, status, code, effect, "
            "answered_model, input_tokens, output_tokens, cost_nano, usage_source, body, content, salt, fees_nano "
            "FROM ends WHERE id = 'z'"
        )
        assert connection.execute("SELECT seq FROM ends WHERE id = 'b'").fetchone() == (4,)
    assert rows == [(1, "z", 3, "kept", None), (2, "a", 3, "kept", None), (3, "m", 3, "kept", None)]


def test_events_of_version_5_are_found_by_what_they_are_about(path: Path) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        for version, statements in enumerate(MIGRATIONS[:5], 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute("UPDATE schema_version SET version = ?", (version,))
        connection.execute(f"INSERT INTO intents SELECT 1, 'r'{', 0' * 14}, 1, x'7b7d', NULL, NULL, '', 0, '{{}}'")
        for kind, body in (
            ("config_applied", b'{"digest":"d","at_ms":1}'),
            ("content_read", b'{"request_id":"r1"}'),
            ("content_erased", b'{"request_id":null,"app":"x"}'),
            ("budget_reconciled", b'{"request":"r2"}'),
            ("reservation_extended", b'{"request":"r3"}'),
            ("reservation_extended", b"no JSON"),
            ("gateway_started", b'{"request":"r4"}'),
        ):
            connection.execute("INSERT INTO events (at_ms, type, body) VALUES (1, ?, ?)", (kind, body))
        migrate(connection)
        rows = connection.execute("SELECT about FROM events ORDER BY seq").fetchall()
        (last,) = connection.execute("SELECT type FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    assert [about for (about,) in rows] == ["d", "r1", "", "r2", "r3", "", "", ""]
    assert last == "approvals_logged"


def test_a_new_store_has_no_decisions_from_before_they_left_events(path: Path) -> None:
    with closing(connect(path, busy_ms=100)) as connection:
        migrate(connection)
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)
