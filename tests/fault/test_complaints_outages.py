"""What users of other gateways complain about, by symptom: outages of what they depend on, memory that grows, upgrades
that go wrong. Each comment names the threads."""

import asyncio
import gc
import itertools
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gptgate.compose import App
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import create_folder
from gptgate.storage.schema import connect, version_of
from harness import CONFIG, Gateway, running_gateway, write_config
from raw_client import CHAT, MESSAGES, RawClient, post, prompt
from shared_parts import Server, needs_server, ready
from waiting import eventually

REQUESTS = 300
MOST_S = 20.0
"""An answer that takes longer hangs on something."""


async def ask(gateway: Gateway, *, path: str = CHAT, key: str = "", text: str = "echo: hi") -> tuple[int, str]:
    client = await RawClient.connect(gateway.base_url)
    try:
        async with asyncio.timeout(MOST_S):
            await client.send(post(path, key or gateway.key, prompt(text, path=path, stream=False)))
            status, headers, _ = await client.answer()
    finally:
        await client.close()
    return status, headers.get("x-gptgate-error", "")


# litellm 35273: a server of counters that takes connections and never answers blocks every request.
@needs_server
async def test_counters_that_never_answer_block_every_request(tmp_path: Path) -> None:
    server = Server()
    counters = f"counters: {{url: '{server.url}', prefix: frozen, timeout: 300ms}}\n"
    try:
        async with running_gateway(tmp_path, CONFIG + counters) as gateway:
            await ready(gateway)
            assert await ask(gateway) == (200, "")
            os.kill(server._process.pid, signal.SIGSTOP)
            try:
                refused = await asyncio.gather(*(ask(gateway, path=path) for path in (CHAT, MESSAGES) * 5))
                assert set(refused) == {(503, "counters_unavailable")}
                assert await ask(gateway, key="sk-gate-wrong") == (401, "invalid_api_key")
                assert gateway.app.readiness()
                assert gateway.simulator.stats.requests == 1
            finally:
                os.kill(server._process.pid, signal.SIGCONT)
            await ready(gateway)
            await eventually(lambda: gateway.app._limiter.in_flight == 0)
    finally:
        server.stop()


# litellm 23976: a migration fails, and the gateway starts all the same.
async def test_a_gateway_starts_although_a_migration_failed(tmp_path: Path) -> None:
    create_folder(tmp_path)
    with closing(connect(tmp_path / "gptgate.db", busy_ms=100)) as connection:
        connection.execute("CREATE TABLE ends (id)")
    config = write_config(tmp_path, CONFIG, simulator="http://127.0.0.1:1")
    for _ in range(2):
        with pytest.raises(StorageError):
            await App.open(tmp_path, config)
        with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
            assert version_of(connection) == 0
    with closing(sqlite3.connect(tmp_path / "gptgate.db", isolation_level=None)) as connection:
        connection.execute("DROP TABLE ends")
    async with running_gateway(tmp_path) as gateway:
        assert await ask(gateway) == (200, "")


# litellm 12685, 27954, 21908, 25219, 15128 and 6404, mlflow 25184: every request leaves memory behind.
async def test_every_request_leaves_memory_behind(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        numbers = itertools.count()

        async def one(client: RawClient) -> None:
            number = next(numbers)
            path = (CHAT, MESSAGES)[number % 2]
            body = prompt(f"echo: {number} jane{number}@example.com", path=path, stream=number % 3 == 0)
            await client.send(post(path, gateway.key, body))
            assert (await client.answer())[0] == 200

        async def blocks_after(requests: int) -> int:
            """How many blocks of memory Python's objects have after so many more requests."""
            for _ in range(requests // len(clients)):
                await asyncio.gather(*map(one, clients))
            await gateway.settled()
            gateway.app.telemetry.flush()
            gateway.lines.truncate(0)
            gc.collect()
            return sys.getallocatedblocks()

        clients = [await RawClient.connect(gateway.base_url) for _ in range(20)]
        before = await blocks_after(140)
        grown = await blocks_after(REQUESTS) - before
        for client in clients:
            await client.close()
    assert grown < 10 * REQUESTS, "the record of a request has more"
