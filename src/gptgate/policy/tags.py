"""Tags: short keyed digests, in letters. Equal parts have one tag under a key; without the key it cannot be guessed."""

import hmac

_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")
"""Sixteen consonants. Without digits a tag is no card, phone or account number; without vowels it is no word."""


def tag(key: bytes, letters: int, *parts: str) -> str:
    """A tag of this many letters, four bits each, at most 64."""
    return digest(key, *parts).hex().translate(_LETTERS)[:letters]


def digest(key: bytes, *parts: str) -> bytes:
    """HMAC-SHA256 over the parts, each with its length, so that no two lists of parts read alike."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return hmac.digest(key, b"".join([b"%d:%s" % (len(part), part) for part in encoded]), "sha256")
