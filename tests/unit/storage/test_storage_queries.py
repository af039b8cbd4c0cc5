"""What the property tests of search and usage do not cover."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from audit_logs import Records, sequence
from gptgate.storage.entries import LogEntries
from gptgate.storage.errors import StorageError
from gptgate.storage.queries import CONDITIONS, SqliteReader, needles
from gptgate.storage.rows import INSERT_END, end_values
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.views import SearchFilters
from storage_samples import FixedClock, end, intent


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    store = SqliteStore.open(tmp_path, clock=FixedClock(), timeout_ms=60_000)
    await store.begin(intent("a", rules=("r1",)), None)
    store.finish(end("a", rules=("r2", "r1")), None)
    await store.close(60_000)
    return tmp_path


def test_every_filter_has_its_condition() -> None:
    assert set(CONDITIONS) == set(SearchFilters.__struct_fields__)


def test_rules_of_both_sides_stand_once_and_in_order(folder: Path) -> None:
    with SqliteReader(folder) as reader:
        (row,) = reader.search(SearchFilters(), 10)
    assert row.rules == ("r1", "r2")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("Grüße", '{"a": "viele Grüße"}'),
        ("Grüße", '{"a": "viele Gr\\u00fc\\u00dfe"}'),
        ("GRUSS", '{"a": "gruss"}'),
        ('say "x"', '{"a": "say \\"x\\""}'),
        ("a/b", '{"a": "a\\/b"}'),
    ],
)
def test_words_are_found_however_json_writes_them(words: str, text: str) -> None:
    assert any(needle in text.encode().lower() for needle in needles(words))
    assert not any(needle in b"something else" for needle in needles(words))


@pytest.mark.parametrize("text", ["' OR 1=1 --", '"', "%", "a' UNION SELECT 1", "\\"])
def test_what_is_searched_for_is_never_sql(folder: Path, text: str) -> None:
    numbers = ("_ms", "_score", "beyond")
    texts = [name for name in CONDITIONS if not name.endswith(numbers) and name != "tags"]
    wanted: list[dict[str, Any]] = [{"tags": {text: text}}, *({name: text} for name in texts)]
    filters = [SearchFilters(**one) for one in wanted]
    with SqliteReader(folder) as reader:
        assert [reader.search(each, 10) for each in filters] == [[]] * len(filters)
        assert reader.show(text) is None
        assert reader.usage(["app"], 0, 10, app=text) == reader.usage(["app"], 0, 10, team=text) == []


def test_usage_without_groups_is_one_row_over_everything(folder: Path) -> None:
    with SqliteReader(folder) as reader:
        (row,) = reader.usage([], 0, 1)
        assert (row.group, row.requests, row.cost_nano) == ((), 1, 100)
        assert reader.usage([], 1, 2) == []


def test_usage_by_an_unknown_name_is_an_error(folder: Path) -> None:
    with SqliteReader(folder) as reader, pytest.raises(ValueError, match="cannot be grouped by colour; it can by app"):
        reader.usage(["app", "colour"], 0, 1)


def test_a_folder_without_records_is_a_clear_error_and_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no records") as refused:
        SqliteReader(tmp_path / "none")
    assert refused.value.hint
    assert not (tmp_path / "none").exists()


def test_a_record_that_cannot_be_decoded_is_named(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db", isolation_level=None)) as connection:
        connection.execute("UPDATE ends SET body = '{}'")
    with SqliteReader(folder) as reader:
        with pytest.raises(StorageError, match="request a cannot be read"):
            reader.show("a")
        with pytest.raises(StorageError, match="request a cannot be read"):
            reader.search(SearchFilters(), 10)


def test_a_newer_schema_is_refused(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db", isolation_level=None)) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(StorageError, match="schema version 99"):
        SqliteReader(folder)


async def test_a_reader_sees_each_committed_record_while_the_gateway_writes(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path, clock=FixedClock(), timeout_ms=60_000)
    with SqliteReader(tmp_path) as reader:
        for number in range(50):
            name = f"r{number}"
            index = await store.begin(intent(name), None)
            (newest,) = reader.search(SearchFilters(), 1)
            assert (newest.id, newest.seq) == (name, index.seq)
            store.finish(end(name), None)
        await store.close(60_000)
        assert await asyncio.to_thread(reader.search, SearchFilters(state="open"), 1) == []


def test_what_the_log_does_not_have_yet_is_found_without_a_look_at_all_it_has(tmp_path: Path) -> None:
    records = Records(tmp_path / "data")
    records.add([f"r{number}" for number in range(1500)])
    records.add(["slow"], ends=False)
    sequence(records)
    records.add(["new"])
    with closing(sqlite3.connect(records.path)) as connection, connection:
        connection.execute(INSERT_END, end_values(end("slow"), None))
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    with SqliteReader(records.path.parent) as reader:
        reader._connection.set_progress_handler(step, 100)
        found = reader.search(SearchFilters(beyond=LogEntries(records.path.parent).size()), 50)
        assert [row.id for row in found] == ["new", "slow"]
        few = steps
        assert len(reader.search(SearchFilters(code="none"), 50)) == 0
    assert few * 20 < steps - few
