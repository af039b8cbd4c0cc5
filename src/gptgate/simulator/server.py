"""The simulator behind a socket, in the running event loop."""

import asyncio
import socket
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gptgate.simulator.app import Simulator
from gptgate.simulator.exchange import CUT_EXTENSION

KEEP_ALIVE_S = 75
BACKLOG = 2048


class _Protocol(HttpToolsProtocol):
    """Lets the application close the connection under its own answer, for the fault `cut`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {CUT_EXTENSION: self.transport.close}


class SimulatorServer:
    """Serves a `Simulator` over HTTP by uvicorn's protocol. `start` returns when the port is open; `stop` it.

    uvicorn's own `Server` is left out: it owns the process's signals, and polls. Port 0 takes a free one; `base_url`
    has the real one. Writes no access log. `start` raises OSError when the port is taken.
    """

    def __init__(self, simulator: Simulator | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.simulator = Simulator() if simulator is None else simulator
        self.base_url = ""
        self._address = (host, port)
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Open the port and begin to serve."""
        config = uvicorn.Config(
            self.simulator,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        config.load()

        def connection() -> _Protocol:
            return _Protocol(config, self._state, {})

        host, port = self._address
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(connection, host, port, reuse_address=True, backlog=BACKLOG)
        name, port = self._server.sockets[0].getsockname()[:2]
        is_ipv6 = self._server.sockets[0].family == socket.AF_INET6
        self.base_url = f"http://[{name}]:{port}" if is_ipv6 else f"http://{name}:{port}"

    async def stop(self) -> None:
        """Close the port and every connection at once, and wait until no answer is in the making."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        while self._state.tasks:
            await asyncio.wait(self._state.tasks)
        await self._server.wait_closed()
        self._server = None
