"""`gptgate audit export --format parquet`: the log in parts that say themselves where the next one begins."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from audit_logs import Records
from gptgate.cli import audit_parquet
from gptgate.cli.audit_export import ExportFormat, export
from gptgate.cli.failure import USAGE, CommandError
from gptgate.storage.events import record_event
from waiting import PATIENCE_S


def sequence(records: Records) -> None:
    sequencer = records.sequencer()
    sequencer.start()
    assert sequencer.stop(10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = Records(tmp_path)
    records.add(["a", "b", "c"])
    record_event(tmp_path, 1, "config_applied", {"digest": "d"})
    sequence(records)
    return tmp_path


def run(
    folder: Path, out: Path | None, *, start: int | None = None, limit: int = 10**9, cursor: Path | None = None
) -> None:
    export(output=ExportFormat.PARQUET, start=start, limit=limit, out=out, cursor=cursor, data=folder)


def parts(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def whole(out: Path) -> pa.Table:
    return pa.concat_tables([parquet.read_table(out / name) for name in parts(out)])


def test_a_part_has_every_line_to_the_byte_and_typed_columns(folder: Path, tmp_path: Path) -> None:
    out, lines = tmp_path / "parts", tmp_path / "lines"
    run(folder, out)
    export(output=ExportFormat.JSONL, start=0, limit=100, out=lines, cursor=None, data=folder)
    assert parts(out) == ["part-000000000000-000000000007.parquet"]
    table = whole(out)
    assert table.column("line").to_pylist() == lines.read_text().splitlines()
    assert table.column("index").to_pylist() == list(range(7))
    for row in table.to_pylist():
        entry = json.loads(row["line"])["entry"]
        body = entry["body"]
        assert (row["type"], row["content"]) == (entry["type"], entry["content"])
        assert round(row["at"].timestamp() * 1000) == body["at_ms"]
        if entry["type"] == "end":
            assert (row["id"], row["cost_nano"], row["rules"]) == (body["id"], body["cost_nano"], body["rules"])
            assert (row["input_tokens"], row["end_user"]) == (body["usage"]["input_tokens"], None)
        if entry["type"] == "intent":
            assert (row["end_user"], row["score"], row["cost_nano"]) == (body["end_user"], body["score"], None)
            assert row["findings"] == [tuple(pair) for pair in body["finding_counts"]]
        if entry["type"] == "config_applied":
            assert (row["id"], row["rules"], row["findings"]) == (None, None, None)


def test_a_run_goes_on_behind_the_last_part_whatever_a_crash_left(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    run(folder, out, limit=3)
    (out / "part.tmp").write_bytes(b"half a part")
    run(folder, out)
    assert parts(out) == ["part-000000000000-000000000003.parquet", "part-000000000003-000000000007.parquet"]
    assert whole(out).column("index").to_pylist() == list(range(7))
    before = {name: (out / name).read_bytes() for name in parts(out)}
    run(folder, out)
    assert {name: (out / name).read_bytes() for name in parts(out)} == before, "nothing new, nothing written"


def test_a_part_is_bounded(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_parquet, "PART_ROWS", 3)
    monkeypatch.setattr(audit_parquet, "GROUP_ROWS", 2)
    out = tmp_path / "parts"
    run(folder, out, start=1)
    assert parts(out) == ["part-000000000001-000000000004.parquet", "part-000000000004-000000000007.parquet"]
    assert parquet.ParquetFile(out / parts(out)[0]).num_row_groups == 2


def test_what_has_no_effect_or_fits_nothing_is_refused(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    for settings in ({"out": None}, {"out": out, "cursor": tmp_path / "cursor"}):
        with pytest.raises(CommandError) as caught:
            run(folder, **settings)
        assert caught.value.exit_code == USAGE
    run(folder, out)
    with pytest.raises(CommandError, match="says where to begin"):
        run(folder, out, start=2)
    (out / parts(out)[0]).rename(out / "part-000000000000-000000000008.parquet")
    with pytest.raises(CommandError, match="the log has 7 entries only"):
        run(folder, out)
    with pytest.raises(CommandError, match="cannot write"):
        run(folder, folder / "gptgate.db")


def test_two_runs_do_not_write_into_one_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    out.mkdir()
    descriptor = os.open(out, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(CommandError, match="another export writes to"):
            run(folder, out)
    finally:
        os.close(descriptor)


def test_without_the_package_the_command_says_which_extra_is_missing(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None; from gptgate.cli.main import run; "
        f"sys.argv = ['gptgate', 'audit', 'export', '--format', 'parquet', '--out', {str(tmp_path / 'out')!r}, "
        f"'--data', {str(folder)!r}]; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "hint: pip install --require-hashes -r requirements/parquet.txt"
