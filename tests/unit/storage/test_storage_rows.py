from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import msgspec
import pytest

from gptgate.core.errors import ClientGone
from gptgate.core.events import End, EndState, Intent, encode_event
from gptgate.storage.events import RESERVATION_EXTENDED, insert_event
from gptgate.storage.folder import create_folder
from gptgate.storage.rows import (
    INSERT_END,
    INSERT_END_OF_EXISTING,
    INSERT_INTENT,
    end_values,
    intent_values,
    next_seq,
    recover,
    unused_end,
)
from gptgate.storage.schema import connect, migrate
from storage_samples import end, intent


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with closing(connect(create_folder(tmp_path), busy_ms=100)) as made:
        migrate(made)
        yield made


def add(connection: Connection, seq: int, asked: Intent, ended: End | None = None) -> None:
    connection.execute(INSERT_INTENT, intent_values(seq, asked, encode_event(asked), None))
    if ended is not None:
        connection.execute(INSERT_END, end_values(ended, None))


@pytest.mark.parametrize(("table", "event"), [("intents", intent("a")), ("ends", end("a"))])
def test_each_column_holds_the_field_of_its_name(connection: Connection, table: str, event: Intent | End) -> None:
    """Every field gets a value that no other has, so that two swapped columns show."""
    distinct: dict[str, Any] = {
        name: f"<{name}>" if value == "" else 1000 + place
        for place, name in enumerate(event.__struct_fields__)
        if (value := getattr(event, name)) == "" or type(value) is int
    }
    if table == "intents":
        add(connection, 7, intent(**{"request_id": "a", **distinct, "app": "app-1", "window": "win-1"}))
    else:
        add(connection, 7, intent("a"), end(**{"request_id": "a", **distinct, "app": "app-1", "window": "win-1"}))
    cursor = connection.execute(f"SELECT * FROM {table}")
    row = dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))
    assert row["app"] == "app-1"
    assert row["window"] == "win-1"
    shared = distinct.keys() & row.keys() - {"app", "window"}
    assert len(shared) >= 5
    assert {name: row[name] for name in shared} == {name: distinct[name] for name in shared}


def test_places_start_at_one_and_follow_the_highest(connection: Connection) -> None:
    assert next_seq(connection) == 1
    add(connection, 41, intent("a"))
    assert next_seq(connection) == 42


def test_the_first_end_of_an_id_stays(connection: Connection) -> None:
    add(connection, 1, intent("a"), end("a", cost_nano=1))
    connection.execute(INSERT_END, end_values(end("a", cost_nano=2), None))
    assert connection.execute("SELECT cost_nano FROM ends").fetchall() == [(1,)]


def test_recovery_ends_exactly_the_open_intents_once(connection: Connection) -> None:
    add(connection, 1, intent("done"), end("done"))
    add(connection, 2, intent("open-1", reserved_nano=5))
    add(connection, 3, intent("open-2", reserved_nano=0))
    assert recover(connection, 99) == 2
    assert recover(connection, 100) == 0
    query = "SELECT id, state, at_ms, cost_nano, usage_source FROM ends ORDER BY id"
    assert connection.execute(query).fetchall() == [
        ("done", "completed", 0, 100, ""),
        ("open-1", "abandoned", 99, 5, "unknown"),
        ("open-2", "abandoned", 99, 0, "unknown"),
    ]


def test_recovery_keeps_what_was_reserved_besides(connection: Connection) -> None:
    add(connection, 1, intent("grown", reserved_nano=5))
    add(connection, 2, intent("other", reserved_nano=7))
    for nano, tokens in ((30, 3), (60, 6)):
        fields = {"request": "grown", "app": "shop", "nano": nano, "input_tokens": 2, "output_tokens": tokens}
        insert_event(connection, 1, RESERVATION_EXTENDED, fields)
    assert recover(connection, 99) == 2
    query = "SELECT id, cost_nano, usage_source, input_tokens, output_tokens FROM ends ORDER BY id"
    assert connection.execute(query).fetchall() == [
        ("grown", 60, "estimated", 2, 6),
        ("other", 7, "unknown", 0, 0),
    ]
    (body,) = connection.execute("SELECT body FROM ends WHERE id = 'grown'").fetchone()
    found = msgspec.json.decode(body, type=End)
    assert (found.extensions, found.extended_nano) == (2, 60)


def test_an_unused_end_is_written_only_for_an_intent_that_exists_and_has_none(connection: Connection) -> None:
    add(connection, 1, intent("there"))
    add(connection, 2, intent("ended"), end("ended"))
    for name in ("there", "ended", "nowhere"):
        values = end_values(unused_end(intent(name), 5, ClientGone), None)
        connection.execute(INSERT_END_OF_EXISTING, (*values, name))
    query = "SELECT id, state, status, code, cost_nano, usage_source FROM ends ORDER BY id"
    assert connection.execute(query).fetchall() == [
        ("ended", EndState.COMPLETED, 0, "", 100, ""),
        ("there", EndState.REFUSED, 499, "client_disconnected", 0, "unused"),
    ]
