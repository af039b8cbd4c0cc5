"""Texts in clear are sealed: no file holds them any more, and the log still proves them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import Records, sequence, unverified
from gptgate.core.events import encode_event
from gptgate.core.sealing import ANSWER, REQUEST
from gptgate.storage.erasure import Erasure, erase
from gptgate.storage.errors import StorageError
from gptgate.storage.late_sealing import seal_texts
from gptgate.storage.rows import INSERT_END, INSERT_INTENT, end_values, intent_values, next_seq
from gptgate.storage.schema import connect
from gptgate.storage.vault import MasterKey, Vault, text_opener
from storage_samples import end, intent

MASTER = MasterKey("m" * 32)
LARGE = b"grapefruit-balustrade " * 2000
"""Over several pages of the database."""


def add(records: Records, name: str, asked: bytes, answered: bytes) -> None:
    with closing(connect(records.path, busy_ms=1000)) as connection:
        event = intent(name, at_ms=86_400_000)
        values = intent_values(next_seq(connection), event, encode_event(event), asked)
        connection.execute(INSERT_INTENT, values)
        connection.execute(INSERT_END, end_values(end(name), answered))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 requests, whose texts lie in clear and are in the log, and one that is not there yet."""
    folder = tmp_path_factory.mktemp("clear")
    records = Records(folder)
    for number in range(150):
        add(records, f"r{number}", b"grapefruit-balustrade %d" % number, LARGE if number == 7 else b"tangelo-cornice")
    sequence(records)
    add(records, "late", b"not in the log yet", b"neither")
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "data")


def holding(folder: Path, piece: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and piece in path.read_bytes()]


def seal(folder: Path) -> int:
    return seal_texts(folder, Vault(MASTER), 5, "root")


def texts(folder: Path, name: str) -> tuple[bytes, bytes]:
    with closing(connect(folder / "gptgate.db", busy_ms=1000, read_only=True)) as connection:
        (asked,) = connection.execute("SELECT content FROM intents WHERE id = ?", (name,)).fetchone()
        (answered,) = connection.execute("SELECT content FROM ends WHERE id = ?", (name,)).fetchone()
        open_text = text_opener(connection, MASTER)
        return open_text(asked, name, REQUEST), open_text(answered, name, ANSWER)


def test_no_file_holds_them_and_the_log_proves_them_before_and_after_it_has_taken_in_the_sealing(folder: Path) -> None:
    assert unverified(folder) == ""
    assert holding(folder, b"grapefruit-balustrade")
    assert seal(folder) == 300
    assert holding(folder, b"grapefruit-balustrade") == holding(folder, b"tangelo-cornice") == []
    assert unverified(folder) == ""
    assert texts(folder, "r7") == (b"grapefruit-balustrade 7", LARGE)
    assert texts(folder, "late") == (b"not in the log yet", b"neither"), "what has no place yet is left"
    sequence(Records(folder))
    assert unverified(folder) == ""
    assert seal(folder) == 2
    assert holding(folder, b"not in the log yet") == []
    assert seal(folder) == 0
    assert unverified(folder) == ""


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE ends SET content = substr(content, 1, 90) || zeroblob(16) WHERE seq = 8", "end 8 (r7): the text"),
        ("UPDATE ends SET content = CAST(content || x'00' AS BLOB) WHERE seq = 8", "end 8 (r7): the text"),
        ("UPDATE ends SET salt = zeroblob(16) WHERE seq = 8", "end 8 (r7): the text"),
        (
            "UPDATE ends SET (content, salt) = (SELECT content, salt FROM ends WHERE seq = 9) WHERE seq = 8",
            "end 8 (r7): the text",
        ),
        ("UPDATE events SET body = CAST('{}' AS BLOB) WHERE seq = 2", "intent 101 (r100): the text"),
    ],
)
def test_what_is_changed_of_a_text_that_was_sealed_later_is_found(folder: Path, statement: str, place: str) -> None:
    seal(folder)
    sequence(Records(folder))
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        connection.execute(statement)
        connection.execute("UPDATE ends SET content = CAST(content AS BLOB)")
    assert place in unverified(folder)


def test_an_event_alone_vouches_for_no_other_text(folder: Path) -> None:
    """Its digest may be right: the sealed text must also say that it is the one in the log."""
    seal(folder)
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        other = connection.execute("SELECT content, salt FROM ends WHERE seq = 9").fetchone()
        connection.execute("UPDATE ends SET content = ?, salt = ? WHERE seq = 8", other)
        bodies = connection.execute("SELECT seq, body FROM events WHERE type = 'content_sealed'").fetchall()
        for seq, body in bodies:
            swapped = body.replace(b'["end",9,', b'["end",-1,').replace(b'["end",8,', b'["end",9,')
            connection.execute("UPDATE events SET body = ? WHERE seq = ?", (swapped.replace(b"-1", b"8"), seq))
    assert "end 8 (r7): the text beside it" in unverified(folder)


def test_a_text_that_was_sealed_later_can_be_erased(folder: Path) -> None:
    seal(folder)
    assert erase(folder, Erasure(request_id="r7"), 6, "root") == 1
    assert unverified(folder) == ""


def test_another_log_s_records_are_not_touched(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        connection.execute("DELETE FROM log_batches")
    with pytest.raises(StorageError, match="do not know of the log"):
        seal(folder)
    assert holding(folder, b"grapefruit-balustrade")


def left_over(path: Path) -> int:
    """The longest piece without a zero between the cells of the database's pages, where nothing reads it."""
    data = path.read_bytes()
    size, found = int.from_bytes(data[16:18]), 0
    for start in range(0, len(data), size):
        page, head = data[start : start + size], 100 if start == 0 else 0
        if page[head] in (2, 5, 10, 13):  # pages of b-trees, as SQLite's file format has them
            cells, content = int.from_bytes(page[head + 3 : head + 5]), int.from_bytes(page[head + 5 : head + 7])
            above = head + (12 if page[head] in (2, 5) else 8) + 2 * cells
            found = max(found, *map(len, page[above : content or 65536].split(b"\0")))
    return found


def test_a_compacted_database_has_nothing_between_its_cells(folder: Path) -> None:
    records = Records(folder)
    for number in range(60):
        # Rows of many lengths: wherever a page is divided, some do not fill what others left.
        add(records, f"more{number}", b"grapefruit-balustrade " * (number % 13), b"tangelo-cornice " * (number % 17))
    sequence(records)
    seal(folder)
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert left_over(folder / "gptgate.db") > 24, "what SQLite leaves when it divides pages"
    assert erase(folder, Erasure(request_id="r7"), 6, "root", compact=True) == 1
    assert left_over(folder / "gptgate.db") < 8, "at most where cells were, two bytes each"
    assert unverified(folder) == ""
    assert texts(folder, "r8") == (b"grapefruit-balustrade 8", b"tangelo-cornice")
