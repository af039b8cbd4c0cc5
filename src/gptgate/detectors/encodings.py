"""Views of encoded text: base64, hex, percent, HTML entities, quoted-printable, escapes of source code, colours."""

import binascii
import html
import re
from collections.abc import Iterator
from functools import lru_cache

from gptgate.detectors.reading import read_text
from gptgate.detectors.view import Derived, View, rewritten, whole

# Groups are repeated with a plus behind: they are not gone back into, which would take 200 bytes of memory for each of
# the repetitions of a long run, and all the time that this takes.
_BASE64 = re.compile(
    rb"[A-Za-z0-9+/_-]{16,}+(?:(?:\r?\n[ \t]*|\\r?\\?n?)[A-Za-z0-9+/_-]{16,}+)*+(?:\r?\n[A-Za-z0-9+/_-]+)?={0,2}"
)
_DIGITS = re.compile(rb"[A-Za-z0-9+/]+")
_HEX = re.compile(rb"(?:(?:0x|\\x|%)?[0-9A-Fa-f]{2}(?:, ?|[ :\n-])?){8,}+")
_HEX_DIGITS = re.compile(rb"0x|\\x|[^0-9A-Fa-f]")
_PERCENT = re.compile(rb"%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f]){1,4}")
_FORM = re.compile(rb"%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f]){1,4}|\+")
_PLUS = re.compile(rb"[A-Za-z0-9]\+[A-Za-z0-9]+\+[A-Za-z0-9]")
_ENTITY = re.compile(rb"&(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)")
_MAIL = re.compile(rb"=\r?\n|(?:=[0-9A-F]{2})++")
# Escapes that are escaped themselves: JSON in JSON has two signs for one, and so on.
_ESCAPE = re.compile(rb"\\{1,8}(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|[0-3][0-7]{2}|[nrt])")
_LINE_END = re.compile(rb"\\[nrt]")
_COLOUR = re.compile(rb"(?:\x1b|\\(?:x1[bB]|u001[bB]|033|e))\[[0-9;:?]{0,32}[A-Za-z]")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PRINTABLE = bytes([9, 10, 13, *range(32, 127)])
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])
_LONGEST_CUT = 3
"""Bytes of a character that is cut off."""
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_OFFSETS = range(4)
"""Where the run of characters begins says nothing about where the encoding does: ``id/`` belongs to both alphabets."""


def readable(data: bytes) -> bytes | None:
    """The reading of decoded bytes when they are text, None when they are not: chance gives text almost never."""
    size = len(data)
    if 3 * data.count(0) >= size > 3:
        return _wide(data)
    others = len(data.translate(None, _PRINTABLE))
    if not others:
        return data
    if 100 * others <= 12 * size:
        return read_text(data.decode("utf-8", "replace"), False)
    certain = data[:-_LONGEST_CUT]
    if size < 8 or len(certain.translate(None, _CONTROL_BYTES)) < len(certain):
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        # An encoding that is cut ends in the middle of a character.
        if error.start < size - _LONGEST_CUT:
            return None
        text = data[: error.start].decode()
    return None if _CONTROL.search(text) else read_text(text, False)


def _wide(data: bytes) -> bytes | None:
    """The reading of UTF-16 (of Windows' own shell) or UTF-32, in either order; None for what is hardly ASCII."""
    size = len(data)
    width = 4 if 8 * data.count(0) >= 5 * size else 2
    # The text begins where the first character does, and the end may be cut.
    is_little = data[:1] == b"\xff" or (data[:1] not in b"\x00\xfe")
    name = f"utf-{8 * width}-{'le' if is_little else 'be'}"
    text = data[: size - size % width].decode(name, "replace").lstrip("\ufeff")
    others = sum(not char.isascii() for char in text)
    return None if not text or 8 * others > len(text) or _CONTROL.search(text) else read_text(text, False)


def _base64(data: bytes) -> Iterator[Derived]:
    for run in _BASE64.finditer(data):
        digits = run[0]
        # The base64 of a text has letters of both cases, or it is a very short text.
        if digits.islower() or digits.isupper():
            continue
        digits = digits.translate(_URL_SAFE, b"=\r\n\t \\")
        for offset in _OFFSETS:
            text = readable(_decoded(digits[offset:]))
            if text:
                yield whole(text, run.start() + offset, run.end())
                break


def _decoded(digits: bytes) -> bytes:
    rest = len(digits) % 4
    return binascii.a2b_base64(digits[:-1] if rest == 1 else digits + b"=" * (-rest % 4))


def unpacked(data: bytes) -> bytes | None:
    """The text that these bytes are the base64 of; None when that is no text, or when they are no base64."""
    digits = data.translate(_URL_SAFE, b"=\r\n\t ")
    return readable(_decoded(digits)) if digits and _DIGITS.fullmatch(digits) else None


