"""The bench measures what it says: it checks every answer and record itself, and exits 1 when one is wrong."""

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.audit import sample_end, sample_intent
from bench.cost import ALL, NONE, PARTS, measure_cost
from bench.share import RECORDED, UNRECORDED, WITH_TEXTS, Share, audit_document, show_share
from bench.unrecorded import Nothing
from rich.console import Console

from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import SearchFilters
from waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_smoke_run_measures_every_target_and_writes_the_file(tmp_path: Path) -> None:
    written = tmp_path / "results.json"

    ended = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--rounds", "1", "--json", str(written), "--data", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
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


def test_the_trail_s_share_is_that_of_its_threads_and_of_the_event_loop() -> None:
    share = Share(loop_us=5.0)
    for threads in (80.0, 70.0, 90.0):
        share.rounds[WITH_TEXTS].append({"process": 700, "event loop": 590.0, "other threads": threads + 20})
        share.rounds[RECORDED].append({"process": 660, "event loop": 580.0, "other threads": threads})
        share.rounds[UNRECORDED].append({"process": 650, "event loop": 640.0, "other threads": 10.0})
    assert (share.threads_us, share.trail_us) == (70.0, 75.0)
    document = audit_document(None, share, {})
    assert (document["share"]["texts_us"], document["share"]["trail_us"]) == (40.0, 75.0)
    assert not show_share(Console(file=io.StringIO()), share), "75 is above the bar"


async def test_a_gateway_without_a_trail_lets_requests_go_on_together() -> None:
    store = Nothing()
    asked = sample_intent(1)
    first, second = await asyncio.gather(store.begin(asked, None), store.refuse(asked, sample_end(asked), None))
    assert first is second
    assert store.stats().log_size == 0
    assert store.healthy() == []


async def test_the_cost_of_limits_budgets_and_usage_is_measured_with_each_of_them_and_without(tmp_path: Path) -> None:
    found = await measure_cost(tmp_path, rounds=1, requests=32)
    assert found.requests == 32
    assert found.everything_us > 0
    assert set(found.added_us) == {*PARTS, NONE}
    with SqliteReader(tmp_path / ALL) as everything, SqliteReader(tmp_path / NONE) as nothing:
        (usage,) = everything.usage([], 0, 2**53)
        assert usage.requests == 64
        assert usage.cost_nano > 0
        assert not nothing.usage([], 0, 2**53)
        assert len(nothing.search(SearchFilters(), 100)) == 64
