"""Eyes for tests: the records of a gateway, raw requests, and providers that wait or remember."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gptgate.simulator.app import Simulator
from gptgate.storage.views import AuditRecord, SearchFilters
from harness import Gateway
from raw_client import RawClient
from waiting import PATIENCE_S

Message = MutableMapping[str, Any]


async def records_of(gateway: Gateway, since: int = 0) -> list[AuditRecord]:
    """The records after number `since`, oldest first, once every request has ended."""
    await gateway.settled()
    with gateway.reader() as reader:
        rows = reader.search(SearchFilters(), 10_000)
        found = [reader.show(row.id) for row in reversed(rows) if row.seq > since]
    assert all(record is not None for record in found)
    return [record for record in found if record is not None]


async def last_seq(gateway: Gateway) -> int:
    """The number of the newest record, 0 when there is none."""
    await gateway.settled()
    with gateway.reader() as reader:
        rows = reader.search(SearchFilters(), 1)
    return rows[0].seq if rows else 0


@dataclass
class RawAnswer:
    """An HTTP answer. Header names are lower case; of a header given twice the last value."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


async def send_raw(base_url: str, *pieces: bytes, pause_s: float = 0.0) -> RawAnswer:
    """Send bytes as they are, with a pause after each piece, and read one answer.

    Raises ConnectionError or IncompleteReadError when there is none.
    """
    client = await RawClient.connect(base_url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            for piece in pieces:
                await client.send(piece)
                await asyncio.sleep(pause_s)
            return RawAnswer(*await client.answer())
    finally:
        await client.close()


def http_request(method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bytes:
    """A request's bytes, with `host` and `content-length` unless they are given."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append("host: gateway")
    if not names & {"content-length", "transfer-encoding"} and (body or method == "POST"):
        lines.append(f"content-length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class HeldSimulator(Simulator):
    """Stops after so many messages of each answer, the head is one, until it is let go."""

    def __init__(self, after: int = 0) -> None:
        super().__init__()
        self.asked = 0
        self.go = asyncio.Event()
        self._after = after

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        sent = 0
        self.asked += 1

        async def held(message: Any) -> None:
            nonlocal sent
            if sent >= self._after:
                await self.go.wait()
            sent += 1
            await send(message)

        await super().__call__(scope, receive, held)


@dataclass
class Seen:
    """A request as the provider got it."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value.decode("latin-1") for key, value in self.headers if key == name.encode()]

    def everything(self) -> bytes:
        """All of it as one text, to search in."""
        lines = [name + b": " + value for name, value in self.headers]
        return b"\n".join([self.method.encode(), self.raw_path, self.query, *lines, self.body])


@dataclass
class Scripted:
    """An answer to give instead of the simulator's own."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=lambda: [(b"content-type", b"application/json")])
    chunks: list[bytes] = field(default_factory=list)


class RecordingSimulator(Simulator):
    """A simulator that remembers what it got, and gives `scripted` answers while there are any."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: list[Seen] = []
        self.scripted: list[Scripted] = []

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        messages: list[Message] = []
        body = b""
        while True:
            message = await receive()
            messages.append(message)
            body += message.get("body", b"")
            if message["type"] != "http.request" or not message.get("more_body", False):
                break
        raw_path = scope["raw_path"]
        self.seen.append(
            Seen(scope["method"], scope["path"], raw_path, scope["query_string"], list(scope["headers"]), body)
        )
        if self.scripted:
            await _play(self.scripted.pop(0), send)
            return

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        await super().__call__(scope, again, send)


async def _play(answer: Scripted, send: Callable[[Message], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    for chunk in answer.chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b""})
