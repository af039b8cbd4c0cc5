"""A whole gateway for tests: composed as in production, its provider the simulator behind a real socket."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import uvicorn

from gptgate.auth.keys import generate
from gptgate.compose import CONFIG_NAME, App
from gptgate.core.keys import KeyRecord
from gptgate.http.protocol import bounded
from gptgate.simulator.app import Simulator
from gptgate.simulator.server import SimulatorServer
from gptgate.storage.folder import content_secret, create_folder
from gptgate.storage.keys import KeyStore
from gptgate.storage.queries import SqliteReader
from gptgate.storage.vault import MasterKey
from gptgate.telemetry.log import LineWriter
from waiting import PATIENCE_S

SERVER = """\
version: 1
server: {data: "127.0.0.1:@DATA@", control: "127.0.0.1:@CONTROL@", drain: 20s, store_timeout: 20s}
"""
PROVIDERS = """\
providers:
  - {name: simulator, kind: simulator, base_url: "@SIMULATOR@", timeouts: {connect: 30s, first_byte: 30s, idle: 30s}}
models:
  - {name: sim-gpt, provider: simulator, max_output_tokens: 1000,
     price: {input_per_million: "1.00", output_per_million: "4.00"}}
  - {name: sim-claude, provider: simulator, price: {input_per_million: "3.00", output_per_million: "15.00"}}
  - {name: sim-embed, provider: simulator, price: {input_per_million: "0.02", output_per_million: "0"}}
teams: [{name: demo}]
"""
APPS = """\
apps:
  - {name: demo, team: demo, budget: {monthly_usd: "1000.00"}, content: redacted}
"""
RULES = """\
policy:
  rules:
    - {id: deny-attacks, stage: request, effect: deny, findings: ["attack.*"], min_score: 60}
    - {id: redact-personal-data, stage: request, effect: redact, findings: [pii.payment_card, pii.email]}
    - {id: redact-answers, stage: response, effect: redact, findings: ["secret.*", pii.payment_card]}
"""
CONFIG = SERVER + PROVIDERS + APPS + RULES


HASTY = """\
  - {name: hasty, kind: simulator, base_url: "@SIMULATOR@", retries: 0, timeouts: {@TIMEOUTS@}}
models:
  - {name: hasty-gpt, provider: hasty, max_output_tokens: 1000,
     price: {input_per_million: "1.00", output_per_million: "4.00"}}
  - {name: hasty-claude, provider: hasty, price: {input_per_million: "3.00", output_per_million: "15.00"}}
"""


def with_hasty(timeouts: str) -> str:
    """The providers, and one with timeouts of its own, so that only what is asked of it can be late."""
    return PROVIDERS.replace("models:\n", HASTY.replace("@TIMEOUTS@", timeouts))


def free_port() -> int:
    """A port that was free a moment ago, and is none of those that systems give to outgoing connections: one of these
    could take it before it is listened on."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def write_config(folder: Path, text: str, *, simulator: str = "", data: int = 1, control: int = 2) -> Path:
    """Fill in the addresses and write the configuration file."""
    create_folder(folder)
    path = folder / CONFIG_NAME
    filled = text.replace("@SIMULATOR@", simulator).replace("@DATA@", str(data)).replace("@CONTROL@", str(control))
    path.write_text(filled)
    return path


def make_key(folder: Path, *, app: str = "demo", **fields: Any) -> str:
    """A new API key in the folder's store; its text."""
    key = generate(secrets.token_bytes(48))
    record = KeyRecord(id=key.id, app=app, name="test", secret_hash=key.secret_hash, created_ms=1, **fields)
    with KeyStore(folder) as store:
        store.insert(record)
    return key.text


@dataclass
class Gateway:
    """A gateway in this event loop."""

    app: App
    folder: Path
    base_url: str
    key: str
    simulator: Simulator
    lines: BytesIO
    server: uvicorn.Server = field(repr=False)

    def reader(self) -> SqliteReader:
        """The records. Ends become durable a moment after the answer: see `settled`."""
        return SqliteReader(self.folder, MasterKey(content_secret(self.folder)))

    async def settled(self) -> None:
        """Wait until no request is open and every end is durable."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                stats = self.app.store.stats()
                if not (self.app.data_plane.in_flight or stats.open_requests or stats.waiting_ends):
                    return
                await asyncio.sleep(0.005)


class QuietServer(uvicorn.Server):
    """Leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def running_gateway(
    folder: Path, config: str = CONFIG, *, simulator: Simulator | None = None
) -> AsyncIterator[Gateway]:
    """Start simulator and gateway on free ports; stop both at the end."""
    provider = SimulatorServer(simulator or Simulator())
    await provider.start()
    path = write_config(folder, config, simulator=provider.base_url)
    lines = BytesIO()
    app = await App.open(folder, path, lines=LineWriter(lines))
    key = make_key(folder)
    app.load_keys()
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = QuietServer(
        uvicorn.Config(
            app.data_plane,
            http=bounded(app.snapshot.server.header_timeout_ms),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=20,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.001)
    try:
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield Gateway(app, folder, base_url, key, provider.simulator, lines, server)
    finally:
        app.data_plane.draining = True
        server.should_exit = True
        await serving
        await asyncio.gather(*server.server_state.tasks, return_exceptions=True)
        for connection in list(server.server_state.connections):  # of a caller who neither reads nor leaves
            connection.transport.abort()
        await app.close()
        await provider.stop()


class GatewayProcess:
    """The gateway as a process of its own, for tests that kill it. Its provider must be started by the test."""

    def __init__(self, folder: Path, simulator_url: str, config: str = CONFIG) -> None:
        self.folder = folder
        self.port, self.control_port = free_port(), free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.config = write_config(folder, config, simulator=simulator_url, data=self.port, control=self.control_port)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within_s: float = PATIENCE_S) -> None:
        """Start it and wait until it is ready."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with (self.folder / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gptgate", "serve", "--data", str(self.folder)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment,
            )
        deadline = time.monotonic() + within_s
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.control_port}/readyz", timeout=PATIENCE_S):
                    return
            except (urllib.error.URLError, OSError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.kill()
                    raise RuntimeError((self.folder / "stderr.log").read_text()[-2000:]) from None
                time.sleep(0.02)

    @property
    def is_started(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE_S)

    def terminate(self) -> int:
        """SIGTERM, the orderly end; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_S)
