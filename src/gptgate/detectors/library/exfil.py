"""Addresses in answers that carry data away: whoever serves the address gets what stands in it.

An image is fetched as soon as an answer is shown, a link when somebody clicks. What is recognised is text that was
packed into the address: base64 or hex that decodes to text, and sentences in a query. Identifiers, hashes, signatures
and search words are neither.
"""

import binascii
import re
from urllib.parse import unquote_to_bytes

from gptgate.core.finding import Origin
from gptgate.detectors.encodings import readable, unpacked
from gptgate.detectors.pattern import ANY, Detector, Pattern

_LONGEST = 2048
_ADDRESS = "[A-Za-z0-9._~:/?#@!$&*+,;=%|^-]+"
_ALT = r"[A-Za-z0-9 .,:;!?'\"*_/()&+=@#$%\x80-\xf4-]*"
_ATTRIBUTES = r"[A-Za-z0-9 \t\r\n=\"'.,:;#%/_-]*"
_MARKDOWN = rf"!\[{_ALT}\]\(<?"
_HTML = rf"<(?:img|IMG)[ \t\r\n]{_ATTRIBUTES}(?:src|SRC)[ ]?=[ ]?[\"']?"

_RUN = re.compile(rb"[A-Za-z0-9+_-]{20,}")
_HEX_RUN = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,}")
_OPAQUE = re.compile(rb"[A-Za-z0-9+/_=-]{160,}")
_VALUE = re.compile(rb"[?&#=;]([^?&#=;]+)")
_SENTENCE_IN_IMAGE = 6
_SENTENCE = 12
_OFFSETS = range(4)


def is_packed(address: bytes) -> bool:
    """Whether a part of the address is the base64 or hex of a text."""
    plain = unquote_to_bytes(address)
    # Base64 of a text has letters of both cases; a run may begin before the encoding does.
    runs = (run[0] for run in _RUN.finditer(plain) if not (run[0].islower() or run[0].isupper()))
    if any(unpacked(run[offset:]) for run in runs for offset in _OFFSETS):
        return True
    return any(readable(binascii.unhexlify(run[0])) for run in _HEX_RUN.finditer(plain))


def _words(address: bytes) -> int:
    """The most words that one value of the query has."""
    values = (unquote_to_bytes(value.replace(b"+", b" ")) for value in _VALUE.findall(address))
    return max((len(value.split()) for value in values), default=0)


def is_telling_image(address: bytes) -> bool:
    """Whether the address of an image holds a text."""
    return is_packed(address) or _words(address) >= _SENTENCE_IN_IMAGE


def is_bulky(address: bytes) -> bool:
    """Whether an address holds a whole sentence, or much that cannot be read, such as a signed token."""
    return not is_packed(address) and (_words(address) >= _SENTENCE or _OPAQUE.search(address) is not None)


DETECTOR = Detector(
    name="exfil",
    version=1,
    kinds={
        "exfil.image": "An image whose address holds a text: it is sent away as soon as the image is shown.",
        "exfil.link": "An address that holds a text, encoded or as a sentence, or much that cannot be read.",
    },
    patterns=(
        *(
            Pattern(
                "exfil.image",
                f"(?:https?:)?//{_ADDRESS}",
                70,
                left=ANY,
                right=ANY,
                prefix=prefix,
                trigger=trigger,
                most=_LONGEST,
                accept=is_telling_image,
            )
            for prefix, trigger in ((_MARKDOWN, r"\]\(<?(?:https?:)?//"), (_HTML, "<(?:img|IMG)"))
        ),
        Pattern(
            "exfil.link", f"https?://{_ADDRESS}", 60, right=ANY, trigger="https?://", most=_LONGEST, accept=is_packed
        ),
        Pattern(
            "exfil.link", f"https?://{_ADDRESS}", 30, right=ANY, trigger="https?://", most=_LONGEST, accept=is_bulky
        ),
    ),
    origins=frozenset({Origin.ASSISTANT, Origin.TOOL_CALL}),
)
