"""The upstream port over aiohttp: one session for each provider, and retries that cannot be billed twice."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gptgate.core.errors import Reach, UpstreamError
from gptgate.core.snapshot import ProviderSpec
from gptgate.upstream import failures
from gptgate.upstream.body import OnePost
from gptgate.upstream.reply import HttpReply, Response
from gptgate.upstream.target import Target

MAX_RETRY_AFTER_S = 5.0
BACK_OFF_S = (0.05, 0.2, 0.8)
RETRIED_STATUSES = frozenset((429, 503, 529))
READ_BUFFER_BYTES = 64 * 1024
"""aiohttp stops reading a socket when twice as much waits for a reader: a stream's share of memory."""

OWN_HEADERS = frozenset(("host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te"))
"""Headers that frame the request or name its host: these are never the caller's to set."""

_DEFAULT_HEADERS = (
    ("accept", "*/*"),
    # Compression would make every streamed event wait for the compressor and cost CPU at both ends.
    ("accept-encoding", "identity"),
    ("content-type", "application/json"),
    ("user-agent", "gptgate"),
)


class HttpUpstream:
    """`gptgate.core.ports.Upstream` on aiohttp.

    One session for each target: no cookies, no redirects, no proxies or credentials from the environment. At most
    `provider.retries` further attempts, only after failures in which no byte was sent, and after answers 429, 503 and
    529 that ask to come back within `MAX_RETRY_AFTER_S`. `connections` bounds the connections to one provider, 0 is
    unbounded. `start` must be awaited before `send`, `close` at the end; both in the loop that sends.
    """

    def __init__(
        self,
        targets: Mapping[str, Target],
        *,
        connections: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._targets = dict(targets)
        self._connections = connections
        self._sleep = sleep
        self._lanes: dict[str, _Lane] = {}

    async def start(self) -> None:
        """Make the sessions. Opens no connection yet."""
        for name, target in self._targets.items():
            self._lanes[name] = _Lane(target, self._connections)

    async def close(self) -> None:
        """Drop every connection, those in use too."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            await lane.close()

    async def send(
        self, provider: ProviderSpec, path: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> HttpReply:
        """POST to the provider; see `gptgate.core.ports.Upstream.send`. `path` follows the target's base URL."""
        attempts = 0
        while True:
            lane = self._lanes.get(provider.name)
            if lane is None:
                raise failures.no_session(provider.name)
            attempts += 1
            last = attempts > provider.retries
            try:
                reply = await lane.post(provider, path, headers, body)
            except UpstreamError as error:
                if last or error.reach is not Reach.NOT_SENT:
                    raise
                wait = BACK_OFF_S[min(attempts, len(BACK_OFF_S)) - 1]
            else:
                reply.attempts = attempts
                if last or reply.status not in RETRIED_STATUSES:
                    return reply
                asked = retry_after_s(reply.headers)
                if asked is None or asked > MAX_RETRY_AFTER_S:
                    return reply
                reply.close()
                wait = asked
            await self._sleep(wait)


class _Lane:
    """The way to one provider: its session, addresses and headers, prepared once."""

    def __init__(self, target: Target, connections: int) -> None:
        self._base_url = target.base_url.rstrip("/")
        self._headers = target.headers
        self._urls: dict[str, URL] = {}
        self._timeouts: dict[int, aiohttp.ClientTimeout] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=True,
            read_bufsize=READ_BUFFER_BYTES,
            response_class=Response,
        )
        self._live: set[HttpReply] = set()

    async def close(self) -> None:
        """Drop every connection. Whoever reads an answer gets UpstreamBroken."""
        for reply in tuple(self._live):
            reply.close()
        await self._session.close()

    async def post(
        self, provider: ProviderSpec, path: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> HttpReply:
        """One attempt."""
        name = provider.name
        post = OnePost(body, provider.first_byte_timeout_ms / 1000)
        url = self._urls.get(path) or self._url(path)
        timeout = self._timeouts.get(provider.connect_timeout_ms) or self._timeout(provider.connect_timeout_ms)
        failure: Exception
        try:
            response = await self._session.post(
                url, data=post, headers=self._merged(headers), allow_redirects=False, timeout=timeout
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            failure = error
        except BaseException:
            post.abort()
            raise
        else:
            post.settle()
            reply = HttpReply(response, name, provider.idle_timeout_ms / 1000, self._live)
            if 200 <= reply.status < 300 or reply.status >= 400:
                return reply
            reply.close()
            raise failures.redirected(reply.status, name)
        post.abort()
        # Raised out here so that the exception, which holds the request's headers, is not chained to ours.
        raise failures.before_head(failure, name, sent=post.sent, late=post.late)

    def _merged(self, headers: Sequence[tuple[str, str]]) -> CIMultiDict[str]:
        merged = CIMultiDict([pair for pair in headers if pair[0].lower() not in OWN_HEADERS])
        for name, value in _DEFAULT_HEADERS:
            merged.setdefault(name, value)
        for name, value in self._headers:
            merged[name] = value
        return merged

    def _url(self, path: str) -> URL:
        if not path.startswith("/"):
            raise ValueError(f"a path begins with a slash: {path!r}")
        self._urls[path] = url = URL(self._base_url + path, encoded=True)
        return url

    def _timeout(self, connect_timeout_ms: int) -> aiohttp.ClientTimeout:
        timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout_ms / 1000, ceil_threshold=math.inf)
        self._timeouts[connect_timeout_ms] = timeout
        return timeout


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait: ``retry-after-ms``, else ``retry-after`` in seconds; None when neither."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name, "").strip()
        if value.isascii() and value.replace(".", "", 1).isdigit() and len(value) <= 9:
            return float(value) / per_second
    return None
