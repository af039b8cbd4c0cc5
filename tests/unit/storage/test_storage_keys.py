import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gptgate.core.keys import KeyRecord
from gptgate.storage.errors import StorageError
from gptgate.storage.keys import KeyStore
from gptgate.storage.sqlite import SqliteStore
from storage_samples import FixedClock, intent


def key(key_id: str, **values: Any) -> KeyRecord:
    plain: dict[str, Any] = {"app": "shop", "name": "n", "secret_hash": bytes(range(32)), "created_ms": 5}
    return KeyRecord(id=key_id, **{**plain, **values})


def test_a_key_comes_back_as_it_was_inserted(tmp_path: Path) -> None:
    full = key(
        "a",
        expires_ms=7,
        revoked_ms=8,
        models=("gpt-4o", 'odd "name", ü'),
        endpoints=("chat",),
        networks=("10.0.0.0/8", "::1/128"),
        replaces="b",
    )
    with KeyStore(tmp_path / "new") as keys:
        keys.insert(full)
        keys.insert(key("older", created_ms=1))
    with KeyStore(tmp_path / "new") as keys:
        assert keys.all() == [key("older", created_ms=1), full]


def test_an_id_can_be_inserted_once(tmp_path: Path) -> None:
    with KeyStore(tmp_path) as keys:
        keys.insert(key("a"))
        version = keys.data_version()
        with pytest.raises(StorageError, match="cannot insert key a"):
            keys.insert(key("a", name="other"))
        assert keys.all() == [key("a")]
        assert keys.data_version() == version


def test_the_first_revocation_stays(tmp_path: Path) -> None:
    with KeyStore(tmp_path) as keys:
        keys.insert(key("a"))
        keys.insert(key("b"))
        keys.revoke("a", 100)
        keys.revoke("a", 200)
        assert keys.all() == [key("a", revoked_ms=100), key("b")]


def test_an_expiry_can_be_set_and_taken_back(tmp_path: Path) -> None:
    with KeyStore(tmp_path) as keys:
        keys.insert(key("a"))
        keys.set_expiry("a", 100, 5)
        assert keys.all() == [key("a", expires_ms=100)]
        keys.set_expiry("a", 0, 5)
        assert keys.all() == [key("a")]


def test_a_key_that_is_not_there_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    with KeyStore(tmp_path) as keys:
        version = keys.data_version()
        with pytest.raises(StorageError, match="there is no key"):
            keys.revoke("a", 1)
        with pytest.raises(StorageError, match="there is no key"):
            keys.set_expiry("a", 1, 5)
        assert keys.data_version() == version
        keys.insert(key("a"))
        assert keys.data_version() > version


def test_every_change_by_another_process_raises_the_version(tmp_path: Path) -> None:
    with KeyStore(tmp_path) as here, KeyStore(tmp_path) as there:
        seen = [here.data_version(), here.data_version()]
        there.insert(key("a"))
        seen.append(here.data_version())
        there.set_expiry("a", 9, 5)
        seen.append(here.data_version())
        there.revoke("a", 9)
        seen.append(here.data_version())
        assert seen[0] == seen[1]
        assert seen[1:] == sorted(set(seen))
        assert here.all() == there.all()


def test_an_allow_list_that_cannot_be_read_is_an_error_and_not_empty(tmp_path: Path) -> None:
    with KeyStore(tmp_path) as keys:
        keys.insert(key("a", models=("m",)))
        with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
            connection.execute("UPDATE keys SET models = 'm'")
        with pytest.raises(StorageError, match="lists of key a"):
            keys.all()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    KeyStore(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(StorageError, match="schema version 99"):
        KeyStore(tmp_path)


async def test_keys_change_while_a_gateway_writes_records(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path, clock=FixedClock(), timeout_ms=60_000)
    done = asyncio.Event()

    async def traffic(name: str) -> int:
        number = 0
        while not done.is_set():
            await store.begin(intent(f"{name}-{number}"), b"x" * 500)
            number += 1
        return number

    def change() -> list[KeyRecord]:
        with KeyStore(tmp_path) as keys:
            for number in range(20):
                keys.insert(key(f"k{number}", created_ms=number))
                keys.revoke(f"k{number}", 1)
            return keys.all()

    tasks = [asyncio.create_task(traffic(f"t{number}")) for number in range(8)]
    changed = await asyncio.to_thread(change)
    done.set()
    assert sum(await asyncio.gather(*tasks)) > 0
    assert [record.id for record in changed] == [f"k{number}" for number in range(20)]
    assert all(record.revoked_ms == 1 for record in changed)
    assert store.healthy() == []
    assert store.stats().failures == 0
    await store.close(60_000)
