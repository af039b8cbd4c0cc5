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
from gptgate.detectors.pattern import ANY, EDGE, Detector, Pattern

_LONGEST = 2048
_ADDRESS = "[A-Za-z0-9._~:/?#@!$&*+,;=%|^-]+"
_CHARS = r"[A-Za-z0-9 .,:;!?'\"*_/()&+=@#$%\x80-\xf4-]*"
_ALT = rf"{_CHARS}(?:\[{_CHARS}\]{_CHARS})*"
_ATTRIBUTES = r"[A-Za-z0-9 \t\r\n=\"'.,:;#%/_-]*"
_BLANK = r"[ \t\r\n]*"


def _any_case(*words: str) -> str:
    """These words in any mixture of cases. (Patterns that ignore case keep streams from their shortest way.)"""
    return "(?:" + "|".join("".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word) for word in words) + ")"


_HTTP = _any_case("https", "http")
_ANY_SCHEME = rf"(?:{_HTTP}:)?[/\\]{{2,4}}|{_HTTP}:[/\\]"
"""Browsers take one slash for two, and a backslash for either."""
_LINK_SCHEME = rf"{_HTTP}:[/\\]{{1,4}}"
_MARKDOWN = rf"!\[{_ALT}\]\({_BLANK}<?"
_REFERENCE = rf"\[{_CHARS}\]:{_BLANK}<?"
_TAGS = _any_case("img", "image", "iframe", "video", "audio", "source", "embed", "object", "script", "input", "track")
_FETCHED = _any_case("src", "srcset", "href", "poster", "data", "background")
_SRCSET = r"(?:[A-Za-z0-9_./:-]+ [0-9.]+[wx],[ ]?)*"
_HTML = rf"<{_TAGS}[ \t\r\n/]{_ATTRIBUTES}{_FETCHED}{_BLANK}={_BLANK}[\"']?{_SRCSET}"
_STYLE = rf"{_any_case('url')}\({_BLANK}[\"']?"

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
    version=2,
    kinds={
        "exfil.image": "An image whose address holds a text: it is sent away as soon as the image is shown.",
        "exfil.link": "An address that holds a text, encoded or as a sentence, or much that cannot be read.",
    },
    patterns=(
        *(
            Pattern(
                "exfil.image",
                f"(?:{_ANY_SCHEME}){_ADDRESS}",
                70,
                left=left,
                right=ANY,
                prefix=prefix,
                trigger=trigger,
                most=_LONGEST,
                accept=accept,
            )
            for left, prefix, trigger, accept in (
                (ANY, _MARKDOWN, rf"\]\({_BLANK}<?(?:{_ANY_SCHEME})", is_telling_image),
                # An image's, as likely as a link's: neither says so where the address stands.
                (ANY, _REFERENCE, rf"\]:{_BLANK}<?(?:{_ANY_SCHEME})", is_packed),
                (ANY, _HTML, f"<{_TAGS}", is_telling_image),
                (EDGE, _STYLE, rf"{_STYLE}(?:{_ANY_SCHEME})", is_telling_image),
            )
        ),
        Pattern(
            "exfil.link",
            rf"[/\\]{{2,4}}{_ADDRESS}",
            60,
            left=ANY,
            right=ANY,
            prefix=rf"\]\({_BLANK}<?",
            trigger=rf"\]\({_BLANK}<?[/\\]{{2}}",
            most=_LONGEST,
            accept=is_packed,
        ),
        *(
            Pattern(
                "exfil.link",
                f"{_LINK_SCHEME}{_ADDRESS}",
                points,
                right=ANY,
                trigger=_LINK_SCHEME,
                most=_LONGEST,
                accept=accept,
            )
            for points, accept in ((60, is_packed), (30, is_bulky))
        ),
    ),
    origins=frozenset({Origin.ASSISTANT, Origin.TOOL_CALL}),
)