def _hex(data: bytes) -> Iterator[Derived]:
    for run in _HEX.finditer(data):
        digits = _HEX_DIGITS.sub(b"", run[0])
        for offset in (0, 1):
            # A digit before the run belongs to it when the run is of odd length.
            text = readable(binascii.unhexlify(digits[offset : len(digits) - (len(digits) - offset) % 2]))
            if text:
                yield whole(text, run.start(), run.start() + len(run[0].rstrip(b", :\n-")))
                break


@lru_cache(4096)
def _unpercent(unit: bytes) -> bytes:
    if unit == b"+":
        return b" "
    return read_text(binascii.unhexlify(unit.replace(b"%", b"")).decode("utf-8", "replace"), False)


def _percent(data: bytes) -> Iterator[Derived]:
    yield rewritten(data, _PERCENT, _unpercent)
    if _PLUS.search(data):
        # In the fields of forms a plus is a space; elsewhere it is a plus.
        yield rewritten(data, _FORM, _unpercent)


def _unescape(unit: bytes) -> bytes:
    return read_text(html.unescape(unit.decode()), False)


def _entities(data: bytes) -> Iterator[Derived]:
    yield rewritten(data, _ENTITY, _unescape)


def _unescape_source(unit: bytes) -> bytes:
    escape = unit.lstrip(b"\\")
    simple = _SIMPLE.get(escape)
    if simple:
        return simple
    digits, base = (escape, 8) if escape[:1].isdigit() else (escape[1:].strip(b"{}"), 16)
    code = int(digits, base)
    return read_text(chr(code), False) if code <= 0x10FFFF else unit


def _unquoted(unit: bytes) -> bytes:
    """What stands for bytes, and for the end of a line that is none."""
    if unit[-1:] == b"\n":
        return b""
    return read_text(binascii.unhexlify(unit.replace(b"=", b"")).decode("utf-8", "replace"), False)


def _mail(data: bytes) -> Iterator[Derived]:
    yield rewritten(data, _MAIL, _unquoted)


def _escapes(data: bytes) -> Iterator[Derived]:
    yield rewritten(data, _ESCAPE, _unescape_source)


def _line_ends(data: bytes) -> Iterator[Derived]:
    yield rewritten(data, _LINE_END, _unescape_source)


def _colours(data: bytes) -> Iterator[Derived]:
    """What a terminal would show; a colour may part a word or two words, and nobody can say which."""
    yield rewritten(data, _COLOUR, lambda _: b"")
    yield rewritten(data, _COLOUR, lambda _: b" ")


BASE64 = View(
    name="base64",
    what="Something was found in text that was encoded as base64.",
    sign="[A-Za-z0-9+/_-]{16}",
    derive=_base64,
    points=15,
    nests=True,
    is_strong=True,
)
HEX = View(
    name="hex",
    what="Something was found in text that was encoded as hexadecimal digits.",
    sign=r"[0-9A-Fa-f]{16}|(?:[0-9A-Fa-f]{4}[ :\n-]){4}[0-9A-Fa-f]{4}"
    r"|(?:[0-9A-Fa-f]{2}(?:, ?|[ :\n-])(?:0x|\\x)?){7}[0-9A-Fa-f]{2}|(?:\\x[0-9A-Fa-f]{2}){8}",
    derive=_hex,
    points=15,
    nests=True,
    is_strong=True,
)
PERCENT = View(
    name="percent",
    what="Something was found in text that was encoded for a URL.",
    sign=r"%[0-9A-Fa-f]{2}|[A-Za-z]\+[A-Za-z]+\+[A-Za-z]|[0-9]\+[0-9]{4,6}\+[0-9]",
    derive=_percent,
    points=5,
    nests=True,
    is_strong=True,
    version=2,
)
ENTITIES = View(
    name="entities",
    what="Something was found in text that was encoded as HTML entities.",
    sign="&(?:#[0-9]|#[xX][0-9A-Fa-f]|[A-Za-z][A-Za-z0-9]{1,31};)",
    derive=_entities,
    points=5,
    nests=True,
    is_strong=True,
    version=2,
)
MAIL = View(
    name="mail",
    what="Something was found in text that was encoded for a mail (quoted-printable).",
    sign=r"[!-<>-~]=\r?\n[!-~]|(?:=[0-9A-F]{2}){2}",
    derive=_mail,
    points=5,
    nests=True,
    is_strong=True,
)
ESCAPES = View(
    name="escapes",
    what="Something was found in text that was written in the escapes of source code.",
    sign=r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f{]|[0-3][0-7]{2})",
    derive=_escapes,
    points=5,
    nests=True,
    is_strong=True,
    version=2,
)
LINE_ENDS = View(
    name="line_ends",
    what="Something was found in text whose line ends and tabs were written as escapes.",
    sign=r"[A-Za-z,]\\[nrt][A-Za-z]",
    derive=_line_ends,
    points=5,
    believed=("attack.",),
)
COLOURS = View(
    name="colours",
    what="Something was found in text with the control sequences of a terminal in it.",
    sign=r"(?:\x1b|\\(?:x1[bB]|u001[bB]|033|e))\[",
    derive=_colours,
    points=5,
)
