"""One request and its answer: what is sent, what goes wrong on the wire, and whether the caller is still there."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from typing import Any

from gptgate.simulator.faults import Faults
from gptgate.simulator.job import Frame, Job, Result, Wire
from gptgate.simulator.stats import Stats
from gptgate.simulator.tokens import count_tokens

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

REDIRECTED = "/redirected"
MAX_BODY_BYTES = 64 * 1024 * 1024
CUT_EXTENSION = "gptgate.simulator.cut"
"""ASGI extension that `SimulatorServer` offers: a function that closes the connection under the answer."""

_MESSAGES: dict[int, str] = {
    400: "The simulator was told to refuse this request.",
    401: "The simulator was told to reject the credential.",
    429: "The simulator was told that the rate limit is reached.",
    529: "The simulator was told to be overloaded.",
}


class Gone(Exception):
    """The caller hung up."""


class Exchange:
    """One request and its answer: what is sent, what goes wrong, and whether the caller is still there."""

    def __init__(self, stats: Stats, wire: Wire, scope: Scope, receive: Receive, send: Send) -> None:
        self.stats = stats
        self.wire = wire
        self.scope = scope
        self.request_id = "req_simulator"
        self._receive = receive
        self._send = send

    def header(self, name: bytes) -> bytes | None:
        """The first header of this lower-case name."""
        for key, value in self.scope["headers"]:
            if key == name:
                found: bytes = value
                return found
        return None

    async def body(self) -> bytes:
        """The request's body; of one that is too large, just enough to see that it is."""
        message = await self._receive()
        body: bytes = message.get("body", b"")
        while message["type"] == "http.request" and message.get("more_body", False) and len(body) <= MAX_BODY_BYTES:
            message = await self._receive()
            body += message.get("body", b"")
        if message["type"] != "http.request":
            raise Gone
        return body

    async def fault(self, faults: Faults) -> bool:
        """Whether a fault has answered in place of the answer."""
        if faults.latency_ms:
            await self._pause(faults.latency_ms)
        if faults.hang == 0:
            await self._gone()
            raise Gone
        if faults.status is not None:
            extra = [(b"retry-after", faults.retry_after.encode())] if faults.retry_after else []
            message = _MESSAGES.get(faults.status, "The simulator was told to fail.")
            await self.fail(faults.status, message, extra=extra)
            return True
        if faults.redirect:
            await self.reply(307, b"", extra=[(b"location", REDIRECTED.encode())])
            return True
        return False

    async def fail(self, status: int, message: str, *, param: str | None = None, extra: Sequence[Any] = ()) -> None:
        """Send an error in the dialect's shape."""
        await self.reply(status, self.wire.error(status, message, self.request_id, param), extra=extra)

    async def reply(self, status: int, body: bytes, faults: Faults | None = None, *, extra: Sequence[Any] = ()) -> None:
        """Send a whole answer."""
        self.stats.by_status[status] += 1
        headers = self.wire.headers(self.request_id)
        headers.extend(extra)
        if faults is not None and faults.malformed:
            body = body[: len(body) // 2]
        if faults is not None and faults.cut is not None:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            await self._send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await self._cut()
            return
        await send_json(self._send, status, headers, body)

    async def stream(self, frames: Iterator[Frame], job: Job, result: Result, faults: Faults) -> None:
        """Send a streamed answer, charging what was sent."""
        send = self._send
        self.stats.by_status[200] += 1
        headers = self.wire.headers(self.request_id)
        headers += [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        watcher = asyncio.ensure_future(self._gone())
        sent = 0
        complete = False
        try:
            for number, (frame, chars) in enumerate(frames):
                if number == faults.cut:
                    await self._cut()
                    return
                if faults.hang is not None and number == faults.hang:
                    await watcher
                if number and faults.delay_ms:
                    await asyncio.wait((watcher,), timeout=faults.delay_ms / 1000)
                if watcher.done():
                    raise Gone
                event = self.wire.broken_event if faults.malformed and number == 2 else frame
                await send({"type": "http.response.body", "body": event, "more_body": True})
                await asyncio.sleep(0)
                sent += chars
            complete = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            watcher.cancel()
            self._charge(job, result, None if complete else sent)

    def _charge(self, job: Job, result: Result, sent: int | None) -> None:
        output = result.output_tokens * job.choices
        if sent is not None:
            text = result.text or "".join(call.arguments for call in result.calls)
            output = count_tokens(text[: -(-sent // job.choices)]) * job.choices
        self.stats.charge(job.input_tokens, output)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _pause(self, milliseconds: int) -> None:
        watcher = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait((watcher,), timeout=milliseconds / 1000)
            if watcher.done():
                raise Gone
        finally:
            watcher.cancel()

    async def _cut(self) -> None:
        """Close the connection under the answer. A server without the extension closes it when the app returns."""
        cut = (self.scope.get("extensions") or {}).get(CUT_EXTENSION)
        if cut is not None:
            cut()
            await self._gone()


async def send_json(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer of JSON."""
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
