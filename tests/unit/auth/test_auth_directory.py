"""The table of keys."""

import pytest

from gptgate.auth.directory import KeyTable
from gptgate.core.keys import KeyRecord


def record(id: str, revoked_ms: int = 0) -> KeyRecord:
    return KeyRecord(id=id, app="a", name="n", secret_hash=bytes(32), created_ms=1, revoked_ms=revoked_ms)


def test_replacing_puts_the_new_records_in_the_place_of_the_old() -> None:
    table = KeyTable([record("a"), record("b")])
    table.replace(iter([record("b", 5), record("c")]))
    assert table.find("a") is None
    assert table.find("b") == record("b", 5)
    assert table.find("c") == record("c")
    assert len(table) == 2


def test_a_replacement_that_fails_changes_nothing() -> None:
    table = KeyTable([record("a")])
    with pytest.raises(ValueError, match="'b'"):
        table.replace([record("b"), record("b")])
    assert table.find("a") == record("a")
    assert table.find("b") is None
