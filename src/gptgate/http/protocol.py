"""The HTTP/1.1 protocol with the bounds that uvicorn leaves out: time and size of a request's head, and connections.

Threat: a caller who sends a header byte now and then holds a connection forever (slowloris), or sends headers without
end, or does not read its answer.

Who sends no request that can be read is told so in the shape of OpenAI's errors: no path has named a dialect yet. There
is no request id, for there is no request.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gptgate.core.errors import BodyTimeout, ClientError, InvalidField
from gptgate.core.wire import Dialect
from gptgate.http.errors import error_body, error_headers

MAX_HEAD_BYTES = 65_536
UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)
CONNECTION = "gptgate.connection"
"""The ASGI extension under which a request finds its `BoundedProtocol`. It spares each request a task that waits for
the hang-up, and a timer for a body that has arrived already."""


class _Trailers(list[tuple[bytes, bytes]]):
    """Keeps nothing. The parser tells fields behind a chunked body like those of the head, and uvicorn would add them
    to it: a key, an end user or a length from where no proxy looks (RFC 9110, section 6.5.1)."""

    def append(self, field: tuple[bytes, bytes]) -> None:
        """Drop the field."""


_TRAILERS = _Trailers()


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's httptools protocol with a deadline for each head. Use `bounded` to set the deadline."""

    head_timeout_s: float = 10.0
    stall_timeout_s: float = 60.0
    """How long a caller may take nothing of an answer that waits for it; a provider waits with us all the while."""
    most_connections: int = 0
    """How many there may be at a time, 0 for any number. One more is closed without a word."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._heads = 0
        """Heads that have begun on this connection."""
        self._begun = False
        """A request's head has begun to arrive and is not complete."""
        self._unparsed = 0
        """Bytes of that head in reads after the one that it began in."""
        self._may_be_large = False
        """The head did not begin and end in one read of an ordinary size, so its size has to be counted."""
        self._extensions = {CONNECTION: self}
        self._hang_up: Callable[[], None] | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if 0 < self.most_connections < len(self.connections):
            transport.abort()
            self.crowded()
            return
        self._arm()

    @staticmethod
    def crowded() -> None:
        """A connection was refused, for there are too many. Use `bounded` to be told."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._unstall()
        super().connection_lost(exc)
        if self._hang_up is not None and self.cycle is not None and not self.cycle.response_complete:
            self._hang_up()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self.stall_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unstall()

    def on_hang_up(self, call: Callable[[], None]) -> None:
        """Call this when the caller leaves before its answer is complete. Each request says it anew."""
        self._hang_up = call
        if self.cycle.disconnected:
            self.loop.call_soon(call)

    def body_arrived(self) -> bool:
        """Whether the whole body of the request in turn is here."""
        return not self.pipeline and not self.cycle.more_body

    def write_part(self, data: bytes) -> bool:
        """Write a part of an answer that has begun, as a chunk (RFC 9112, section 7.1), and say so.

        False, with nothing written, where that is not as simple: a caller who does not keep up, has left, or has sent
        another request already. The part then goes the way of ASGI, which knows how to wait.
        """
        cycle = self.cycle
        if self.pipeline or self.flow.write_paused or cycle.disconnected or not cycle.chunked_encoding:
            return False
        if cycle.response_complete or not cycle.response_started or self.transport.is_closing():
            return False
        self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def data_received(self, data: bytes) -> None:
        head = self._heads
        self._may_be_large = self._begun or len(data) > MAX_HEAD_BYTES
        if (self._begun or self._between) and (b"\r\nUpgrade:" in data or b"\r\nupgrade:" in data):
            data = _without_upgrade(data)
        super().data_received(data)
        if self._begun and head == self._heads:
            # The parser shows a header only when it is complete, so an endless one is counted here.
            self._unparsed += len(data)
            if self._unparsed > MAX_HEAD_BYTES:
                self._reject(_too_large())
        if self._head_timer is None and (self._begun or (self._between and self.timeout_keep_alive_task is None)):
            # A head that is not complete, or bytes that begin none: without a timer the connection would wait forever.
            self._arm()

    @property
    def _between(self) -> bool:
        """Whether no request is being served."""
        return self.cycle is None or self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        self._reject(InvalidField("This is not a valid HTTP request."))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]
        self._heads += 1
        self._begun = True
        self._unparsed = 0

    def on_headers_complete(self) -> None:
        self._disarm()
        self._begun = False
        if self._may_be_large and self._head_bytes() > MAX_HEAD_BYTES:
            self._reject(_too_large())
            raise ValueError("the head is too large")  # ends the parser, which would serve the request otherwise
        super().on_headers_complete()
        self.headers = _TRAILERS

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _expire(self) -> None:
        if self._begun:
            self._reject(BodyTimeout("The request's head did not arrive in time."))
        else:
            self.transport.abort()

    def _reject(self, error: ClientError) -> None:
        """Say why and close; without a word where an answer is still being written on this connection."""
        if self.transport.is_closing():
            return
        if not self._between:
            self.transport.abort()
            return
        body = error_body(error, Dialect.OPENAI, "")
        lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in error_headers(error)]
        lines += ["content-type: application/json", f"content-length: {len(body)}", "connection: close", "", ""]
        self.transport.write("\r\n".join(lines).encode("ascii") + body)
        self.transport.close()

    def _unstall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _arm(self) -> None:
        self._head_timer = self.loop.call_later(self.head_timeout_s, self._expire)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _without_upgrade(data: bytes) -> bytes:
    """The read without the offer to change the protocol, which a server may ignore (RFC 9110, section 7.8).

    Some HTTP clients offer HTTP/2 with every request, and the parser would take the body for the new protocol's bytes.
    """
    end = data.find(b"\r\n\r\n")
    head = data if end < 0 else data[:end]
    return UPGRADE.sub(b"", head) + data[len(head) :]


def _too_large() -> ClientError:
    error = InvalidField(f"The request's head is larger than {MAX_HEAD_BYTES} bytes.")
    error.status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return error


def bounded(
    head_timeout_ms: int, most_connections: int = 0, crowded: Callable[[], None] = BoundedProtocol.crowded
) -> type[BoundedProtocol]:
    """The protocol class with this deadline for a request's head, and this bound; `crowded` hears of each refusal."""
    bounds = {
        "head_timeout_s": head_timeout_ms / 1000,
        "most_connections": most_connections,
        "crowded": staticmethod(crowded),
    }
    return type("BoundedProtocol", (BoundedProtocol,), bounds)
