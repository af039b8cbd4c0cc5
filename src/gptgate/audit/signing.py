"""Signing: the log's checkpoints and a witness's cosignatures, with Ed25519 (RFC 8032)."""

from collections.abc import Iterable
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gptgate_verify.note import COSIGNATURE, ED25519, Checkpoint, VerifierKey, cosigned_message, format_signature


class Signer:
    """A private key with the name that it signs under. Its text form never appears in `repr`."""

    def __init__(self, name: str, seed: bytes, kind: int = ED25519) -> None:
        """`seed` is the private key of RFC 8032. Raises ValueError for one of another length."""
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self.key = VerifierKey(name, kind, public)

    @classmethod
    def of_installation(cls, seed: bytes) -> "Signer":
        """The signer of an installation's log, under a name that its public key gives it."""
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        return cls(f"gptgate.local/{sha256(public).hexdigest()[:16]}", seed)

    def checkpoint(self, size: int, root: bytes, others: Iterable[str] = ()) -> bytes:
        """The signed note of this log's head. `others` are signature lines of witnesses over the same text.

        The caller must not sign a head that does not hold every head signed before.
        """
        if self.key.kind != ED25519:
            raise ValueError("a witness's key signs no checkpoint")
        text = Checkpoint(self.key.name, size, root).text()
        line = format_signature(self.key.name, self.key.key_id, self._private.sign(text.encode()))
        return (text + "\n" + line + "".join(others)).encode()

    def cosignature(self, text: str, at_s: int) -> str:
        """The signature line by which a witness says that it has seen this checkpoint, and none that contradicts it."""
        if self.key.kind != COSIGNATURE:
            raise ValueError("a log's key does not cosign")
        signature = at_s.to_bytes(8) + self._private.sign(cosigned_message(text, at_s))
        return format_signature(self.key.name, self.key.key_id, signature)
