"""No text is in a file in clear; after an erasure no byte of what was sealed is in one, and the log is still proven."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.core.sealing import OVERHEAD
from gptgate.storage.erasure import Erasure, erase, expire
from gptgate.storage.errors import StorageError
from live_gateway import SIMULATED, Live
from waiting import wait_until

WORDS = {"ada": "periwinkle-lighthouse", "bob": "tangerine-observatory"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A gateway that has kept texts of two end users: some short, some over several pages."""
    gateway = Live(tmp_path_factory.mktemp("data"), "", SIMULATED)
    gateway.start()
    key = gateway.new_key()
    for user, words in WORDS.items():
        for length in (1, 50, 400, 2000):
            assert gateway.call(key, "echo: " + " ".join([words] * length), user=user) == 200
    gateway.rows()
    yield gateway
    assert gateway.terminate() == 0


def holding(folder: Path, *pieces: bytes) -> list[str]:
    """Files of the folder that hold any of these bytes anywhere. One that the log replaces meanwhile holds nothing."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                data = path.read_bytes()
                found += [path.name] * any(piece in data for piece in pieces)
    return found


def kept(folder: Path, user: str) -> list[bytes]:
    """Pieces of what lies in the database of the user's texts: sealed ones, their salts, the keys that sealed them."""
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection:
        rows = connection.execute(
            "SELECT content, salt FROM intents WHERE end_user = ?1 UNION ALL"
            " SELECT e.content, e.salt FROM ends e JOIN intents i ON i.id = e.id WHERE i.end_user = ?1",
            (user,),
        ).fetchall()
    texts = [content for content, _ in rows if content is not None]
    cuts = [text[at : at + 24] for text in texts for at in range(OVERHEAD, len(text) - 24, 1000)]
    return [*cuts, *(text[-24:] for text in texts), *(salt for _, salt in rows if salt is not None)]


def data_keys(folder: Path) -> list[bytes]:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection:
        return [wrapped for (wrapped,) in connection.execute("SELECT wrapped FROM data_keys")]


def test_an_end_user_is_erased_while_the_gateway_runs(live: Live) -> None:
    assert holding(live.folder, *(words.encode() for words in WORDS.values())) == [], "all of it is sealed"
    ada, bob = kept(live.folder, "ada"), kept(live.folder, "bob")
    assert len(ada) > 20
    assert all(holding(live.folder, piece) for piece in ada)
    done = live.command("audit", "erase", "--end-user", "ada", "--yes")
    assert (done.returncode, done.stdout) == (0, "texts of 4 requests erased\n")
    assert holding(live.folder, *ada) == []
    assert all(holding(live.folder, piece) for piece in bob), "others keep theirs"
    assert data_keys(live.folder), "and the key of theirs"
    key = live.new_key()
    assert live.call(key, "echo: still here", user="eve") == 200


def test_the_log_is_proven_afterwards_and_tells_of_the_erasure(live: Live) -> None:
    live.call(live.new_key(), "echo: to be erased", user="carol")
    live.rows("--user", "carol")
    wait_until(lambda: not live.rows("--user", "carol", "--unproven"))
    assert live.command("audit", "erase", "--end-user", "carol", "--yes").returncode == 0
    told = b'"end_user":"carol","requests":1},"content":null,"type":"content_erased"'
    wait_until(lambda: holding(live.folder / "log", told))
    done = live.command("audit", "verify")
    assert done.returncode == 0, done.stderr
    assert "erased since" in done.stdout
    request_id = str(live.rows("--user", "carol")[0]["id"])
    shown = live.command("audit", "show", request_id, "--content", token=live.auditor())
    assert (shown.returncode, shown.stdout.count("erased 20")) == (0, 2)
    assert "content_erased" in live.command("audit", "trace", request_id).stdout


def test_conditions_add_up_and_one_is_needed(live: Live) -> None:
    assert live.command("audit", "erase", "--yes").returncode == 2
    done = live.command("audit", "erase", "--end-user", "bob", "--before", "2020-01-01", "--yes")
    assert done.stdout == "nothing matched: no kept text fits\n"
    with pytest.raises(ValueError, match="condition"):
        erase(live.folder, Erasure(), 1, "test")


def test_without_a_yes_nothing_is_erased(live: Live) -> None:
    before = kept(live.folder, "bob")
    done = live.gptgate("audit", "erase", "--end-user", "bob")
    assert (done.returncode, "Erase the texts of 4 requests for good?" in done.stdout) == (1, True)
    assert kept(live.folder, "bob") == before


def test_old_copies_that_a_reader_holds_are_told_of(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.storage.erasure.PATIENCE_S", 0.1)
    monkeypatch.setattr("gptgate.storage.erasure.BUSY_MS", 100)
    live.call(live.new_key(), "echo: held by a reader", user="dora")
    live.rows("--user", "dora")
    held = kept(live.folder, "dora")
    assert held
    with closing(sqlite3.connect(live.folder / "gptgate.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM intents").fetchone()
        with pytest.raises(StorageError, match="old copies may still stand"):
            erase(live.folder, Erasure(end_user="dora"), 1, "test")
    assert erase(live.folder, Erasure(end_user="dora"), 1, "test") == 0
    assert holding(live.folder, *held) == []


def test_a_key_goes_with_the_last_text_under_it(live: Live) -> None:
    """The texts in an older copy of the database are then good for nothing."""
    live.call(live.new_key(), "echo: the last one", user="erin")
    live.rows("--user", "erin")
    keys = data_keys(live.folder)
    assert keys
    assert live.command("audit", "erase", "--app", "demo", "--yes").returncode == 0
    assert data_keys(live.folder) == []
    assert holding(live.folder, *keys) == []
    key = live.new_key()
    assert live.call(key, "echo: a new day", user="frank") == 200
    live.rows("--user", "frank")
    assert len(data_keys(live.folder)) == 1
    assert live.command("audit", "verify").returncode == 0


def test_texts_go_when_their_time_is_over_and_those_of_a_class_before(live: Live) -> None:
    key = live.new_key()
    assert live.call(key, "echo: my mail is gina@example.com", user="gina") == 200
    assert live.call(key, "echo: nothing to see", user="hugo") == 200
    live.rows()
    now_ms = time.time_ns() // 1_000_000
    gina, hugo = kept(live.folder, "gina"), kept(live.folder, "hugo")
    assert expire(live.folder, 1, now_ms) == 0, "nothing is so old"
    assert expire(live.folder, now_ms + 1, now_ms, "secret") == 0
    assert expire(live.folder, now_ms + 1, now_ms, "pii") == 1
    assert holding(live.folder, *gina) == []
    assert kept(live.folder, "hugo") == hugo
    assert expire(live.folder, now_ms + 1, now_ms) >= 1
    assert holding(live.folder, *hugo) == []
    assert expire(live.folder, now_ms + 1, now_ms) == 0
    with closing(sqlite3.connect(live.folder / "gptgate.db")) as connection:
        bodies = [body for (body,) in connection.execute("SELECT body FROM events WHERE type = 'content_erased'")]
    told = [json.loads(body) for body in bodies if b'"by":"retention"' in body]
    assert (told[0].get("class"), told[0]["requests"]) == ("pii", 1)
    assert live.command("audit", "verify").returncode == 0
