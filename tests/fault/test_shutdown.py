"""A shutdown drains: short streams finish, long ones are told, everything is recorded, and nobody can hold it up."""

import asyncio
import json
import os
import resource
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from gptgate.core.events import Intent
from gptgate.core.facts import LogIndex
from gptgate.simulator.server import SimulatorServer
from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import AuditRow, SearchFilters
from harness import CONFIG, GatewayProcess, make_key, running_gateway
from probes import HeldSimulator
from raw_client import CHAT, MESSAGES, RawClient, post, prompt
from waiting import PATIENCE_S, eventually

DRAIN_S = 4.0
SLACK_S = 20.0
"""Less than anything that would hold up a shutdown, and more than a busy machine takes to end a process."""
SHORT = "fault: chunk=8\nwords: 30"
LONG = "fault: chunk=4 delay=50ms\nwords: 1000"
PATIENT = CONFIG.replace("first_byte: 30s, idle: 30s", "first_byte: 120s, idle: 120s")
DRAINING = PATIENT.replace("drain: 20s", "drain: 4s")
FINISHING = CONFIG.replace("kind: simulator,", "kind: simulator, finish_on_disconnect: true,")


def in_flight(gateway: GatewayProcess) -> int:
    """How many requests it serves right now."""
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.control_port}/metrics", timeout=PATIENCE_S) as answer:
        (line,) = (one for one in answer if one.startswith(b"gptgate_requests_in_flight "))
    return int(float(line.split()[1]))


async def begin(base_url: str, key: str, text: str, *, path: str = CHAT, stream: bool = True) -> RawClient:
    """A request whose answer has begun, or whose intent is about to be durable."""
    client = await RawClient.connect(base_url)
    await client.send(post(path, key, prompt(text, path=path, stream=stream)))
    if stream:
        status, _ = await client.head()
        assert status == 200
    return client


async def stop(gateway: GatewayProcess) -> tuple[int, float]:
    """SIGTERM; the exit code and how long it took."""
    began = time.monotonic()
    code = await asyncio.to_thread(gateway.terminate)
    return code, time.monotonic() - began


def rows(folder: Path) -> list[AuditRow]:
    with SqliteReader(folder) as reader:
        return sorted(reader.search(SearchFilters(), 1000), key=lambda row: row.seq)


async def test_sigterm_with_requests_in_flight(tmp_path: Path) -> None:
    simulator = HeldSimulator(after=5)
    provider = SimulatorServer(simulator)
    await provider.start()
    gateway = GatewayProcess(tmp_path / "data", provider.base_url, DRAINING)
    key = make_key(gateway.folder)
    await asyncio.to_thread(gateway.start)
    short = [await begin(gateway.base_url, key, SHORT, path=path) for path in (CHAT, MESSAGES) for _ in range(5)]
    long = [await begin(gateway.base_url, key, LONG, path=path) for path in (CHAT, MESSAGES) for _ in range(5)]
    waiting = await begin(gateway.base_url, key, "fault: latency=300s\necho: late", stream=False)
    uploading = await RawClient.connect(gateway.base_url)
    await uploading.send(post(CHAT, key, prompt("echo: never"))[:-5])
    stuck = await RawClient.connect(gateway.base_url, receive_buffer=4096)
    await stuck.send(post(CHAT, key, prompt("fault: chunk=20000\nrepeat: 1600000 flood", max_tokens=8_000_000)))
    idle = await RawClient.connect(gateway.base_url)
    await idle.send(post(CHAT, key, prompt("echo: before", stream=False)))
    assert (await idle.answer())[0] == 200
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(in_flight, gateway) < 13:
            await asyncio.sleep(0.01)

    stopping = asyncio.create_task(stop(gateway))
    await eventually(lambda: "stopping" in (gateway.folder / "stderr.log").read_text())
    simulator.go.set()
    finished = await asyncio.gather(*(client.body({}) for client in short))
    ended = await asyncio.gather(*(client.body({}) for client in long))
    late = await waiting.answer()
    cut = await uploading.answer()
    code, took_s = await stopping
    assert code == 0
    assert DRAIN_S < took_s < DRAIN_S + SLACK_S
    assert all(body.endswith(b"data: [DONE]\n\n") for body in finished[:5])
    assert all(b"message_stop" in body for body in finished[5:])
    for body in ended:
        last = body.rstrip(b"\n").split(b"\n\n")[-1]
        assert b"error" in last
        assert b"shutting down" in last.lower() or b"shut down" in last.lower()
        assert b"[DONE]" not in body
        assert b"message_stop" not in body
    assert (late[0], late[1]["x-gptgate-error"], late[1]["x-should-retry"]) == (503, "shutting_down", "true")
    assert (cut[0], cut[1]["x-gptgate-error"], cut[1]["x-should-retry"]) == (503, "shutting_down", "true")
    found = rows(gateway.folder)
    assert len(found) == 24
    codes = [row.code for row in found]
    assert codes.count("") == 11
    assert codes.count("shutting_down") + codes.count("client_disconnected") == 13
    assert codes.count("shutting_down") >= 12
    assert {row.state for row in found} <= {"completed", "refused"}
    assert "Traceback" not in (gateway.folder / "stderr.log").read_text()
    for client in (*short, *long, waiting, uploading, stuck, idle):
        client.reset()
    await provider.stop()


