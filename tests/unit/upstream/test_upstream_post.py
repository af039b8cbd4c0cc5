import asyncio
import socket

import pytest
from aiohttp import ClientConnectionResetError

from gptgate.upstream.post import Post


async def connected() -> tuple[asyncio.WriteTransport, asyncio.StreamReader]:
    near, far = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=near)
    reader, _ = await asyncio.open_connection(sock=far)
    return writer.transport, reader


async def test_a_post_is_written_once_and_never_again() -> None:
    transport, reader = await connected()
    post = Post(b"head|", b"body", 10)
    post.write(transport, asyncio.get_running_loop())
    assert post.sent
    with pytest.raises(ClientConnectionResetError):
        post.write(transport, asyncio.get_running_loop())
    post.abort()
    assert await reader.read() == b"head|body"


@pytest.mark.parametrize("gone", [True, False])
async def test_on_a_closing_connection_nothing_is_sent(gone: bool) -> None:
    transport, reader = await connected()
    transport.close()
    post = Post(b"head|", b"body", 10)
    with pytest.raises(ClientConnectionResetError):
        post.write(None if gone else transport, asyncio.get_running_loop())
    assert not post.sent
    assert await reader.read() == b""


async def test_the_deadline_drops_the_connection() -> None:
    transport, reader = await connected()
    post = Post(b"", b"body", 0.01)
    post.write(transport, asyncio.get_running_loop())
    assert await reader.read() == b"body"
    assert post.late
    assert transport.is_closing()


async def test_a_settled_post_is_not_late() -> None:
    transport, _ = await connected()
    post = Post(b"", b"body", 0.01)
    post.write(transport, asyncio.get_running_loop())
    post.settle()
    await asyncio.sleep(0.03)
    assert not post.late
    assert not transport.is_closing()
    post.abort()
