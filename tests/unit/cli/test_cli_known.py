"""What commands say of a filter that names nothing."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import Records, sequence
from gptgate.cli.main import execute
from gptgate.core.events import encode_event
from gptgate.core.keys import KeyRecord
from gptgate.storage.events import CONFIG_APPLIED, CONTENT_ERASED, record_event
from gptgate.storage.keys import KeyStore
from gptgate.storage.rows import INSERT_INTENT, intent_values, next_seq
from gptgate.storage.schema import connect
from harness import CONFIG, write_config
from storage_samples import intent

DIGEST = "feed" * 16


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A request r1 with texts, and one of team web for end user ada; both of app shop, which is in no configuration."""
    records = Records(tmp_path / "data")
    records.add(["r1"])
    sequence(records)
    record_event(records.path.parent, 1, CONFIG_APPLIED, {"digest": DIGEST})
    with KeyStore(records.path.parent, by="root") as keys:
        keys.insert(KeyRecord(id="k1", app="shop", name="till", secret_hash=b"h", created_ms=2000))
    with closing(connect(records.path, busy_ms=1000)) as connection:
        asked = intent("r2", team="web", end_user="ada")
        connection.execute(INSERT_INTENT, intent_values(next_seq(connection), asked, encode_event(asked), None))
    folder = records.path.parent
    write_config(folder, CONFIG, simulator="http://127.0.0.1:1")
    monkeypatch.setenv("GPTGATE_DATA", str(folder))
    return folder


LISTS = [
    (
        ["audit", "search", "--app", "dmo"],
        "request",
        '--app dmo is nothing that this configuration has; did you mean "demo"?',
    ),
    (
        ["audit", "search", "--user", "adda"],
        "request",
        '--user adda is nothing that the newest requests have; did you mean "ada"?',
    ),
    (["audit", "search", "--key", "zzz"], "request", "--key zzz is nothing that this gateway has"),
    (
        ["usage", "--app", "shopp"],
        "request",
        '--app shopp is nothing that this configuration has; did you mean "shop"?',
    ),
    (["usage", "--team", "zzz"], "request", "--team zzz is nothing that this configuration has; known are demo, web"),
    (["keys", "list", "--app", "dmo"], "key", '--app dmo is nothing that this configuration has; did you mean "demo"?'),
    (["audit", "search", "--id", "r3"], "request", "--id r3 is nothing that any request has"),
    (
        ["audit", "search", "--config-digest", "beef"],
        "request",
        "--config-digest beef is not how a digest begins that the records have; known are ",
    ),
    (
        ["audit", "search", "--finding", "pii.*"],
        "request",
        "--finding pii.* is nothing that this configuration has; only a whole name is understood here, such as pii.",
    ),
    (
        ["audit", "search", "--finding", "pii"],
        "request",
        "--finding pii is nothing that this configuration has; only a whole name is understood here, such as pii.",
    ),
    (
        ["audit", "search", "--user", "a*"],
        "request",
        "--user a* is nothing that the newest requests have; only a whole name is understood here, no pattern",
    ),
    (
        ["audit", "events", "--by", "rot"],
        "event",
        '--by rot is nothing that the newest events have; did you mean "root"?',
    ),
    (
        ["audit", "events", "--by", "zzz"],
        "event",
        "--by zzz is nothing that the newest events have; known are root",
    ),
    (
        ["audit", "events", "--about", "tilll"],
        "event",
        '--about tilll is nothing that the newest events have; did you mean "till"?',
    ),
    (["audit", "events", "--about", "zzz"], "event", "--about zzz is nothing that the newest events have"),
    (
        ["approvals", "list", "--app", "dmo", "--all"],
        "approval",
        '--app dmo is nothing that this configuration has; did you mean "demo"?',
    ),
]


@pytest.mark.parametrize(("command", "what", "hint"), LISTS, ids=[" ".join(command) for command, *_ in LISTS])
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_list_of_nothing_is_done_and_says_what_may_be_misspelt(
    data: Path, command: list[str], what: str, hint: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([*command, "--format", form]) == 0
    printed = capsys.readouterr()
    said = printed.err.splitlines()
    # What goes on has names of the program's own, whose order is not the point.
    begins = hint.endswith((" ", "."))
    assert [line for line in said if line == f"hint: {hint}" or (begins and line.startswith(f"hint: {hint}"))], said
    assert (f"no {what} fits" in said) == (form == "table")
    if form == "json":
        assert json.loads(printed.out) == []


def test_a_name_that_is_known_is_not_called_misspelt(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["keys", "list", "--app", "demo"],
        ["usage", "--app", "demo"],
        ["approvals", "list"],
        ["audit", "search", "--id", "r1", "--app", "demo"],
        ["audit", "search", "--config-digest", DIGEST[:6]],
        ["audit", "events", "--by", "root", "--type", CONTENT_ERASED],
        ["audit", "events", "--about", DIGEST, "--type", CONTENT_ERASED],
    ):
        assert execute(command) == 0
        assert "hint" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("condition", "value", "hint"),
    [
        ("--app", "shpo", 'did you mean "shop"?'),
        ("--user", "adda", 'did you mean "ada"?'),
        ("--end-user", "zzzzz", "gptgate audit search lists requests"),
        ("--id", "nope", "gptgate audit search lists requests"),
    ],
)
def test_no_erasure_of_what_no_request_has(
    data: Path, condition: str, value: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["audit", "erase", condition, value, "--yes"]) == 1
    option = condition.replace("--end-user", "--user")
    said = f"gptgate: nothing matched: {option} {value} is nothing that any request has\nhint: {hint}\n"
    assert capsys.readouterr().err == said
    assert execute(["audit", "events", "--type", CONTENT_ERASED, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_an_erasure_that_finds_no_text_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "erase", "--id", "r1", "--before", "1970-01-01", "--yes"]) == 0
    assert capsys.readouterr().out == "nothing matched: no kept text fits\n"


def test_search_and_erase_name_a_user_alike(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--user", "--end-user"):
        assert execute(["audit", "search", option, "ada", "--format", "json"]) == 0
        assert [row["id"] for row in json.loads(capsys.readouterr().out)] == ["r2"]
        assert execute(["audit", "erase", option, "ada", "--yes"]) == 0
        assert capsys.readouterr().out == "nothing matched: no kept text fits\n"


def test_an_erasure_counts_what_it_took(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "erase", "--app", "shop", "--yes"]) == 0
    assert capsys.readouterr().out == "texts of 1 request erased\n"
