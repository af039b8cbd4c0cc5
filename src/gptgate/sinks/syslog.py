"""A syslog server: RFC 5424 messages over TCP, each behind its length (RFC 6587), or over TLS (RFC 5425)."""

import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from gptgate.core.beside import SinkSpec
from gptgate.core.sinks import LogLine, SinkFailed
from gptgate.sinks.connection import Connection

PRIORITY = 13 * 8 + 6
"""Facility 13 (log audit), severity 6 (informational)."""
PORTS = {"tcp": 601, "tls": 6514}


class SyslogSink:
    """One connection, kept.

    Syslog acknowledges nothing: lines count as delivered when the system has taken them for a connection that the other
    side has not closed. A server that dies with lines in its buffers loses them; a file or a webhook does not.
    """

    def __init__(self, spec: SinkSpec, secret: str) -> None:
        self._url = urlsplit(spec.to)
        self._timeout_s = spec.timeout_ms / 1000
        self._host = socket.gethostname() or "-"
        self._connection: Connection | None = None

    def resume(self, position: int) -> int:
        return position

    def deliver(self, lines: Sequence[LogLine]) -> None:
        try:
            if self._connection is not None and self._connection.is_closed():
                self.close()
            if self._connection is None:
                host, port = self._url.hostname or "", self._url.port or PORTS[self._url.scheme]
                self._connection = Connection(host, port, self._timeout_s, tls=self._url.scheme == "tls")
            else:
                self._connection.allow(self._timeout_s)
            self._connection.sendall(b"".join(self._message(line) for line in lines))
        except OSError as error:
            self.close()
            raise SinkFailed(f"the syslog server cannot be reached: {type(error).__name__}") from None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _message(self, line: LogLine) -> bytes:
        at = datetime.fromtimestamp(line.at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        head = f"<{PRIORITY}>1 {at} {self._host} gptgate {os.getpid()} {line.kind[:32]} - "
        message = head.encode() + line.data
        return b"%d %b" % (len(message), message)
