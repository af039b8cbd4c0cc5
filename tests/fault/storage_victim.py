"""A process that writes records until it is killed; prints a line for each record that the store acknowledged."""

import asyncio
import os
import sys
import time
from pathlib import Path

from gptgate.core.events import End, EndState, Intent
from gptgate.core.facts import Usage
from gptgate.storage.sqlite import SqliteStore

CALLERS = 16


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def intent(request_id: str) -> Intent:
    return Intent(
        id=request_id,
        at_ms=1,
        team="t",
        app="shop",
        key_id="k",
        end_user="u",
        client="127.0.0.1",
        endpoint="chat",
        stream=False,
        model="m",
        provider="p",
        upstream_model="m",
        effect="allow",
        score=0,
        parts=(),
        rules=(),
        findings=(),
        config_digest="",
        request_digest="",
        sent_digest="",
        window="w",
        reserved_nano=1000,
        price_version="",
        traceparent="",
    )


def end(request_id: str, state: EndState, cost_nano: int) -> End:
    return End(
        id=request_id,
        at_ms=2,
        app="shop",
        window="w",
        state=state,
        status=200,
        code="",
        effect="allow",
        rules=(),
        findings=(),
        score=0,
        answered_model="m",
        provider_request_id="",
        usage=Usage(),
        usage_source="provider",
        cost_nano=cost_nano,
        attempts=1,
        answer_digest="",
        timings_us={},
    )


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def call(store: SqliteStore, name: str) -> None:
    for number in range(1_000_000):
        request_id = f"{name}-{number}"
        if number % 5 == 4:
            await store.refuse(intent(request_id), end(request_id, EndState.REFUSED, 0), b"q" * 300)
            say(f"refused {request_id}")
            continue
        await store.begin(intent(request_id), b"q" * 300)
        say(f"begun {request_id}")
        if number % 7 != 6:
            await asyncio.sleep(0)
            store.finish(end(request_id, EndState.COMPLETED, 10), b"a" * 300)


async def main(folder: Path, name: str) -> None:
    store = SqliteStore.open(folder, clock=SystemClock(), timeout_ms=5000)
    say(f"recovered {store.recovered}")
    async with asyncio.TaskGroup() as group:
        for caller in range(CALLERS):
            group.create_task(call(store, f"{name}-{caller}"))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
