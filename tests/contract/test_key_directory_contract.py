"""What every `KeyDirectory` promises."""

from collections.abc import Callable, Iterable

import pytest

from gptgate.auth.directory import KeyTable
from gptgate.core.keys import KeyRecord
from gptgate.core.ports import KeyDirectory

Make = Callable[[Iterable[KeyRecord]], KeyDirectory]
DIRECTORIES: dict[str, Make] = {"memory": KeyTable}


@pytest.fixture(params=list(DIRECTORIES.values()), ids=list(DIRECTORIES))
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def record(id: str, revoked_ms: int = 0, expires_ms: int = 0) -> KeyRecord:
    return KeyRecord(
        id=id,
        app="shop",
        name=f"key {id}",
        secret_hash=bytes(32),
        created_ms=1,
        revoked_ms=revoked_ms,
        expires_ms=expires_ms,
    )


def test_a_record_is_found_by_its_id(make: Make) -> None:
    directory = make([record("a"), record("b")])
    assert directory.find("a") == record("a")
    assert directory.find("b") == record("b")


def test_revoked_and_expired_records_are_found_too(make: Make) -> None:
    directory = make([record("r", revoked_ms=2), record("e", expires_ms=2)])
    assert directory.find("r") == record("r", revoked_ms=2)
    assert directory.find("e") == record("e", expires_ms=2)


@pytest.mark.parametrize("id", ["", "A", "aa", "a ", "b"])
def test_an_unknown_id_finds_nothing(make: Make, id: str) -> None:
    assert make([record("a")]).find(id) is None


def test_an_empty_directory_finds_nothing(make: Make) -> None:
    assert make([]).find("a") is None


def test_two_records_of_one_id_are_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="'a'"):
        make([record("a"), record("b"), record("a", revoked_ms=2)])
