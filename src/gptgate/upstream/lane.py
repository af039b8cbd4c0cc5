"""The way to one provider: its session, addresses and headers, prepared once."""

from collections.abc import Sequence

import aiohttp
from yarl import URL

from gptgate.core.snapshot import ProviderSpec
from gptgate.upstream import failures
from gptgate.upstream.connector import Connector
from gptgate.upstream.head import HeadTemplate
from gptgate.upstream.post import Post, PostRequest, Response
from gptgate.upstream.reply import HttpReply
from gptgate.upstream.target import Target

READ_BUFFER_BYTES = 64 * 1024
"""aiohttp stops reading a socket when twice as much waits for a reader: a stream's share of memory."""


class Lane:
    """One provider's connections and the replies that are still open on them. Raises ValueError for a bad target."""

    def __init__(self, target: Target, connections: int) -> None:
        self._secrets = target.secrets
        self._head = HeadTemplate(target.base_url, target.headers)
        self._timeouts: dict[int, aiohttp.ClientTimeout] = {}
        self._live: set[HttpReply] = set()
        self._session = aiohttp.ClientSession(
            connector=Connector(connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=True,
            read_bufsize=READ_BUFFER_BYTES,
            request_class=PostRequest,
            response_class=Response,
        )

    async def close(self) -> None:
        """Drop every connection. Whoever reads an answer gets UpstreamBroken."""
        for reply in tuple(self._live):
            reply.close()
        await self._session.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._session.closed

    def prepare(self, provider: str, path: str, headers: Sequence[tuple[str, str]], size: int) -> tuple[URL, bytes]:
        """The URL and the request's head, for every attempt. Raises UpstreamUnreachable when it cannot be written."""
        try:
            url, start = self._head.start(path)
            return url, self._head.render(start, headers, size)
        except UnicodeError:
            reason = "a header has a character that cannot be sent"
        except ValueError as error:
            reason = str(error)
        raise failures.unsendable(provider, reason)

    async def post(self, provider: ProviderSpec, url: URL, head: bytes, body: bytes) -> HttpReply:
        """One attempt; raises UpstreamError."""
        post = Post(head, body, provider.first_byte_timeout_ms / 1000)
        timeout = self._timeouts.get(provider.connect_timeout_ms) or self._timeout(provider.connect_timeout_ms)
        failure: Exception
        try:
            response = await self._session.post(url, data=post, allow_redirects=False, timeout=timeout)
        except (aiohttp.ClientError, OSError) as error:
            failure = error
        except BaseException:
            post.abort()
            raise
        else:
            post.settle()
            return self._accept(response, provider, late=post.late)
        post.abort()
        # Raised out here so that aiohttp's exception is not chained to ours.
        raise failures.before_head(failure, provider.name, sent=post.sent, late=post.late)

    def _accept(self, response: aiohttp.ClientResponse, provider: ProviderSpec, *, late: bool) -> HttpReply:
        reply = HttpReply(response, provider.name, provider.idle_timeout_ms / 1000, self._live, self._secrets)
        if late:
            reply.close()
            raise failures.late_head(provider.name)
        if reply.status < 200 or 300 <= reply.status < 400:
            reply.close()
            raise failures.redirected(reply.status, provider.name)
        return reply

    def _timeout(self, connect_timeout_ms: int) -> aiohttp.ClientTimeout:
        seconds = connect_timeout_ms / 1000
        timeout = aiohttp.ClientTimeout(total=None, connect=seconds, ceil_threshold=seconds)
        self._timeouts[connect_timeout_ms] = timeout
        return timeout
