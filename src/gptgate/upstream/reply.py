"""An answer whose head has arrived."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp
from multidict import CIMultiDictProxy

from gptgate.core.errors import AnswerTooLarge
from gptgate.upstream import failures
from gptgate.upstream.post import Response

NOBODY_WAITS = -1.0


class IdleWatch:
    """Ends a connection on which the reader waits in vain for longer than `idle_s`.

    One timer for a whole stream, instead of one for each read. Time in which nobody reads does not count: a slow caller
    is not the provider's silence.
    """

    __slots__ = ("_handle", "_idle_s", "_loop", "_transport", "expired", "now", "waiting_since")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.WriteTransport, idle_s: float) -> None:
        self._loop = loop
        self._transport = transport
        self._idle_s = idle_s
        self.now = loop.time
        self.waiting_since = NOBODY_WAITS
        """When the reader began to wait, by `now`. The reader sets it, and sets it back when something came."""
        self._handle = loop.call_later(idle_s, self._look)
        self.expired = False

    def stop(self) -> None:
        """Nobody will read any more."""
        self._handle.cancel()

    def _look(self) -> None:
        left = self._idle_s
        if self.waiting_since != NOBODY_WAITS:
            left -= self.now() - self.waiting_since
        if left > 0:
            self._handle = self._loop.call_later(left, self._look)
        else:
            self.expired = True
            self._transport.abort()


class HttpReply:
    """`gptgate.core.ports.UpstreamReply` over aiohttp. `attempts` counts the requests that were made for it.

    `live` holds the reply until it is closed, so that the client can end it.

    Where the body came compressed, `headers` leave out its encoding and length: both speak of bytes that nobody sees.
    """

    __slots__ = (
        "_content",
        "_live",
        "_overlap",
        "_provider",
        "_response",
        "_secrets",
        "_tail",
        "_watch",
        "attempts",
        "headers",
        "status",
    )

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        provider: str,
        idle_s: float,
        live: "set[HttpReply]",
        secrets: tuple[bytes, ...] = (),
    ) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = _lower(response.headers)
        self.attempts = 1
        self._provider = provider
        self._secrets = secrets
        self._overlap = max(map(len, secrets), default=1) - 1
        self._tail = b""
        """The end of what came before, in which one of them may begin."""
        self._response = response
        self._content = response.content
        self._watch: IdleWatch | None = None
        connection = response.connection
        if connection is not None and connection.transport is not None:
            self._watch = IdleWatch(asyncio.get_running_loop(), connection.transport, idle_s)
        self._live = live
        live.add(self)

    async def read(self, limit: int) -> bytes:
        """The whole body, decompressed. Raises AnswerTooLarge past `limit` bytes, UpstreamBroken, UpstreamTimeout."""
        pieces = []
        size = 0
        async for piece in self:
            size += len(piece)
            if size > limit:
                self.close()
                raise AnswerTooLarge(f"The answer of the provider {self._provider!r} is too large to be inspected.")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, decompressed. Raises UpstreamBroken when it is cut, UpstreamTimeout when silent."""
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        watch = self._watch
        if watch is not None:
            watch.waiting_since = watch.now()
        failure: Exception | None = None
        try:
            piece = await self._content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            failure, piece = error, b""
        if not piece:
            self._end(failure)
            raise StopAsyncIteration
        if watch is not None:
            watch.waiting_since = NOBODY_WAITS
        if self._secrets:
            seen = self._tail + piece
            for secret in self._secrets:
                if secret in seen:
                    # A provider that repeats our credential, in an error or an echo, gives it to the caller.
                    self.close()
                    raise failures.indiscreet(self._provider)
            self._tail = seen[-self._overlap :]
        return piece

    def _end(self, failure: Exception | None) -> None:
        """Nothing more arrives. Raises UpstreamBroken, UpstreamTimeout when that is not the body's end."""
        watch = self._watch
        if watch is not None:
            watch.stop()
            if watch.expired:
                self.close()
                raise failures.silent(self._provider)
        if failure is not None or self._was_reset():
            self.close()
            raise failures.cut(failure, self._provider)

    def close(self) -> None:
        """Abort the request at once when its body has not arrived to the end. A second call changes nothing."""
        self._live.discard(self)
        if self._watch is not None:
            self._watch.stop()
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()

    def _was_reset(self) -> bool:
        """Whether a body that ends with its connection (RFC 9112, section 6.3) ended by a reset, so may be cut."""
        response = self._response
        headers = response.headers
        if "content-length" in headers or "transfer-encoding" in headers or self.status == 204:
            return False
        protocol = response.protocol if isinstance(response, Response) else None
        return protocol is not None and isinstance(protocol.exception(), OSError)


def _lower(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Lower-case names; values of one name joined as RFC 9110, section 5.3 has it."""
    lower: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        lower[key] = f"{lower[key]}, {value}" if key in lower else value
    if "content-encoding" in lower:
        del lower["content-encoding"]
        lower.pop("content-length", None)
    return lower
