"""The request's body as aiohttp sends it, which thereby learns whether a byte has left.

aiohttp writes the request's head and body in one go, from `write_with_length`. So this is the only place where a
request becomes billable, and the only one that can say with certainty that it did not.
"""

import asyncio

from aiohttp import ClientConnectionResetError
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload


class OnePost(Payload):
    """A body that is written at most once, and the deadline for the answer's head.

    `sent` is False as long as no byte can have left. `late` says that the deadline passed. The deadline runs from the
    first write; when it passes the connection is aborted, also where the provider does not read what we send, or sends
    a head without end. `settle` must be called when the head has arrived, `abort` when it will not.
    """

    _autoclose = True

    def __init__(self, body: bytes, head_within_s: float) -> None:
        super().__init__(body, content_type="application/json")
        self._size = len(body)
        self._head_within_s = head_within_s
        self._transport: asyncio.WriteTransport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.sent = False
        self.late = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text; aiohttp asks for it in no path that this package uses."""
        body: bytes = self._value
        return body.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the body, unless the connection is already closing: then nothing leaves, and `sent` stays False."""
        transport = writer.transport
        if self.sent or transport is None or transport.is_closing():
            raise ClientConnectionResetError("The connection was closed before the request was written")
        self.sent = True
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(self._head_within_s, self._expire)
        await writer.write(self._value)

    def settle(self) -> None:
        """The head has arrived: the deadline is met."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def abort(self) -> None:
        """Give up: drop the connection, with what was still to be written."""
        self.settle()
        if self._transport is not None:
            self._transport.abort()

    def _expire(self) -> None:
        self.late = True
        self.abort()
