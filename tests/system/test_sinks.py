"""Exports and sinks of a running gateway."""

import csv
import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_gateway import SIMULATED, Live
from sink_servers import Received, syslog, webhook
from waiting import PATIENCE_S, wait_until


@pytest.fixture(scope="module")
def hook() -> Iterator[Received]:
    with webhook() as received:
        yield received


@pytest.fixture(scope="module")
def server() -> Iterator[Received]:
    with syslog() as received:
        yield received


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, hook: Received, server: Received) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("data")
    sinks = f"""\
sinks:
  - {{name: archive, to: "file:{folder}/archive.jsonl"}}
  - {{name: siem, to: "{hook.url}"}}
  - {{name: log, to: "{server.url}"}}
"""
    gateway = Live(folder, "", SIMULATED + sinks)
    gateway.start()
    yield gateway
    assert gateway.terminate() == 0


def indices(lines: list[bytes]) -> list[int]:
    return [json.loads(line[line.index(b'{"index"') :])["index"] for line in lines]


def scraped(live: Live) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{live.control_port}/metrics", timeout=PATIENCE_S) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith("gptgate_sink")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_every_sink_gets_every_entry(live: Live, hook: Received, server: Received) -> None:
    key = live.new_key()
    for _ in range(3):
        assert live.call(key) == 200
    live.rows()
    # Start, configuration, a key, three requests with their ends.
    for received in (hook, server):
        lines = received.wait_for(9)
        assert indices(lines)[:9] == list(range(9))
    assert b'"type":"key_created"' in b"".join(hook.lines())
    exported = live.gptgate("audit", "export", "--limit", "9")
    assert exported.stdout.encode().splitlines() == hook.lines()[:9]
    assert exported.stderr == "9 entries; the next run begins with 9\n"
    archive = live.folder / "archive.jsonl"
    wait_until(lambda: archive.read_bytes().count(b"\n") >= 9)
    assert archive.read_bytes().splitlines()[:9] == hook.lines()[:9]


def test_a_sink_that_is_away_is_told_of_and_catches_up(live: Live, hook: Received) -> None:
    before = len(hook.wait_for(9))
    hook.status = 503
    try:
        live.call(live.new_key())
        wait_until(lambda: scraped(live)['gptgate_sink_failures_total{sink="siem"}'])
        assert scraped(live)['gptgate_sink_lag_entries{sink="siem"}'] >= 1
    finally:
        hook.status = 200
    lines = hook.wait_for(before + 3)
    assert indices(lines) == list(range(len(lines))), "nothing is missing and nothing comes twice"


def test_an_export_goes_on_where_it_ended(live: Live, tmp_path: Path) -> None:
    live.call(live.new_key())
    live.rows()
    out, cursor = tmp_path / "out.jsonl", tmp_path / "cursor"
    runs = ["--out", str(out), "--cursor", str(cursor)]
    assert live.command("audit", "export", *runs, "--limit", "4").returncode == 0
    assert cursor.read_text() == "4\n"
    assert live.command("audit", "export", *runs, "--limit", "3").returncode == 0
    assert indices(out.read_bytes().splitlines()) == list(range(7))
    assert live.command("audit", "export", *runs, "--from", "1").returncode == 2
    cursor.write_text("999999\n")
    assert live.command("audit", "export", *runs).returncode == 1
    cursor.write_text("x")
    assert live.command("audit", "export", *runs).returncode == 2


def test_an_export_for_a_spreadsheet(live: Live, tmp_path: Path) -> None:
    key = live.new_key()
    assert live.call(key, "echo: write to ada@example.com", user="=cmd()") == 200
    row = live.rows()[0]
    out = tmp_path / "out.csv"

    def exported() -> list[dict[str, str]]:
        out.unlink(missing_ok=True)
        assert live.command("audit", "export", "--format", "csv", "--out", str(out)).returncode == 0
        return [one for one in csv.DictReader(io.StringIO(out.read_text())) if one["id"] == row["id"]]

    wait_until(lambda: len(exported()) == 2)
    asked, ended = exported()
    assert (asked["type"], asked["end_user"], asked["effect"]) == ("intent", "'=cmd()", "redact")
    assert asked["findings"] == "pii.email:1"
    assert (ended["type"], ended["state"], ended["status"]) == ("end", "completed", "200")
    assert ended["cost_nano"] == str(row["cost_nano"])
    # Not always the first: in a batch requests are before other events.
    started = next(one for one in csv.DictReader(io.StringIO(out.read_text())) if one["type"] == "gateway_started")
    assert json.loads(started["details"])["recovered"] == 0
