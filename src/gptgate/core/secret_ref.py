"""Where secrets are: what a configuration holds in their place."""

from msgspec import Struct


class SecretRef(Struct, frozen=True):
    """Where a secret is found: ``env:NAME`` or ``file:PATH``."""

    source: str
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"
