"""`gptgate audit events`: what was done besides requests."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from audit_logs import Records, sequence
from gptgate.cli.main import execute
from gptgate.core.budgets import BudgetSpec, Dimension, TopUp, Unit, Window
from gptgate.core.keys import KeyRecord
from gptgate.core.money import NANO_PER_USD
from gptgate.storage import acts
from gptgate.storage.auditors import add_auditor
from gptgate.storage.events import (
    BUDGET_RECONCILED,
    BUDGET_THRESHOLD,
    CONFIG_APPLIED,
    CONTENT_READ,
    KEY_EXPIRY_SET,
    RESERVATION_EXTENDED,
    record_event,
)
from gptgate.storage.keys import KeyStore
from gptgate.storage.schema import connect
from gptgate.storage.spending import add_top_up, set_amount


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Events 1 to 6; the last one has no place in the log yet."""
    records = Records(tmp_path / "data")
    found = records.path.parent
    record_event(found, 1000, CONFIG_APPLIED, {"digest": "d1", "configuration": {"apps": ["x" * 500]}})
    with KeyStore(found, by="root") as keys:
        keys.insert(KeyRecord(id="k1", app="shop", name="till", secret_hash=b"h", created_ms=2000))
        keys.revoke("k1", 3000)
    record_event(found, 4000, RESERVATION_EXTENDED, {"request": "r1", "app": "shop", "nano": 5})
    add_auditor(found, "Sue", 5000, "ada")
    sequence(records)
    record_event(found, 6000, CONTENT_READ, {"request_id": "r1", "by": "Sue"})
    monkeypatch.setenv("GPTGATE_DATA", str(found))
    return found


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert execute(["audit", "events", "--format", "json", *arguments]) == 0
    return [row["type"] for row in json.loads(capsys.readouterr().out)]


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        ("", "content_read auditor_added key_revoked key_created config_applied"),
        ("--type key_created --type reservation_extended", "reservation_extended key_created"),
        ("--by Sue", "content_read"),
        ("--by root", "key_revoked key_created"),
        ("--about r1", "content_read"),
        ("--about k1", "key_revoked key_created"),
        ("--about Sue", "auditor_added"),
        ("--about shop --type reservation_extended --type key_created", "reservation_extended key_created"),
        ("--about d1", "config_applied"),
        ("--since 1970-01-01T00:00:05Z", "content_read auditor_added"),
        ("--until 1970-01-01T00:00:03Z", "key_created config_applied"),
        ("--limit 2", "content_read auditor_added"),
        ("--limit 2 --before 5", "key_revoked key_created"),
        ("--by nobody", ""),
    ],
)
def test_conditions_add_up_and_the_newest_comes_first(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: str, types: str
) -> None:
    assert listed(capsys, *arguments.split()) == types.split()


def test_a_request_that_nothing_was_done_about_leads_to_its_own_story(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = Records(folder)
    records.add(["r9"])
    assert execute(["audit", "events", "--about", "r9"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "no event fits; r9 is a request, and nobody has done anything about it",
        "hint: gptgate audit trace r9 tells what happened to it",
    ]
    assert execute(["audit", "events", "--about", "r8"]) == 0
    assert "trace" not in capsys.readouterr().err


def test_the_beginning_of_a_type_leads_to_those_that_begin_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "events", "--type", "key"]) == 2
    assert "hint: there are: key_created, key_revoked, key_expiry_set\n" in capsys.readouterr().err


def test_the_table_says_who_did_what_and_where_it_is_in_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["audit", "events", "--limit", "2"]) == 0
    told = capsys.readouterr()
    head, read, added = told.out.splitlines()
    assert head.split() == "NO TIME EVENT BY USER WHAT ENTRY OF THE LOG".split()
    assert read.split() == "6 1970-01-01T00:00:06Z content_read Sue - request_id r1 not yet".split()
    assert added.split() == "5 1970-01-01T00:00:05Z auditor_added ada - name Sue 4".split()
    assert told.err == "there are older ones: --before 5\n"


