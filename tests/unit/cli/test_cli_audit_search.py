"""`gptgate audit search`, what it says beside what it finds."""

import json
from pathlib import Path

import pytest

from audit_logs import Records, sequence
from gptgate.cli.main import execute
from gptgate.core.events import encode_event
from gptgate.core.facts import Usage
from gptgate.storage.auditors import add_auditor
from gptgate.storage.corrections import BILLED, reconcile
from gptgate.storage.rows import INSERT_END, INSERT_INTENT, end_values, intent_values, next_seq
from gptgate.storage.schema import connect
from harness import CONFIG, write_config
from storage_samples import end, intent


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three requests in the log, and one that a limit refused, with tags and a session, that is not."""
    records = Records(tmp_path / "data")
    records.add(["r1", "r2", "r3"])
    sequence(records)
    connection = connect(records.path, busy_ms=1000)
    asked = intent("new", session="s1", tags={"feature": "x", "a": "b=c"}, model="sim-gpt")
    connection.execute(INSERT_INTENT, intent_values(next_seq(connection), asked, encode_event(asked), None))
    connection.execute(INSERT_END, end_values(end("new", limit="month", code="budget_exceeded"), None))
    connection.close()
    folder = records.path.parent
    write_config(folder, CONFIG, simulator="http://127.0.0.1:1")
    monkeypatch.setenv("GPTGATE_DATA", str(folder))
    return folder


def found(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert execute(["audit", "search", *options, "--format", "json"]) == 0
    return [row["id"] for row in json.loads(capsys.readouterr().out)]


def test_by_session_tag_and_what_the_log_does_not_have(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert found(capsys, "--session", "s1") == ["new"]
    assert found(capsys, "--tag", "feature=x", "--tag", "a=b=c") == ["new"]
    assert found(capsys, "--tag", "feature=y") == []
    assert found(capsys, "--tag", "feature=x", "--tag", "a=b") == []
    assert found(capsys, "--unproven") == ["new"]
    assert found(capsys, "--unproven", "--app", "nobody") == []


def test_what_was_corrected_is_marked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = Records(data)
    connection = connect(records.path, busy_ms=1000)
    for name in ("lost", "lost too"):
        asked = intent(name, reserved_nano=900, app="lost")
        connection.execute(INSERT_INTENT, intent_values(next_seq(connection), asked, encode_event(asked), None))
        connection.execute(INSERT_END, end_values(end(name, cost_nano=900, usage_source="unknown"), None))
    connection.close()
    assert execute(["audit", "search", "--app", "lost"]) == 0
    assert "CORRECTED TO" not in capsys.readouterr().out
    reconcile(data, "lost", 10, BILLED, Usage(input_tokens=1, output_tokens=2), 3, "ada")
    assert execute(["audit", "search", "--app", "lost"]) == 0
    head, other, corrected = capsys.readouterr().out.splitlines()
    assert head.split()[-4:] == "COST USD CORRECTED TO".split()
    assert corrected.split()[-2:] == ["0.000000900", "0.000000003"]
    assert other.split()[-2:] == ["0.000000900", "-"]
    assert execute(["audit", "search", "--app", "lost", "--format", "json"]) == 0
    assert [row["corrected_nano"] for row in json.loads(capsys.readouterr().out)] == [None, 3]


def test_an_end_that_the_log_does_not_have_leaves_the_request_unproven(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = Records(data)
    records.add(["open"], ends=False)
    sequence(records)
    assert found(capsys, "--unproven") == []
    connection = connect(records.path, busy_ms=1000)
    connection.execute(INSERT_END, end_values(end("open"), None))
    connection.close()
    assert found(capsys, "--unproven") == ["open"]


@pytest.mark.parametrize("tag", ["feature", "=x", ""])
def test_a_tag_is_a_name_and_a_value(data: Path, tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "search", "--tag", tag]) == 2
    told = capsys.readouterr().err
    assert "is not NAME=VALUE" in told
    assert "hint: such as --tag feature=search" in told
    assert execute(["usage", "--by", "app,models"]) == 2
    assert 'hint: did you mean "model"?' in capsys.readouterr().err


def test_programs_get_session_tags_and_what_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "search", "--session", "s1", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["session"], row["tags"], row["limit"]) == ("s1", {"feature": "x", "a": "b=c"}, "month")
    assert execute(["audit", "search", "--session", "s1", "--format", "csv"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.endswith("usage_source,session,tags,limit")
    assert line.endswith("month")


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--finding", "pii.emial", 'did you mean "pii.email"?'),
        ("--rule", "redact-personal-dat", 'did you mean "redact-personal-data"?'),
        ("--model", "zzz", "known are sim-claude, sim-embed, sim-gpt"),
        ("--app", "zzz", "known are demo"),
    ],
)
def test_what_may_be_misspelt_is_said_where_nothing_fits(
    data: Path, option: str, value: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["audit", "search", option, value]) == 0
    assert f"hint: {option} {value} is nothing that this configuration has; {hint}" in capsys.readouterr().err


def test_a_misspelt_code_is_said_without_a_configuration_too(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "gptgate.yaml").unlink()
    assert execute(["audit", "search", "--code", "budget_exceded"]) == 0
    said = 'hint: --code budget_exceded is nothing that this gateway has; did you mean "budget_exceeded"?'
    assert said in capsys.readouterr().err
    assert execute(["audit", "search", "--code", "rate_limited"]) == 0
    assert "hint" not in capsys.readouterr().err


def test_names_that_only_older_records_have_are_looked_for_as_any(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["audit", "search", "--app", "shop"]) == 0
    assert "hint" not in capsys.readouterr().err
    assert execute(["audit", "search", "--finding", "external.m.toxic", "--model", "sim-gpt"]) == 0
    assert "hint" not in capsys.readouterr().err
    (data / "gptgate.yaml").write_text("broken")
    assert execute(["audit", "search", "--finding", "pii.emial", "--model", "zzz"]) == 0
    assert capsys.readouterr().err.splitlines()[1:] == [
        'hint: --finding pii.emial is nothing that the records have; did you mean "pii.email"?',
        "hint: --model zzz is nothing that the records have; known are sim-gpt",
    ]


def test_words_say_how_many_requests_have_no_text(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GPTGATE_AUDITOR_TOKEN", add_auditor(data, "Sue", 1, "test"))
    assert execute(["audit", "search", "--contains", "asked r2"]) == 0
    printed = capsys.readouterr()
    assert ("r2" in printed.out, "r1" in printed.out) == (True, False)
    assert "1 request has no text to look into: not kept, or erased" in printed.err
