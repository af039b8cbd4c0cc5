"""The bounds of a request's head, over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gptgate.http.protocol import MAX_HEAD_BYTES, bounded
from probes import RawAnswer, send_raw
from raw_client import RawClient
from waiting import PATIENCE_S

HEAD_TIMEOUT_MS = 400
GOOD = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
Scope = MutableMapping[str, Any]


class Echo:
    """Answers every request with its path, and counts what it served. ``/slow`` waits until told; ``/read`` tells the
    body, ``/names`` the headers' names."""

    def __init__(self) -> None:
        self.served: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        self.served.append(scope["path"])
        body: bytes = (await receive())["body"] if scope["path"] == "/read" else scope["path"].encode()
        if scope["path"] == "/names":
            await receive()
            body = b" ".join(name for name, _ in scope["headers"])
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/slow":
            await self.go_on.wait()
        await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def _serving(head_timeout_ms: int = int(PATIENCE_S * 1000), *bounds: Any) -> AsyncIterator[tuple[str, Echo]]:
    echo, state = Echo(), ServerState()
    config = uvicorn.Config(echo, ws="none", lifespan="off", log_config=None, access_log=False, log_level="critical")
    config.load()
    protocol = bounded(head_timeout_ms, *bounds)
    server = await asyncio.get_running_loop().create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", echo
    finally:
        server.close()
        echo.go_on.set()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await server.wait_closed()


def _is_clear(answer: RawAnswer, status: int, code: str) -> None:
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    error = answer.document["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], answer.headers["x-gptgate-error"]) == (code, code)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx\x7f: 1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: a\r\n\r\n",
    ],
    ids=repr,
)
async def test_what_is_not_http_is_told_so(garbage: bytes) -> None:
    async with _serving() as (url, echo):
        _is_clear(await send_raw(url, garbage), 400, "invalid_request")
        assert echo.served == []


@pytest.mark.parametrize("beginning", [b"P", b"GET / HT", b"GET / HTTP/1.1\r\nhost: a", b"GET / HTTP/1.1\r\nx: y\r\n"])
async def test_a_head_that_does_not_end_is_refused_in_time(beginning: bytes) -> None:
    async with _serving(HEAD_TIMEOUT_MS) as (url, echo):
        _is_clear(await send_raw(url, beginning), 408, "body_timeout")
        assert echo.served == []


async def test_a_byte_now_and_then_does_not_move_the_deadline() -> None:
    async with _serving(HEAD_TIMEOUT_MS) as (url, _):
        client = await RawClient.connect(url)
        reading = asyncio.create_task(client.head())
        for byte in b"GET / HTTP/1.1\r\nx-slow: 0123456789012345678901234567890123456789":
            if reading.done():
                break
            client.writer.write(bytes([byte]))
            await asyncio.wait([reading], timeout=HEAD_TIMEOUT_MS / 1000 / 20)
        else:
            pytest.fail("every byte was waited for")
        status, _ = await reading
        assert status == 408
        await client.close()


@pytest.mark.parametrize("before", [b"", GOOD])
async def test_a_connection_on_which_nothing_begins_is_closed_without_a_word(before: bytes) -> None:
    async with _serving(HEAD_TIMEOUT_MS) as (url, _):
        client = await RawClient.connect(url)
        if before:
            await client.send(before)
            assert (await client.answer())[0] == 200
            await client.send(b"\r\n")
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                assert await client.reader.read() == b""
        await client.close()


