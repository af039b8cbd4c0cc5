"""`gptgate audit export` into a file that a run before it left."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from audit_logs import Records, sequence
from gptgate.cli.audit_export import ExportFormat, export
from gptgate.cli.failure import CommandError

LINES = (ExportFormat.JSONL, ExportFormat.CSV)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = Records(tmp_path)
    records.add(["a", "b"])
    sequencer = records.sequencer()
    sequencer.start()
    assert sequencer.stop(10)
    return tmp_path


def run(folder: Path, out: Path, output: ExportFormat, start: int, limit: int) -> None:
    export(output=output, start=start, limit=limit, out=out, cursor=None, data=folder)


@pytest.mark.parametrize("output", LINES)
@pytest.mark.parametrize("left", [1, 12, 40])
def test_half_a_line_of_a_run_that_was_cut_short_is_cut_off(
    folder: Path, tmp_path: Path, output: ExportFormat, left: int
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    run(folder, whole, output, 0, 3)
    run(folder, out, output, 0, 2)
    out.write_bytes(whole.read_bytes()[: out.stat().st_size + left])
    run(folder, out, output, 2, 1)
    assert out.read_bytes() == whole.read_bytes()


def test_a_header_that_was_cut_short_is_written_again(folder: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    run(folder, whole, ExportFormat.CSV, 0, 1)
    out.write_bytes(whole.read_bytes()[:40])
    run(folder, out, ExportFormat.CSV, 0, 1)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("output", LINES)
def test_a_file_of_somebody_else_is_left_alone(folder: Path, tmp_path: Path, output: ExportFormat) -> None:
    out = tmp_path / "notes"
    out.write_bytes(b"a note\nof somebody")
    with pytest.raises(CommandError, match="does not begin like an export"):
        run(folder, out, output, 0, 1)
    assert out.read_bytes() == b"a note\nof somebody"
    out.unlink()
    run(folder, out, output, 0, 1)
    ours = out.read_bytes() + b"of somebody"
    out.write_bytes(ours)
    with pytest.raises(CommandError, match="ends in half a line that is not of an export"):
        run(folder, out, output, 1, 1)
    assert out.read_bytes() == ours


@pytest.mark.parametrize(("first", "second"), [LINES, LINES[::-1]])
def test_formats_are_not_mixed_in_one_file(
    folder: Path, tmp_path: Path, first: ExportFormat, second: ExportFormat
) -> None:
    out = tmp_path / "out"
    run(folder, out, first, 0, 2)
    before = out.read_bytes()
    with pytest.raises(CommandError, match=f"does not begin like an export as {second.value}"):
        run(folder, out, second, 2, 1)
    assert out.read_bytes() == before


@pytest.mark.parametrize("output", LINES)
def test_nothing_is_written_twice_where_nothing_says_where_to_go_on(
    folder: Path, tmp_path: Path, output: ExportFormat
) -> None:
    out, cursor = tmp_path / "out", tmp_path / "cursor"
    export(output=output, start=None, limit=9, out=out, cursor=None, data=folder)
    before = out.read_bytes()
    with pytest.raises(CommandError, match="has entries already"):
        export(output=output, start=None, limit=9, out=out, cursor=None, data=folder)
    assert out.read_bytes() == before
    out.unlink()
    for _ in range(2):
        export(output=output, start=None, limit=9, out=out, cursor=cursor, data=folder)
    assert out.read_bytes() == before


def test_a_terminal_is_given_nothing_that_it_obeys_and_a_pipe_the_log_s_own_bytes(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add(["a\u202eb\x9bc"])
    sequence(records)
    command = [sys.executable, "-m", "gptgate", "audit", "export", "--data", str(tmp_path)]
    piped = subprocess.run(command, capture_output=True, check=True).stdout
    terminal, inner = pty.openpty()
    try:
        program = subprocess.Popen(command, stdout=inner, stderr=subprocess.DEVNULL)
        os.close(inner)
        shown = read_all(terminal)
    finally:
        os.close(terminal)
    assert program.wait(30) == 0
    assert "\u202e".encode() in piped
    assert "\x9b".encode() in piped
    assert shown.decode().replace("\r\n", "").isprintable()
    assert [json.loads(line) for line in shown.splitlines()] == [json.loads(line) for line in piped.splitlines()]


def read_all(terminal: int) -> bytes:
    """What was written to a terminal whose other end is closed."""
    found = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            return found
        if not piece:
            return found
        found += piece
