"""The search index: made from the records, brought up by searches, and never more than a help."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.core.events import EndState
from gptgate.storage.queries import SqliteReader
from gptgate.storage.search_index import BATCH, NAME, bring_up
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.views import SearchFilters
from storage_samples import FixedClock, end, intent

SHOP = SearchFilters(app="shop")
RULE = SearchFilters(rule="r")


@pytest.fixture(autouse=True)
def indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.storage.queries.INDEX_FROM", 0)


async def write(folder: Path, names: str, *, ended: bool = True, rule: str = "") -> None:
    store = SqliteStore.open(folder, clock=FixedClock(), timeout_ms=60_000)
    for name in names:
        await store.begin(intent(name), None)
        if ended:
            store.finish(end(name, state=EndState.COMPLETED, rules=(rule,) if rule else ()), None)
    await store.close(60_000)


def found(folder: Path, filters: SearchFilters) -> str:
    with SqliteReader(folder) as reader:
        return "".join(row.id for row in reader.search(filters, 100))


@pytest.mark.asyncio
async def test_a_search_takes_in_what_is_new(tmp_path: Path) -> None:
    await write(tmp_path, "ab")
    told: list[int] = []
    with SqliteReader(tmp_path) as reader:
        assert [row.id for row in reader.search(SHOP, 10, progress=told.append)] == ["b", "a"]
        await write(tmp_path, "c")
        assert [row.id for row in reader.search(SHOP, 10, progress=told.append)] == ["c", "b", "a"]
    assert told == [4, 2]
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


@pytest.mark.asyncio
async def test_an_end_that_comes_later_is_found(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path, clock=FixedClock(), timeout_ms=60_000)
    await store.begin(intent("a", effect="allow"), None)
    assert (found(tmp_path, RULE), found(tmp_path, SearchFilters(effect="allow"))) == ("", "a")
    store.finish(end("a", rules=("r",), effect="deny"), None)
    await store.close(60_000)
    assert (found(tmp_path, RULE), found(tmp_path, SearchFilters(effect="allow"))) == ("a", "")


@pytest.mark.asyncio
async def test_pages_stay_while_requests_come_in(tmp_path: Path) -> None:
    await write(tmp_path, "abcdef")
    with SqliteReader(tmp_path) as reader:
        first = reader.search(SHOP, 2)
        await write(tmp_path, "ghij")
        second = reader.search(SHOP, 2, first[-1].seq)
        await write(tmp_path, "k")
        third = reader.search(SHOP, 100, second[-1].seq)
    assert "".join(row.id for row in (*first, *second, *third)) == "fedcba"


@pytest.mark.asyncio
@pytest.mark.parametrize("damage", [b"nonsense" * 1000, b""])
async def test_a_damaged_index_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    await write(tmp_path, "ab", rule="r")
    assert found(tmp_path, RULE) == "ba"
    (tmp_path / NAME).write_bytes(damage)
    assert found(tmp_path, RULE) == "ba"


@pytest.mark.asyncio
async def test_the_index_of_other_records_is_made_anew(tmp_path: Path) -> None:
    """The database was put back from a copy, or is another one."""
    one, other = tmp_path / "one", tmp_path / "other"
    await write(one, "abc", rule="r")
    await write(other, "xyz", rule="r")
    assert found(one, RULE) == "cba"
    (one / NAME).replace(other / NAME)
    assert found(other, RULE) == "zyx"


@pytest.mark.asyncio
async def test_an_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    await write(tmp_path, "ab")
    assert found(tmp_path, SHOP) == "ba"
    with closing(sqlite3.connect(tmp_path / NAME)) as index:
        index.execute("UPDATE state SET version = 0")
        index.execute("DELETE FROM marks")
        index.commit()
    assert found(tmp_path, SHOP) == "ba"


@pytest.mark.asyncio
async def test_without_leave_to_write_the_records_are_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(tmp_path, "ab", rule="r")

    def refused(path: Path) -> None:
        raise PermissionError(13, "no", str(path))

    monkeypatch.setattr("gptgate.storage.search_index.create_file", refused)
    assert found(tmp_path, RULE) == "ba"
    assert not (tmp_path / NAME).exists()


@pytest.mark.asyncio
async def test_few_requests_need_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.storage.queries.INDEX_FROM", 10)
    await write(tmp_path, "ab", rule="r")
    assert found(tmp_path, RULE) == "ba"
    assert not (tmp_path / NAME).exists()


@pytest.mark.asyncio
async def test_batches_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BATCH > 3
    monkeypatch.setattr("gptgate.storage.search_index.BATCH", 3)
    await write(tmp_path, "abcdefgh", rule="r")
    told: list[int] = []
    bring_up(tmp_path, tmp_path / "gptgate.db", told.append)
    assert told == [6, 12, 16]
    assert found(tmp_path, RULE) == "hgfedcba"


@pytest.mark.asyncio
async def test_the_rarest_value_leads(tmp_path: Path) -> None:
    """However few rows are looked at, both conditions hold."""
    store = SqliteStore.open(tmp_path, clock=FixedClock(), timeout_ms=60_000)
    for number in range(50):
        name = f"{number:02}"
        await store.begin(intent(name, end_user="ada" if number == 7 else "bob"), None)
        store.finish(end(name, rules=("r",) if number in (7, 9) else ()), None)
    await store.close(60_000)
    assert found(tmp_path, SearchFilters(end_user="ada", rule="r", app="shop")) == "07"
    assert found(tmp_path, SearchFilters(end_user="bob", rule="r", app="shop")) == "09"
    assert found(tmp_path, SearchFilters(end_user="ada", rule="never")) == ""
