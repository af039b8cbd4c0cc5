"""Two listeners in one event loop, and an orderly end."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from gptgate.admin.app import ApplyResult, build_admin
from gptgate.cli.failure import CommandError
from gptgate.compose import App
from gptgate.config.problem import ConfigError
from gptgate.http.protocol import bounded
from gptgate.storage.folder import admin_token

BACKLOG = 2048
GC_THRESHOLDS = (50_000, 20, 50)
"""Requests make little cyclic garbage; the default thresholds would stop the world for nothing every few of them."""


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: the process has two servers and one owner of signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve_forever(folder: Path, config: Path, announce: Callable[[App], None]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP applies the configuration file.

    `announce` is called once both listeners accept. Raises CommandError, ConfigError or StorageError.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(folder, config, announce))


async def _serve(folder: Path, config: Path, announce: Callable[[App], None]) -> None:
    app = await App.open(folder, config)
    try:
        spec = app.snapshot.server
        data_socket = _listen(config, "server.data", spec.data_host, spec.data_port)
        control_socket = _listen(config, "server.control", spec.control_host, spec.control_port)
        admin = build_admin(
            token=admin_token(folder),
            readiness=app.readiness,
            metrics=app.telemetry.scrape,
            apply_config=lambda: _apply(app),
            refresh_keys=app.refresh_keys,
            status=app.status,
            hosts=(spec.control_host,),
        )
        data = _server(app.data_plane, spec.keep_alive_ms, spec.drain_ms, http=bounded(spec.header_timeout_ms))
        control = _server(admin, spec.keep_alive_ms, 1000, http=bounded(spec.header_timeout_ms))
        stop = asyncio.Event()
        _handle_signals(app, data, stop)
        running = [
            asyncio.create_task(data.serve(sockets=[data_socket])),
            asyncio.create_task(control.serve(sockets=[control_socket])),
        ]
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        announce(app)
        await stop.wait()
        app.data_plane.draining = True
        data.should_exit = True
        await running[0]
        await asyncio.gather(*data.server_state.tasks, return_exceptions=True)
        control.should_exit = True
        await running[1]
    finally:
        await app.close()


def _server(app: Any, keep_alive_ms: int, drain_ms: int, http: Any) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=http,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_keep_alive=max(1, keep_alive_ms // 1000),
            timeout_graceful_shutdown=max(1, -(-drain_ms // 1000)),
        )
    )


def _listen(config: Path, setting: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = "the address is taken" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        raise CommandError(f"cannot listen on {host}:{port}: {reason}", hint=f"change {setting} in {config}") from None
    listener.setblocking(False)
    return listener


async def _apply(app: App) -> ApplyResult:
    digest, changed = await app.apply_config()
    return ApplyResult(digest=digest, changed=changed)


def _handle_signals(app: App, data: _Server, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        """Once: in good order. Again: without waiting for the requests in flight, which are told and recorded."""
        if stop.is_set():
            for task in list(data.server_state.tasks):
                task.cancel()
            return
        seconds = app.snapshot.server.drain_ms / 1000
        app.logger.info("stopping; once more does not wait", in_flight=app.data_plane.in_flight, at_most_s=seconds)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        if len(reloads) > 1:
            # One is at work and one waits, which will read the file as it is by then.
            return
        task = loop.create_task(_reload(app))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)


async def _reload(app: App) -> None:
    try:
        digest, changed = await app.apply_config()
    except ConfigError as error:
        app.logger.error("the configuration was rejected; the old one stays", problems=str(error))
        return
    if not changed:
        app.logger.info("the configuration has not changed", digest=digest)
