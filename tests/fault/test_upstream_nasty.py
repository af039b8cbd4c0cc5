"""Providers that misbehave in their answer: no hang, no silent end, nothing without a bound."""

import asyncio
import gzip
from typing import cast

import pytest

from gptgate.core.errors import AnswerTooLarge, Reach, UpstreamBroken, UpstreamError, UpstreamTimeout
from nasty_provider import (
    CHUNKED,
    PLAIN,
    Reader,
    Writer,
    against,
    answering,
    holding,
    read_request,
    send,
)
from waiting import eventually


async def test_a_connection_closed_before_the_answer_was_sent_and_is_not_repeated() -> None:
    async with against(answering()) as (provider, upstream):
        with pytest.raises(UpstreamBroken) as raised:
            await send(upstream, retries=3)
    assert raised.value.reach is Reach.SENT
    assert provider.connections == 1


async def test_a_connection_closed_right_after_accept_counts_as_sent() -> None:
    async def handler(_: Reader, __: Writer) -> None:
        return

    async with against(handler) as (_, upstream):
        with pytest.raises(UpstreamError) as raised:
            await send(upstream)
    assert raised.value.reach in (Reach.SENT, Reach.NOT_SENT)
    assert raised.value.status == 502


async def test_an_answer_that_is_not_http_is_broken() -> None:
    async with against(answering(b"SSH-2.0-OpenSSH_9.6\r\n")) as (_, upstream):
        with pytest.raises(UpstreamBroken) as raised:
            await send(upstream)
    assert raised.value.reach is Reach.ANSWERED


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200",),
        (PLAIN,),
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n",),
    ],
)
async def test_a_head_that_never_ends_is_late(pieces: tuple[bytes, ...]) -> None:
    async with against(holding(*pieces)) as (provider, upstream):
        with pytest.raises(UpstreamTimeout) as raised:
            await send(upstream, first_byte_timeout_ms=60)
        await eventually(lambda: provider.open == 0)
    assert raised.value.reach is Reach.SENT


async def test_a_head_that_dribbles_does_not_put_the_deadline_off() -> None:
    async def handler(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.005)

    async with against(handler) as (provider, upstream):
        with pytest.raises(UpstreamTimeout):
            await send(upstream, first_byte_timeout_ms=100)
        await eventually(lambda: provider.open == 0)


async def test_a_provider_that_does_not_read_the_request_is_late_and_dropped() -> None:
    async def handler(_: Reader, writer: Writer) -> None:
        cast("asyncio.Transport", writer.transport).pause_reading()  # a socket's transport reads as well
        await asyncio.sleep(3600)

    async with against(handler) as (provider, upstream):
        with pytest.raises(UpstreamTimeout) as raised:
            await send(upstream, b"x" * 32_000_000, first_byte_timeout_ms=200)
        assert provider.connections == 1
    assert raised.value.reach is Reach.SENT


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "pieces",
    [
        (CHUNKED, b"5\r\nhello\r\n"),
        (CHUNKED, b"5\r\nhel"),
        (CHUNKED, b"5\r\nhello\r\n0\r\n"),
        (CHUNKED + b"5\r\nhello\r\n",),
        (PLAIN + b"content-length: 10\r\n\r\n", b"hello"),
        (PLAIN + b"content-length: 10\r\n\r\nhello",),
    ],
)
async def test_a_body_cut_anywhere_is_broken(pieces: tuple[bytes, ...], reset: bool) -> None:
    async with against(answering(*pieces, reset=reset)) as (_, upstream):
        with pytest.raises(UpstreamBroken):
            await (await send(upstream)).read(1000)


@pytest.mark.parametrize("piece", [b"zz\r\nhello\r\n", b"5\r\nhelloXX", b"-5\r\nhello\r\n"])
async def test_bad_chunk_framing_is_broken(piece: bytes) -> None:
    async with against(holding(CHUNKED, piece)) as (_, upstream):
        with pytest.raises(UpstreamBroken):
            await (await send(upstream)).read(1000)


async def test_a_body_without_a_length_ends_with_its_connection() -> None:
    async with against(answering(PLAIN + b"\r\n", b"hello", b" there")) as (_, upstream):
        reply = await send(upstream)
        assert await reply.read(1000) == b"hello there"
        reply.close()


