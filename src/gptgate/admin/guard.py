"""Who may speak to the control plane at all, and who may give it orders.

Threats: a web page in the operator's browser that posts to a loopback port (CSRF), and one whose name is made to
resolve to a loopback address so that it can read the answers (DNS rebinding). Both betray themselves in headers that
a page cannot set: Origin and Host.
"""

import hmac
import ipaddress
from collections.abc import Collection
from hashlib import sha256

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gptgate.admin.problem import problem


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


class HostGuard:
    """Refuses requests with an Origin header, and those whose Host is neither loopback nor one of `hosts`.

    Where `hosts` has a wildcard address (``0.0.0.0``, ``::``), any literal address is accepted: no name can be made to
    resolve to a literal. Ports are not compared. WebSockets are refused: the control plane has none.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._names = frozenset(host.lower().rstrip(".") for host in hosts if _address(host) is None)
        addresses = {address for host in hosts if (address := _address(host)) is not None}
        self._any_address = any(address.is_unspecified for address in addresses)
        self._addresses = frozenset(addresses)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        if "origin" in headers:
            response = problem(403, "origin_not_allowed", "Call the control plane from a program, not from a page.")
            await response(scope, receive, send)
            return
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.allows(hosts[0]):
            detail = "The Host header must be a loopback name or address, or the configured control host."
            await problem(403, "host_not_allowed", detail)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def allows(self, header: str) -> bool:
        """Whether a Host header's value names this control plane."""
        host = header.lower()
        if host.startswith("["):
            host, bracket, port = host.partition("]")
            if not bracket or (port and not _is_port(port.removeprefix(":"))):
                return False
        else:
            host, colon, port = host.partition(":")
            if colon and not _is_port(port):
                return False
        address = _address(host)
        if address is not None:
            return address.is_loopback or self._any_address or address in self._addresses
        name = host.rstrip(".")
        return name == "localhost" or name.endswith(".localhost") or (bool(name) and name in self._names)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5


class TokenCheck:
    """The admin token, compared in constant time. Keeps a digest only."""

    SHORTEST = 16

    def __init__(self, token: str) -> None:
        if len(token) < self.SHORTEST:
            raise ValueError(f"the admin token needs at least {self.SHORTEST} characters")
        self._digest = sha256(token.encode()).digest()

    def accepts(self, headers: Headers) -> bool:
        """Whether the request carries ``Authorization: Bearer <token>``, once."""
        given = headers.getlist("authorization")
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(" ")
        # Digests have one length, so the comparison says nothing about the token's.
        presented = sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        return hmac.compare_digest(presented, self._digest) and scheme.lower() == "bearer"
