"""Phrases of people's languages, written as people write them, and their translation into patterns over bytes.

A phrase is a pattern in which ``(`` opens a plain group, ``<word>`` stands for an entry of a word list, a space for
whatever may stand between two words (white space, emphasis, quotes, commas, line prefixes), and ``~`` for a few words
that do not matter. Letters stand for themselves in either case, and with or without their diacritics. ``<word!>`` is
a word that is seldom in other texts, which makes it a trigger.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from gptgate.detectors.grammar import Alt, classes, longest, loosened, parse, required
from gptgate.detectors.pattern import EDGE, END, Pattern
from gptgate.detectors.reading import read_text

_GAP_CHAR = r"[ \t\r\n\f\v*_\"'`,>~-]"
GAP = f"{_GAP_CHAR}+"
_MOST = 256
_TELLING = 4
_ANYTHING = r"[A-Za-z0-9 ,:\"'\n\x80-\xf4-]*"

_MARKS = {"(": "(?:", " ": f"(?:{GAP})", "~": _ANYTHING}

_BASES = {"ß": "ss", "ł": "l", "đ": "d", "ı": "i", "ø": "o", "æ": "ae"}
"""What is written for letters that have no decomposition, where a keyboard has no such letter."""
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue"}
_ALIKE = {letter: group for group in ("اأإآ", "ىي", "ةه", "её") for letter in group}
"""Letters that are written for each other."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase and its points. `left` and `right` are its edges."""

    points: int
    text: str
    words: Mapping[str, str] = field(default_factory=dict)
    left: str = EDGE
    right: str = END


def phrases(points: int, words: Mapping[str, str], *texts: str, left: str = EDGE, right: str = END) -> list[Phrase]:
    """Phrases that share their points, words and edges."""
    return [Phrase(points, text, words, left, right) for text in texts]


def patterns(kind: str, found: Iterable[Phrase]) -> tuple[Pattern, ...]:
    """One pattern for all phrases of a language that share points and edges: fewer automata, and seldom two findings
    where one says it.

    Where each phrase of a pattern marks a seldom word, these are the pattern's trigger: cheap to compile.
    """
    groups: dict[tuple[int, str, str, bool, int], list[Phrase]] = {}
    for one in found:
        groups.setdefault((one.points, one.left, one.right, "!>" in one.text, id(one.words)), []).append(one)
    made = []
    for (points, left, right, *_), together in groups.items():
        body = _any_of(translated(one.text, one.words) for one in together)
        trigger = _any_of(_trigger(one) for one in together)
        most = 0 if longest(parse(body)) else _MOST
        made.append(
            Pattern(
                kind,
                body,
                points,
                left=left,
                right=right,
                ignore_case=True,
                trigger=trigger,
                most=most,
                is_sketched=bool(trigger),
            )
        )
    return tuple(made)


def _any_of(texts: Iterable[str]) -> str:
    options = list(dict.fromkeys(text for text in texts if text))
    return f"(?:{'|'.join(options)})" if options else ""


def _trigger(phrase: Phrase) -> str:
    """The literals of which the phrase's seldom word holds one, or that word itself where they say too little."""
    seldom = re.search("<([a-z_]+)!>", phrase.text)
    if not seldom:
        return ""
    if not _is_on_every_way(phrase.text, seldom.start(), seldom.end()):
        raise ValueError(f"a phrase can do without its seldom word: {phrase.text!r}")
    word = parse(translated(f"<{seldom[1]}>", phrase.words))
    literals, others = set[str](), []
    for option in word.options if isinstance(word, Alt) else (word,):
        known = required(option)
        # One word of several says little by itself: ``follow``, for ``do not follow``.
        if known and min(map(len, known)) >= _TELLING and _GAP_CHAR not in classes(option):
            literals |= known
        else:
            others.append(loosened(option))
    # A literal that holds another one says nothing more than that.
    least = sorted(one for one in literals if not any(other in one for other in literals - {one}))
    return "|".join([*map(_quoted, least), *others])


def _is_on_every_way(text: str, start: int, end: int) -> bool:
    """Whether a part of a phrase is in all that it says: in no alternative, and in nothing that may be left out."""
    while True:
        before, after = _rest(text[:start][::-1], "()"), _rest(text[end:], ")(")
        if "|" in before[1] + after[1] or text[end:].startswith(("?", "*", "{0")):
            return False
        if after[0] == len(text) - end:
            return True
        start, end = start - before[0] - 1, end + after[0] + 1


def _rest(text: str, brackets: str) -> tuple[int, str]:
    """How far it is to the end of the group that this is in, and what of it stands in no group within."""
    depth, own = 0, ""
    for at, char in enumerate(text):
        if char == brackets[0] and not depth:
            return at, own
        depth += (char == brackets[1]) - (char == brackets[0])
        own += char if not depth else ""
    return len(text), own


def _quoted(text: str) -> str:
    return "".join(map(_literal, text.encode("latin-1")))


def translated(text: str, words: Mapping[str, str]) -> str:
    """The pattern over bytes of a phrase. Raises KeyError for a word that is not in the list."""
    while "<" in text:
        text = re.sub("<([a-z_]+)!?>", lambda word: f"({words[word[1]]})", text)
    return _spelt(text)


def _literal(byte: int) -> str:
    if byte >= 0x80:
        return f"\\x{byte:02x}"
    return chr(byte) if chr(byte).isalnum() else f"\\{chr(byte)}"


def _spelt(text: str) -> str:
    out = []
    before = " "
    for part in re.findall(r"\[[^]]*\]|.", text, re.DOTALL):
        if part[0] == "[" or (part.isascii() and part not in "( ~"):
            out.append(part)
        elif part in _MARKS:
            out.append(_MARKS[part])
        else:
            out.append(_letter(part, first=not before[-1].isalpha()))
        before = part
    return "".join(out)


@cache
def _letter(char: str, *, first: bool) -> str:
    """All spellings of a letter. Cased alphabets are taken in lower case, with a capital at a word's beginning."""
    is_latin = unicodedata.name(char, "").startswith("LATIN")
    spellings = set(_ALIKE.get(char.lower(), char.lower()) if not char.isupper() else char)
    if is_latin:
        base = _BASES.get(char.lower()) or unicodedata.normalize("NFD", char.lower())[0]
        spellings |= {char.lower(), char.upper(), base, _UMLAUTS.get(char.lower(), base)}
    elif first:
        spellings |= {one.upper() for one in spellings}
    options = sorted("".join(_literal(byte) for byte in read_text(one, is_json=False)) for one in spellings)
    return options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"
