"""How text is read before it is matched, and the way back to the characters it came from.

Each character is read by itself (NFKC of the single code point), so that a text reads the same however it is cut:
default-ignorable characters and overlays are dropped, digits of every script and in circles become ASCII's, spaces
become a space, line separators a line feed, dashes a hyphen, curly quotes straight ones. In JSON text, string escapes
(RFC 8259 section 7) are first read as the characters that they stand for. The result is UTF-8.

Past `IGNORED_RUN` dropped characters in a row each further one reads as NUL, which no pattern contains: an endless run
of invisible characters must not hold a stream back for ever.
"""

import re
import unicodedata
from bisect import bisect_right

IGNORED_RUN = 1024

_IGNORED_RANGES = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u0334-\u0338\u20d0-\u20f0"
)
"""Default_Ignorable_Code_Point of Unicode, the interlinear annotation marks, and the marks that strike a character
through or stand around it, such as the frame of a key."""

_IGNORED = re.compile(f"[{_IGNORED_RANGES}]")
_FLOOD = re.compile(f"[{_IGNORED_RANGES}]{{{IGNORED_RUN + 1}}}")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_ALIKE = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u2212": "-", "\u2800": " "}
_ALIKE |= {chr(first + at): chr(0x41 + at) for first in (0x1F150, 0x1F170) for at in range(26)}
"""Besides marks and blanks: white letters on circles and squares, which have no decomposition."""
_MEMO = 16384

_HEX = "[0-9a-fA-F]"
_PAIR = rf"u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
_CUT_PAIR = rf"u[dD][89abAB]{_HEX}{{2}}(?:\\(?:u(?:[dD](?:[c-fC-F]{_HEX}?)?)?)?)?"
_ESCAPE = re.compile(rf'\\(?:["\\/bfnrt]|{_PAIR}|u{_HEX}{{4}})')
_SIMPLE = {'\\"': '"', "\\\\": "\\", "\\/": "/", "\\b": "\b", "\\f": "\f", "\\n": "\n", "\\r": "\r", "\\t": "\t"}
_UNIT = re.compile(r"[^\x00-\x7f]")
_JSON_UNIT = re.compile(rf"{_ESCAPE.pattern}|[^\x00-\x7f]")
_GROWING_JSON_UNIT = re.compile(rf"(?P<cut>\\(?:u{_HEX}{{0,3}}|{_CUT_PAIR})?\Z)|{_JSON_UNIT.pattern}")


def _read_char(char: str) -> str:
    if _IGNORED.match(char):
        return ""
    if unicodedata.category(char) == "No" and (digit := unicodedata.digit(char, None)) is not None:
        return str(digit)
    if char in _ALIKE:
        return _ALIKE[char]
    read = []
    for part in unicodedata.normalize("NFKC", char):
        category = unicodedata.category(part)
        if _IGNORED.match(part):
            continue
        if category == "Zs":
            read.append(" ")
        elif category == "Nd":
            read.append(str(unicodedata.decimal(part)))
        elif category in ("Zl", "Zp") or part == "\x85":
            read.append("\n")
        else:
            read.append("-" if category == "Pd" else _ALIKE.get(part, part))
    return "".join(read)


class _Readings(dict[int, str]):
    """Code point → reading, remembered for a bounded number of code points."""

    def __missing__(self, code: int) -> str:
        read = _read_char(chr(code))
        if len(self) < _MEMO:
            self[code] = read
        return read


_READINGS = _Readings()


def _escaped(token: str) -> str:
    if len(token) == 2:
        return _SIMPLE[token]
    if len(token) == 12:
        return chr(0x10000 + ((int(token[2:6], 16) - 0xD800) << 10) + int(token[8:], 16) - 0xDC00)
    return chr(int(token[2:], 16))


