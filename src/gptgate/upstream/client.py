"""The upstream port over aiohttp: one session for each provider, and retries that cannot be billed twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from gptgate.core.errors import Reach, UpstreamError
from gptgate.core.snapshot import ProviderSpec
from gptgate.upstream import failures
from gptgate.upstream.lane import Lane
from gptgate.upstream.reply import HttpReply
from gptgate.upstream.target import Target

MAX_RETRY_AFTER_S = 5.0
BACK_OFF_S = (0.05, 0.2, 0.8)
RETRIED_STATUSES = frozenset((429, 503, 529))


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
        self._lanes: dict[str, Lane] = {}

    @classmethod
    @asynccontextmanager
    async def built(cls, targets: Mapping[str, Target]) -> AsyncIterator[Self]:
        """One that is started, for a block that builds on it: it is closed where the block fails, and stays else."""
        async with AsyncExitStack() as undo:
            upstream = cls(targets)
            await upstream.start()
            undo.push_async_callback(upstream.close)
            yield upstream
            undo.pop_all()

    async def start(self) -> None:
        """Make the sessions; opens no connection. Raises ValueError for a target that no request can be made for."""
        try:
            for name, target in self._targets.items():
                self._lanes[name] = Lane(target, self._connections)
        except ValueError:
            await self.close()
            raise

    async def close(self) -> None:
        """Drop every connection. Sends and reads in flight raise UpstreamError."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            await lane.close()

    async def send(
        self, provider: ProviderSpec, path: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> HttpReply:
        """POST to the provider; see `gptgate.core.ports.Upstream.send`. `path` follows the target's base URL."""
        lane = self._lanes.get(provider.name)
        if lane is None:
            raise failures.no_session(provider.name)
        url, head = lane.prepare(provider.name, path, headers, len(body))
        attempts = 0
        while True:
            if lane.closed:
                raise failures.no_session(provider.name)
            attempts += 1
            last = attempts > provider.retries
            try:
                reply = await lane.post(provider, url, head, body)
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


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait: ``retry-after-ms``, else ``retry-after`` in seconds; None when neither."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name, "").strip()
        if value.isascii() and value.replace(".", "", 1).isdigit() and len(value) <= 9:
            return float(value) / per_second
    return None
