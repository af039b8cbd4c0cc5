"""A webhook: batches of entries as JSON Lines, by POST. Taken when the answer's status is 200 to 299."""

import hmac
import ssl
from collections.abc import Sequence
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from gptgate.core.sinks import LogLine, SinkFailed
from gptgate.core.snapshot import SinkSpec

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
        self._connection: HTTPConnection | None = None

    def resume(self, position: int) -> int:
        return position

    def deliver(self, lines: Sequence[LogLine]) -> None:
        body = b"".join(line.data + b"\n" for line in lines)
        headers = {
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
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        if self._connection is None:
            self._connection = self._connect()
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        if len(answer.read(MOST_ANSWER)) == MOST_ANSWER:
            self.close()
        return answer.status

    def _connect(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            return HTTPSConnection(host, port, timeout=self._timeout_s, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=self._timeout_s)
