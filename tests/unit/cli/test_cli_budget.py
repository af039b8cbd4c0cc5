"""`gptgate budget`: what it refuses to change, and whose accounts it shows."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.cli.budget_accounts import kept_amounts
from gptgate.cli.main import execute
from gptgate.core.budgets import SLOT_MS
from gptgate.installed import read_config
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, migrate
from harness import write_config

CONFIG = """\
version: 1
providers: [{name: near, kind: simulator}]
models: [{name: small, provider: near}]
teams: [{name: shop}]
apps: [{name: desk, team: shop, budget: {monthly_usd: "5"}}]
budgets:
  - {name: team-month, scope: [team], unit: usd, amount: "5", window: month}
  - {name: models, scope: [model, provider], unit: usd, amount: "5", window: month}
  - {name: users, scope: [key, end_user], unit: usd, amount: "5", window: month}
  - {name: recent, scope: [app], unit: usd, amount: "5", window: rolling, over: 36h,
     thresholds: [80, 50], match: {apps: [desk]}}
guards: {session: {requests: 9}}
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    write_config(tmp_path, CONFIG)
    with closing(connect(tmp_path / DATABASE_NAME, busy_ms=1000)) as connection:
        migrate(connection)

    def run(*words: str) -> tuple[int, str, str]:
        code = execute(["budget", *words, "--data", str(tmp_path)])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("words", "told", "hint"),
    [
        (("top-up", "team-month", "shpo", "--add", "5"), "no team is called shpo", 'did you mean "shop"?'),
        (("set", "team-month", "shpo", "--amount", "5"), "no team is called shpo", 'did you mean "shop"?'),
        (("top-up", "apps", "dsk", "--add", "5"), "no app is called dsk", 'did you mean "desk"?'),
        (("top-up", "models", "smal", "near", "--add", "5"), "no model is called smal", 'did you mean "small"?'),
        (("top-up", "models", "small", "neer", "--add", "5"), "no provider is called neer", 'did you mean "near"?'),
    ],
)
def test_an_account_that_the_configuration_does_not_know_is_refused(
    run: Run, tmp_path: Path, words: tuple[str, ...], told: str, hint: str
) -> None:
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert told in err
    assert hint in err
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        assert connection.execute("SELECT count(*) FROM top_ups").fetchone() == (0,)


def test_an_app_s_name_in_a_budget_s_place_leads_to_the_budget_of_apps(run: Run) -> None:
    code, _, said = run("show", "desk")
    assert code != 0
    assert "hint: desk is an app, whose own budget is an account of the budget apps; there are: " in said


def test_known_accounts_and_those_that_callers_name_are_topped_up(run: Run) -> None:
    for account in (("team-month", "shop"), ("apps", "desk"), ("models", "small", "near"), ("users", "k1", "anybody")):
        assert run("top-up", *account, "--add", "5")[0] == 0


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("1e3", '"1e3" is not an amount'),
        ("-5", '"-5" is negative'),
        ("NaN", '"NaN" is not an amount'),
        ("0.0000000001", "is not an amount"),
        ("", "is missing"),
    ],
)
def test_amounts_are_plain_digits_as_in_the_configuration(run: Run, amount: str, told: str) -> None:
    for words in (("top-up", "team-month", "shop", "--add", amount), ("set", "apps", "desk", "--amount", amount)):
        code, _, err = run(*words)
        assert code == 2
        assert told in err


def test_an_amount_that_is_not_the_configured_one_is_marked(run: Run) -> None:
    def marks() -> tuple[object, ...]:
        (row,) = json.loads(run("show", "team-month", "--format", "json")[1])
        return row["amount"], row["changed"], row["configured"]

    run("top-up", "team-month", "shop", "--add", "2")
    assert marks() == ("7.000000000", ["top-up"], "5.000000000")
    run("set", "team-month", "shop", "--amount", "1")
    assert marks() == ("1.000000000", ["set"], "5.000000000")
    run("top-up", "team-month", "shop", "--add", "2")
    assert marks() == ("3.000000000", ["set", "top-up"], "5.000000000")
    assert "set top-up" in run("show", "team-month")[1]
    code, out, _ = run("set", "team-month", "shop", "--configured", "--as", "ada")
    assert (code, out) == (0, "budget team-month: $5.00, as configured, for shop in this window, by ada\n")
    assert marks() == ("5.000000000", [], None)


def test_going_back_to_what_is_configured_is_an_event_of_its_own(run: Run, tmp_path: Path) -> None:
    run("top-up", "apps", "desk", "--add", "2")
    run("set", "apps", "desk", "--configured", "--as", "ada")
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        rows = connection.execute("SELECT type, body FROM events ORDER BY seq").fetchall()
    assert [kind for kind, _ in rows] == ["budget_topped_up", "budget_unset"]
    said = json.loads(rows[1][1])
    assert (said["budget"], said["key"], said["amount"], said["configured"]) == ("apps", ["desk"], -2_000_000_000, True)
    assert (said["by"], "set_to" in said) == ("ada", False)


