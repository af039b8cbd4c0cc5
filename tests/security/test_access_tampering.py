"""Keys and auditors, changed by somebody who can write to the database, and what `gptgate audit verify` says of it."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from audit_logs import Records, sequence, unverified
from gptgate.core.events import encode_event
from gptgate.core.keys import KeyRecord
from gptgate.storage.auditors import add_auditor, remove_auditor
from gptgate.storage.folder import CONTENT_KEY_NAME
from gptgate.storage.keys import KeyStore
from gptgate.storage.rows import INSERT_INTENT, intent_values
from gptgate.storage.schema import connect
from gptgate.storage.vault import MasterKey, Vault, day_of
from storage_samples import intent

HASH = b"\x01" * 32


def key(name: str, **more: Any) -> KeyRecord:
    fields: dict[str, Any] = {"id": name, "app": "shop", "name": "till", "secret_hash": HASH, "created_ms": 5, **more}
    return KeyRecord(**fields)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys in every state, one auditor who left and one who stayed, and a sealed text; all of it in the log."""
    folder = tmp_path_factory.mktemp("access")
    records = Records(folder)
    with KeyStore(folder) as store:
        store.insert(key("good", models=("small", "large"), networks=("10.0.0.0/8",)))
        store.insert(key("short", expires_ms=100))
        store.set_expiry("short", 50, 7)
        store.insert(key("gone", replaces="good"))
        store.revoke("gone", 9)
        store.revoke("gone", 10)
    add_auditor(folder, "ada", 11, "root")
    remove_auditor(folder, "ada", 12, "root")
    add_auditor(folder, "bob", 13, "root")
    with closing(connect(records.path, busy_ms=1000)) as connection:
        vault, asked = Vault(MasterKey("m" * 32)), intent("sealed")
        place = (asked.app, day_of(asked.at_ms))
        vault.prepare(connection, [place])
        text = vault.seal(place, asked.id, "request", b"hello")
        connection.execute(INSERT_INTENT, intent_values(1, asked, encode_event(asked), text))
    sequence(records)
    with closing(sqlite3.connect(records.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "data")


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


@pytest.mark.parametrize("change_to", ["x'00'", "'text'", "wrapped || x'00'"])
def test_a_data_key_that_was_changed_is_found_where_its_master_key_is(
    folder: Path, change_to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, f"UPDATE data_keys SET wrapped = CAST({change_to} AS BLOB)")
    assert unverified(folder) == ""
    assert "not tried, because their master key is not here: 1." in capsys.readouterr().out
    (folder / CONTENT_KEY_NAME).write_text("m" * 32 + "\n")
    assert unverified(folder) == "not verified: data key 1 was changed: its master key does not unwrap it"


def test_a_data_key_that_nobody_changed_is_tried(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / CONTENT_KEY_NAME).write_text("m" * 32 + "\n")
    assert unverified(folder) == ""
    assert "not tried" not in capsys.readouterr().out
    (folder / CONTENT_KEY_NAME).write_text("o" * 32 + "\n")
    assert unverified(folder) == ""
    assert "not tried" in capsys.readouterr().out


def test_what_nobody_touched_is_verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert unverified(folder) == ""
    assert "long ago" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE keys SET secret_hash = zeroblob(32) WHERE id = 'good'", "key good: the hash of its secret"),
        ("UPDATE keys SET secret_hash = 'text' WHERE id = 'good'", "key good: the hash of its secret"),
        ("UPDATE keys SET app = 'bank' WHERE id = 'good'", "key good: its column app"),
        ("UPDATE keys SET models = '[]' WHERE id = 'good'", "key good: its column models"),
        ("UPDATE keys SET networks = '[]' WHERE id = 'good'", "key good: its column networks"),
        ("UPDATE keys SET endpoints = '[\"chat\"]' WHERE id = 'good'", "key good: its column endpoints"),
        ("UPDATE keys SET name = 'other' WHERE id = 'good'", "key good: its column name"),
        ("UPDATE keys SET expires_ms = 0 WHERE id = 'short'", "key short: its column expires_ms"),
        ("UPDATE keys SET expires_ms = 100 WHERE id = 'short'", "key short: its column expires_ms"),
        ("UPDATE keys SET revoked_ms = 0 WHERE id = 'gone'", "key gone: its column revoked_ms"),
        ("UPDATE keys SET revoked_ms = 10 WHERE id = 'gone'", "key gone: its column revoked_ms"),
        ("UPDATE keys SET replaces = '' WHERE id = 'gone'", "key gone: its column replaces"),
        ("UPDATE keys SET created_ms = 6 WHERE id = 'good'", "key good: its column created_ms"),
        ("DELETE FROM keys WHERE id = 'short'", "key short is gone"),
        ("UPDATE keys SET name = CAST(x'8a' AS TEXT) WHERE id = 'short'", "cannot look at keys and auditors: "),
        (
            "INSERT INTO keys SELECT 'mine', app, name, secret_hash, created_ms, 0, 0, '[]', '[]', '[]', '' FROM keys "
            "WHERE id = 'good'",
            "key mine was added without an event",
        ),
        ("UPDATE keys SET id = 'gooe' WHERE id = 'good'", "key good is gone"),
        ("UPDATE auditors SET token_hash = zeroblob(32)", "auditor bob: the hash of its secret"),
        ("UPDATE auditors SET name = 'eve'", "auditor bob is gone"),
        ("DELETE FROM auditors", "auditor bob is gone"),
        ("INSERT INTO auditors VALUES ('ada', zeroblob(32), 11)", "auditor ada was added without an event"),
        ("DELETE FROM data_keys", "the key of a text is gone (request of sealed"),
        ("UPDATE data_keys SET app = 'bank'", "the key of a text is gone (request of sealed"),
    ],
)
def test_what_no_event_tells_of_is_found_and_named(folder: Path, statement: str, place: str) -> None:
    change(folder, statement)
    assert place in unverified(folder)


def test_an_event_that_is_made_up_for_it_is_found_by_the_log(folder: Path) -> None:
    body = json.dumps({"at_ms": 20, "expires_ms": 0, "key_id": "short"}, separators=(",", ":")).encode()
    change(folder, "UPDATE events SET body = ?, at_ms = 20 WHERE type = 'key_expiry_set'", body)
    change(folder, "UPDATE keys SET expires_ms = 0 WHERE id = 'short'")
    assert "it is not what was logged" in unverified(folder)


def test_a_key_from_before_the_log_told_of_its_hash_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    records = Records(folder)
    with KeyStore(folder) as store:
        store.insert(key("old"))
    with closing(sqlite3.connect(records.path)) as connection, connection:
        (body,) = connection.execute("SELECT body FROM events").fetchone()
        fields = json.loads(body)
        del fields["hash_digest"]
        connection.execute("UPDATE events SET body = ?", (json.dumps(fields).encode(),))
    sequence(records)
    assert unverified(folder) == ""
    assert "which secret they have: 1" in capsys.readouterr().out
    change(folder, "UPDATE keys SET expires_ms = 1")
    assert "key old: its column expires_ms" in unverified(folder)
