"""Text that nobody sees: carried by tag characters, variation selectors or zero-width characters.

A reading drops these characters, so this looks at the text as it was sent, and the way back is in its characters. That
may put words together which only such a character parted: `parted` reads it as a blank.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gptgate.detectors.encodings import readable
from gptgate.detectors.view import Back

_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_FLAG = "\U0001f3f4"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_PARTING = re.compile("(?<=[A-Za-z])[\u200b\u200c\u200d\u2060\ufeff]{1,8}(?=[A-Za-z])")
_PARTED = 2
"""Fewer are where a long word may be divided."""
_BITS = re.compile("[\u200b\u200c\u200d\u2060-\u2064\ufeff]{32,}")


class Hidden(NamedTuple):
    """Invisible text: which way it was carried, what it says, and where."""

    name: str
    data: bytes
    back: Back


KINDS = {
    "obfuscation.tags": "Text in tag characters, which nobody sees and models read.",
    "obfuscation.selectors": "Text in variation selectors, which nobody sees.",
    "obfuscation.zero_width": "Text in zero-width characters, which nobody sees.",
}
VERSION = 2
"""To be raised when what is seen here changes."""
BLANKS = "blanks"
BLANKS_KIND = {f"obfuscation.{BLANKS}": "Something was found in words that only zero-width characters part."}
BLANKS_POINTS = 15
POINTS = 40
"""There is no honest reason for it, whatever it says."""


def hidden_texts(text: str) -> Iterator[Hidden]:
    """The invisible texts in a text that is not ASCII."""
    for name, runs, read in _WAYS:
        for run in runs.finditer(text):
            start, end = run.span()
            if text[start - 1 : start] == _FLAG:
                continue  # flags of countries such as Scotland are made like this
            data = read(run[0])
            if data:
                yield Hidden(name, data, _spread(start, end, len(data)))


def parted(text: str) -> str:
    """The text with blanks in the place of zero-width characters between letters; empty where there are hardly any."""
    if len(_PARTING.findall(text)) < _PARTED:
        return ""
    return _PARTING.sub(lambda run: " " * len(run[0]), text)


def _spread(start: int, end: int, size: int) -> Back:
    if size == end - start:
        return lambda first, last: (start + first, start + last)
    return lambda _first, _last: (start, end)


def _tags(run: str) -> bytes:
    return bytes(ord(char) - 0xE0000 for char in run)


def _selectors(run: str) -> bytes | None:
    codes = (ord(char) for char in run)
    return readable(bytes(code - 0xFE00 if code < 0xE0100 else code - 0xE0100 + 16 for code in codes))


def _zero_width(run: str) -> bytes | None:
    """Eight of two characters are a byte; which of them is the one and which the zero is tried."""
    symbols = sorted(set(run), key=run.count, reverse=True)[:2]
    bits = [symbols.index(char) for char in run if char in symbols]
    if len(symbols) < 2:
        return None
    for flip in (0, 1):
        number = int("".join(str(bit ^ flip) for bit in bits[: len(bits) // 8 * 8]), 2)
        data = readable(number.to_bytes(len(bits) // 8, "big"))
        if data:
            return data
    return None


_WAYS: tuple[tuple[str, "re.Pattern[str]", Callable[[str], bytes | None]], ...] = (
    ("tags", _TAGS, _tags),
    ("selectors", _SELECTORS, _selectors),
    ("zero_width", _BITS, _zero_width),
)
