"""A lean HTTP/1.1 client on raw sockets: it must cost far less than what it measures.

Closed loop: each connection sends the next request when the answer to the last one is complete. Understands answers
with a length and chunked ones (RFC 9112, sections 6.2 and 7.1), on connections that stay open. Everything else is an
error: a load generator must not paper over what a target does.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.texts import Prompts

LINE = b"\r\n"
PATIENCE_S = 30.0
"""How long after a round the last answers may take."""
FIRST_WORD = b'"delta":{"content":"'
"""Where the first text of a stream begins; the opening event carries a role before it."""


class LoadError(RuntimeError):
    """A target answered what it must not: the measurement is worth nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and the headers that they carry."""

    name: str
    port: int
    key: str = "none"

    def head(self) -> bytes:
        return (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\naccept: application/json\r\n"
            f"user-agent: bench\r\nauthorization: Bearer {self.key}\r\ncontent-type: application/json\r\n"
            "content-length: "
        ).encode()


@dataclass(slots=True)
class Round:
    """What one round of load measured. Times are nanoseconds; `first_ns` is empty for plain requests."""

    elapsed_ns: int = 0
    sent: int = 0
    in_time: int = 0
    latencies_ns: list[int] = field(default_factory=list)
    first_ns: list[int] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """One connection. `again` gives the next request, or None when it is time to stop; `done` is set at the end.

    `bodies` keeps the answers where a list is given, for a look at what came; not while measuring.
    """

    def __init__(self, result: Round, again: Callable[[], bytes | None], bodies: list[bytes] | None = None) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._result = result
        self._again = again
        self._bodies = bodies
        self._transport: asyncio.Transport
        self._buffer = b""
        self._started_ns = 0
        self._left = -1  # bytes of a body with a length; -1: the head has not come; -2: chunked
        self._waits_for_word = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(f"the connection was closed under a request: {exc}"))

    def data_received(self, data: bytes) -> None:
        if self._left == -1:
            data = self._buffer + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = data
                return
            self._buffer = b""
            if not self._head(data[:end].lower(), data):
                return
            data = data[end + 4 :]
        if self._left == -2:
            self._chunks(data)
        else:
            self._whole(data)

    def _head(self, head: bytes, data: bytes) -> bool:
        if not head.startswith(b"http/1.1 200"):
            self._fail(f"expected 200, got: {data[:600].decode('latin-1')}")
            return False
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            self._left = int(head[at + 17 :].split(LINE, 1)[0])
        elif b"\r\ntransfer-encoding: chunked" in head:
            self._left = -2
            self._waits_for_word = True
        else:
            self._fail("the answer has neither a length nor chunks")
            return False
        return True

    def _whole(self, data: bytes) -> None:
        self._left -= len(data)
        if self._bodies is not None:
            self._bodies[-1] += data
        if self._left == 0:
            self._complete()
        elif self._left < 0:
            self._fail("more bytes came than the answer's length says")

    def _chunks(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        at, size = 0, len(data)
        while True:
            line = data.find(LINE, at)
            if line < 0:
                break
            length = int(data[at:line], 16)
            after = line + 2 + length
            if after + 2 > size:
                break
            if length == 0:
                self._buffer = b""
                self._complete()
                return
            if self._waits_for_word and FIRST_WORD in data[line:after]:
                self._waits_for_word = False
                self._result.first_ns.append(time.perf_counter_ns() - self._started_ns)
            if self._bodies is not None:
                self._bodies[-1] += data[line + 2 : after]
            at = after + 2
        self._buffer = data[at:] if at else data

    def _complete(self) -> None:
        if self._left == -2 and self._waits_for_word:
            self._fail("a stream had no text")
            return
        self._result.latencies_ns.append(time.perf_counter_ns() - self._started_ns)
        self._left = -1
        self._send()

    def _send(self) -> None:
        request = self._again()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._result.sent += 1
        if self._bodies is not None:
            self._bodies.append(b"")
        self._started_ns = time.perf_counter_ns()
        self._transport.write(request)

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(reason))
        self._transport.abort()


async def run_load(target: Target, prompts: Prompts, connections: int, seconds: float) -> Round:
    """Load the target for so long; then every request in flight is awaited. Raises LoadError on any odd answer.

    `in_time` counts the answers that were complete before the time was over.
    """
    result = Round()
    head = target.head()
    begin_ns = time.perf_counter_ns()
    until_ns = begin_ns + int(seconds * 1e9)

    def again() -> bytes | None:
        if time.perf_counter_ns() >= until_ns:
            return None
        result.in_time = len(result.latencies_ns)
        body = prompts.next()
        return b"%s%d\r\n\r\n%s" % (head, len(body), body)

    await _call(target, [Caller(result, again) for _ in range(connections)], seconds)
    result.elapsed_ns = until_ns - begin_ns
    return result


async def ask(target: Target, bodies: list[bytes]) -> list[bytes]:
    """The bodies of the answers to these requests, each on a connection of its own. Raises LoadError."""
    kept: list[list[bytes]] = [[] for _ in bodies]
    head = target.head()

    def once(body: bytes) -> Callable[[], bytes | None]:
        requests = iter([b"%s%d\r\n\r\n%s" % (head, len(body), body)])
        return lambda: next(requests, None)

    callers = [Caller(Round(), once(body), into) for body, into in zip(bodies, kept, strict=True)]
    await _call(target, callers, 0)
    return [body for (body,) in kept]


async def _call(target: Target, callers: list[Caller], seconds: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds + PATIENCE_S):
            for caller in callers:
                await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", target.port)  # type: ignore[misc]
            await asyncio.gather(*(caller.done for caller in callers))
    except TimeoutError:
        raise LoadError(f"{target.name} left a request without an answer for {PATIENCE_S:.0f} s") from None
