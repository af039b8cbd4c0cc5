"""A connection to a sink: all that is done with it, from the call to the last byte of an answer, ends by one time."""

import socket
import ssl
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import Any

PIECE = 1 << 16
"""Of what is sent between two looks at the clock."""


class Connection:
    """One connection over TCP, or over TLS with the server's certificate verified. Methods block and raise OSError.

    Each of them ends within the time that `allow` gave to all of them together; the constructor is the first. Only the
    resolver that looks the host's name up keeps a time of its own. `http.client` takes it for its socket.
    """

    def __init__(self, host: str, port: int, timeout_s: float, *, tls: bool) -> None:
        self.allow(timeout_s)
        plain = self._call(host, port)
        self._socket = plain
        if tls:
            try:
                plain.settimeout(self._left())
                self._socket = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
            except OSError:
                plain.close()
                raise

    def allow(self, timeout_s: float) -> None:
        """So much time from now on."""
        self._ends = monotonic() + timeout_s

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self.hurry()
            view = view[self._socket.send(view[:PIECE]) :]

    def makefile(self, _mode: str) -> BufferedReader:
        """What comes in, which can be read on when the connection was closed here."""
        return BufferedReader(_Incoming(self, self._socket.makefile("rb", buffering=0)))

    def is_closed(self) -> bool:
        """Whether the other side has hung up: what is sent now would be lost without a word."""
        self._socket.settimeout(0)
        try:
            return self._socket.recv(1) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            return False

    def close(self) -> None:
        self._socket.close()

    def hurry(self) -> None:
        """Let the next call take what is left of the time."""
        self._socket.settimeout(self._left())

    def _left(self) -> float:
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _call(self, host: str, port: int) -> socket.socket:
        """Connected to the first address of the host that answers."""
        failure = OSError(f"{host} has no address")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            # What cannot be a name, such as a..b, does not even come to the resolver.
            raise failure from None
        for *_, address in found:
            try:
                return socket.create_connection((str(address[0]), port), self._left())
            except OSError as error:
                failure = error
        raise failure


class _Incoming(RawIOBase):
    """Reads within the time of a connection."""

    def __init__(self, connection: Connection, source: Any) -> None:
        self._connection = connection
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.hurry()
        read: int | None = self._source.readinto(buffer)
        return read

    def close(self) -> None:
        super().close()
        self._source.close()
