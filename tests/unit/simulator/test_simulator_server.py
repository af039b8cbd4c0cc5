"""The simulator behind a socket: faults of the connection, hang-ups, and the process of its own."""

import asyncio
import json
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gptgate.simulator.server import SimulatorServer
from waiting import PATIENCE_S, eventually


@pytest.fixture
async def server() -> AsyncIterator[SimulatorServer]:
    server = SimulatorServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def session(server: SimulatorServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.base_url) as session:
        yield session


def chat(text: str, *, stream: bool = False) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], "stream": stream}


async def test_cut_closes_the_connection_after_so_many_chunks(
    server: SimulatorServer, session: aiohttp.ClientSession
) -> None:
    body = chat("fault: cut=5 delay=1ms\nwords: 500", stream=True)
    received: list[bytes] = []

    async def read(content: aiohttp.StreamReader) -> None:
        while True:
            received.append(await content.readany())

    async with session.post("/v1/chat/completions", json=body) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await read(response.content)
    assert b"".join(received).count(b"\n\n") == 5
    assert server.simulator.stats.output_tokens < 500


async def test_cut_ends_a_plain_answer_in_the_middle(session: aiohttp.ClientSession) -> None:
    async with session.post("/v1/chat/completions", json=chat("fault: cut=1\nhi")) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_latency_delays_the_head(session: aiohttp.ClientSession) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with session.post("/v1/chat/completions", json=chat("fault: latency=50ms\nhi")) as response:
        assert response.status == 200
    assert loop.time() - began >= 0.05


@pytest.mark.parametrize("order", ["hang", "hang=2", "delay=10s", "latency=10s"])
async def test_a_caller_that_hangs_up_is_counted(
    server: SimulatorServer, session: aiohttp.ClientSession, order: str
) -> None:
    async def wait() -> None:
        body = chat(f"fault: {order}\nhello", stream=True)
        async with session.post("/v1/chat/completions", json=body) as response:
            await response.read()

    task = asyncio.create_task(wait())
    await eventually(lambda: server.simulator.stats.requests == 1)
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: server.simulator.stats.aborted == 1)


async def test_stop_ends_answers_that_hang(server: SimulatorServer, session: aiohttp.ClientSession) -> None:
    task = asyncio.create_task(session.post("/v1/chat/completions", json=chat("fault: hang")).__aenter__())
    await eventually(lambda: server.simulator.stats.requests == 1)
    async with asyncio.timeout(PATIENCE_S):
        await server.stop()
    with pytest.raises(aiohttp.ClientError):
        await task


async def test_a_taken_port_is_an_error(server: SimulatorServer) -> None:
    port = int(server.base_url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="address already in use"):
        await SimulatorServer(port=port).start()


async def test_it_runs_as_a_process_of_its_own() -> None:
    arguments = (sys.executable, "-m", "gptgate.simulator", "--port", "0", "--key", "sk-1")
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        request = urllib.request.Request(url + "/v1/models", headers={"x-api-key": "sk-1"})
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(request).read())
        assert [model["id"] for model in json.loads(answer)["data"]] == ["simulator", "simulator-small"]
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()  # to the end of its pipe, which `wait` leaves open
    assert process.returncode == 0


async def test_the_process_refuses_unknown_faults() -> None:
    arguments = (sys.executable, "-m", "gptgate.simulator", "--faults", "nonsense")
    process = await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"unknown fault: nonsense" in errors