@pytest.mark.parametrize(
    ("words", "told", "hint"),
    [
        ((), "--amount is missing", "such as --amount 12.50, or --configured"),
        (("--amount", "5", "--configured"), "--amount and --configured exclude each other", ""),
        (("--amount",), "the value of --amount is missing", "such as --amount 12.50, or --configured"),
    ],
)
def test_one_of_an_amount_and_the_configured_one_is_asked_for(
    run: Run, words: tuple[str, ...], told: str, hint: str
) -> None:
    code, out, err = run("set", "team-month", "shop", *words)
    assert (code, out, told in err, hint in err) == (2, "", True, True)


def test_the_help_of_an_option_without_its_value_is_the_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["budget", "top-up", "team-month", "shop", "--add"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "gptgate: Option '--add' requires an argument.",
        "hint: gptgate budget top-up --help (--add: How much, in the budget's unit, such as 12.50.)",
    ]


def test_the_unit_of_the_amounts_is_shown(run: Run) -> None:
    run("top-up", "team-month", "shop", "--add", "2")
    (row,) = json.loads(run("show", "team-month", "--format", "json")[1])
    assert row["unit"] == "usd"
    assert "UNIT" in run("show", "team-month")[1].splitlines()[0]


def test_an_account_that_nobody_changed_has_no_mark(run: Run) -> None:
    (row,) = json.loads(run("show", "apps", "--format", "json")[1])
    assert (row["amount"], row["changed"], row["configured"]) == ("5.000000000", [], None)


def test_the_word_that_stands_for_no_name_names_the_account_without_one(run: Run) -> None:
    assert run("set", "users", "k1", "(not named)", "--amount", "7")[0] == 0
    code, out, _ = run("top-up", "users", "k1", "", "--add", "1")
    assert (code, "k1, (not named)" in out) == (0, True)
    (row,) = json.loads(run("show", "users", "--format", "json")[1])
    assert (row["account"], row["amount"]) == ("k1, (not named)", "8.000000000")


def test_a_window_without_an_end_is_named(run: Run) -> None:
    code, _, err = run("top-up", "recent", "desk", "--add", "5")
    assert (code, "a rolling window has no end" in err) == (1, True)
    code, _, err = run("top-up", "guards.session.requests", "desk", "s1", "--add", "5")
    assert (code, "the window of a session has no end" in err) == (1, True)


def test_a_guard_of_sessions_shows_no_account_of_those_that_name_none(run: Run, tmp_path: Path) -> None:
    slot_ms = time.time_ns() // 1_000_000 // SLOT_MS * SLOT_MS
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection, connection:
        for session in ("", "s1"):
            values = (slot_ms, "shop", "desk", "k1", "", session, "small", "near", *([1] * 10))
            connection.execute(f"INSERT INTO spending VALUES ({', '.join('?' * len(values))})", values)
    code, out, _ = run("show", "guards.session.requests", "--format", "json")
    assert (code, [row["account"] for row in json.loads(out)]) == (0, ["desk, s1"])
    code, out, _ = run("show", "users", "--format", "json")
    assert (code, [row["account"] for row in json.loads(out)]) == (0, ["k1, (not named)"])


def test_the_list_says_all_that_decides_what_a_budget_counts(run: Run) -> None:
    code, out, _ = run("list", "--format", "json")
    rows = {row["budget"]: row for row in json.loads(out)}
    recent, month, session = rows["recent"], rows["team-month"], rows["guards.session.requests"]
    assert (code, recent["over"], recent["time_zone"]) == (0, "36h", None)
    assert (recent["thresholds"], recent["match"]) == (["50%", "80%"], ["app=desk"])
    assert (month["over"], month["time_zone"], month["thresholds"], month["match"]) == (None, "UTC", [], [])
    assert session["over"] == "30d"
    assert run("list")[0] == 0


def test_amounts_that_were_set_and_differ_from_the_file_are_told(run: Run, tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    assert run("set", "team-month", "shop", "--amount", "3")[0] == 0
    assert run("set", "apps", "desk", "--amount", "5")[0] == 0
    assert run("top-up", "models", "small", "near", "--add", "2")[0] == 0
    assert run("set", "users", "k1", "-", "--amount", "4")[0] == 0
    assert run("top-up", "users", "k1", "-", "--add", "0.5")[0] == 0
    budgets = read_config(tmp_path / "gptgate.yaml").budgets
    assert list(kept_amounts(tmp_path, budgets, now_ms)) == [
        "budget team-month: shop keeps $3.00, which was set for this window, not the $5.00 of the file "
        "(hint: gptgate budget set team-month shop --configured)",
        "budget users: k1, - keeps $4.50, which was set for this window, not the $5.00 of the file "
        "(hint: gptgate budget set users k1 - --configured)",
    ]
    assert run("set", "team-month", "shop", "--configured")[0] == 0
    assert run("set", "users", "k1", "-", "--configured")[0] == 0
    assert list(kept_amounts(tmp_path, budgets, now_ms)) == []
