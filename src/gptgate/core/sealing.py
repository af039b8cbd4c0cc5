"""Texts at rest: what lies in the records of a prompt or an answer that was kept.

A sealed text is ``MAGIC ‖ data key's number (8 bytes) ‖ commitment (32) ‖ nonce (12) ‖ AES-256-GCM(salt (16) ‖ text)``.
The commitment is sha256 over salt and text. The audit log commits to all of these bytes, and so, by the commitment, to
the text: a cipher text that two keys open to two texts proves neither. The salt is encrypted with the text, so that
nobody can try texts against the commitment. The number, the request's id and the side are authenticated with it.
"""

from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

MAGIC = b"gptgate-sealed\x01"
PLAIN = b"gptgate-sealed\x00"
"""Before a text that is not sealed, but begins like one that is."""
KEY_BYTES = 32
SALT_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16
_NUMBER = slice(len(MAGIC), len(MAGIC) + 8)
_COMMITMENT = slice(_NUMBER.stop, _NUMBER.stop + 32)
_NONCE = slice(_COMMITMENT.stop, _COMMITMENT.stop + NONCE_BYTES)
OVERHEAD = _NONCE.stop + SALT_BYTES + TAG_BYTES

REQUEST, ANSWER = "request", "answer"
"""The two sides of a record."""

OpenText = Callable[[bytes, str, str], bytes]
"""A text as it lies in the records, its request's id and its side → the text."""


class Sealed(Struct, frozen=True):
    """The parts of a sealed text."""

    number: int
    commitment: bytes
    nonce: bytes
    cipher: bytes


def is_sealed(stored: bytes) -> bool:
    """Whether these bytes are a sealed text."""
    return stored.startswith(MAGIC)


def parse(stored: bytes) -> Sealed:
    """Raises ValueError for what is cut off."""
    if len(stored) < OVERHEAD:
        raise ValueError("a sealed text is cut off")
    return Sealed(int.from_bytes(stored[_NUMBER]), stored[_COMMITMENT], stored[_NONCE], stored[_NONCE.stop :])


def joined(sealed: Sealed) -> bytes:
    """The bytes that lie in the records."""
    return MAGIC + sealed.number.to_bytes(8) + sealed.commitment + sealed.nonce + sealed.cipher


def context(number: int, request_id: str, side: str) -> bytes:
    """What is authenticated with a text: it opens in its own place only."""
    return MAGIC + number.to_bytes(8) + f"{side}\n{request_id}".encode("utf-8", "surrogatepass")


def commitment_of(salt: bytes, text: bytes) -> bytes:
    """What a sealed text says, to everybody, of what is in it."""
    return sha256(salt + text).digest()


def unsealed(text: bytes) -> bytes:
    """A text as it is kept where nothing is sealed."""
    return PLAIN + text if text.startswith((MAGIC, PLAIN)) else text


def plain(stored: bytes) -> bytes:
    """The text out of `unsealed`."""
    return stored.removeprefix(PLAIN)


def length_of(stored: bytes) -> int:
    """How long the text is."""
    return len(stored) - OVERHEAD if is_sealed(stored) else len(plain(stored))
