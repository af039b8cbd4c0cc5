"""Email addresses, in the form that people and systems exchange (a subset of RFC 5321 section 4.1.2, and of RFC 6531,
which lets letters of all scripts stand in them)."""

import re
from collections.abc import Iterable

from gptgate.detectors.context import beside
from gptgate.detectors.library.credentials import SCHEMES, is_link_password, is_stand_in
from gptgate.detectors.pattern import ANY, END, ESCAPED, Detector, Pattern

_NOT_DOMAINS = frozenset(
    b"png jpg jpeg gif svg webp bmp ico css scss js mjs jsx tsx json html htm xml pdf txt yml yaml".split()
)
"""File suffixes behind ``name@2x.`` and ``package@version.``; none is a top-level domain."""
_NOBODY = frozenset(
    (b"git", b"hg", b"noreply", b"no-reply", b"no_reply", b"donotreply", b"do-not-reply", b"do_not_reply")
)
"""Nobody's mailbox: ``git@github.com:name/repository.git``, and where mail of machines comes from."""

_ESCAPE = rf"(?:{ESCAPED}|\\u[0-9A-Fa-f]{{4}})"
"""In JSON inside of a text. Its letter is none of the address: cut out with it, the text would be no JSON any more."""

_LOCAL = "[A-Za-z0-9._%+-]"
_LETTER = r"[\xc3-\xdf][\x80-\xbf]"
"""In UTF-8: of the alphabets that set spaces between words, Latin with its marks, Greek, Cyrillic, Hebrew, Arabic."""

_SIGN_OF_WORDS = r"(?:[\xe0\xe1\xe4-\xed][\x80-\xbf]|\xe3[\x81-\xbf])[\x80-\xbf]"
"""Of scripts in which words often follow each other without a space, their punctuation left out."""

_LABEL = f"(?:[A-Za-z0-9-]|{_LETTER}|{_SIGN_OF_WORDS})"
_DOMAIN = (
    rf"(?:{_LABEL}{{1,63}}\.){{1,5}}"
    rf"(?:xn--[A-Za-z0-9-]{{2,59}}|[A-Za-z]{{2,24}}|(?:{_LETTER}){{2,16}}|(?:{_SIGN_OF_WORDS}){{2,16}})"
)

_IN_LINKS = ":=!$*~@^"
"""Signs of passwords in ``https://name:password@host``: what such a sign and a scheme stand before is a host."""
_BEFORE = rf"[A-Za-z0-9._%+{_IN_LINKS}-]"
_SIGN = f"{_BEFORE}{{0,64}}[{_IN_LINKS}]"
_ALNUM = "abcdefghijklmnopqrstuvwxyz0123456789"


def _leaving(words: Iterable[str]) -> str:
    """A pattern for what has one letter or digit more than these words and their beginnings, or another."""
    tails: dict[str, list[str]] = {}
    for word in sorted(words):
        if word:
            tails.setdefault(word[0], []).append(word[1:])
    others = "".join(char for char in _ALNUM if char not in tails).replace("0123456789", "0-9")
    return f"(?:[{others}]{''.join(f'|{char}{_leaving(rest)}' for char, rest in tails.items())})"


def _any_but(words: frozenset[str]) -> str:
    """A pattern for all short runs of letters and digits that are none of these words."""
    short = sorted({word[:size] for word in words for size in range(1, len(word))} - words)
    return f"(?:{_leaving(words)}[a-z0-9]{{0,40}}|{'|'.join(short)})"


_FRONTS = (
    (rf"(?:{_ESCAPE}|[^A-Za-z0-9._%+{_IN_LINKS}\x80-\xbf-])", ""),
    (ANY, r"(?:\xc2|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf][\x80-\xbf])[\x80-\xbf]"),
    (rf"(?:{_ESCAPE}|[^A-Za-z0-9._%+{_IN_LINKS}/-])", f"/?{_SIGN}"),
    (rf"(?:{_ESCAPE}|[^A-Za-z0-9._%+{_IN_LINKS}-])", f"{_BEFORE}{{1,64}}/{_SIGN}"),
    (ANY, f"[{_IN_LINKS}]{{64}}"),
    (r"[\x00-9;-\xff]", f"//{_SIGN}"),
    ("[^A-Za-z0-9]", f"://{_SIGN}"),
    (rf"(?:{_ESCAPE}|[^A-Za-z0-9+])", f"{_any_but(SCHEMES)}(?:\\+[a-z0-9_]{{1,16}})?://{_SIGN}"),
)
"""What stands before an address: a sign of ASCII, another sign or a letter that no address holds, one of those
signs, and one of them in a path, behind a line of them, behind two slashes that no scheme stands before, and
behind a scheme that says nothing of a password. Left edge and prefix."""

