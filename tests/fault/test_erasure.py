"""After an erasure no byte of the texts is in any file, and the log is still proven."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.storage.erasure import Erasure, erase
from gptgate.storage.errors import StorageError
from live_gateway import SIMULATED, Live

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


def holding(folder: Path, text: str) -> list[str]:
    """Files of the folder that hold these bytes anywhere."""
    return [path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_an_end_user_is_erased_while_the_gateway_runs(live: Live) -> None:
    assert holding(live.folder, WORDS["ada"])
    done = live.gptgate("audit", "erase", "--end-user", "ada", "--yes")
    assert (done.returncode, done.stdout) == (0, "texts of 4 requests erased\n")
    assert holding(live.folder, WORDS["ada"]) == []
    assert holding(live.folder, WORDS["bob"]), "others keep theirs"
    key = live.new_key()
    assert live.call(key, "echo: still here", user="eve") == 200


def test_the_log_is_proven_afterwards_and_tells_of_the_erasure(live: Live) -> None:
    live.call(live.new_key(), "echo: to be erased", user="carol")
    live.rows("--user", "carol")
    assert live.gptgate("audit", "erase", "--end-user", "carol", "--yes").returncode == 0
    for _ in range(100):
        done = live.gptgate("audit", "verify")
        assert done.returncode == 0, done.stderr
        entries = b"".join(path.read_bytes() for path in (live.folder / "log").rglob("*") if path.is_file())
        if b'"end_user":"carol","requests":1},"content":null,"type":"content_erased"' in entries:
            break
    else:
        pytest.fail("the erasure is not in the log")
    assert "erased since" in done.stdout
    assert live.gptgate("audit", "show", str(live.rows("--user", "ada")[0]["id"]), "--content").returncode == 0


def test_conditions_add_up_and_one_is_needed(live: Live) -> None:
    assert live.gptgate("audit", "erase", "--yes").returncode == 2
    done = live.gptgate("audit", "erase", "--end-user", "bob", "--before", "2020-01-01", "--yes")
    assert done.stdout == "texts of 0 requests erased\n"
    with pytest.raises(ValueError, match="condition"):
        erase(live.folder, Erasure(), 1, "test")


def test_without_a_yes_nothing_is_erased(live: Live) -> None:
    assert live.gptgate("audit", "erase", "--end-user", "bob").returncode == 1
    assert holding(live.folder, WORDS["bob"])


def test_old_copies_that_a_reader_holds_are_told_of(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.storage.erasure.PATIENCE_S", 0.1)
    monkeypatch.setattr("gptgate.storage.erasure.BUSY_MS", 100)
    live.call(live.new_key(), "echo: held by a reader", user="dora")
    live.rows("--user", "dora")
    with closing(sqlite3.connect(live.folder / "gptgate.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM intents").fetchone()
        with pytest.raises(StorageError, match="old copies may still stand"):
            erase(live.folder, Erasure(end_user="dora"), 1, "test")
    assert erase(live.folder, Erasure(end_user="dora"), 1, "test") == 0
    assert holding(live.folder, "held by a reader") == []
