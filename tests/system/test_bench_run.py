"""The bench measures what it says: it checks every answer and record itself, and exits 1 when one is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_smoke_run_measures_every_target_and_writes_the_file(tmp_path: Path) -> None:
    written = tmp_path / "results.json"

    ended = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--rounds", "1", "--json", str(written), "--data", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    content = json.loads(written.read_text())
    served = content["records"]["requests"] - content["records"]["refused"]
    assert content["records"]["refused"] == 1
    assert served > 100
    assert content["records"]["cost_nano"] > served * 70_000
    assert len(content["bars"]) == 4
    for target in ("direct", "bare", "gateway"):
        assert content["medians"][target]["many_rps"] > 0
    assert content["medians"]["gateway"]["chunk_cpu_us"] > 0
    for bar in content["bars"]:
        assert f"  {bar['name']}: {bar['reached']:.2f}" in ended.stdout
    assert list(tmp_path.iterdir()) == [written], "the run leaves its data behind"
