"""Connections: none is used twice for one request, none leaks, and what was not sent is known not to be sent."""

import asyncio
import gzip
import random
import socket
from contextlib import suppress

import aiohttp
import pytest

from gptgate.core.errors import Reach, UpstreamBroken, UpstreamUnreachable
from gptgate.upstream.client import HttpUpstream
from gptgate.upstream.target import Target
from nasty_provider import (
    CHUNKED,
    PLAIN,
    NastyProvider,
    Reader,
    Writer,
    against,
    answering,
    holding,
    keep_alive,
    no_sleep,
    read_request,
    send,
    spec,
    until_closed,
)
from waiting import eventually


def connector_of(upstream: HttpUpstream) -> aiohttp.BaseConnector:
    """The pool of connections to the one provider."""
    connector = upstream._lanes["acme"]._session.connector
    assert connector is not None
    return connector


async def test_a_connection_is_given_back_when_the_body_was_read() -> None:
    async with against(keep_alive) as (provider, upstream):
        for _ in range(5):
            reply = await send(upstream)
            assert await reply.read(10) == b"{}"
            reply.close()
        assert provider.connections == 1


async def test_a_stale_connection_that_dies_after_the_request_was_written_is_not_retried() -> None:
    requests = 0

    async def handler(reader: Reader, writer: Writer) -> None:
        nonlocal requests
        while await read_request(reader):
            requests += 1
            if requests == 2:
                return
            writer.write(PLAIN + b"content-length: 2\r\n\r\n{}")
            await writer.drain()

    async with against(handler) as (provider, upstream):
        await (await send(upstream)).read(10)
        with pytest.raises(UpstreamBroken) as raised:
            await send(upstream, retries=3)
        assert raised.value.reach is Reach.SENT
        assert (requests, provider.connections) == (2, 1)


