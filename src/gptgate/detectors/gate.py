"""A look at a few characters that spares most chunks of a stream the engines.

A match of a pattern begins with one of few triples of characters (``sk-``, ``AKI``, three digits). Where a text holds
no such triple, and does not end in the beginning of one or in a left edge of two characters, no match begins in it but
one whose left edge is its last character. This is a shortcut only: whatever it cannot rule out is looked at as before.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from gptgate.detectors.grammar import Head, heads
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
        edges = [one for one in heads(parse_pattern(pattern.left), DEPTH) if one[0] != ESCAPE]
        if any(len(one) >= DEPTH for one in edges):
            return None
        ends |= {one[1] + r"\Z" for one in edges if len(one) > 1}
        for head in heads(parse_pattern(pattern.whole), DEPTH):
            known = re.compile(head[0])
            for char in _ASCII:
                if known.fullmatch(char):
                    followers[char, edge].add(head[1:])
    if not followers or len({char for char, _ in followers}) > MAX_FIRST:
        return None
    options = [f"{re.escape(char)}{edge}(?:{_rest(rest)})" for (char, edge), rest in sorted(followers.items())]
    return re.compile("|".join([*options, *sorted(ends)]))


def _rest(rests: Iterable[Head]) -> str:
    """The characters that follow the first, all of them or as many as the text has."""
    options = {"".join(head) for head in rests} | {"".join(head[:size]) + r"\Z" for head in rests for size in range(2)}
    return "|".join(sorted(options))
