"""One address outside that takes messages of the gateway's own, none of them a request of a caller."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from gptgate.core.errors import AnswerTooLarge, UpstreamError
from gptgate.core.snapshot import ProviderKind, ProviderSpec
from gptgate.upstream.client import HttpUpstream
from gptgate.upstream.target import Target

NAME = "mailbox"
MAX_ANSWER_BYTES = 64 * 1024


class Undelivered(Exception):
    """Nobody knows what became of the message; why is the text."""


class Mailbox:
    """Posts to `url`, one whole message within `timeout_ms`. No redirects, no proxies. The caller must `close`."""

    def __init__(self, url: str, timeout_ms: int) -> None:
        parts = urlsplit(url)
        base = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        self._path = parts.path
        self._timeout_s = timeout_ms / 1000
        self._upstream = HttpUpstream({NAME: Target(base_url=base)})
        self._started = False
        self._provider = ProviderSpec(
            name=NAME,
            kind=ProviderKind.OPENAI_COMPATIBLE,
            base_url=base,
            credential=None,
            connect_timeout_ms=timeout_ms,
            first_byte_timeout_ms=timeout_ms,
            idle_timeout_ms=timeout_ms,
            # One more attempt where nothing was sent: an idle connection had been closed.
            retries=1,
            finish_on_disconnect=False,
        )

    async def post(self, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. `path` is added to the URL's. Raises Undelivered."""
        if not self._started:
            self._started = True
            await self._upstream.start()
        where = (self._path.rstrip("/") if path else self._path) + path
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await self._upstream.send(self._provider, where or "/", headers, body)
                try:
                    answer = await reply.read(MAX_ANSWER_BYTES)
                finally:
                    reply.close()
        except TimeoutError:
            raise Undelivered("it did not answer in time") from None
        except UpstreamError as error:
            raise Undelivered(error.detail or error.message) from None
        except AnswerTooLarge:
            raise Undelivered("its answer is too large") from None
        return reply.status, answer

    async def close(self) -> None:
        """Drop the connections."""
        await self._upstream.close()
