"""The sums of what was spent, and the top-ups."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gptgate.core.budgets import SLOT_MS, BudgetSpec, Dimension, Spent, TopUp, Unit, Window
from gptgate.core.events import EndState
from gptgate.core.facts import Usage
from gptgate.storage.corrections import reconcile
from gptgate.storage.errors import StorageError
from gptgate.storage.log_check import LogCheck
from gptgate.storage.spending import Spending, add_top_up, set_amount
from gptgate.storage.sqlite import SqliteStore
from storage_samples import FixedClock, end, intent, spent_by_app

LIFETIME = BudgetSpec(name="b", scope=(Dimension.APP,), unit=Unit.USD, window=Window.LIFETIME)

WITHOUT_FEES = ("DROP INDEX ends_fees", "ALTER TABLE ends DROP COLUMN fees_nano")
"""Back to the schema before version 11."""


def opened(folder: Path) -> SqliteStore:
    return SqliteStore.open(folder, clock=FixedClock(), timeout_ms=60_000)


def budget(unit: Unit, *scope: Dimension, **fields: Any) -> BudgetSpec:
    return BudgetSpec(name="b", scope=scope, unit=unit, window=Window.LIFETIME, **fields)


def spent(folder: Path, spec: BudgetSpec, since_ms: int = 0) -> list[Spent]:
    with closing(Spending(folder)) as spending:
        return spending.of(spec, since_ms)


async def ended(store: SqliteStore, name: str, at_ms: int = 0, *, asked: dict[str, object], **how: object) -> None:
    await store.begin(intent(name, at_ms=at_ms, **asked), None)
    store.finish(end(name, **how), None)


async def test_what_ends_is_summed_up_by_quarters_of_an_hour_and_by_every_dimension(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for number, (team, session, at_ms) in enumerate(
        [("a", "s", 0), ("a", "s", SLOT_MS - 1), ("a", "t", 0), ("b", "s", SLOT_MS), ("b", "s", 2 * SLOT_MS)]
    ):
        asked: dict[str, object] = {"team": team, "session": session}
        await ended(store, str(number), at_ms, asked=asked, cost_nano=10**number, usage=Usage(input_tokens=number))
    await store.close(60_000)
    by_team = budget(Unit.USD, Dimension.TEAM)
    assert spent(tmp_path, by_team) == [(("a",), 0, 111), (("b",), SLOT_MS, 1000), (("b",), 2 * SLOT_MS, 10_000)]
    assert spent(tmp_path, by_team, since_ms=SLOT_MS + 5) == [(("b",), SLOT_MS, 1000), (("b",), 2 * SLOT_MS, 10_000)]
    by_session = budget(Unit.TOKENS, Dimension.TEAM, Dimension.SESSION)
    assert spent(tmp_path, by_session)[:2] == [(("a", "s"), 0, 1), (("a", "t"), 0, 2)]
    everybody = budget(Unit.REQUESTS)
    assert [(key, amount) for key, _, amount in spent(tmp_path, everybody)] == [((), 3), ((), 1), ((), 1)]
    only_b = budget(Unit.USD, match=((Dimension.TEAM, ("b", "c")),))
    assert sum(amount for _, _, amount in spent(tmp_path, only_b)) == 11_000


async def test_a_second_end_of_a_request_is_not_summed_up(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await ended(store, "a", asked={}, cost_nano=5)
    store.finish(end("a", cost_nano=5), None)
    await store.close(60_000)
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection:
        connection.execute(
            "INSERT INTO ends SELECT seq + 1, id, at_ms, app, window, state, status, code, effect, answered_model,"
            " input_tokens, output_tokens, cost_nano, usage_source, body, content, salt, fees_nano FROM ends WHERE true"
            " ON CONFLICT (id) DO NOTHING"
        )
        connection.commit()
    assert spent_by_app(tmp_path) == {"shop": 5}


async def test_tokens_of_an_unknown_usage_are_those_that_were_reserved(tmp_path: Path) -> None:
    store = opened(tmp_path)
    asked: dict[str, object] = {"reserved_tokens": 700}
    await ended(store, "known", asked=asked, usage_source="provider", usage=Usage(input_tokens=3, output_tokens=4))
    await ended(store, "unknown", asked=asked, usage_source="unknown")
    await ended(store, "unused", asked=asked, usage_source="unused", cost_nano=0, state=EndState.REFUSED)
    await store.begin(intent("lost", reserved_tokens=9000), None)
    await store.close(60_000)
    await opened(tmp_path).close(60_000)
    assert [amount for *_, amount in spent(tmp_path, budget(Unit.TOKENS))] == [3 + 4 + 700 + 9000]
    assert [amount for *_, amount in spent(tmp_path, budget(Unit.REQUESTS))] == [3]


async def test_records_of_an_older_schema_are_summed_up(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for name in ("a", "b"):
        await ended(store, name, asked={"team": "x"}, cost_nano=2**63 - 1)
    await store.close(60_000)
    before = spent(tmp_path, budget(Unit.USD, Dimension.TEAM))
    with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
        for statement in (
            *WITHOUT_FEES,
            "DROP INDEX events_about",
            "ALTER TABLE events DROP COLUMN about",
            "DROP TABLE data_keys",
            "DROP TABLE auditors",
            "DROP INDEX intents_kept",
            "DROP INDEX ends_kept",
            "DELETE FROM meta WHERE name = 'data_keys'",
            "DROP TRIGGER ends_spending",
            "DROP VIEW outcomes",
            "DROP TABLE corrections",
            "DROP TABLE spending_days",
            "DROP TABLE spending_tags",
            "ALTER TABLE intents DROP COLUMN tags",
            "DROP TABLE spending",
            "DROP TABLE top_ups",
            "ALTER TABLE intents DROP COLUMN session",
            "ALTER TABLE intents DROP COLUMN reserved_tokens",
            "CREATE INDEX ends_spent ON ends (window, app, cost_nano)",
        ):
            connection.execute(statement)
        connection.execute("UPDATE schema_version SET version = ?", (2,))
    await opened(tmp_path).close(60_000)
    assert spent(tmp_path, budget(Unit.USD, Dimension.TEAM)) == before == [(("x",), 0, 2**64 - 2)]
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == ""


async def test_sums_from_before_estimates_counted_as_unproven_are_made_anew(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await ended(store, "a", asked={"tags": {"f": "x"}}, cost_nano=7 * 10**9 + 5, usage_source="estimated")
    await store.close(60_000)
    with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
        for statement in WITHOUT_FEES:
            connection.execute(statement)
        for column in ("set_to", "unit", "window", "scope", "configured"):
            connection.execute(f"ALTER TABLE top_ups DROP COLUMN {column}")
        for table in ("spending", "spending_days", "spending_tags"):
            counted = connection.execute(f"SELECT unknown_usd, unknown_nano FROM {table}").fetchall()
            assert counted == [(7, 5)]
            connection.execute(f"UPDATE {table} SET unknown_usd = 0, unknown_nano = 0")
        connection.execute("UPDATE schema_version SET version = ?", (6,))
    await opened(tmp_path).close(60_000)
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == ""


async def test_a_top_up_is_kept_with_its_event(tmp_path: Path) -> None:
    await opened(tmp_path).close(60_000)
    first, second = TopUp("b", ("shop",), 5, 100), TopUp("b", (), 6, 10**15)
    add_top_up(tmp_path, first, "alice", "root")
    add_top_up(tmp_path, second, "bob", "root")
    with closing(Spending(tmp_path)) as spending:
        assert spending.top_ups() == [first, second]
        assert spending.top_up_count() == 2
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection:
        rows = connection.execute("SELECT at_ms, type, body FROM events ORDER BY seq").fetchall()
    assert rows[0] == (
        5,
        "budget_topped_up",
        b'{"amount":100,"at_ms":5,"budget":"b","by":"alice","key":["shop"],"user":"root"}',
    )
    assert [kind for _, kind, _ in rows] == ["budget_topped_up"] * 2


async def test_a_changed_amount_says_what_it_was_given_for(tmp_path: Path) -> None:
    await opened(tmp_path).close(60_000)
    given = TopUp.given(budget(Unit.TOKENS, Dimension.TEAM, Dimension.APP), ("x", "shop"), 5, 100)
    add_top_up(tmp_path, TopUp("b", ("shop",), 4, 1), "alice")
    add_top_up(tmp_path, given, "alice")
    add_top_up(tmp_path, TopUp.given(budget(Unit.USD), (), 6, 7), "alice")
    with closing(Spending(tmp_path)) as spending:
        assert spending.top_ups()[:2] == [TopUp("b", ("shop",), 4, 1), given]
        assert spending.top_ups()[2].scope == ()
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == ""
    for column in ("unit", "window", "scope"):
        with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection, connection:
            (before,) = connection.execute(f"SELECT {column} FROM top_ups WHERE seq = 2").fetchone()
            connection.execute(f"UPDATE top_ups SET {column} = NULL WHERE seq = 2")
        with closing(LogCheck(tmp_path)) as check:
            assert check.money() == "top-up 2 is not what its event says"
        with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection, connection:
            connection.execute(f"UPDATE top_ups SET {column} = ? WHERE seq = 2", (before,))


async def test_setting_an_amount_sees_the_top_ups_before_it(tmp_path: Path) -> None:
    await opened(tmp_path).close(60_000)
    add_top_up(tmp_path, TopUp("b", ("shop",), 5, 100), "alice")
    seen: list[list[TopUp]] = []

    def change(before: list[TopUp]) -> TopUp:
        seen.append(before)
        return TopUp("b", ("shop",), 6, -30, 70)

    set_amount(tmp_path, "bob", change)
    assert seen == [[TopUp("b", ("shop",), 5, 100)]]
    with closing(Spending(tmp_path)) as spending:
        assert [(each.amount, each.set_to) for each in spending.top_ups()] == [(100, None), (-30, 70)]
    # A store from before this was kept knows it from the events.
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection, connection:
        for statement in WITHOUT_FEES:
            connection.execute(statement)
        for column in ("set_to", "unit", "window", "scope", "configured"):
            connection.execute(f"ALTER TABLE top_ups DROP COLUMN {column}")
        connection.execute("UPDATE schema_version SET version = ?", (7,))
    await opened(tmp_path).close(60_000)
    with closing(Spending(tmp_path)) as spending:
        assert [(each.amount, each.set_to) for each in spending.top_ups()] == [(100, None), (-30, 70)]
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == ""
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection:
        assert [kind for (kind,) in connection.execute("SELECT type FROM events ORDER BY seq")] == [
            "budget_topped_up",
            "budget_set",
        ]


async def test_what_is_found_out_later_takes_the_place_of_what_was_reserved_once(tmp_path: Path) -> None:
    store = opened(tmp_path)
    asked: dict[str, object] = {"reserved_nano": 900, "reserved_tokens": 70, "session": "s"}
    await ended(store, "lost", asked=asked, cost_nano=900, usage_source="unknown")
    await ended(store, "other", asked=asked, cost_nano=5, usage_source="provider", usage=Usage(input_tokens=1))
    await ended(store, "never", asked=asked, cost_nano=900, usage_source="unknown")
    await store.begin(intent("running"), None)
    before = spent(tmp_path, budget(Unit.TOKENS))
    assert [amount for *_, amount in before] == [141]
    usage = Usage(input_tokens=20, output_tokens=3)
    with pytest.raises(StorageError, match=r"more than the \$0.000000900 that stayed spent"):
        reconcile(tmp_path, "lost", 7, "operator", usage, 901, "ada")
    assert reconcile(tmp_path, "lost", 7, "operator", usage, 333, "ada") == 900
    assert reconcile(tmp_path, "never", 8, "unused", Usage(), 0, "ada") == 900
    for name, problem in (
        ("lost", "was corrected before, by ada"),
        ("other", "is known"),
        ("running", "has no end yet"),
        ("nobody", "there is no request nobody"),
    ):
        with pytest.raises(StorageError, match=problem):
            reconcile(tmp_path, name, 9, "operator", usage, 1, "bob")
    for unit, amount in ((Unit.USD, 338), (Unit.TOKENS, 24), (Unit.REQUESTS, 2)):
        assert [found for *_, found in spent(tmp_path, budget(unit, Dimension.SESSION))] == [amount]
    with closing(Spending(tmp_path)) as spending:
        (first, correction), (second, _) = spending.corrections(0)
        assert (first, second, spending.correction_count()) == (1, 2, 2)
        assert spending.corrections(1)[0][0] == 2
    assert correction.names[Dimension.SESSION] == "s"
    assert (correction.reserved.nano, correction.reserved.tokens) == (900, 70)
    assert (correction.spent.nano, correction.spent.tokens, correction.spent.requests) == (333, 23, 1)
    await store.close(60_000)
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == ""
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection, connection:
        connection.execute("UPDATE corrections SET by = 'eve' WHERE seq = 2")
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == "correction 2 is not what its event says"


async def test_an_estimate_can_be_corrected_too(tmp_path: Path) -> None:
    store = opened(tmp_path)
    asked: dict[str, object] = {"reserved_nano": 900, "reserved_tokens": 70}
    usage = Usage(input_tokens=20, output_tokens=180)
    await ended(store, "grown", asked=asked, cost_nano=2000, usage_source="estimated", usage=usage)
    await store.close(60_000)
    assert reconcile(tmp_path, "grown", 7, "operator", Usage(input_tokens=20, output_tokens=90), 1100, "ada") == 2000
    assert [amount for *_, amount in spent(tmp_path, budget(Unit.TOKENS))] == [110]
    with closing(Spending(tmp_path)) as spending:
        ((_, correction),) = spending.corrections(0)
    assert (correction.reserved.nano, correction.reserved.tokens) == (2000, 200)
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == ""


@pytest.mark.parametrize(
    ("reserved", "how"),
    [
        ({"reserved_nano": 900, "reserved_tokens": 200}, {"cost_nano": 901}),
        ({"reserved_nano": 900, "reserved_tokens": 199}, {"cost_nano": 0}),
        ({"reserved_nano": 900, "reserved_tokens": 70}, {"cost_nano": 2001, "extensions": 1, "extended_nano": 2000}),
    ],
)
async def test_a_reported_usage_beyond_what_was_reserved_can_be_corrected(
    tmp_path: Path, reserved: dict[str, object], how: dict[str, Any]
) -> None:
    """Symptom: one usage that a provider made up empties a budget, and nothing but a new window fills it again."""
    store = opened(tmp_path)
    usage = Usage(input_tokens=20, output_tokens=180)
    await ended(store, "lie", asked=reserved, usage=usage, usage_source="provider", **how)
    await store.close(60_000)
    cost = how["cost_nano"]
    assert reconcile(tmp_path, "lie", 7, "operator", Usage(input_tokens=20, output_tokens=9), 0, "ada") == cost
    assert [amount for *_, amount in spent(tmp_path, budget(Unit.TOKENS))] == [29]
    assert [amount for *_, amount in spent(tmp_path, budget(Unit.USD))] == [0]
    with closing(LogCheck(tmp_path)) as check:
        assert check.money() == ""


@pytest.mark.parametrize(
    ("reserved", "how"),
    [
        ({"reserved_nano": 900, "reserved_tokens": 200}, {"cost_nano": 900}),
        ({"reserved_nano": 900, "reserved_tokens": 0}, {"cost_nano": 900}),  # from before tokens were written down
        ({"reserved_nano": 900, "reserved_tokens": 70}, {"cost_nano": 2000, "extensions": 1, "extended_nano": 2000}),
        ({"reserved_nano": 900, "reserved_tokens": 70}, {"cost_nano": 901, "usage_source": "unused"}),
    ],
)
async def test_a_reported_usage_within_it_is_what_it_is(
    tmp_path: Path, reserved: dict[str, object], how: dict[str, Any]
) -> None:
    store = opened(tmp_path)
    usage = Usage(input_tokens=20, output_tokens=180)
    await ended(store, "true", asked=reserved, usage=usage, **{"usage_source": "provider", **how})
    await store.close(60_000)
    with pytest.raises(StorageError, match="is known"):
        reconcile(tmp_path, "true", 7, "operator", usage, 1, "ada")


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read what was spent"):
        Spending(tmp_path)
