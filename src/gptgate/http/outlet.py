"""The way back to the caller: ASGI messages out, and comments that keep a quiet stream awake."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from gptgate.core.ports import Clock
from gptgate.core.wire import Dialect

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

KEEP_ALIVE = b": keep-alive\n\n"


class AsgiOutlet:
    """`core.ports.Outlet` over one ASGI request. The edge calls `close` when the request is over."""

    __slots__ = (
        "_clock",
        "_common",
        "_interval_ms",
        "_last_ns",
        "_send",
        "_ticker",
        "_write",
        "finished",
        "gone",
        "started",
    )

    def __init__(
        self,
        send: Send,
        dialect: Dialect,
        request_id: str,
        clock: Clock,
        keep_alive_ms: int,
        write_part: Callable[[bytes], bool] | None = None,
    ) -> None:
        """`write_part`, where the server has it, is the short way for the parts of a stream."""
        self._send = send
        self._write = write_part
        self._clock = clock
        self._interval_ms = keep_alive_ms
        self._ticker: asyncio.Task[None] | None = None
        self._last_ns = 0
        self._common = [(b"x-request-id", request_id.encode())]
        if dialect is Dialect.ANTHROPIC:
            self._common.append((b"request-id", request_id.encode()))
        self.started = False
        self.gone = False
        self.finished = False

    async def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """A whole JSON answer."""
        if self.gone:
            return
        self.started = self.finished = True
        head = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *self._common,
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": head})
        await self._send({"type": "http.response.body", "body": body})

    async def start_stream(self, headers: Sequence[tuple[str, str]]) -> None:
        """The head of an event stream."""
        if self.gone:
            return
        self.started = True
        head = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            *self._common,
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers),
        ]
        self._last_ns = self._clock.monotonic_ns()
        await self._send({"type": "http.response.start", "status": 200, "headers": head})
        self._ticker = asyncio.create_task(self._tick())

    async def send(self, data: bytes) -> None:
        """Whole events."""
        if self.gone or not data:
            return
        self._last_ns = self._clock.monotonic_ns()
        if self._write is None or not self._write(data):
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end_stream(self) -> None:
        """The regular end."""
        self.close()
        if not self.gone:
            self.finished = True
            await self._send({"type": "http.response.body", "body": b""})

    def close(self) -> None:
        """Stop the keep-alive comments."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    async def _tick(self) -> None:
        """A comment (WHATWG HTML, section 9.2.6) whenever nothing was sent for the interval."""
        while not self.gone:
            quiet_ms = (self._clock.monotonic_ns() - self._last_ns) // 1_000_000
            if quiet_ms >= self._interval_ms:
                await self.send(KEEP_ALIVE)
                quiet_ms = 0
            await asyncio.sleep((self._interval_ms - quiet_ms) / 1000)