async def test_a_stale_connection_that_was_closed_in_time_is_replaced() -> None:
    closed = asyncio.Event()

    async def handler(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(PLAIN + b"content-length: 2\r\n\r\n{}")
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with against(handler) as (provider, upstream):
        await (await send(upstream)).read(10)
        await closed.wait()
        pool = connector_of(upstream)._conns
        await eventually(lambda: not any(one.is_connected() for kept in pool.values() for one, _ in kept))
        assert await (await send(upstream)).read(10) == b"{}"
        assert provider.connections == 2


async def test_a_full_pool_is_not_sent_in_time() -> None:
    async with against(holding(), connections=1) as (provider, upstream):
        first = asyncio.create_task(send(upstream))
        await eventually(lambda: provider.open == 1)
        with pytest.raises(UpstreamUnreachable) as raised:
            await send(upstream, connect_timeout_ms=50)
        assert raised.value.reach is Reach.NOT_SENT
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert provider.connections == 1


async def test_a_port_that_does_not_accept_is_unreachable_in_time() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        host, port = listener.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex((host, port))
        upstream = HttpUpstream({"acme": Target(f"http://{host}:{port}")}, sleep=no_sleep)
        await upstream.start()
        with pytest.raises(UpstreamUnreachable) as raised:
            await send(upstream, connect_timeout_ms=100)
        await upstream.close()
        for filler in fillers:
            filler.close()
    assert raised.value.reach is Reach.NOT_SENT


async def test_a_plain_port_spoken_to_in_tls_is_not_sent() -> None:
    async with NastyProvider(answering(b"HTTP/1.1 400 Bad\r\n\r\n")) as provider:
        url = provider.base_url.replace("http://", "https://")
        upstream = HttpUpstream({"acme": Target(url, (("authorization", "Bearer sk-canary"),))}, sleep=no_sleep)
        await upstream.start()
        with pytest.raises(UpstreamUnreachable) as raised:
            await send(upstream, connect_timeout_ms=300)
        await upstream.close()
    assert raised.value.reach is Reach.NOT_SENT
    assert "canary" not in raised.value.detail


async def test_a_header_that_cannot_be_written_is_not_sent_and_not_retried() -> None:
    async with against(keep_alive) as (provider, upstream):
        with pytest.raises(UpstreamUnreachable) as raised:
            await upstream.send(spec(retries=3), "/v1/x", [("x-h", "sk-canary\r\nhost: evil")], b"{}")
        assert provider.connections == 0
    assert raised.value.reach is Reach.NOT_SENT
    assert "canary" not in raised.value.detail + raised.value.message


async def test_environment_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with against(keep_alive) as (_, upstream):
        assert await (await send(upstream)).read(10) == b"{}"


async def test_cookies_are_not_kept() -> None:
    seen = []

    async def handler(reader: Reader, writer: Writer) -> None:
        while request := await read_request(reader):
            seen.append(request)
            writer.write(PLAIN + b"set-cookie: a=b\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()

    async with against(handler) as (_, upstream):
        for _ in range(2):
            await (await send(upstream)).read(10)
    assert len(seen) == 2
    assert all(b"cookie" not in request.lower() for request in seen)


async def test_a_large_request_arrives_whole_on_one_connection() -> None:
    sizes = []

    async def handler(reader: Reader, writer: Writer) -> None:
        while request := await read_request(reader):
            sizes.append(len(request.split(b"\r\n\r\n", 1)[1]))
            writer.write(PLAIN + b"content-length: 2\r\n\r\n{}")
            await writer.drain()

    async with against(handler) as (provider, upstream):
        for _ in range(3):
            await (await send(upstream, b"x" * 5_000_000)).read(10)
        assert provider.connections == 1
    assert sizes == [5_000_000] * 3


async def test_an_early_answer_to_a_large_request_is_read() -> None:
    async def handler(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        await until_closed(reader)

    async with against(handler) as (_, upstream):
        reply = await send(upstream, b"x" * 20_000_000)
        assert reply.status == 413
        assert await reply.read(10) == b"{}"
        reply.close()


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_reader_that_pauses_gets_every_byte(compressed: bool) -> None:
    """aiohttp stops reading the socket meanwhile, more than once, and has to go on each time."""
    body = random.Random(3).randbytes(700_000).hex().encode()
    sent = gzip.compress(body) if compressed else body
    encoding = b"content-encoding: gzip\r\n" if compressed else b""

    async def handler(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(CHUNKED.removesuffix(b"\r\n") + encoding + b"\r\n")
        for at in range(0, len(sent), 50_000):
            part = sent[at : at + 50_000]
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await until_closed(reader)

    async with against(handler) as (_, upstream):
        reply = await send(upstream)
        got = b""
        async for piece in reply.chunks():
            got += piece
            await asyncio.sleep(0.01)
        reply.close()
    assert got == body


async def test_closing_the_client_ends_what_is_in_flight() -> None:
    async with against(holding(CHUNKED, b"5\r\nhello\r\n")) as (provider, upstream):
        reply = await send(upstream)
        reading = asyncio.create_task(reply.read(100))
        await asyncio.sleep(0.01)
        await upstream.close()
        with pytest.raises(UpstreamBroken):
            await reading
        with pytest.raises(UpstreamUnreachable):
            await send(upstream)
        await eventually(lambda: provider.open == 0)


async def test_closing_the_client_ends_a_send_that_waits_for_its_head() -> None:
    async with against(holding()) as (provider, upstream):
        sending = asyncio.create_task(send(upstream, retries=3))
        await eventually(lambda: provider.open == 1)
        await asyncio.sleep(0.01)
        await upstream.close()
        with pytest.raises(UpstreamBroken) as raised:
            await sending
    assert raised.value.reach is Reach.SENT


async def test_a_client_that_was_not_started_sends_nothing() -> None:
    with pytest.raises(UpstreamUnreachable) as raised:
        await send(HttpUpstream({"acme": Target("http://127.0.0.1:1")}))
    assert raised.value.reach is Reach.NOT_SENT


async def test_a_bad_target_is_refused_at_the_start() -> None:
    upstream = HttpUpstream({"good": Target("http://x.test"), "bad": Target("http://x.test", (("a", "sk\n"),))})
    with pytest.raises(ValueError, match="'a'") as raised:
        await upstream.start()
    assert "sk" not in str(raised.value)


@pytest.mark.parametrize("when", ["connecting", "waiting", "reading", "pausing"])
async def test_cancelling_anywhere_leaves_no_task_and_no_connection(when: str) -> None:
    handlers = {
        "connecting": holding(),
        "waiting": holding(),
        "reading": holding(CHUNKED, b"5\r\nhello\r\n"),
        "pausing": holding(b"HTTP/1.1 429 Slow\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"),
    }
    pausing = asyncio.Event()

    async def pause(_: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    async with NastyProvider(handlers[when]) as provider:
        upstream = HttpUpstream({"acme": Target(provider.base_url)}, sleep=pause)
        await upstream.start()

        async def call() -> None:
            reply = await send(upstream, retries=1)
            try:
                await reply.read(1000)
            finally:
                reply.close()

        before = asyncio.all_tasks()
        task = asyncio.create_task(call())
        if when == "connecting":
            await asyncio.sleep(0)
        elif when == "pausing":
            await pausing.wait()
        else:
            await eventually(lambda: provider.open == 1)
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        provider_tasks = provider._tasks
        await eventually(lambda: not asyncio.all_tasks() - before - provider_tasks)
        lane = upstream._lanes["acme"]
        assert not lane._live
        assert not connector_of(upstream)._acquired
        if when != "pausing":
            await eventually(lambda: provider.open == 0)
        await upstream.close()


async def test_a_thousand_aborted_streams_leave_nothing() -> None:
    async with against(holding(CHUNKED, b"5\r\nhello\r\n")) as (provider, upstream):

        async def call() -> None:
            for _ in range(20):
                reply = await send(upstream)
                await anext(reply.chunks())
                reply.close()

        await asyncio.gather(*(call() for _ in range(50)))
        await eventually(lambda: provider.open == 0)
        lane = upstream._lanes["acme"]
        assert not lane._live
        assert not connector_of(upstream)._acquired
        assert provider.connections == 1000


@pytest.mark.parametrize("why", ["cancelled", "not http"])
async def test_giving_up_drops_what_was_still_to_be_written(why: str) -> None:
    size = 32_000_000
    received = 0
    given_up = asyncio.Event()

    async def handler(reader: Reader, writer: Writer) -> None:
        nonlocal received
        await reader.readuntil(b"\r\n\r\n")
        if why == "not http":
            writer.write(b"SSH-2.0\r\n\r\n")
            await writer.drain()
        await given_up.wait()
        with suppress(ConnectionError):
            while piece := await reader.read(1_000_000):
                received += len(piece)

    async with against(handler) as (provider, upstream):
        task = asyncio.create_task(send(upstream, b"x" * size))
        await eventually(lambda: provider.open == 1)
        await asyncio.sleep(0.02)
        if why == "cancelled":
            task.cancel()
        with pytest.raises((asyncio.CancelledError, UpstreamBroken)):
            await task
        given_up.set()
        await eventually(lambda: provider.open == 0)
    assert received < size


async def test_closing_the_client_during_a_pause_sends_nothing_more() -> None:
    upstreams: list[HttpUpstream] = []

    async def close_meanwhile(_: float) -> None:
        await upstreams[0].close()

    slow = holding(b"HTTP/1.1 429 Slow\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n")
    async with NastyProvider(slow) as provider:
        upstreams.append(HttpUpstream({"acme": Target(provider.base_url)}, sleep=close_meanwhile))
        await upstreams[0].start()
        with pytest.raises(UpstreamUnreachable) as raised:
            await send(upstreams[0], retries=3)
        assert provider.connections == 1
    assert raised.value.reach is Reach.NOT_SENT
