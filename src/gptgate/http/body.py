"""Step 0, the body: bounded in size and in time, and together with all others that are on their way."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gptgate.core.errors import BodiesLimited, BodyTimeout, BodyTooLarge, ClientGone
from gptgate.http.outlet import Receive

OF_ALL, OF_APP = 64, 16
"""So many bodies of the largest size may be on their way, of all apps and of one."""
RETRY_AFTER_MS = 1000


class Share:
    """What one body takes of the room. Use `BodyRoom.share`."""

    __slots__ = ("_app", "_largest", "_room", "bytes")

    def __init__(self, room: "BodyRoom", app: str, largest: int) -> None:
        self._room, self._app, self._largest = room, app, largest
        self.bytes = 0

    def grow(self, size: int) -> None:
        """So many bytes more have come. Raises BodiesLimited when there is no room for them."""
        room = self._room
        self.bytes += size
        room.bytes += size
        room.of_app[self._app] += size
        for held, most, whose in (
            (room.of_app[self._app], OF_APP, "of this app"),
            (room.bytes, OF_ALL, "of all callers together"),
        ):
            if held > most * self._largest:
                message = f"Bodies {whose} that are not complete yet hold {most} times 'server.max_body_bytes'."
                raise BodiesLimited(message, retry_after_ms=RETRY_AFTER_MS)


class BodyRoom:
    """How much of bodies that are not whole yet is in memory.

    Threat: a caller begins many large bodies and ends none. No limit of the configuration sees them, for a request
    counts when it is there.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.of_app: Counter[str] = Counter()

    @contextmanager
    def share(self, app: str, largest: int) -> Iterator[Share]:
        """The share of one body of this app, where a body has up to `largest` bytes; given back when it is read."""
        share = Share(self, app, largest)
        try:
            yield share
        finally:
            self.bytes -= share.bytes
            self.of_app[app] -= share.bytes
            if not self.of_app[app]:
                del self.of_app[app]


async def read_body(receive: Receive, limit: int, timeout_ms: int, share: Share) -> bytes:
    """The request's body.

    Raises BodyTooLarge past `limit` bytes, BodiesLimited past the room for all, BodyTimeout when the caller falls
    silent for `timeout_ms`, ClientGone when it hangs up.
    """
    chunks: list[bytes] = []
    size = 0
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_ms / 1000) as deadline:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientGone("The caller hung up.")
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise BodyTooLarge(f"The body is larger than {limit} bytes.")
                share.grow(len(chunk))
                if not message.get("more_body", False):
                    return b"".join([*chunks, chunk]) if chunks else chunk
                chunks.append(chunk)
                deadline.reschedule(loop.time() + timeout_ms / 1000)
    except TimeoutError:
        raise BodyTimeout(f"The body did not arrive: nothing came for {timeout_ms} ms.") from None


async def read_arrived(receive: Receive, limit: int) -> bytes:
    """A body that is here already: one message, no timer. Raises BodyTooLarge or ClientGone."""
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone("The caller hung up.")
    body: bytes = message["body"]
    if len(body) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
    return body


def declared_length(headers: dict[str, str], limit: int) -> None:
    """Refuse a body that says beforehand that it is too large. Raises BodyTooLarge."""
    text = headers.get("content-length", "")
    if text.isascii() and text.isdigit() and int(text[:18]) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.")
