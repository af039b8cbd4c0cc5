"""A provider written by hand, for what no decent HTTP server does."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from gptgate.core.snapshot import ProviderKind, ProviderSpec
from gptgate.upstream.client import HttpUpstream
from gptgate.upstream.reply import HttpReply
from gptgate.upstream.target import Target
from waiting import PATIENCE_S

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = PLAIN + b"transfer-encoding: chunked\r\n\r\n"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The head and body of one request; empty when the caller has closed the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


class NastyProvider:
    """Serves each connection with `handler`. Counts connections, and those that the caller has left."""

    def __init__(self, handler: Handler) -> None:
        self.connections = 0
        self.requests = 0
        self.open = 0
        self._handler = handler
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[Writer] = []
        self._server: asyncio.Server | None = None
        self.base_url = ""

    async def __aenter__(self) -> "NastyProvider":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await asyncio.sleep(0.001)  # what was accepted before the close is connected
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:  # a task that was cancelled before its first step has closed nothing
            writer.transport.abort()
        await asyncio.sleep(0.001)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            await self._handler(reader, writer)
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()


async def until_closed(reader: asyncio.StreamReader) -> None:
    """Wait until the caller closes or resets the connection."""
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass


def spec(**fields: Any) -> ProviderSpec:
    stated: dict[str, Any] = {
        "name": "acme",
        "kind": ProviderKind.OPENAI_COMPATIBLE,
        "base_url": "",
        "credential": None,
        "connect_timeout_ms": 30_000,
        "first_byte_timeout_ms": 30_000,
        "idle_timeout_ms": 30_000,
        "retries": 0,
        "finish_on_disconnect": False,
    }
    return ProviderSpec(**{**stated, **fields})


async def no_sleep(_: float) -> None:
    """Retries at once."""


@asynccontextmanager
async def against(
    handler: Handler, *, headers: tuple[tuple[str, str], ...] = (), **options: Any
) -> AsyncIterator[tuple[NastyProvider, HttpUpstream]]:
    async with NastyProvider(handler) as provider:
        upstream = HttpUpstream({"acme": Target(provider.base_url, headers)}, sleep=no_sleep, **options)
        await upstream.start()
        try:
            yield provider, upstream
        finally:
            await upstream.close()


async def send(upstream: HttpUpstream, body: bytes = b"{}", **fields: Any) -> HttpReply:
    async with asyncio.timeout(PATIENCE_S):
        return await upstream.send(spec(**fields), "/v1/chat/completions", [], body)


def answering(*pieces: bytes, reset: bool = False) -> Handler:
    """Read a request, write the pieces, and close or reset the connection."""

    async def handler(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return handler


def holding(*pieces: bytes) -> Handler:
    """Read a request, write the pieces, and then say nothing more."""

    async def handler(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.writelines(pieces)
        await writer.drain()
        await until_closed(reader)

    return handler


async def keep_alive(reader: Reader, writer: Writer) -> None:
    while await read_request(reader):
        writer.write(PLAIN + b"content-length: 2\r\n\r\n{}")
        await writer.drain()