@pytest.mark.parametrize("pieces", [1, 2, 7, 40])
@pytest.mark.parametrize("kind", ["one header", "many headers", "path"])
async def test_a_head_that_is_too_large_is_refused_and_never_served(kind: str, pieces: int) -> None:
    size = MAX_HEAD_BYTES + 1
    head = {
        "one header": b"GET / HTTP/1.1\r\nx: " + b"a" * size,
        "many headers": b"GET / HTTP/1.1\r\n" + b"x-some: 0123456789\r\n" * (size // 16),
        "path": b"GET /" + b"a" * size + b" HTTP/1.1\r\n",
    }[kind] + b"\r\n\r\n"
    step = -(-len(head) // pieces)
    async with _serving() as (url, echo):
        client = await RawClient.connect(url)
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(head), step):
                await client.send(head[start : start + step])
                await asyncio.sleep(0)
        # What the server had not read when it closed may make the kernel reset the connection.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            _is_clear(RawAnswer(*await client.answer()), 431, "invalid_request")
        assert echo.served == []
        client.writer.transport.abort()


async def test_an_endless_header_is_not_gathered() -> None:
    """The parser keeps an unfinished header to itself, so its callbacks would never see it grow."""
    async with _serving() as (url, _):
        client = await RawClient.connect(url)
        await client.send(b"GET / HTTP/1.1\r\nx: ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 50 * MAX_HEAD_BYTES and not client.reader.at_eof():
                await client.send(b"a" * 8192)
                sent += 8192
                await asyncio.sleep(0)
        assert sent < 50 * MAX_HEAD_BYTES
        client.writer.transport.abort()


async def test_a_large_body_behind_a_split_head_counts_as_a_body() -> None:
    body = b"b" * (3 * MAX_HEAD_BYTES)
    head = b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with _serving() as (url, echo):
        answer = await send_raw(url, head[:20], head[20:] + body, pause_s=0.02)
        assert (answer.status, echo.served) == (200, ["/body"])


async def test_garbage_behind_a_request_never_gets_into_its_answer() -> None:
    async with _serving() as (url, echo):
        client = await RawClient.connect(url)
        await client.send(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        status, headers = await client.head()
        await client.send(b"\x00garbage\r\n\r\n")
        await asyncio.sleep(0.05)
        echo.go_on.set()
        rest = b""
        with contextlib.suppress(ConnectionError):
            rest = await client.reader.read()
        assert (status, headers["content-length"]) == (200, "5")
        assert rest in (b"", b"/slow")
        await client.close()


async def test_requests_follow_each_other_on_one_connection() -> None:
    async with _serving() as (url, echo):
        client = await RawClient.connect(url)
        for _ in range(3):
            await client.send(GOOD)
            assert (await client.answer())[0] == 200
        await client.send(GOOD * 2)
        assert [(await client.answer())[0] for _ in range(2)] == [200, 200]
        assert echo.served == ["/"] * 5
        await client.close()


@pytest.mark.parametrize("upgrade", ["Upgrade: h2c", "upgrade: websocket", "Upgrade: h2c, foo"])
@pytest.mark.parametrize("split", [0, 25])
async def test_an_offer_to_upgrade_is_ignored_and_the_body_stays_a_body(upgrade: str, split: int) -> None:
    """As the HTTP client of Java's standard library sends it with every first request."""
    head = f"POST /read HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\n{upgrade}\r\nHTTP2-Settings: AAEAAEAAAA\r\n"
    body = b"{}\r\nupgrade: in the body\r\n\r\n"
    data = f"{head}host: a\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    async with _serving() as (url, _):
        client = await RawClient.connect(url)
        for _ in range(2):
            await client.send(data[:split])
            await asyncio.sleep(0.01 if split else 0)
            await client.send(data[split:])
            status, _, told = await client.answer()
            assert (status, told) == (200, body)
        await client.close()


async def test_fields_behind_the_body_are_no_headers() -> None:
    request = (
        b"POST /names HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx-api-key: k\r\n\r\n"
    )
    async with _serving() as (url, _):
        client = await RawClient.connect(url)
        for _ in range(2):
            await client.send(request)
            assert (await client.answer())[2] == b"host transfer-encoding"
        await client.close()


async def test_one_connection_too_many_is_closed_and_told_of_and_the_others_stay() -> None:
    refused: list[str] = []
    async with _serving(int(PATIENCE_S * 1000), 2, lambda: refused.append("one")) as (url, _):
        first, second = await RawClient.connect(url), await RawClient.connect(url)
        for client in (first, second):
            await client.send(GOOD)
            assert (await client.answer())[0] == 200
        third = await RawClient.connect(url)
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                assert await third.reader.read() == b""
        await third.close()
        assert refused == ["one"]
        await second.send(GOOD)
        assert (await second.answer())[0] == 200
        await first.send(b"GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert (await first.answer())[0] == 200
        async with asyncio.timeout(PATIENCE_S):
            assert await first.reader.read() == b""
        await first.close()
        fourth = await RawClient.connect(url)
        await fourth.send(GOOD)
        assert (await fourth.answer())[0] == 200
        assert refused == ["one"]
        for client in (second, fourth):
            await client.close()