def read_text(text: str, is_json: bool) -> bytes:
    """The reading of a whole text, the fast way and without a way back. Equal to what a `Reader` gives."""
    if is_json and "\\" in text:
        text = _ESCAPE.sub(lambda token: _escaped(token[0]), text)
    if text.isascii():
        return text.encode()
    # A flood of invisible characters is a run of foreign ones: only a long run can hold one.
    if any(len(run) > IGNORED_RUN and _FLOOD.search(run) for run in _FOREIGN.findall(text)):
        return Reader(False).read_all(text)
    return _FOREIGN.sub(lambda run: run[0].translate(_READINGS), text).encode("utf-8", "surrogatepass")


class Reader:
    """Reads one growing text and knows for each byte of the reading where it came from.

    Positions are absolute, from the beginning of the text, in bytes of the reading and in characters of the text.
    """

    def __init__(self, is_json: bool) -> None:
        self.taken = 0
        """Characters that have been read. An escape that is cut waits: it is not among them."""
        self._units = _GROWING_JSON_UNIT if is_json else _UNIT
        self._is_json = is_json
        self._cut = ""
        self._given = 0
        self._ignored = 0
        # Runs of the reading: where each begins, the character it came from, and how many characters each of its
        # bytes stands for together (0: one byte for each character).
        self._at = [0]
        self._from = [0]
        self._width = [0]

    def read(self, text: str) -> bytes:
        """The reading of the next piece."""
        if not self._cut and text.isascii() and not (self._is_json and "\\" in text):
            self._ignored = 0
            self._plain(len(text))
            return text.encode()
        text, self._cut = self._cut + text, ""
        return self._read(text)

    def finish(self) -> bytes:
        """The reading of a cut escape that nothing completes any more: as it stands."""
        text, self._cut = self._cut, ""
        if self._is_json:
            self._units = _JSON_UNIT
        return self._read(text)

    def read_all(self, text: str) -> bytes:
        """The reading of a whole text."""
        return self.read(text) + self.finish()

    def start(self, at: int) -> int:
        """Where the character begins that byte `at` came from; past the last byte, the end of what was read."""
        if at >= self._given:
            return self.taken
        if len(self._at) == 1 and not self._width[0]:
            return self._from[0] + at - self._at[0]
        run = bisect_right(self._at, at) - 1
        return self._from[run] if self._width[run] else self._from[run] + at - self._at[run]

    def end(self, at: int) -> int:
        """Where the character ends that the byte before `at` came from."""
        run = bisect_right(self._at, at - 1) - 1
        return self._from[run] + (self._width[run] or at - self._at[run])

    def forget(self, at: int) -> None:
        """Nobody will ask about bytes before `at` again."""
        run = bisect_right(self._at, at) - 1
        if run > 0:
            del self._at[:run], self._from[:run], self._width[:run]

    def _read(self, text: str) -> bytes:
        out: list[bytes] = []
        done = 0
        for unit in self._units.finditer(text):
            start, end = unit.span()
            if start > done:
                self._ignored = 0
                self._plain(start - done)
                out.append(text[done:start].encode())
            done = end
            if unit.lastgroup == "cut":
                self._cut = unit[0]
                break
            token = unit[0]
            out.append(self._unit(_escaped(token) if token[0] == "\\" else token, end - start))
        if done < len(text):
            self._ignored = 0
            self._plain(len(text) - done)
            out.append(text[done:].encode())
        return b"".join(out)

    def _plain(self, length: int) -> None:
        if length and (self._width[-1] or self._from[-1] + self._given - self._at[-1] != self.taken):
            self._begin(0)
        self._given += length
        self.taken += length

    def _unit(self, char: str, width: int) -> bytes:
        read = char if char.isascii() else _READINGS[ord(char)]
        if read:
            self._ignored = 0
        else:
            self._ignored += 1
            if self._ignored > IGNORED_RUN:
                read = "\0"
        data = read.encode("utf-8", "surrogatepass")
        if data:
            self._begin(width)
            self._given += len(data)
        self.taken += width
        return data

    def _begin(self, width: int) -> None:
        self._at.append(self._given)
        self._from.append(self.taken)
        self._width.append(width)
