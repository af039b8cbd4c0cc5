"""Two listeners in one event loop, and an orderly end."""

import asyncio
import ctypes
import gc
import re
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import uvloop

from gptgate.admin.app import ApplyResult, build_admin
from gptgate.cli.folder import warn_of_mode
from gptgate.cli.room import Crowded, most_connections
from gptgate.cli.sockets import QuietServer, listen, make_server
from gptgate.compose import App
from gptgate.config.problem import ConfigError
from gptgate.http.protocol import bounded
from gptgate.storage.errors import StorageError
from gptgate.storage.fingerprints import take_fingerprints
from gptgate.storage.folder import admin_token
from gptgate.watchdog import Watchdog

GC_THRESHOLDS = (50_000, 20, 50)
"""Requests make little cyclic garbage; the default thresholds would stop the world for nothing every few of them."""


def serve_forever(folder: Path, config: Path, announce: Callable[[App], None]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP applies the configuration file.

    `announce` is called once both listeners accept. Raises CommandError, ConfigError or StorageError.
    """
    _leave_no_core()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(folder, config, announce))


async def _serve(folder: Path, config: Path, announce: Callable[[App], None]) -> None:
    app = await App.open(folder, config)
    try:
        warn_of_mode(folder, app.logger)
        spec = app.snapshot.server
        data_socket = listen(spec.data_host, spec.data_port, f"change server.data in {config}")
        control_socket = listen(spec.control_host, spec.control_port, f"change server.control in {config}")
        admin = build_admin(
            token=admin_token(folder),
            readiness=app.readiness,
            metrics=app.telemetry.scrape,
            apply_config=lambda: _apply(app),
            refresh_keys=app.refresh_keys,
            status=app.status,
            hosts=(spec.control_host,),
        )
        most = most_connections()
        guarded = bounded(spec.header_timeout_ms, most, Crowded(app.logger, most))
        data = make_server(app.data_plane, spec.keep_alive_ms, spec.drain_ms, http=guarded)
        control = make_server(admin, spec.keep_alive_ms, 1000, http=bounded(spec.header_timeout_ms))
        stop = asyncio.Event()
        _handle_signals(app, data, stop)
        watchdog = asyncio.create_task(Watchdog(app.logger, lambda: app.pulse.beats).run())
        running = [
            asyncio.create_task(data.serve(sockets=[data_socket])),
            asyncio.create_task(control.serve(sockets=[control_socket])),
        ]
        # Six hundred patterns that a start looks at its own patterns with.
        re.purge()
        gc.collect()
        _give_memory_back()
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
        watchdog.cancel()
        await asyncio.wait([watchdog])
    finally:
        await app.close()
    try:
        await asyncio.to_thread(take_fingerprints, folder)
    except StorageError as error:
        # The records are whole all the same; `gptgate audit verify` says what it cannot look at.
        app.logger.warning("what the files are was not written down", problem=error.message)


def _leave_no_core() -> None:
    """Threat: after a crash the system would write prompts, keys and credentials, all in clear, into a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _give_memory_back() -> None:
    """To the system, what compiling the patterns took: 16 MB in an empty folder. Only glibc keeps it, and has this."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


async def _apply(app: App) -> ApplyResult:
    digest, changed = await app.apply_config()
    return ApplyResult(digest=digest, changed=changed)


def _handle_signals(app: App, data: QuietServer, stop: asyncio.Event) -> None:
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

    def begin_reload() -> None:
        if len(reloads) > 1:
            # One is at work and one waits, which will read the file as it is by then.
            return
        task = loop.create_task(reload(app))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, begin_reload)


async def reload(app: App) -> None:
    """Apply the configuration file. Nobody waits for an answer: what came of it is in the log."""
    try:
        digest, changed = await app.apply_config()
    except ConfigError as error:
        app.logger.error("the configuration was rejected; the old one stays", problems=str(error))
        return
    except StorageError as error:
        what = "the configuration could not be applied; the old one stays"
        app.logger.error(what, problem=error.message, hint=error.hint)
        return
    if not changed:
        app.logger.info("the configuration has not changed", digest=digest)
