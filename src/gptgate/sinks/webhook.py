"""A webhook: batches of entries as JSON Lines, by POST. Taken when the answer's status is 200 to 299."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from gptgate.core.sinks import LogLine, SinkFailed
from gptgate.core.snapshot import SinkSpec
from gptgate.sinks.connection import Connection

PORTS = {"http": 80, "https": 443}
MOST_ANSWER = 64 * 1024
"""How much of an answer is read, and thrown away, so that the connection can be used again."""


class WebhookSink:
    """One connection, kept. Redirects are not followed: a status of 300 or more is a failure.

    With a credential each batch carries ``x-gptgate-signature: sha256=HEX``, the HMAC-SHA256 of the body.
    """

    def __init__(self, spec: SinkSpec, secret: str) -> None:
        self._url = urlsplit(spec.to)
        self._timeout_s = spec.timeout_ms / 1000
        self._secret = secret.encode()
        self._host = self._url.hostname or ""
        # Only its way of speaking: the connection is ours.
        self._http = HTTPConnection(self._host)

    def resume(self, position: int) -> int:
        return position

    def deliver(self, lines: Sequence[LogLine]) -> None:
        body = b"".join(line.data + b"\n" for line in lines)
        headers = {
            "Host": self._url.netloc,
            "Content-Type": "application/x-ndjson",
            "User-Agent": "gptgate",
            "X-Gptgate-First-Index": str(lines[0].index),
            "X-Gptgate-Entries": str(len(lines)),
        }
        if self._secret:
            headers["X-Gptgate-Signature"] = "sha256=" + hmac.new(self._secret, body, sha256).hexdigest()
        try:
            status = self._post(body, headers)
        except (OSError, HTTPException) as error:
            self.close()
            raise SinkFailed(f"the webhook cannot be reached: {type(error).__name__}") from None
        if not 200 <= status < 300:
            self.close()
            raise SinkFailed(f"the webhook answered with status {status}")

    def close(self) -> None:
        self._http.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        connection: Any = self._http.sock
        if connection is None:
            port = self._url.port or PORTS[self._url.scheme]
            self._http.sock = Connection(self._host, port, self._timeout_s, tls=self._url.scheme == "https")
        else:
            connection.allow(self._timeout_s)
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        self._http.request("POST", path, body, headers)
        answer = self._http.getresponse()
        if len(answer.read(MOST_ANSWER)) == MOST_ANSWER:
            self.close()
        return answer.status
