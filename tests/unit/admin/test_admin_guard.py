"""Which Host headers name the control plane."""

import asyncio
import socket
from typing import Any, Never

import pytest
import uvicorn
from starlette.types import Message

from gptgate.admin.app import ApplyResult, build_admin
from gptgate.admin.guard import HostGuard
from waiting import PATIENCE_S, eventually


async def nothing(*_: Any) -> Never:
    raise AssertionError("the guard let it through")


LOOPBACK = ["localhost", "LOCALHOST:1", "a.localhost", "localhost.", "127.0.0.1", "127.9.9.9:80", "[::1]", "[::1]:8081"]
FOREIGN = [
    "",
    "example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "10.0.0.5",
    "[::2]",
    "::1:80",
    "[::1",
    "[::1]x",
    "localhost:x",
    "localhost:",
    "localhost@evil",
    "evil localhost",
    "0x7f000001",
    "2130706433",
    "127.1",
    ".",
    "localhost:８",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_accepted(host: str) -> None:
    assert HostGuard(nothing).allows(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_everything_else_is_refused(host: str) -> None:
    assert not HostGuard(nothing, ["gate.internal", "10.0.0.6"]).allows(host)


def test_configured_hosts_are_accepted_as_names_and_addresses() -> None:
    guard = HostGuard(nothing, ["Gate.Internal", "10.0.0.5", "fd00::1"])
    assert all(guard.allows(host) for host in ("gate.internal:8081", "10.0.0.5", "[fd00::1]:8081", "[FD00:0::1]"))
    assert not guard.allows("10.0.0.6")


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_a_wildcard_listener_is_called_by_any_address_but_by_no_name(wildcard: str) -> None:
    guard = HostGuard(nothing, [wildcard])
    assert guard.allows("10.0.0.6:8081")
    assert guard.allows("[fd00::1]")
    assert not guard.allows("evil.example")


async def test_websockets_are_closed() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await HostGuard(nothing)({"type": "websocket", "headers": []}, nothing, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def exchange(port: int, head: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    await writer.wait_closed()
    return answer


async def apply() -> ApplyResult:
    return ApplyResult("d" * 64, False)


async def refresh() -> int:
    return 0


async def test_over_a_real_socket() -> None:
    app = build_admin(
        token="t" * 32, readiness=list, metrics=bytes, apply_config=apply, refresh_keys=refresh, status=dict
    )
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await eventually(lambda: server.started)
        close = b"\r\nConnection: close"
        assert b" 200 " in await exchange(port, b"GET /livez HTTP/1.1\r\nHost: localhost:1" + close)
        for head in (
            b"GET /livez HTTP/1.1\r\nHost: evil.example",
            b"GET /livez HTTP/1.0",
            b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
            b"GET http://evil.example/livez HTTP/1.1\r\nHost: evil.example",
            b"GET /livez HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost",
        ):
            answer = await exchange(port, head + close)
            assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400", b"HTTP/1.0 403")), (head, answer)
    finally:
        server.should_exit = True
        await task
