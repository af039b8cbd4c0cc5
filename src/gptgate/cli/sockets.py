"""A port, and a server on it: what every command that serves HTTP needs."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from gptgate.cli.failure import CommandError

BACKLOG = 2048


class QuietServer(uvicorn.Server):
    """uvicorn's server without its signal handlers: the process has one owner of signals, and may have two servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_server(app: Any, keep_alive_ms: int, drain_ms: int, http: Any) -> QuietServer:
    """A server for an ASGI app that writes no logs and says nothing of itself."""
    return QuietServer(
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


def listen(host: str, port: int, hint: str) -> socket.socket:
    """A listening socket. Raises CommandError with this hint."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = "the address is taken" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        raise CommandError(f"cannot listen on {host}:{port}: {reason}", hint=hint) from None
    listener.setblocking(False)
    return listener
