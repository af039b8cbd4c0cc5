"""A provider that sends these very bytes, at these places, and nothing else: for what the simulator would never do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
SSE_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def whole(body: bytes, status: bytes = b"200 OK", *headers: bytes) -> list[bytes]:
    """An answer of JSON in one piece."""
    lines = [b"HTTP/1.1 " + status, b"content-type: application/json", b"content-length: %d" % len(body), *headers]
    return [b"\r\n".join(lines) + b"\r\n\r\n" + body]


def streamed(pieces: Sequence[bytes]) -> list[bytes]:
    """An event stream, each piece a chunk of its own."""
    return [SSE_HEAD, *(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


@dataclass
class ScriptedProvider:
    """Answers the n-th request with the n-th script, the last one again and again. None in a script falls silent."""

    scripts: list[Sequence[bytes | None]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    base_url: str = ""
    hung_up: int = 0
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                self.requests.append(head + await reader.readexactly(size))
                script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
                for piece in script:
                    if piece is None:
                        await reader.read()
                        self.hung_up += 1
                        break
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        writer.close()


@contextlib.asynccontextmanager
async def scripted(*scripts: Sequence[bytes | None]) -> AsyncIterator[ScriptedProvider]:
    """Start it on a free port; stop it at the end."""
    provider = ScriptedProvider(list(scripts))
    server = await asyncio.start_server(provider._serve, "127.0.0.1", 0)
    provider.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.close()
        await asyncio.sleep(0.001)  # what was accepted before the close is connected
        for connection in provider.connections:
            connection.transport.abort()
        await asyncio.sleep(0.001)  # the loop lets go of them
