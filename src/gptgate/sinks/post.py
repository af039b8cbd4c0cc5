"""POST over one connection that is kept, for sinks that speak HTTP."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from gptgate.core.sinks import SinkFailed
from gptgate.sinks.connection import Connection

PORTS = {"http": 80, "https": 443}
MOST_ANSWER = 64 * 1024
"""How much of an answer is read, so that the connection can be used again."""


class Poster:
    """Posts to one address. Redirects are not followed: a status of 300 or more is a failure. Blocks, for a bounded
    time."""

    def __init__(self, url: str, timeout_ms: int, what: str) -> None:
        """`what` is the other side, for people."""
        self._url = urlsplit(url)
        self._timeout_s = timeout_ms / 1000
        self._what = what
        self._host = self._url.hostname or ""
        # Only its way of speaking: the connection is ours.
        self._http = HTTPConnection(self._host)

    def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The answer, as far as it is read; its status is 200 to 299. Raises SinkFailed."""
        sent = {"Host": self._url.netloc, "User-Agent": "gptgate", **headers}
        try:
            status, answer = self._post(body, sent)
        except (OSError, HTTPException) as error:
            self.close()
            raise SinkFailed(f"the {self._what} cannot be reached: {type(error).__name__}") from None
        if not 200 <= status < 300:
            self.close()
            raise SinkFailed(f"the {self._what} answered with status {status}")
        return answer

    def close(self) -> None:
        self._http.close()

    def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection: Any = self._http.sock
        if connection is None:
            port = self._url.port or PORTS[self._url.scheme]
            self._http.sock = Connection(self._host, port, self._timeout_s, tls=self._url.scheme == "https")
        else:
            connection.allow(self._timeout_s)
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        self._http.request("POST", path, body, dict(headers))
        answer = self._http.getresponse()
        data = answer.read(MOST_ANSWER)
        if len(data) == MOST_ANSWER:
            self.close()
        return answer.status, data