def test_people_get_dollars_and_times_and_programs_what_the_log_has(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {
        "budget": "b",
        "unit": "usd",
        "window_ms": 86_400_000,
        "percent": 80,
        "spent": 8 * 10**9,
        "amount": 10**10,
    }
    record_event(folder, 7000, BUDGET_THRESHOLD, fields)
    record_event(folder, 8000, BUDGET_RECONCILED, {"request": "r1", "cost_nano": 1_500_000_000, "before_nano": 1})
    record_event(folder, 9000, KEY_EXPIRY_SET, {"key_id": "k1", "expires_ms": 0, "by": "root"})
    record_event(folder, 9001, KEY_EXPIRY_SET, {"key_id": "k1", "expires_ms": 10**15, "by": "root"})
    assert execute(["audit", "events", "--limit", "4"]) == 0
    told = capsys.readouterr().out
    for said in (
        "amount $10.00, budget b, percent 80, spent $8.00, unit usd, window 1970-01-02T00:00:00Z",
        "before 0.000000001 USD, cost 1.500000000 USD, request r1",
        "expires never, key_id k1",
        "expires_ms 1000000000000000, key_id k1",
    ):
        assert said in told
    assert execute(["audit", "events", "--limit", "4", "--format", "json"]) == 0
    threshold = json.loads(capsys.readouterr().out)[3]
    assert threshold["event"] == {"at_ms": 7000, **fields}
    assert "spent 8000000000, unit usd, window_ms 86400000" in threshold["said"]


def test_a_change_of_an_amount_is_called_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = BudgetSpec(name="b", scope=(Dimension.TEAM,), unit=Unit.USD, amount=5 * NANO_PER_USD, window=Window.MONTH)
    add_top_up(folder, TopUp.given(budget, ("t",), 7000, NANO_PER_USD), "ada", "root")
    set_amount(folder, "ada", lambda _: TopUp.given(budget, ("t",), 7001, -2 * NANO_PER_USD, 3 * NANO_PER_USD), "root")
    assert execute(["audit", "events", "--limit", "2"]) == 0
    lowered, added = capsys.readouterr().out.splitlines()[1:]
    assert "change $1.00, " in added
    assert "change -$2.00, " in lowered
    assert "set_to $3.00" in lowered
    assert execute(["audit", "events", "--limit", "1", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["event"]["amount"] == -2 * NANO_PER_USD


def test_what_is_long_is_in_json_and_csv(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "events", "--type", "config_applied"]) == 0
    assert "xxx" not in capsys.readouterr().out
    for form in ("json", "csv"):
        assert execute(["audit", "events", "--type", "config_applied", "--format", form]) == 0
        assert "x" * 500 in capsys.readouterr().out


def test_a_type_that_there_is_not_gets_a_hint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "events", "--type", "key_revokd"]) == 2
    assert 'did you mean "key_revoked"' in capsys.readouterr().err
    assert execute(["audit", "events", "--by", "nobody"]) == 0
    hint = "--by nobody is nothing that the newest events have; known are Sue, ada, root"
    assert capsys.readouterr().err == f"no event fits\nhint: {hint}\n"


def test_an_event_that_cannot_be_read_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        connection.execute("UPDATE events SET body = x'7b' WHERE seq = 3")
    assert execute(["audit", "events"]) == 1
    assert "event 3 cannot be read" in capsys.readouterr().err


def test_events_of_streams_are_not_looked_at_however_many_there_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        rows = [(4000, RESERVATION_EXTENDED, str(number), b"no JSON") for number in range(5000)]
        connection.executemany("INSERT INTO events (at_ms, type, about, body) VALUES (?, ?, ?, ?)", rows)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def counted(path: Path, **how: Any) -> sqlite3.Connection:
        opened = connect(path, **how)
        opened.set_progress_handler(step, 100)
        return opened

    monkeypatch.setattr(acts, "connect", counted)
    assert len(acts.acts(folder, acts.ActFilters(types=[CONFIG_APPLIED, CONTENT_READ]), 50)) == 2
    assert steps < 50
