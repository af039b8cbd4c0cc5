"""What was done with a request's record after its end."""

from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import Records, sequence
from gptgate.core.events import encode_event
from gptgate.core.facts import Reservation, Usage
from gptgate.storage.corrections import BILLED, reconcile
from gptgate.storage.erasure import Erasure, count_texts, erase, expire
from gptgate.storage.events import (
    APPROVAL_GIVEN,
    APPROVAL_REJECTED,
    BUDGET_RECONCILED,
    CONTENT_ERASED,
    CONTENT_READ,
    record_event,
)
from gptgate.storage.extensions import record_extension
from gptgate.storage.history import Decided, Extended, History, history
from gptgate.storage.queries import SqliteReader
from gptgate.storage.rows import INSERT_END, INSERT_INTENT, end_values, intent_values, next_seq
from gptgate.storage.schema import connect
from storage_samples import blank, end, intent


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Requests of the app shop in the log: texts of their prompts were kept, none of their answers."""
    made = Records(tmp_path / "data")
    made.add(["r1", "r2", "r3"])
    sequence(made)
    return made


def told(records: Records, name: str) -> History:
    with SqliteReader(records.path.parent) as reader:
        record = reader.show(name)
    assert record is not None
    return history(records.path.parent, record)


def test_a_text_that_is_there_and_one_that_was_never_kept_are_not_gone(records: Records) -> None:
    erase(records.path.parent, Erasure(request_id="r2"), 9, "ada")
    around = told(records, "r1")
    assert (around.gone, around.later, around.erased) == ((), (), None)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Erasure(request_id="r2"), "texts of id r2: 1 request"),
        (Erasure(app="shop"), "texts of app shop: 3 requests"),
        (Erasure(app="shop", before_ms=3), "texts of app shop, all that were old enough: 2 requests"),
    ],
)
def test_a_text_that_was_erased_says_by_whom_and_when(records: Records, wanted: Erasure, said: str) -> None:
    folder = records.path.parent
    erase(folder, Erasure(app="shop", before_ms=2), 8, "somebody else, of others")
    erase(folder, wanted, 9, "ada")
    around = told(records, "r2")
    assert around.gone == ("request",)
    assert around.erased is not None
    others = (
        said.replace("3 requests", "2 requests")
        .replace("old enough: 2", "old enough: 1")
        .replace("1 requests", "1 request")
    )
    assert (around.erased.at_ms, around.erased.by, around.erased.said) == (9, "ada", others)


def test_the_first_of_many_erasures_that_fit_took_it(records: Records) -> None:
    folder = records.path.parent
    assert expire(folder, 3, 8) == 2
    records.add(["r4"])
    erase(folder, Erasure(app="shop"), 9, "ada")
    (one,) = told(records, "r1").later
    assert (one.kind, one.at_ms, one.by) == (CONTENT_ERASED, 8, "retention")
    assert told(records, "r3").later[0].by == "ada"


def test_an_erasure_of_a_class_took_only_what_has_a_finding_of_it(records: Records) -> None:
    fields = {"class": "pii", "before_ms": 5, "requests": 1, "by": "retention"}
    record_event(records.path.parent, 8, CONTENT_ERASED, fields)
    erase(records.path.parent, Erasure(request_id="r1"), 9, "ada")
    assert [one.by for one in told(records, "r1").later] == ["ada"]


def test_without_the_log_nobody_knows_whether_a_text_was_kept(records: Records) -> None:
    for path in (records.path.parent / "log").rglob("*"):
        if path.is_file() and path.name != "checkpoint":
            path.unlink()
    assert told(records, "r1").gone is None


def test_readings_and_corrections_are_told_in_their_order(records: Records) -> None:
    folder = records.path.parent
    records.add(["lost"], ends=False)
    connection = connect(records.path, busy_ms=1000)
    connection.execute(INSERT_END, end_values(end("lost", usage_source="unknown", cost_nano=5), None))
    connection.close()
    record_event(folder, 20, CONTENT_READ, {"request_id": "lost", "by": "Sue"})
    record_event(folder, 21, CONTENT_READ, {"request_id": "r1", "by": "Sue"})
    reconcile(folder, "lost", 10, BILLED, Usage(input_tokens=1, output_tokens=2), 3, "ada")
    fixed, read = told(records, "lost").later
    assert (fixed.kind, fixed.at_ms, fixed.by, read.kind, read.at_ms) == (
        BUDGET_RECONCILED,
        10,
        "ada",
        CONTENT_READ,
        20,
    )
    assert fixed.said == "0.000000005 USD became 0.000000003 USD, 1 input and 2 output tokens: what was billed"


def test_what_an_erasure_would_take_can_be_counted_before(records: Records) -> None:
    folder = records.path.parent
    assert count_texts(folder, Erasure(app="shop", before_ms=3)) == 2
    assert erase(folder, Erasure(app="shop", before_ms=3), 9, "ada") == 2
    assert count_texts(folder, Erasure(app="shop")) == 1
    with pytest.raises(ValueError, match="condition"):
        count_texts(folder, Erasure())


def test_extensions_of_a_reservation_are_those_of_the_request_in_their_order(records: Records) -> None:
    for at_ms, name, nano in ((5, "r2", 20), (6, "r1", 30), (7, "r2", 40)):
        reservation = blank(Reservation, id=name, app="shop", nano=nano)
        record_extension(records.path.parent, at_ms, reservation, Usage(input_tokens=3, output_tokens=nano))
    assert told(records, "r2").extended == (Extended(5, 20, 3, 20), Extended(7, 40, 3, 40))
    assert told(records, "r3").extended == ()


def test_decisions_on_its_approval_are_those_of_who_asked_and_of_who_passed(records: Records) -> None:
    folder = records.path.parent
    fields = {"approval": "r1", "by": "eve", "user": "root", "expires_ms": 99}
    record_event(folder, 8, APPROVAL_GIVEN, fields)
    record_event(folder, 7, APPROVAL_REJECTED, fields | {"approval": "r2"})
    with closing(connect(records.path, busy_ms=1000)) as connection:
        passed = intent("r9", approval="r1", approved_by="eve")
        values = intent_values(next_seq(connection), passed, encode_event(passed), None)
        connection.execute(INSERT_INTENT, values)
    given = Decided(8, "r1", "eve", "root", 99, given=True)
    assert (told(records, "r1").decided, told(records, "r9").decided) == ((given,), (given,))
    assert told(records, "r2").decided == (Decided(7, "r2", "eve", "root", 99),)
    assert told(records, "r3").decided == ()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT body FROM events WHERE type = ? AND about = ? ORDER BY seq",
        "SELECT max(seq) FROM events WHERE type = ? AND about = ?",
        "SELECT seq, body FROM events WHERE type = ? AND about = ? AND at_ms >= 1 ORDER BY seq",
    ],
)
def test_however_long_the_log_only_events_about_the_request_are_read(records: Records, query: str) -> None:
    with closing(connect(records.path, busy_ms=1000, read_only=True)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", ("x", "y")).fetchall()
    (step,) = (row[-1] for row in plan)
    assert step.endswith("INDEX events_about (type=? AND about=?)")
