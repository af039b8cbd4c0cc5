"""The fields of the events of budgets are those that the reference describes."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog import get_logger

from docs.pages import DOCS
from gptgate.core.budgets import BudgetSpec, Crossing, TopUp, Unit, Window
from gptgate.core.facts import Reservation, Usage
from gptgate.storage.corrections import BILLED, reconcile
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.spending import add_top_up, set_amount
from gptgate.storage.sqlite import SqliteStore
from gptgate.telemetry.metrics import Metrics
from gptgate.treasury import Treasury
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


@pytest.fixture
async def written(tmp_path: Path) -> dict[str, dict[str, object]]:
    """One event of each kind, by what the gateway and its commands call."""
    folder = tmp_path / "data"
    store = SqliteStore.open(folder, clock=FixedClock(), timeout_ms=60_000)
    await store.begin(intent("lost", reserved_nano=900), None)
    held = Reservation(id="lost", app="shop", window="2026-11", nano=1000, tokens=5)
    await store.extend(held, Usage(input_tokens=2, output_tokens=3))
    store.finish(end("lost", cost_nano=1000, usage_source="estimated"), None)
    await store.close(60_000)
    metrics = Metrics(kinds=(), in_flight=lambda: 0, queues={})
    treasury = Treasury(folder, FixedClock(), metrics, get_logger())
    budget = BudgetSpec(name="b", scope=(), unit=Unit.USD, window=Window.DAY, amount=100)
    treasury.report(Crossing(budget, (), 0, 50, 50, 100))
    await treasury.close()
    add_top_up(folder, TopUp("b", (), 5, 30), "ada")
    set_amount(folder, "ada", 90, lambda before: TopUp("b", (), 6, 90 - 100 - sum(one.amount for one in before)))
    reconcile(folder, "lost", 7, BILLED, Usage(input_tokens=1), 10, "ada")
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        return {kind: json.loads(body) for kind, body in connection.execute("SELECT type, body FROM events")}


def test_every_field_of_a_budgets_event_is_described(written: dict[str, dict[str, object]]) -> None:
    assert {kind: set(body) for kind, body in written.items()} == described()


def test_who_sets_an_amount_leaves_on_record_what_it_is_now(written: dict[str, dict[str, object]]) -> None:
    body = written["budget_set"]
    assert (body["set_to"], body["amount"], body["by"]) == (90, -40, "ada")
