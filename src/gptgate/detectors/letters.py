"""Views of disguised letters: look-alikes of other scripts, spaced letters, leetspeak, reversed text, rot13.

They give words back to phrases. Digits in disguise are mostly just digits, so kinds that are recognised by form alone
are not believed here, unless a checksum or a prefix of their own says that they are no accident.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

import re2

from gptgate.detectors.engine import compile_bytes
from gptgate.detectors.view import Derived, View, rewritten, same_places

_WORDS = """
the and you your that this with from all any are not for have will what ignore forget disregard previous prior above
instructions instruction system prompt reveal show print tell secret rules password key user assistant everything
respond answer without following follow
""".split()
"""Common words of English and of what attackers write: in plain text their disguises do not occur."""

_ROT13 = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
)
_LEET = bytes.maketrans(b"013457@$!|+", b"oieastasiit")
_L = re.compile(rb"1(?:(?<![A-Za-z0-9]1)(?=[3e4a])|(?=1)|(?<=11)|(?<=[A-Za-z0-9@$]1)(?![A-Za-z0-9@$!]))")
"""A one that is rather an L: doubled, at the end of a word, or before E or A at the beginning. A search for what begins
with a one is a fast one."""

_LEET_WORD = re.compile(rb"[A-Za-z][013457@$!|+]+[A-Za-z]|(?<![A-Za-z0-9])[13457@$!|+]+[A-Za-z]{2}")
_LEET_WORDS = 3
_LEET_SPARSE = 32
"""With fewer than one word in so many bytes, it is a text with some odd words and reads much the same without them."""
_SPACES = 12
"""Single letters are common in lists and formulas."""

_ALIKE = {
    "a": "аɑαạⱥᴀ",
    "b": "ЬƄᖯʙ",
    "c": "сϲⅽᴄ",
    "d": "ԁɗⅾᴅ",
    "e": "еєҽεᴇ",
    "f": "ƒſꜰ",
    "g": "ցɡԌɢ",
    "h": "һհʜ",
    "i": "іɩιıɪӏ",
    "j": "јϳᴊ",
    "k": "кκᴋ",
    "l": "ⅼʟǀ",
    "m": "мⅿᴍ",
    "n": "пոηɴ",
    "o": "оοօσᴏ",
    "p": "рρᴘ",
    "q": "ԛզ",
    "r": "гᴦʀ",
    "s": "ѕꜱ",
    "t": "тτᴛ",
    "u": "υսцᴜ",
    "v": "νѵⅴᴠ",
    "w": "ѡԝωᴡ",
    "x": "хχⅹ",
    "y": "уүγʏ",
    "z": "ᴢʐ",
    "A": "АΑᎪ",
    "B": "ВΒᏴ",
    "C": "СϹᏟ",
    "D": "Ꭰ",
    "E": "ЕΕᎬ",
    "F": "Ϝ",
    "H": "НΗᎻ",
    "I": "ІΙӀ",
    "J": "ЈᎫ",
    "K": "КΚ",
    "L": "Ꮮ",
    "M": "МΜᎷ",
    "N": "Ν",
    "O": "ОΟՕ",
    "P": "РΡᏢ",
    "S": "ЅՏᏚ",
    "T": "ТΤᎢ",
    "V": "ѴᏙ",
    "W": "ԜᎳ",
    "X": "ХΧ",
    "Y": "ҮΥ",
    "Z": "ΖᏃ",
}
"""Letters of other scripts that are taken for these: chosen by their looks in common typefaces."""

_LOOK = {char.encode(): letter.encode() for letter, chars in _ALIKE.items() for char in chars}
_FLAGS = {chr(0x1F1E6 + at).encode(): bytes([0x61 + at]) for at in range(26)}
"""Letters that flags of countries are made of."""
_FOREIGN = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_SPACED = re.compile(
    rb"(?<![^ \t\r\n\xff])[!-~](?:[ \t][!-~](?![!-~])){1,}+"
    rb"|(?<![^ \t\r\n\xff])[!-~](?:\r?\n[!-~](?![^\r\n\xff])){2,}+"
    rb"|(?<![A-Za-z0-9])[A-Za-z0-9](?:[.,*_|/~:-][A-Za-z0-9](?![A-Za-z0-9])){2,}+|[ \t]{2,}"
)


def _disguised(words: Iterator[str]) -> str:
    return f"(?i)(?:^|[^A-Za-z])(?:{'|'.join(sorted(words))})(?:[^A-Za-z]|$)"


@lru_cache(4096)
def _looks(char: bytes) -> bytes:
    """The ASCII letter that a character is taken for, without its marks; the character itself where there is none."""
    known = _LOOK.get(char) or _FLAGS.get(char)
    if known is not None:
        return known
    parts = unicodedata.normalize("NFKD", char.decode("utf-8", "replace"))
    if unicodedata.combining(parts[0]):
        return b""
    return parts[0].encode() if parts[0].isascii() else _LOOK.get(parts[0].encode("utf-8", "replace"), char)


@cache
def _mixed() -> "re2._Regexp":
    """A letter beside one that only looks like one. Without any, `re` takes hundreds of times as long."""
    looks = ("".join(f"\\x{byte:02x}" for byte in char) for char in sorted(_LOOK))
    like = "|".join([r"[\xcc\xcd][\x80-\xbf]", *looks])
    return compile_bytes(f"[A-Za-z](?:{like})|(?:{like})[A-Za-z]", ignore_case=False)


def _homoglyphs(data: bytes) -> Iterator[Derived]:
    text, back, _ = rewritten(data, _FOREIGN, _looks)
    yield Derived(text, back, _mixed().search(data) is not None)


def _close_up(run: bytes) -> bytes:
    """The word that letters apart make; a wider gap is one between words."""
    if run[:1] in b" \t":
        return b" "
    return run.translate(None, b" \t\r\n") if run[1:2] in b" \t\r\n" else run[::2]


def _spacing(data: bytes) -> Iterator[Derived]:
    text, back, _ = rewritten(data, _SPACED, _close_up)
    yield Derived(text, back, len(data) - len(text) >= _SPACES)


def _leet(data: bytes) -> Iterator[Derived]:
    size, words = len(data), len(_LEET_WORD.findall(data))
    if words >= _LEET_WORDS:
        yield same_places(_L.sub(b"l", data).translate(_LEET), is_strong=words * _LEET_SPARSE > size)


def _rot13(data: bytes) -> Iterator[Derived]:
    yield same_places(data.translate(_ROT13))


def _reversed(data: bytes) -> Iterator[Derived]:
    size = len(data)
    text = data[::-1] if data.isascii() else data.decode("utf-8", "replace")[::-1].encode()
    if len(text) == size:
        yield Derived(text, lambda start, end: (size - end, size - start))


HOMOGLYPHS = View(
    name="homoglyphs",
    what="Something was found in letters of other scripts that look like Latin ones, or carry marks.",
    sign=r"[A-Za-z0-9_-][\xc3-\xd6\xe1\xea]|[\xc3-\xd6\xe1\xea][\x80-\xbf]{1,2}[A-Za-z0-9_-]"
    # Small capitals and the letters of flags, which make whole words.
    r"|\xe1\xb4[\x80-\xab](?:\xe1\xb4|[\xc9\xca][\x80-\xbf]|\xea\x9c)|(?:\xf0\x9f\x87[\xa6-\xbf]){5}",
    derive=_homoglyphs,
    points=15,
    believed=("attack.", "secret."),
    is_strong=True,
    version=2,
)
SPACING = View(
    name="spacing",
    what="Something was found in letters or digits that stand apart from each other.",
    sign=r"[^A-Za-z0-9][A-Za-z0-9](?:[^A-Za-z0-9]{1,2}[A-Za-z0-9]){3}[^A-Za-z0-9]",
    derive=_spacing,
    points=15,
    believed=("attack.", "secret.", "pii.payment_card", "pii.iban"),
    is_strong=True,
    version=2,
)
LEET = View(
    name="leet",
    what="Something was found in words with digits and signs in the place of letters.",
    sign=r"[A-Za-z][013457@$!|+][A-Za-z]|[013457@$!|+][A-Za-z]{2}|[A-Za-z][013457@$!|+]{2}[A-Za-z]",
    derive=_leet,
    points=15,
    believed=("attack.",),
    for_trusted=False,
    is_strong=True,
)
REVERSED = View(
    name="reversed",
    what="Something was found in text that was written from its end to its beginning.",
    sign=_disguised(word[::-1] for word in _WORDS),
    derive=_reversed,
    points=15,
    believed=("attack.", "secret."),
    for_trusted=False,
    is_strong=True,
)
ROT13 = View(
    name="rot13",
    what="Something was found in text whose letters were moved by 13 places.",
    sign=_disguised(word.encode().translate(_ROT13).decode() for word in _WORDS),
    derive=_rot13,
    points=15,
    believed=("attack.", "secret."),
    for_trusted=False,
    is_strong=True,
)
