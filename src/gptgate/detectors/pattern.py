"""What a detector is: patterns with a kind, points and edges. Values only; `gptgate.detectors.engine` compiles them.

How matches are chosen, in inspection and on streams alike: a match is left edge, body, right edge, and the finding is
the body. Matches of one pattern are taken from left to right and never overlap each other; those of different patterns
may. Whether a body stands at a position depends on the `reach` bytes from its left edge on and on nothing else.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from gptgate.core.finding import Origin
from gptgate.detectors.grammar import (
    Alt,
    Node,
    Seq,
    classes,
    first,
    longest,
    loosened,
    parse,
    required,
    sketched,
    unfinished,
)

SEPARATOR = b"\xff"
"""Stands before, between and after texts. It occurs in no UTF-8, so only an edge can match it, never a body."""

ESCAPED = r"\\[nrt]"
"""A line end or tab that was written as an escape: text pasted out of JSON or source code."""

_BACKSLASH = r"\\"

EDGE = f"(?:{ESCAPED}|[^A-Za-z0-9])"
"""Nothing alphanumeric before. The escape comes first: its letter belongs to it, and not to the word behind it."""

END = "[^A-Za-z0-9]"
"""Nothing alphanumeric after."""

ANY = r"[\x00-\xff]"
"""No condition."""


EVERY_ORIGIN = frozenset(Origin)
UNTRUSTED = EVERY_ORIGIN - {Origin.SYSTEM, Origin.DEVELOPER}
"""All but the words of whoever configured the application."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One recognisable form of a kind.

    `body`, `left`, `right` and `trigger` are in the language of `gptgate.detectors.grammar`; the edges take at least
    one byte each, `body` begins and ends with whole characters and has no negated class. The left edge takes a space;
    one that also takes a letter asks for a body that begins with neither letter nor digit of ASCII, so that matches
    begin at words' edges.

    `prefix`, where given, is what must stand before the body, within the match but not in the finding: the words that
    give a number its meaning (``passport no. ``). What is said of the body's beginning then holds of the prefix's.

    `trigger`, where given, is a cheaper pattern that occurs in every match (left edge to right edge) of this one: a
    fast engine looks for it instead. `most` must be given where the body has no bound of its own: the body then ends
    after that many bytes at the latest. `is_sketched`: what may become a match is told from its first part alone
    (`grammar.sketched`), which holds more back. `is_foreign`: somebody else wrote it, and no test has seen whether
    the fast engine finds it wherever it stands. `accept` looks at a matched body and has the last word.

    Raises ValueError when these are violated.
    """

    kind: str
    body: str
    points: int
    left: str = EDGE
    right: str = END
    prefix: str = ""
    ignore_case: bool = False
    trigger: str = ""
    most: int = 0
    is_sketched: bool = False
    is_foreign: bool = False
    accept: Callable[[bytes], bool] | None = None
    longest: int = field(init=False)
    reach: int = field(init=False)
    lead: int = field(init=False)
    """The most that stands before a body, within its match: so far may the next match begin in the last body."""
    one_byte_edges: bool = field(init=False)
    """Each edge takes one byte, where no escape stands on the left."""
    is_solid: bool = field(init=False)
    """There is no white space in a match, nor between its edges."""

    def __post_init__(self) -> None:
        left, body, right = parse(self.left), parse(self.whole), parse(self.right)
        inside = classes(body)
        if any(source.startswith("[^") for source in inside):
            raise ValueError(f"{self.kind}: a negated class in the body could match across texts: {self.body!r}")
        bound = longest(body)
        if (bound is None) != bool(self.most):
            raise ValueError(f"{self.kind}: `most` is for bodies without a bound, and they need it: {self.body!r}")
        if not _takes_one(self.left, " "):
            raise ValueError(f"{self.kind}: the left edge does not take a space: {self.left!r}")
        begins = first(body)[0]
        if _take_one(begins, "\x80-\xc1\xf5-\xff"):
            raise ValueError(f"{self.kind}: the body does not begin with a whole character: {self.body!r}")
        if _takes_one(self.left, "A-Za-z0-9") and _take_one(begins, "A-Za-z0-9"):
            raise ValueError(f"{self.kind}: a body that begins with a letter or digit needs a left edge: {self.body!r}")
        edges = [longest(left) or 0, longest(right) or 0]
        if not 0 <= self.points <= 100 or not all(edges):
            raise ValueError(f"{self.kind}: points are 0 to 100, edges take 1 byte or more")
        object.__setattr__(self, "longest", bound or self.most)
        object.__setattr__(self, "reach", self.longest + sum(edges))
        before = longest(parse(self.prefix)) if self.prefix else 0
        object.__setattr__(self, "lead", self.reach if before is None else edges[0] + before)
        one_byte_edges = longest(right) == 1 and longest(_without_escapes(left)) == 1
        object.__setattr__(self, "one_byte_edges", one_byte_edges)
        is_solid = one_byte_edges and not _take_one(inside, r" \t\r\n\f\v")
        object.__setattr__(self, "is_solid", is_solid)

    @property
    def whole(self) -> str:
        """What stands between the edges."""
        return f"(?:{self.prefix})(?:{self.body})" if self.prefix else self.body

    @property
    def tree(self) -> Node:
        """The syntax tree of all of it. Made anew each time: the trees of all patterns are several megabytes."""
        return Seq((parse(self.left), parse(self.whole), parse(self.right)))

    @property
    def is_phrase(self) -> bool:
        """Words: they begin where a word begins, in any case, and nothing cheaper stands for them."""
        return self.ignore_case and self.left == EDGE and not self.trigger

    @property
    def hint(self) -> str:
        """A pattern for a fast engine that occurs in every match."""
        return self.trigger or (self.source if self.is_phrase else loosened(self.tree))

    @property
    def beginnings(self) -> str:
        """A pattern that matches every beginning of a match."""
        if not self.is_sketched:
            return unfinished(self.tree)
        left = parse(self.left)
        return f"(?:{unfinished(left)}|{loosened(left)}{sketched(parse(self.whole))})"

    @property
    def source(self) -> str:
        """The whole pattern."""
        return f"(?:{self.left})(?:{self.whole})(?:{self.right})"

    @property
    def literals(self) -> frozenset[bytes]:
        """Every match contains one of these (in lower case when case is ignored); empty: nothing is known."""
        found = frozenset(text.encode("latin-1") for text in required(self.tree))
        return frozenset(text.lower() for text in found) if self.ignore_case else found


def _without_escapes(edge: Node) -> Node:
    """The edge without those of its options that begin with a backslash."""
    if not isinstance(edge, Alt):
        return edge
    return Alt(tuple(option for option in edge.options if first(option)[0] != {_BACKSLASH}))


def _take_one(sources: Iterable[str], characters: str) -> bool:
    """Whether one of these literals and classes takes one of these bytes."""
    return any(_takes_one(source, characters) for source in sources)


@cache
def _takes_one(source: str, characters: str) -> bool:
    """Whether one of these bytes alone (given as the inside of a class) is matched."""
    known = re.compile(f"[{characters}]".encode("latin-1"))
    pattern = re.compile(source.encode())
    singles = [bytes([code]) for code in range(256)]
    return any(known.fullmatch(single) and pattern.fullmatch(single) for single in singles)


@dataclass(frozen=True, slots=True)
class Detector:
    """A recogniser. `kinds` maps each kind to one line that says what it is. `origins`: whose words it looks at.

    Raising `version` is the way to say that the code beside the patterns (`accept`) changed.
    """

    name: str
    version: int
    kinds: Mapping[str, str]
    patterns: tuple[Pattern, ...]
    origins: frozenset[Origin] = EVERY_ORIGIN

    def __post_init__(self) -> None:
        if {pattern.kind for pattern in self.patterns} != set(self.kinds):
            raise ValueError(f"{self.name}: the kinds declared and the kinds of its patterns differ")

    @property
    def longest(self) -> int:
        """The longest match in bytes of normalised text: the most that a stream holds back for this detector."""
        return max(pattern.longest for pattern in self.patterns)
