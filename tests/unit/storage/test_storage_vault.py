"""Kept texts at rest: sealed with a key for each app and day, which the master key wraps."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.core.sealing import ANSWER, MAGIC, OVERHEAD, PLAIN, REQUEST, length_of, parse, plain, unsealed
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import create_folder
from gptgate.storage.schema import connect, migrate
from gptgate.storage.vault import DAY_MS, MasterKey, Vault, day_of, rewrap, text_opener

MASTER = MasterKey("m" * 32)
PLACE = ("shop", 20_000)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(create_folder(tmp_path), busy_ms=1000)) as connection:
        migrate(connection)
        yield connection


def sealed(database: sqlite3.Connection, text: bytes = b"secret words", vault: Vault | None = None) -> bytes:
    vault = vault or Vault(MASTER)
    vault.prepare(database, [PLACE])
    return vault.seal(PLACE, "r1", REQUEST, text)


@pytest.mark.parametrize("text", [b"", b"secret words", bytes(range(256)) * 400, MAGIC])
def test_a_text_comes_back_and_does_not_show(database: sqlite3.Connection, text: bytes) -> None:
    stored = sealed(database, text)
    assert text_opener(database, MASTER)(stored, "r1", REQUEST) == text
    assert stored.startswith(MAGIC)
    assert not text or text not in stored[len(MAGIC) :]
    assert (len(stored), length_of(stored)) == (len(text) + OVERHEAD, len(text))


def test_the_same_text_is_never_sealed_to_the_same_bytes(database: sqlite3.Connection) -> None:
    vault = Vault(MASTER)
    one, other = (parse(sealed(database, vault=vault)) for _ in range(2))
    assert one.number == other.number
    assert len({one.commitment, other.commitment, one.nonce, other.nonce, one.cipher, other.cipher}) == 6


def test_a_text_opens_in_its_own_place_only(database: sqlite3.Connection) -> None:
    stored, opens = sealed(database), text_opener(database, MASTER)
    for request_id, side in (("r2", REQUEST), ("r1", ANSWER)):
        with pytest.raises(StorageError, match="it was changed"):
            opens(stored, request_id, side)


def test_no_byte_can_be_changed(database: sqlite3.Connection) -> None:
    stored, opens = sealed(database, b"ab"), text_opener(database, MASTER)
    for at in range(len(MAGIC), len(stored)):
        changed = bytearray(stored)
        changed[at] ^= 1
        with pytest.raises(StorageError):
            opens(bytes(changed), "r1", REQUEST)
    with pytest.raises(StorageError, match="cut off"):
        opens(stored[: OVERHEAD - 1], "r1", REQUEST)


def test_each_app_and_day_has_a_key_of_its_own_and_restarts_find_it(database: sqlite3.Connection) -> None:
    places = [("shop", 1), ("shop", 2), ("desk", 1)]
    for _ in range(2):
        vault = Vault(MASTER)
        vault.prepare(database, places)
        assert [parse(vault.seal(place, "r", REQUEST, b"x")).number for place in places] == [1, 2, 3]
    assert (day_of(DAY_MS - 1), day_of(DAY_MS)) == (0, 1)


def test_the_database_alone_has_no_key(database: sqlite3.Connection) -> None:
    sealed(database)
    (wrapped,) = database.execute("SELECT wrapped FROM data_keys").fetchone()
    assert len(wrapped) == 12 + 32 + 16
    stored = sealed(database)
    with pytest.raises(StorageError, match="it is under master key"):
        text_opener(database, MasterKey("n" * 32))(stored, "r1", REQUEST)
    database.execute("UPDATE data_keys SET master = ?", (MasterKey("n" * 32).fingerprint,))
    with pytest.raises(StorageError, match="cannot be unwrapped"):
        text_opener(database, MasterKey("n" * 32))(stored, "r1", REQUEST)


def test_a_wrapped_key_cannot_be_given_to_another_app(database: sqlite3.Connection) -> None:
    stored = sealed(database)
    database.execute("UPDATE data_keys SET app = 'other'")
    with pytest.raises(StorageError, match="cannot be unwrapped"):
        text_opener(database, MASTER)(stored, "r1", REQUEST)


def test_a_destroyed_key_takes_its_texts_with_it_and_is_never_given_again(database: sqlite3.Connection) -> None:
    vault = Vault(MASTER)
    stored = sealed(database, vault=vault)
    database.execute("DELETE FROM data_keys")
    with pytest.raises(StorageError, match="its data key was destroyed"):
        text_opener(database, MASTER)(stored, "r1", REQUEST)
    again = sealed(database, vault=vault)
    assert (parse(stored).number, parse(again).number) == (1, 2)
    assert text_opener(database, MASTER)(again, "r1", REQUEST) == b"secret words"


def test_another_master_key_takes_over_and_no_text_changes(database: sqlite3.Connection) -> None:
    stored, new = sealed(database), MasterKey("n" * 40)
    assert rewrap(database, MASTER, new) == 1
    assert text_opener(database, new)(stored, "r1", REQUEST) == b"secret words"
    with pytest.raises(StorageError, match="it is under master key"):
        text_opener(database, MASTER)(stored, "r1", REQUEST)
    assert rewrap(database, MASTER, new) == 0
    with pytest.raises(StorageError, match="which is neither of the two"):
        rewrap(database, MASTER, MasterKey("o" * 32))


def test_a_master_key_is_long_and_says_nothing_of_itself() -> None:
    with pytest.raises(StorageError, match="fewer than 32 characters"):
        MasterKey("short")
    assert "m" * 8 not in MASTER.fingerprint
    assert MASTER.fingerprint != MasterKey("n" * 32).fingerprint


@pytest.mark.parametrize("text", [b"", b"text", MAGIC + b"x", PLAIN + b"x"])
def test_what_is_not_sealed_is_never_taken_for_sealed(database: sqlite3.Connection, text: bytes) -> None:
    stored = unsealed(text)
    assert plain(stored) == text
    assert text_opener(database, MASTER)(stored, "r1", REQUEST) == text