_AT = r"(?:[ ]?[\[({<]at[\])}>][ ]?| at )"
_DOT = r"(?:[ ]?[\[({<]dot[\])}>][ ]?| dot |\.)"
_GAP = r"[ \t:=\"'`(<*_-]{1,8}(?:(?:address|is|at|me)[ \t:=\"'`(<*_-]{1,8}){0,2}"
"""Short, for a stream waits for what it may become: ``email address is``."""

_WORD = "[A-Za-z0-9_+-]{1,32}"
_BY_WORDS = f"{_WORD}(?:{_DOT}{_WORD}){{0,3}}{_AT}(?:{_WORD}{_DOT}){{1,4}}[A-Za-z]{{2,24}}"
_ONLY_AT = re.compile(rb" at [A-Za-z0-9_+.-]+")


def is_written_around(match: bytes) -> bool:
    """Whether more than ``at`` alone says that an address is meant: ``see us at example.com`` is none."""
    at = _ONLY_AT.search(match.lower())
    return at is None or at.end() < len(match)


def is_address(match: bytes) -> bool:
    """Whether the last label can be a top-level domain and the part before ``@`` says anything of anybody."""
    local = match.partition(b"@")[0]
    return (
        local.lower() not in _NOBODY
        and match.rpartition(b".")[2].lower() not in _NOT_DOMAINS
        and any(char not in b"._%+-" for char in local)
    )


def is_address_in_link(match: bytes) -> bool:
    """Whether what stands before ``@`` in a link is no password, nor a word for one."""
    local = match.partition(b"@")[0]
    return is_address(match) and not is_link_password(local) and not is_stand_in(local)


DETECTOR = Detector(
    name="email",
    version=7,
    kinds={"pii.email": "An email address."},
    patterns=(
        *(
            Pattern(
                kind="pii.email",
                left=left,
                prefix=prefix,
                body=f"(?:{_LOCAL}|{_LETTER}){{1,64}}@{_DOMAIN}",
                right=END,
                points=20,
                trigger=r"[A-Za-z0-9._%+\x80-\xbf-]@[A-Za-z0-9\xc3-\xed-]",
                ignore_case=True,
                accept=is_address,
            )
            for left, prefix in _FRONTS
        ),
        Pattern(
            kind="pii.email",
            prefix=f"://{_SIGN}",
            body=f"(?:{_LOCAL}|{_LETTER}){{1,64}}@{_DOMAIN}",
            left=ANY,
            right=END,
            points=20,
            trigger=r"[A-Za-z0-9._%+\x80-\xbf-]@[A-Za-z0-9\xc3-\xed-]",
            accept=is_address_in_link,
        ),
        Pattern(
            kind="pii.email",
            left=f"(?:{_ESCAPE}|[^A-Za-z0-9._%+-])",
            body=rf"{_LOCAL}{{1,64}}[\[(]at[\])](?:[A-Za-z0-9-]{{1,63}}(?:[.]|[\[(]dot[\])])){{1,5}}[A-Za-z]{{2,24}}",
            right=END,
            points=20,
            trigger=r"[A-Za-z0-9._%+-][\[(]at[\])][A-Za-z0-9-]",
            accept=is_address,
        ),
        # A whole sentence may stand before these, so they begin behind a sign, and a stream waits for few of them.
        Pattern(
            kind="pii.email",
            left=rf"(?:{_ESCAPE}|[^A-Za-z0-9._%+\x80-\xf4-])",
            body=f"(?:{_SIGN_OF_WORDS}){{1,16}}@{_DOMAIN}",
            right=END,
            points=20,
            trigger=r"[\x80-\xbf]@[A-Za-z0-9\xc3-\xed-]",
            accept=is_address,
        ),
        beside("pii.email", "e-?mail", _BY_WORDS, 20, is_written_around, _GAP),
    ),
)
