"""An API key as the gateway knows it: everything but the secret."""

from msgspec import Struct


class KeyRecord(Struct, frozen=True, kw_only=True):
    """`secret_hash` is the sha256 (32 bytes) of the secret. Times are Unix milliseconds, 0 means never.

    `models`, `endpoints` and `networks` (CIDR) are allow lists; empty means no restriction.
    `replaces` is the id of the key that this one was rotated from, or ``""``.
    """

    id: str
    app: str
    name: str
    secret_hash: bytes
    created_ms: int
    expires_ms: int = 0
    revoked_ms: int = 0
    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    replaces: str = ""
