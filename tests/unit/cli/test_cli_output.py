"""Tables, JSON and CSV."""

import csv
import io
import json
import os
import pty
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptgate.cli.output import FORMULA_STARTS, Column, Format, print_csv, print_json, print_records
from waiting import PATIENCE_S

COLUMNS = (
    Column("id", "id"),
    Column("nano"),
    Column("count", "count", right=True),
    Column("names", "names", fold=True),
    Column("open", "open"),
)
RECORDS = (
    {"id": "a" * 36, "nano": 5, "count": 7, "names": ["x", "y"], "open": True},
    {"id": "b", "nano": 10**12, "count": 1000, "names": [], "open": None},
)


def test_a_piped_table_is_aligned_plain_and_leaves_nothing_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_records(Format.TABLE, COLUMNS, RECORDS)
    assert capsys.readouterr().out.splitlines() == [
        "ID" + " " * 36 + "COUNT  NAMES  OPEN",
        "a" * 36 + "      7  x y    yes",
        "b" + " " * 35 + "   1000  -      -",
    ]


def test_wide_characters_keep_the_columns_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    columns = (Column("name", "name"), Column("n", "n"))
    print_records(Format.TABLE, columns, [{"name": "漢字", "n": 1}, {"name": "abcde", "n": 2}])
    assert capsys.readouterr().out.splitlines() == ["NAME   N", "漢字   1", "abcde  2"]


def test_the_total_is_the_tables_last_row_and_in_no_other_format(capsys: pytest.CaptureFixture[str]) -> None:
    total = {"id": "total", "nano": 0, "count": 1007, "names": [], "open": None}
    for output in Format:
        print_records(output, COLUMNS, RECORDS, total=total)
        text = capsys.readouterr().out
        assert ("total" in text.splitlines()[-1]) is (output is Format.TABLE)
        assert ("1007" in text) is (output is Format.TABLE)


def test_json_is_one_list_with_every_field_and_exact_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    print_records(Format.JSON, COLUMNS, RECORDS)
    assert json.loads(capsys.readouterr().out) == [dict(record) for record in RECORDS]
    print_records(Format.JSON, COLUMNS, [])
    assert json.loads(capsys.readouterr().out) == []


def test_json_is_safe_on_a_terminal_and_exact(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\x1b[31m\x7f\x9b\u202e é \ud800"
    print_json([text])
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    assert out.isascii()
    assert json.loads(out) == [text]


def test_csv_has_a_header_every_field_and_lists_as_words(capsys: pytest.CaptureFixture[str]) -> None:
    print_records(Format.CSV, COLUMNS, RECORDS)
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["id", "nano", "count", "names", "open"],
        ["a" * 36, "5", "7", "x y", "yes"],
        ["b", "1000000000000", "1000", "", ""],
    ]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_that_a_spreadsheet_would_run_becomes_a_text(start: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(["x"], [[f'{start}cmd|"/c calc"!A1,b']])
    (cell,) = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1]
    assert cell.startswith("'")
    assert 'cmd|"/c calc"!A1,b' in cell


def test_numbers_are_no_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(["x", "y"], [[-5, "-5"]])
    assert capsys.readouterr().out == "x,y\n-5,'-5\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
def test_no_csv_cell_is_a_formula_and_no_line_is_more_than_one_row(
    rows: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    print_csv(["a", "b"], rows)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(rows) + 1
    cells = [cell for row in csv.reader(lines) for cell in row]
    assert len(cells) == 2 * len(lines)
    assert not any(cell.startswith(FORMULA_STARTS) for cell in cells)
    assert all(cell.isprintable() for cell in cells)


ON_TERMINAL = """
from gptgate.cli.output import Column, Format, print_records
columns = [Column(name, name, fold=name == "words") for name in ("id", "other", "words")]
record = {"id": "i" * 36, "other": "[red]\\x1b[31m" + "o" * 60, "words": "one two three"}
print_records(Format.TABLE, columns, [record])
"""


def test_on_a_narrow_terminal_ids_are_whole_and_records_cannot_colour_it() -> None:
    master, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": "40", "TERM": "xterm"}
    subprocess.run(
        [sys.executable, "-c", ON_TERMINAL], stdout=terminal, env=environment, check=True, timeout=PATIENCE_S
    )
    os.close(terminal)
    shown = b""
    try:
        while part := os.read(master, 65536):
            shown += part
    except OSError:
        pass  # Linux's way to say that the other end is closed
    os.close(master)
    text = shown.decode()
    assert "i" * 36 in text
    assert "[red]\\x1b[31m" + "o" * 60 in text
    assert "\x1b[31m" not in text
