"""The fields of events are those that the reference describes, and it describes the events of every type."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog import get_logger

from docs.pages import DOCS
from gptgate.cli.main import execute
from gptgate.core.approvals import Approval, ApprovalState, Subject
from gptgate.core.budgets import BudgetSpec, Crossing, TopUp, Unit, Window
from gptgate.core.facts import Reservation, Usage
from gptgate.core.keys import KeyRecord
from gptgate.storage import events
from gptgate.storage.approvals import ApprovalStore
from gptgate.storage.auditors import add_auditor, remove_auditor
from gptgate.storage.corrections import BILLED, reconcile
from gptgate.storage.erasure import Erasure, erase
from gptgate.storage.events import CONTENT_ERASED, record_event
from gptgate.storage.folder import CONTENT_KEY_NAME, DATABASE_NAME, content_secret
from gptgate.storage.keys import KeyStore
from gptgate.storage.spending import add_top_up, set_amount
from gptgate.storage.sqlite import SqliteStore
from gptgate.telemetry.metrics import Metrics
from gptgate.treasury import Treasury
from gptgate.wiring import open_audit_log
from harness import APPS, PROVIDERS, SERVER, running_gateway
from storage_samples import FixedClock, end, intent


def described() -> dict[str, set[str]]:
    """Event → its fields, by the page."""
    text = (DOCS / "reference" / "records.md").read_text()
    match = re.search(r"<!-- fields of events -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert match is not None
    fields: dict[str, set[str]] = {}
    event = ""
    for line in match[1].splitlines()[2:]:
        named, names = line.split("|")[1:3]
        event = named.strip(" `") or event
        fields.setdefault(event, {"at_ms"}).update(re.findall(r"`([a-z_]+)`", names))
    return fields


def fields_in(folder: Path) -> dict[str, set[str]]:
    """Type → the fields that any event of it has."""
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        for kind, body in connection.execute("SELECT type, body FROM events ORDER BY seq"):
            found.setdefault(kind, set()).update(json.loads(body))
    return found


async def spend(folder: Path) -> None:
    """Events of budgets, by what the gateway and its commands call. The texts of a request are kept in clear."""
    store = SqliteStore.open(folder, clock=FixedClock(), timeout_ms=60_000, open_log=open_audit_log)
    await store.begin(intent("lost", reserved_nano=900), b"a text")
    held = Reservation(id="lost", app="shop", window="2026-11", nano=1000, tokens=5)
    await store.extend(held, Usage(input_tokens=2, output_tokens=3))
    store.finish(end("lost", cost_nano=1000, usage_source="estimated"), None)
    await store.close(60_000)
    metrics = Metrics(kinds=(), in_flight=lambda: 0, queues={})
    treasury = Treasury(folder, FixedClock(), metrics, get_logger())
    budget = BudgetSpec(name="b", scope=(), unit=Unit.USD, window=Window.DAY, amount=100)
    treasury.report(Crossing(budget, (), 0, 50, 50, 100))
    await treasury.close()
    add_top_up(folder, TopUp.given(budget, (), 5, 30), "ada")

    def change(before: list[TopUp]) -> TopUp:
        return TopUp.given(budget, (), 6, 90 - 100 - sum(one.amount for one in before), 90)

    set_amount(folder, "ada", change)
    set_amount(folder, "ada", lambda _: TopUp.given(budget, (), 6, 10, configured=True))
    reconcile(folder, "lost", 7, BILLED, Usage(input_tokens=1), 10, "ada")


def administer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people do to keys, approvals and texts."""
    with KeyStore(folder, by="ada") as keys:
        keys.insert(KeyRecord(id="k", app="shop", name="", secret_hash=b"h", created_ms=1))
        keys.set_expiry("k", 9, 2)
        keys.revoke("k", 3)
    with ApprovalStore(folder) as approvals:
        for name, choice in (("a", True), ("b", False)):
            subject = Subject(app="shop", endpoint="chat", model="m", digest=name, rules=("r",))
            state = ApprovalState.PENDING
            asked = Approval(id=name, subject=subject, key_id="k", end_user="", state=state, created_ms=1, expires_ms=1)
            approvals.ask(asked, 1)
            approvals.decide(name, approve=choice, by="ada", user="root", now_ms=2, expires_ms=9)
    monkeypatch.setenv("GPTGATE_AUDITOR_TOKEN", add_auditor(folder, "Sue", 1, "ada"))
    monkeypatch.setenv("FORMER_MASTER", content_secret(folder))
    data = ["--data", str(folder)]
    assert execute(["audit", "seal", *data]) == 0
    assert execute(["audit", "show", "lost", "--content", *data]) == 0
    assert execute(["audit", "search", "--contains", "a text", *data]) == 0
    (folder / CONTENT_KEY_NAME).unlink()
    assert execute(["audit", "rewrap", "--from", "env:FORMER_MASTER", *data]) == 0
    remove_auditor(folder, "Sue", 9, "ada")
    erase(folder, Erasure(end_user="eve", app="shop", request_id="lost", before_ms=1), 9, "ada")
    record_event(folder, 9, CONTENT_ERASED, {"class": "pii", "before_ms": 1, "requests": 1, "by": "retention"})


async def test_every_field_of_an_event_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    await spend(folder)
    administer(folder, monkeypatch)
    async with running_gateway(tmp_path / "ran", SERVER + PROVIDERS + APPS) as gateway:
        ran = gateway.folder
    written = fields_in(folder) | fields_in(ran)
    expected = described()
    # tests/unit/witness/test_witnessing.py looks at a fork's, and there is no older store here.
    assert written | {kind: expected[kind] for kind in ("log_forked", "approvals_logged")} == expected
    types = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert expected.keys() == set(events.TYPES) == types - {DATABASE_NAME}


async def test_who_sets_an_amount_leaves_on_record_what_it_is_now(tmp_path: Path) -> None:
    await spend(tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        ((body,),) = connection.execute("SELECT body FROM events WHERE type = 'budget_set'").fetchall()
    told = json.loads(body)
    assert (told["set_to"], told["amount"], told["by"]) == (90, -40, "ada")
