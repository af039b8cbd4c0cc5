"""JSON Web Tokens (RFC 7519): three parts in base64url, of which the first is a JSON object that names an algorithm."""

import binascii
import json

from gptgate.detectors.pattern import EDGE, Detector, Pattern

_PART = "[A-Za-z0-9_-]"


def is_token(match: bytes) -> bool:
    """Whether the header is a JSON object with ``alg`` or ``enc``, or, where that is damaged, what is signed is a JSON
    object; and the rest is no filler."""
    head, _, rest = match.partition(b".")
    if len(set(rest)) <= 8:
        return False
    header = _read(head)
    if isinstance(header, dict):
        return "alg" in header or "enc" in header
    payload, _, signature = rest.partition(b".")
    return bool(signature) and isinstance(_read(payload), dict)


def _read(part: bytes) -> object:
    """What JSON stands in a part; None for none."""
    try:
        return json.loads(binascii.a2b_base64(part.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None


DETECTOR = Detector(
    name="web_token",
    version=2,
    kinds={"secret.jwt": "A JSON Web Token, signed, encrypted or unsigned."},
    patterns=(
        Pattern(
            kind="secret.jwt",
            left=EDGE,
            body=rf"ey[IJ]{_PART}{{8}}{_PART}*\.(?:ey[IJ]{_PART}{{6}}{_PART}*\.(?:{_PART}{{16}}{_PART}*)?"
            rf"|{_PART}*\.{_PART}+\.{_PART}+\.{_PART}+)",
            right="[^A-Za-z0-9_-]",
            points=80,
            trigger=rf"ey[IJ]{_PART}{{8}}",
            most=8 * 1024,
            accept=is_token,
        ),
    ),
)