async def test_sigterm_at_rest_ends_at_once_and_a_second_start_works(tmp_path: Path) -> None:
    provider = SimulatorServer()
    await provider.start()
    gateway = GatewayProcess(tmp_path / "data", provider.base_url, CONFIG)
    key = make_key(gateway.folder)
    for _ in range(2):
        await asyncio.to_thread(gateway.start)
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, key, prompt("echo: hello", stream=False)))
        assert (await client.answer())[0] == 200
        code, took_s = await stop(gateway)
        with pytest.raises(ConnectionRefusedError):
            await RawClient.connect(gateway.base_url)
        assert (code, await client.reader.read()) == (0, b"")
        assert took_s < SLACK_S, "it waits for no drain"
        await client.close()
    assert [row.state for row in rows(gateway.folder)] == ["completed"] * 2
    await provider.stop()


async def newest_digest(gateway: GatewayProcess, key: str) -> str:
    """The configuration that a request is served under right now."""
    client = await RawClient.connect(gateway.base_url)
    await client.send(post(CHAT, key, prompt("echo: hello", stream=False)))
    assert (await client.answer())[0] == 200
    await client.close()
    with SqliteReader(gateway.folder) as reader:
        record = reader.show(rows(gateway.folder)[-1].id)
    assert record is not None
    return record.intent.config_digest


def caught_signals(pid: int) -> int:
    """The signals that a process has handlers for, a bit each."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in status if line.startswith("SigCgt:")), 16)


async def test_a_running_process_is_watched_for_guards_that_hang(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path / "data", "http://127.0.0.1:1", CONFIG)
    await asyncio.to_thread(gateway.start)
    assert caught_signals(gateway.pid) >> (signal.SIGALRM - 1) & 1
    assert (await stop(gateway))[0] == 0


async def test_a_crash_leaves_no_file_with_the_memory(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path / "data", "http://127.0.0.1:1", CONFIG)
    await asyncio.to_thread(gateway.start)
    assert resource.prlimit(gateway.pid, resource.RLIMIT_CORE) == (0, 0)
    assert (await stop(gateway))[0] == 0


async def test_sighup_applies_the_file_of_a_running_process(tmp_path: Path) -> None:
    provider = SimulatorServer()
    await provider.start()
    gateway = GatewayProcess(tmp_path / "data", provider.base_url, CONFIG)
    key = make_key(gateway.folder)
    await asyncio.to_thread(gateway.start)
    text = gateway.config.read_text()
    first = await newest_digest(gateway, key)
    gateway.config.write_text(text.replace('"1000.00"', '"500.00"'))
    os.kill(gateway.pid, signal.SIGHUP)
    async with asyncio.timeout(PATIENCE_S):
        while (second := await newest_digest(gateway, key)) == first:
            await asyncio.sleep(0.02)
    gateway.config.write_text(text.replace('"1000.00"', '"much"'))
    os.kill(gateway.pid, signal.SIGHUP)
    await eventually(lambda: "rejected" in (gateway.folder / "stderr.log").read_text())
    assert await newest_digest(gateway, key) == second
    assert (await stop(gateway))[0] == 0
    await provider.stop()


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_a_draining_gateway_tells_new_requests_to_come_again(tmp_path: Path, path: str) -> None:
    async with running_gateway(tmp_path) as gateway:
        client = await RawClient.connect(gateway.base_url)
        request = post(path, gateway.key, prompt("echo: hello", path=path, stream=False))
        await client.send(request)
        assert (await client.answer())[0] == 200
        gateway.app.data_plane.draining = True
        await client.send(request)
        status, headers, body = await client.answer()
        assert (status, headers["x-gptgate-error"], headers["x-should-retry"]) == (503, "shutting_down", "true")
        assert json.loads(body)["error"]["message"]
        assert gateway.app.readiness() == ["shutting down"]
        assert await client.reader.read() == b""
        await client.close()
        assert gateway.simulator.stats.requests == 1


async def test_what_is_read_to_its_end_for_its_usage_is_cut_short_at_the_deadline(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, FINISHING.replace("drain: 20s", "drain: 300ms")) as gateway:
        client = await begin(gateway.base_url, gateway.key, LONG)
        await client.close()
        await eventually(lambda: not gateway.app.data_plane.in_flight)
        began = time.monotonic()
    assert time.monotonic() - began < SLACK_S
    (row,) = rows(gateway.folder)
    assert (row.state, row.code, row.usage_source) == ("completed", "client_disconnected", "unknown")
    assert gateway.simulator.stats.aborted == 1


async def test_an_exchange_that_is_cut_short_before_its_first_step_ends_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_gateway(tmp_path, FINISHING) as gateway:
        app = gateway.app
        begin_record = app.store.begin

        async def begun(intent: Intent, content: bytes | None) -> LogIndex:
            index = await begin_record(intent, content)
            # Between this and the first step of the exchange nothing else runs.
            asyncio.get_running_loop().call_soon(app._gate.abandon)
            return index

        monkeypatch.setattr(app.store, "begin", begun)
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt("fault: latency=300s\necho: hello", stream=False)))
        await eventually(lambda: [row.state for row in rows(tmp_path)] not in ([], ["open"]))
        await client.close()
        (row,) = rows(tmp_path)
        assert (row.state, row.code) == ("completed", "shutting_down")
        assert app._treasury.ledger.open_reservations == 0
