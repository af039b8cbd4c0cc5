"""Step 0, the body: bounded in size and in time."""

import asyncio

from gptgate.core.errors import BodyTimeout, BodyTooLarge, ClientGone
from gptgate.http.outlet import Receive


async def read_body(receive: Receive, limit: int, timeout_ms: int) -> bytes:
    """The request's body.

    Raises BodyTooLarge past `limit` bytes, BodyTimeout when the caller falls silent for `timeout_ms`, ClientGone when
    it hangs up.
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
