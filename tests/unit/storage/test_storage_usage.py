"""A report over a year does not read a year's records."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gptgate.storage.queries import SqliteReader
from gptgate.storage.sqlite import SqliteStore
from storage_samples import FixedClock

DAY_MS = 86_400_000
YEAR_MS = 20_454 * DAY_MS
"""2026-01-01."""
APPS, MODELS, DAYS = 50, 5, 365
REQUESTS = 100_000_000 // (APPS * MODELS * DAYS)
NANO = 3_000_000
SUMS = (REQUESTS, 0, REQUESTS, 1000, 100, 1100, 0, NANO, 0, 0)


async def test_a_year_of_a_hundred_million_requests_is_reported_in_a_second(tmp_path: Path) -> None:
    """The sums are made up: 365 days of 50 apps (in 10 teams, one key each) with 5 models, 1,095 requests in each row.
    The records behind them are not there, as a report of whole days reads none."""
    await SqliteStore.open(tmp_path, clock=FixedClock(), timeout_ms=60_000).close(60_000)
    with closing(sqlite3.connect(tmp_path / "gptgate.db")) as connection, connection:
        connection.executemany(
            f"INSERT INTO spending_days VALUES ({', '.join('?' * 16)})",
            (
                (YEAR_MS + day * DAY_MS, f"t{app % 10}", f"a{app}", f"k{app}", f"m{model}", "p", *SUMS)
                for day in range(DAYS)
                for app in range(APPS)
                for model in range(MODELS)
            ),
        )
    with SqliteReader(tmp_path) as reader:
        for group_by, rows in ((["app"], 50), (["team", "model"], 50), (["month", "provider"], 12), (["key"], 50)):
            begun = time.process_time()
            found = reader.usage(group_by, YEAR_MS, YEAR_MS + 365 * DAY_MS)
            assert time.process_time() - begun < 1.0
            assert len(found) == rows
            assert sum(row.requests for row in found) == REQUESTS * APPS * MODELS * DAYS > 99_000_000
            assert sum(row.cost_nano for row in found) == NANO * APPS * MODELS * DAYS
