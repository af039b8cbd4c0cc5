"""The signature of what the gateway sends to an organisation's own services.

It is HMAC-SHA256 over the time in seconds, a full stop and the body, so that a receiver can refuse what was changed, or
what is old. The secret signs; it is never sent.
"""

import hashlib
import hmac

TIMESTAMP_HEADER = "x-gptgate-timestamp"
SIGNATURE_HEADER = "x-gptgate-signature"


def signature_headers(body: bytes, secret: str, at_s: int) -> tuple[tuple[str, str], ...]:
    """The headers that sign a body."""
    signature = hmac.new(secret.encode(), b"%d." % at_s + body, hashlib.sha256).hexdigest()
    return ((TIMESTAMP_HEADER, str(at_s)), (SIGNATURE_HEADER, f"v1={signature}"))
