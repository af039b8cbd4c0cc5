"""A look at a few characters that spares most chunks of a stream the engines.

A match of a pattern begins with one of few triples of characters (``sk-``, ``AKI``, three digits). Where a text holds
no such triple, and does not end in the beginning of one or in a left edge of two characters, no match begins in it but
one whose left edge is its last character. This is a shortcut only: whatever it cannot rule out is looked at as before.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from gptgate.detectors.grammar import Alt, Chars, Node, Repeat, Seq
from gptgate.detectors.grammar import parse as parse_pattern
from gptgate.detectors.pattern import EDGE, Pattern

DEPTH = 3
MAX_FIRST = 24
"""With more first characters than this, nearly every word would be looked at twice."""

_AT_EDGE = "(?<![A-Za-z0-9].)"
"""After the first character: nothing alphanumeric stands before it. What stands before the text is not known, so
everything may begin at its first character. The edge that is an escape is left to the caller: it begins with a
backslash, in the text or as the last character before it."""

ESCAPE = r"\\"
"""How a backslash is written in patterns."""

_ASCII = [chr(code) for code in range(128)]
Head = tuple[str, ...]


def make_gate(patterns: Iterable[Pattern]) -> re.Pattern[str] | None:
    """A pattern that is found in every ASCII text in which a match of one of these may begin before its last character,
    if no backslash stands in it or before it; None where a text says too little: for words in any case, for bodies that
    begin with any letter, and for left edges of more than two characters."""
    ends: set[str] = set()
    followers: defaultdict[tuple[str, str], set[Head]] = defaultdict(set)
    for pattern in patterns:
        if pattern.ignore_case:
            return None
        edge = _AT_EDGE if pattern.left == EDGE else ""
        edges = [one for one in _extend(parse_pattern(pattern.left), frozenset({()})) if one[0] != ESCAPE]
        if any(len(one) >= DEPTH for one in edges):
            return None
        ends |= {one[1] + r"\Z" for one in edges if len(one) > 1}
        for head in _extend(parse_pattern(pattern.whole), frozenset({()})):
            known = re.compile(head[0])
            for char in _ASCII:
                if known.fullmatch(char):
                    followers[char, edge].add(head[1:])
    if not followers or len({char for char, _ in followers}) > MAX_FIRST:
        return None
    options = [f"{re.escape(char)}{edge}(?:{_rest(rest)})" for (char, edge), rest in sorted(followers.items())]
    return re.compile("|".join([*options, *sorted(ends)]))


def _rest(heads: Iterable[Head]) -> str:
    """The characters that follow the first, all of them or as many as the text has."""
    options = {"".join(head) for head in heads} | {"".join(head[:size]) + r"\Z" for head in heads for size in range(2)}
    return "|".join(sorted(options))


def _extend(node: Node, heads: frozenset[Head]) -> frozenset[Head]:
    """The heads, each as far as DEPTH characters, of what these heads followed by a word of the node begin with."""
    full = frozenset(head for head in heads if len(head) >= DEPTH)
    short = heads - full
    if not short:
        return full
    match node:
        case Chars(source, _):
            return full | {(*head, source) for head in short}
        case Seq(items):
            for item in items:
                short = _extend(item, short)
            return full | short
        case Alt(options):
            return full.union(*(_extend(option, short) for option in options))
        case Repeat(item, low, high):
            found = set(short) if low == 0 else set()
            for number in range(1, min(DEPTH if high is None else high, DEPTH) + 1):
                short = _extend(item, short)
                if number >= low or number == DEPTH:
                    found |= short
            return full | found
