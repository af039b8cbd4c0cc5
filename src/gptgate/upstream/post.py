"""A POST as aiohttp sends it, which thereby learns whether a byte has left.

aiohttp's session has a public seam for the request class; ours writes head and body in one call and has nothing of
what a general client needs (cookies, redirects, uploads, compression), which is a quarter of the CPU time of a call. It
makes two things certain: where a request becomes billable there is one line, and no request is ever written twice.
aiohttp sends idempotent requests again on a stale connection; a POST is not one of them, and `Post` refuses besides.
"""

import asyncio
from typing import Any

from aiohttp import ClientConnectionResetError, ClientRequest, ClientResponse, RequestInfo
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpVersion11, StreamWriter
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

_NO_HEADERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class Post:
    """One attempt: its bytes, whether they were written, and the deadline for the answer's head.

    `sent` is False as long as no byte can have left. `late` says that the deadline passed. It runs from the write; when
    it passes the connection is aborted, also where the provider does not read what we send, or sends a head without
    end. `settle` must be called when the head has arrived, `abort` when it will not.
    """

    __slots__ = ("_body", "_deadline", "_head", "_head_within_s", "_transport", "late", "sent")

    def __init__(self, head: bytes, body: bytes, head_within_s: float) -> None:
        self._head = head
        self._body = body
        self._head_within_s = head_within_s
        self._transport: asyncio.WriteTransport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.sent = False
        self.late = False

    def write(self, transport: asyncio.WriteTransport | None, loop: asyncio.AbstractEventLoop) -> None:
        """Write it all. On a connection that is already closing nothing leaves, and `sent` stays False."""
        if self.sent or transport is None or transport.is_closing():
            raise ClientConnectionResetError("The connection was closed before the request was written")
        self.sent = True
        self._transport = transport
        self._deadline = loop.call_later(self._head_within_s, self._expire)
        # Python 3.13.0's own loop never gets rid of an empty last piece, and turns round for ever.
        transport.writelines((self._head, self._body) if self._body else (self._head,))

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


class PostRequest(ClientRequest):
    """aiohttp's request for a `Post`, given as `data`. Its own headers stay empty, so no exception can show any."""

    def __init__(self, method: str, url: URL, **given: Any) -> None:
        self.method = method
        self.url = self.original_url = url
        self.version = HttpVersion11
        self.headers = CIMultiDict()
        self.loop = given["loop"]
        self.response_class = given["response_class"]
        self.server_hostname = given["server_hostname"]
        self.proxy = None
        self.proxy_auth = None
        self.proxy_headers = None
        self._session = given["session"]
        self._timer = given["timer"]
        self._traces = given["traces"]
        self._ssl = given["ssl"]
        self._post: Post = given["data"]

    async def send(self, conn: Connection) -> ClientResponse:
        """Write the request. Nothing is awaited between here and the write, so a cancelled call cannot be half sent."""
        protocol = conn.protocol
        if protocol is None:
            raise ClientConnectionResetError("The connection was closed before the request was written")
        self._post.write(protocol.transport, self.loop)
        return self.response_class(
            self.method,
            self.url,
            writer=None,
            continue100=None,
            timer=self._timer,
            request_info=RequestInfo(self.url, self.method, _NO_HEADERS, self.url),
            traces=self._traces,
            loop=self.loop,
            session=self._session,
            stream_writer=StreamWriter(protocol, self.loop),
        )


class Response(ClientResponse):
    """aiohttp's response, which remembers its protocol: how the connection of a body without a length ended."""

    protocol: ResponseHandler | None = None

    async def start(self, connection: Connection) -> ClientResponse:
        self.protocol = connection.protocol
        return await super().start(connection)
