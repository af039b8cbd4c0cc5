import asyncio
import socket
from collections.abc import AsyncIterator, Iterable

import pytest
from aiohttp import ClientConnectionResetError

from gptgate.upstream.post import Post


class Line:
    """Both ends of a connection: ours to write to, the provider's to read from."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamReader) -> None:
        self.transport = near.transport
        self.far = far


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    left, right = socket.socketpair()
    _, near = await asyncio.open_connection(sock=left)
    far, far_writer = await asyncio.open_connection(sock=right)
    yield Line(near, far)
    for writer in (near, far_writer):
        writer.close()
        await writer.wait_closed()


async def test_a_post_is_written_once_and_never_again(line: Line) -> None:
    transport, reader = line.transport, line.far
    post = Post(b"head|", b"body", 10)
    post.write(transport, asyncio.get_running_loop())
    assert post.sent
    with pytest.raises(ClientConnectionResetError):
        post.write(transport, asyncio.get_running_loop())
    post.abort()
    assert await reader.read() == b"head|body"


class Pieces(asyncio.WriteTransport):
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[bytes] = []

    def is_closing(self) -> bool:
        return False

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.given += map(bytes, list_of_data)


@pytest.mark.parametrize(("body", "pieces"), [(b"body", [b"head|", b"body"]), (b"", [b"head|"])])
async def test_a_transport_is_given_no_empty_piece(body: bytes, pieces: list[bytes]) -> None:
    """The loop of some Pythons never gets rid of one."""
    post, transport = Post(b"head|", body, 10), Pieces()
    post.write(transport, asyncio.get_running_loop())
    post.settle()
    assert transport.given == pieces


@pytest.mark.parametrize("gone", [True, False])
async def test_on_a_closing_connection_nothing_is_sent(line: Line, gone: bool) -> None:
    transport, reader = line.transport, line.far
    transport.close()
    post = Post(b"head|", b"body", 10)
    with pytest.raises(ClientConnectionResetError):
        post.write(None if gone else transport, asyncio.get_running_loop())
    assert not post.sent
    assert await reader.read() == b""


async def test_the_deadline_drops_the_connection(line: Line) -> None:
    transport, reader = line.transport, line.far
    post = Post(b"", b"body", 0.01)
    post.write(transport, asyncio.get_running_loop())
    assert await reader.read() == b"body"
    assert post.late
    assert transport.is_closing()


async def test_a_settled_post_is_not_late(line: Line) -> None:
    transport = line.transport
    post = Post(b"", b"body", 0.01)
    post.write(transport, asyncio.get_running_loop())
    post.settle()
    await asyncio.sleep(0.03)
    assert not post.late
    assert not transport.is_closing()
    post.abort()
