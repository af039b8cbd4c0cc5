"""kill -9 at random moments: what the store acknowledged is there and in the log, and nothing is there by halves."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from gptgate.cli.audit_verify import own_key, verify
from gptgate.core.events import EndState
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import FolderLock
from gptgate.storage.queries import SqliteReader
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.views import AuditRow, SearchFilters
from gptgate.wiring import open_audit_log
from storage_samples import SystemClock, spent_by_app

ROUNDS = int(os.environ.get("GPTGATE_CRASHES", "20"))
"""How often the victim is killed. The full table is 200: ten minutes that a change of the store's writes is worth."""
VERIFIED_EVERY = 10
VICTIM = Path(__file__).parent / "storage_victim.py"


def victim_process(folder: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, VICTIM, folder, name],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(VICTIM.parent.parent), *sys.path])},
    )


def killed_run(folder: Path, name: str, after_lines: int, and_s: float) -> list[str]:
    """The lines that a victim printed until it was killed, some time after so many of them."""
    with victim_process(folder, name) as victim:
        assert victim.stdout is not None
        lines = [victim.stdout.readline() for _ in range(after_lines)]
        time.sleep(and_s)
        victim.kill()
        lines += victim.stdout.readlines()
    assert all(line.endswith("\n") for line in lines), "the victim died by itself"
    return [line.strip() for line in lines]


def all_rows(folder: Path) -> list[AuditRow]:
    with SqliteReader(folder) as reader:
        return reader.search(SearchFilters(), 10_000_000)


async def test_acknowledged_records_survive_kill_9_and_open_ones_are_abandoned(tmp_path: Path) -> None:
    dice = random.Random(20261)
    begun: set[str] = set()
    refused: set[str] = set()
    recovered = 0
    for number in range(ROUNDS):
        lines = killed_run(tmp_path, str(number), dice.randint(1, 200), dice.uniform(0, 0.05))
        words = [line.split() for line in lines]
        assert words[0][0] == "recovered"
        recovered += int(words[0][1])
        begun |= {name for word, name in words[1:] if word == "begun"}
        refused |= {name for word, name in words[1:] if word == "refused"}
        if number % VERIFIED_EVERY == 0:
            # As the crash has left it, before anybody repairs anything.
            verify(None, str(own_key(tmp_path)), None, None, tmp_path)
    open_before = sum(row.state == "open" for row in all_rows(tmp_path))
    store = SqliteStore.open(tmp_path, clock=SystemClock(), timeout_ms=5000, open_log=open_audit_log)
    assert store.recovered == open_before
    await store.close(60_000)
    logged = store.stats().log_size
    verify(None, str(own_key(tmp_path)), None, None, tmp_path)
    spent = spent_by_app(tmp_path)

    rows = {row.id: row for row in all_rows(tmp_path)}
    assert begun | refused <= rows.keys()
    assert len(begun) > ROUNDS
    assert [row.seq for row in reversed(rows.values())] == list(range(1, len(rows) + 1))
    states = Counter(row.state for row in rows.values())
    assert states["abandoned"] == recovered + store.recovered > 0
    assert states.keys() == {"completed", "refused", "abandoned"}
    costs = {"completed": (10, ""), "refused": (0, ""), "abandoned": (900, "unknown")}
    assert all((row.cost_nano, row.usage_source) == costs[row.state] for row in rows.values())
    assert all(rows[name].state == "refused" for name in refused)
    assert spent == {"shop": 10 * states["completed"] + 900 * states["abandoned"]}
    with SqliteReader(tmp_path) as reader:
        for name in rows:
            record = reader.show(name)
            assert record is not None
            assert record.end is not None
            assert record.request_content == b"q" * 300
            assert record.answer_content == (b"a" * 300 if record.end.state is EndState.COMPLETED else None)
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM ends").fetchone() == (len(rows),)
        batches = connection.execute("SELECT count(*) FROM log_batches").fetchone()[0]
    assert logged == 2 * len(rows), "every record has its place in the log"
    # How many there are in a life is for the machine to say. Without any, the kills would have missed the log.
    assert batches > ROUNDS // 4
    print(
        f"killed {ROUNDS} times: {len(begun)} begun and {len(refused)} refused were acknowledged, {recovered} abandoned"
    )


def test_the_kernel_gives_the_lock_of_a_killed_gateway_back(tmp_path: Path) -> None:
    with victim_process(tmp_path, "a") as victim:
        assert victim.stdout is not None
        victim.stdout.readline()
        try:
            FolderLock(tmp_path)
        except StorageError as error:
            message = error.message
        else:
            message = ""
        victim.kill()
    assert f"process {victim.pid}" in message
    FolderLock(tmp_path).release()
