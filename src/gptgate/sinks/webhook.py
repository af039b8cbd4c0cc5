"""A webhook: batches of entries as JSON Lines, by POST. Taken when the answer's status is 200 to 299."""

import hmac
from collections.abc import Sequence
from hashlib import sha256

from gptgate.core.beside import SinkSpec
from gptgate.core.sinks import LogLine
from gptgate.sinks.post import Poster


class WebhookSink:
    """With a credential each batch carries ``x-gptgate-signature: sha256=HEX``, the HMAC-SHA256 of the body."""

    def __init__(self, spec: SinkSpec, secret: str) -> None:
        self._poster = Poster(spec.to, spec.timeout_ms, "webhook")
        self._secret = secret.encode()

    def resume(self, position: int) -> int:
        return position

    def deliver(self, lines: Sequence[LogLine]) -> None:
        body = b"".join(line.data + b"\n" for line in lines)
        headers = {
            "Content-Type": "application/x-ndjson",
            "X-Gptgate-First-Index": str(lines[0].index),
            "X-Gptgate-Entries": str(len(lines)),
        }
        if self._secret:
            headers["X-Gptgate-Signature"] = "sha256=" + hmac.new(self._secret, body, sha256).hexdigest()
        self._poster.post(body, headers)

    def close(self) -> None:
        self._poster.close()
