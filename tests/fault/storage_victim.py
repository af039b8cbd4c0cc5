"""A process that writes records until it is killed; prints a line for each record that the store acknowledged."""

import asyncio
import os
import sys
from pathlib import Path

from gptgate.core.events import EndState
from gptgate.storage import sequencer
from gptgate.storage.sqlite import SqliteStore
from gptgate.wiring import open_audit_log
from storage_samples import SystemClock, end, intent

CALLERS = 16


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def call(store: SqliteStore, name: str) -> None:
    for number in range(1_000_000):
        request_id = f"{name}-{number}"
        if number % 5 == 4:
            await store.refuse(intent(request_id), end(request_id, state=EndState.REFUSED, cost_nano=0), b"q" * 300)
            say(f"refused {request_id}")
            continue
        await store.begin(intent(request_id), b"q" * 300)
        say(f"begun {request_id}")
        if number % 7 != 6:
            await asyncio.sleep(0)
            store.finish(end(request_id, cost_nano=10), b"a" * 300)


async def main(folder: Path, name: str) -> None:
    # Batches without a pause: so that a kill finds the log's files half written, too.
    sequencer.INTERVAL_S = 0.001
    store = SqliteStore.open(folder, clock=SystemClock(), timeout_ms=5000, open_log=open_audit_log)
    say(f"recovered {store.recovered}")
    async with asyncio.TaskGroup() as group:
        for caller in range(CALLERS):
            group.create_task(call(store, f"{name}-{caller}"))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
