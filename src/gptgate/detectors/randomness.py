"""Whether a value was drawn at random or written by a person: integer arithmetic, the same on every machine."""

import re
from itertools import pairwise

_SCALE = 64
_SHORTEST = 8
_RANDOM = 176
"""2.75 bits for each byte: sixteen random hex digits have more."""
_PART = re.compile(rb"[A-Za-z0-9]+")
_WORDS = re.compile(
    rb"example|change[_-]?(?:me|it|this)|place_?holder|redacted|replace|your[_-]|your[a-z]|[_-]here|insert|dummy|sample"
    rb"|fake|todo|xxx|\*\*\*|\.\.\.|foobar|lorem|secret[_-]?(?:key|value|token)|api[_-]?key|access[_-]?token"
    rb"|my[_-]?(?:secret|password|token|key)|default|undefined|required|s3cr3t"
)
_USUAL = frozenset(
    b"password passwd password1 password123 pass123 passw0rd p@ssw0rd p@ssword secret secret123 admin123 test123"
    b" test1234 testtest changeit username user123 letmein qwerty123 hunter2 12345678 guest123".split()
)
"""What people write where they mean any password."""

_CAPITAL_INSIDE = re.compile(rb"[a-z][A-Z]")

_UUID = re.compile(rb"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _log2(number: int) -> int:
    """64 times the binary logarithm, rounded down."""
    return int((number**_SCALE).bit_length()) - 1


def entropy(value: bytes) -> int:
    """Shannon's entropy of the bytes, in 64ths of a bit for each byte."""
    size = len(value)
    if not size:
        return 0
    counts = [value.count(byte) for byte in set(value)]
    return _log2(size) - sum(count * _log2(count) for count in counts) // size


def is_uniform(value: bytes) -> bool:
    """All the same, few different characters, or one running sequence: ``xxxx``, ``00001111``, ``abcdefgh``."""
    steps = {(after - before) % 256 for before, after in pairwise(value)}
    return len(steps) < 2 or len(set(value)) < min(5, 1 + len(value) // 2)


def is_filled(token: bytes) -> bool:
    """Whether the end of a token is more than one character over and over."""
    return len(set(token[-12:].lower()) - set(b"-_")) > 1


def is_varied(token: bytes) -> bool:
    """Whether the end of a token, which is where its random part stands, holds more than a filler."""
    return not is_uniform(token[-16:]) and b"xxxxxx" not in token.lower()


def is_likely(value: bytes) -> bool:
    """Whether a value of a known form is no filler: for forms that leave little to judge."""
    has_digits = any(byte in b"0123456789" for byte in value)
    return has_digits and not is_placeholder(value)


def is_wordy(value: bytes) -> bool:
    """Whether this is a usual example of a secret, or words that say that one stands here."""
    lower = value.lower()
    return lower in _USUAL or _WORDS.search(lower) is not None


def is_placeholder(value: bytes) -> bool:
    """Whether this stands where a secret would: a filler, a usual example, or words that say so."""
    lower = value.lower()
    sequence = lower.startswith((b"123456", b"abcdef", b"012345")) and is_uniform(lower[: len(lower) // 2])
    return is_uniform(lower) or sequence or is_wordy(value)


def is_random(value: bytes) -> bool:
    """Whether a value looks drawn by a machine: a UUID, long hex, or a part that mixes letters and digits at random.

    Names, paths, versions and dates do not: their parts are words or numbers.
    """
    if is_placeholder(value):
        return False
    if _UUID.fullmatch(value):
        return True
    if _is_mixture(value):
        return True
    parts = [part for part in _PART.findall(value) if len(part) >= _SHORTEST and _is_mixed(part)]
    return sum(map(len, parts)) * 2 >= len(value) and entropy(value) >= _RANDOM


def _is_mixture(value: bytes) -> bool:
    """Small and capital letters, digits and signs that no name has, all in one short value."""
    kinds = (b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789", b"!@#$%^&*~|")
    is_full = all(any(byte in kind for byte in value) for kind in kinds)
    return is_full and len(value) <= 40 and entropy(value) >= _RANDOM


def _is_mixed(part: bytes) -> bool:
    """Digits among the letters, not only before or after them: ``opus20240229`` is a word with a number."""
    inner = part.strip(b"0123456789")
    has_digits = any(byte in b"0123456789" for byte in inner)
    changes = sum((before in b"0123456789") != (after in b"0123456789") for before, after in pairwise(part))
    is_cased = not (part.islower() or part.isupper())
    return (has_digits and changes >= 3) or (is_cased and changes >= 1 and len(part) >= 16)


def is_cased(value: bytes) -> bool:
    """Whether capitals stand among small letters, not only before them."""
    return _CAPITAL_INSIDE.search(value) is not None


def is_password(value: bytes) -> bool:
    """Whether a person could have chosen this as a password: letters with digits or signs, and no example."""
    letters = any(byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" for byte in value)
    digits = any(byte in b"0123456789" for byte in value)
    return len(value) >= _SHORTEST and letters and digits and not is_placeholder(value)
