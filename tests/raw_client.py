"""A client that speaks HTTP by hand: it hangs up, dawdles and pipelines where a library would not."""

import asyncio
import json
import socket
import struct
from typing import Any
from urllib.parse import urlsplit

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
LAST_CHUNK = b"\r\n0\r\n\r\n"


def prompt(text: str, *, path: str = CHAT, stream: bool = True, **fields: Any) -> bytes:
    """The body of a request with one user text."""
    model = {"model": "sim-claude", "max_tokens": 1000} if path == MESSAGES else {"model": "sim-gpt"}
    return json.dumps({**model, "stream": stream, "messages": [{"role": "user", "content": text}], **fields}).encode()


def post(path: str, key: str, body: bytes, *headers: str) -> bytes:
    """The bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", "host: gateway", f"x-api-key: {key}", "content-type: application/json"]
    if path.startswith(MESSAGES):
        lines.append("anthropic-version: 2023-06-01")
    lines += [f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def unchunked(data: bytes) -> bytes:
    """The body in these chunks."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        body += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]
    return body


class RawClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, base_url: str, *, receive_buffer: int = 0) -> "RawClient":
        """`receive_buffer` bounds what the kernel takes for a client that does not read."""
        address = urlsplit(base_url)
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, (address.hostname, address.port))
        except OSError:
            sock.close()
            raise
        reader, writer = await asyncio.open_connection(sock=sock, limit=max(receive_buffer, 2**16))
        return cls(reader, writer)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next answer."""
        data = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = data.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines if line)
        return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in fields}

    async def body(self, headers: dict[str, str]) -> bytes:
        """The body that follows this head; of a cut one what there is of it."""
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        data = b""
        while True:
            line = await self.reader.readline()
            if not line:
                return data
            size = int(line, 16)
            data += (await self.reader.readexactly(size + 2))[:size]
            if not size:
                return data

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = await self.head()
        return status, headers, await self.body(headers)

    async def until(self, mark: bytes, count: int = 1) -> bytes:
        """Read until `mark` has come `count` times, or the end."""
        data = b""
        while data.count(mark) < count:
            piece = await self.reader.read(65536)
            if not piece:
                break
            data += piece
        return data

    def reset(self) -> None:
        """Hang up by a reset, unless the other side has."""
        if self.writer.transport.is_closing():
            return
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        """Hang up in order."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return