@pytest.mark.parametrize("pieces", [(PLAIN + b"\r\n", b"hello"), (PLAIN + b"\r\nhello",)])
async def test_a_body_without_a_length_that_is_reset_is_broken(pieces: tuple[bytes, ...]) -> None:
    async with against(answering(*pieces, reset=True)) as (_, upstream):
        with pytest.raises(UpstreamBroken):
            await (await send(upstream)).read(1000)


async def test_a_body_without_a_length_that_falls_silent_is_no_silent_end() -> None:
    async with against(holding(PLAIN + b"\r\n", b"hello")) as (provider, upstream):
        with pytest.raises(UpstreamTimeout):
            await (await send(upstream, idle_timeout_ms=60)).read(1000)
        await eventually(lambda: provider.open == 0)


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308, 300])
async def test_redirects_are_refused(status: int) -> None:
    head = b"HTTP/1.1 %d Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n" % status
    async with against(holding(head)) as (provider, upstream):
        with pytest.raises(UpstreamBroken) as raised:
            await send(upstream, retries=3)
        assert provider.connections == 1
    assert raised.value.reach is Reach.ANSWERED
    assert "127.0.0.1" not in raised.value.message


async def test_an_upgrade_is_refused() -> None:
    head = b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
    async with against(holding(head)) as (provider, upstream):
        with pytest.raises(UpstreamBroken):
            await send(upstream)
        await eventually(lambda: provider.open == 0)


@pytest.mark.parametrize("zipped", [False, True])
async def test_an_endless_body_stops_at_the_limit(zipped: bool) -> None:
    block = gzip.compress(b"\0" * 50_000_000) if zipped else b"\0" * 60_000
    coding = b"content-encoding: gzip\r\n" if zipped else b""
    written = 0

    async def handler(reader: Reader, writer: Writer) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(PLAIN + coding + b"transfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"%x\r\n%b\r\n" % (len(block), block))
            await writer.drain()
            written += len(block)

    async with against(handler) as (provider, upstream):
        reply = await send(upstream)
        with pytest.raises(AnswerTooLarge):
            await reply.read(1_000_000)
        await eventually(lambda: provider.open == 0)
    assert written < 20_000_000


async def test_a_compressed_body_is_read_plain_and_its_own_headers_are_gone() -> None:
    packed = gzip.compress(b'{"a": 1}')
    head = PLAIN + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    async with against(holding(head, packed)) as (_, upstream):
        reply = await send(upstream)
        assert await reply.read(100) == b'{"a": 1}'
        assert "content-encoding" not in reply.headers
        assert "content-length" not in reply.headers


async def test_a_body_that_is_not_in_its_coding_is_broken() -> None:
    head = PLAIN + b"content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello"
    async with against(holding(head)) as (_, upstream):
        with pytest.raises(UpstreamBroken):
            await (await send(upstream)).read(100)


async def test_a_reader_that_does_not_read_holds_the_provider_back() -> None:
    written = 0

    async def handler(reader: Reader, writer: Writer) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(CHUNKED)
        while True:
            writer.write(b"%x\r\n%b\r\n" % (60_000, b"\0" * 60_000))
            await writer.drain()
            written += 60_000

    async with against(handler) as (provider, upstream):
        reply = await send(upstream)
        await anext(reply.chunks())
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.05)
        assert len(reply._content._buffer) < 40
        reply.close()
        await eventually(lambda: provider.open == 0)


@pytest.mark.parametrize("cut", [0, 9, 30, 41])
async def test_a_provider_that_repeats_the_credential_is_cut_off(cut: int) -> None:
    """In one piece or in two: what follows the first byte of it never gets out whole."""
    secret = b"provider-secret-0123456789"
    body = b'{"error": "wrong key: ' + secret + b'"}'
    head = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"

    async def handler(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(head + body[:cut])
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(body[cut:])
        await writer.drain()

    async with against(handler, headers=(("authorization", "Bearer " + secret.decode()),)) as (_, upstream):
        reply = await send(upstream)
        with pytest.raises(UpstreamBroken) as raised:
            await reply.read(10_000)
        reply.close()
    assert secret.decode() not in raised.value.message + raised.value.detail
