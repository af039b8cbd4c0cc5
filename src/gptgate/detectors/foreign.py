"""Words in letters that are none of ASCII's, as patterns over bytes: their spellings, and where they begin and end.

Engines that read bytes know the capitals of ASCII only. Here every other letter names its capitals itself, and its
spelling with the mark apart, so that both engines look for the same bytes.
"""

import unicodedata
from typing import NamedTuple

from gptgate.detectors.pattern import ANY, ESCAPED
from gptgate.detectors.reading import read_text

NO_LETTER = r"[^A-Za-z0-9\x80-\xfe]"
"""A sign of ASCII, or where a text begins or ends."""
NO_LETTER_AFTER = r"[^A-Za-z0-9\x80-\xbf\xc3-\xd4\xe1]"
"""The first byte of what is no letter or mark of Latin, Greek or Cyrillic (U+00C0 to U+053F, U+1000 to U+1FFF)."""
FOREIGN_SIGN = r"[\xc2\xd5-\xdf][\x80-\xbf]|[\xe0\xe2-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
"""The same as a whole character that is none of ASCII's."""


class Edges(NamedTuple):
    """What must stand before a word, in the last byte and before that within the match, and behind it."""

    left: str
    prefix: str
    right: str


def edges(word: str) -> tuple[Edges, ...]:
    """What may stand around a word: no letter, where its own letter there is of an alphabet that parts its words.
    Anything where it is not: Chinese, Japanese and Thai know no such edges, and Korean, Arabic and Hebrew write small
    words without one."""
    right = NO_LETTER_AFTER if _parts_words(word[-1:]) else ANY
    if not _parts_words(word[:1]):
        return (Edges(ANY, "", right),)
    # A left edge is one byte, so a character of several is a prefix, and behind whatever edge.
    return Edges(f"(?:{ESCAPED}|{NO_LETTER})", "", right), Edges(ANY, FOREIGN_SIGN, right)


def _parts_words(char: str) -> bool:
    return char < "\u0540" or "\u1e00" <= char < "\u2000"


def spelt(char: str, *, ignore_case: bool) -> str:
    """Every spelling of a character, as a pattern over bytes; of one of ASCII itself, whose capitals engines know."""
    if char.isascii():
        return "".join(map(_literal, char.encode()))
    same = {char}
    if ignore_case:
        same |= {char.lower(), char.upper(), char.title()}
        same |= {"ς", "σ", "Σ"} if char in "ςσΣ" else set()
    same |= {unicodedata.normalize("NFD", one) for one in same}
    spellings = {"".join(map(_literal, read_text(one, is_json=False))) for one in same}
    return f"(?:{'|'.join(sorted(spellings, key=lambda one: (-len(one), one)))})"


def _literal(byte: int) -> str:
    if byte >= 0x80:
        return f"\\x{byte:02x}"
    return chr(byte) if chr(byte).isalnum() else f"\\{chr(byte)}"
