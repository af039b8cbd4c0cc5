"""API keys: ``sk-gate-<id>-<secret>-<checksum>``.

The id is public: it is logged, shown and used for the lookup. The secret is 256 random bits and is kept nowhere but in
the caller's hands; the gateway stores its hash. The checksum (CRC-32 of all that stands before it) tells a key from
any other string without asking anybody, so that a scanner recognises a leaked one offline.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass, field

PREFIX = "sk-gate-"
RANDOM_BYTES = 48
"""What `generate` takes: 16 bytes for the id, 32 for the secret."""

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 12
_SECRET_LENGTH = 43  # 62**43 > 2**256
_CHECKSUM_LENGTH = 6  # 62**6 > 2**32
_FORM = re.compile(r"(sk-gate-([0-9a-z]{12})-([0-9A-Za-z]{43}))-([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """A new key. `text` is shown to its owner once and stored nowhere; `secret_hash` is what is stored."""

    id: str
    text: str = field(repr=False)
    secret_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A string that has the form of a key and the right checksum. That says nothing about whether it is valid."""

    id: str
    secret: str = field(repr=False)


def generate(random_bytes: bytes) -> GeneratedKey:
    """A key made of at least 48 bytes from a cryptographic source, which the caller injects.

    The first 16 become the id (62 bits; the caller checks that it is not in use yet), the next 32 the secret. Raises
    ValueError when there are fewer.
    """
    if len(random_bytes) < RANDOM_BYTES:
        raise ValueError(f"a key takes at least {RANDOM_BYTES} random bytes")
    # 128 bits modulo 36**12 (62 bits): the bias is below 2**-65.
    key_id = _digits(int.from_bytes(random_bytes[:16], "big") % 36**_ID_LENGTH, _BASE36, _ID_LENGTH)
    secret = _digits(int.from_bytes(random_bytes[16:RANDOM_BYTES], "big"), _BASE62, _SECRET_LENGTH)
    body = f"{PREFIX}{key_id}-{secret}"
    return GeneratedKey(id=key_id, text=f"{body}-{_checksum(body)}", secret_hash=hash_secret(secret))


def parse(text: str) -> ParsedKey | None:
    """The parts of a key, None when the form or the checksum is wrong. Asks no storage."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    body, key_id, secret, checksum = match.groups()
    if _checksum(body) != checksum:
        return None
    return ParsedKey(key_id, secret)


def hash_secret(secret: str) -> bytes:
    """The sha256 of a secret: 32 bytes.

    A slow, salted hash protects what people choose, because guesses are cheap. This secret is 256 uniformly random
    bits: there is nothing to guess and no table to build, and the hash is on the path of every request.
    """
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return _digits(zlib.crc32(body.encode()), _BASE62, _CHECKSUM_LENGTH)


def _digits(value: int, alphabet: str, length: int) -> str:
    """The value in the base of the alphabet, most significant digit first, filled up to `length`."""
    base = len(alphabet)
    out = []
    for _ in range(length):
        value, digit = divmod(value, base)
        out.append(alphabet[digit])
    out.reverse()
    return "".join(out)
