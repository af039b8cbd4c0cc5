"""The small regular language that detectors are written in, and what can be derived from it.

Patterns are ASCII text over bytes: literals, escapes (``\\xe9`` for a byte that is none of ASCII's), ``[classes]``,
``(?:groups)``, ``|`` and the repeats ``? * + {m} {m,n}``. There are no captures, no anchors, no dot and no flags, so
that one source compiles to the same language in both engines, and so that three things are computed, not written down
again by hand: the longest match, the literals that every match contains, and the language of unfinished matches.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

LOOSE_ABOVE = 2
"""In `unfinished` and `loosened` a longer repeat has no upper bound. That holds back a little more, never less, and
keeps the automaton small; the longest match bounds what is held."""
PARTS_LOOSE_ABOVE = 3
"""The same where what is repeated has parts: without a bound "call" and any words would hold a stream for 200 bytes."""

_SPECIAL = frozenset("\\[](){}|?*+.^$")
_PLAIN = re.compile(r"(?:[^\\\[\](){}|?*+.^$]|\\x[89a-f][0-9a-f])+(?![?*+{])")
"""Literals that nothing repeats."""
_CHARACTER = re.compile(r"\\x..|.", re.DOTALL)
_CLASS = re.compile(r"\[\^?+(?:\\.|[^\\\[\]])+\]", re.DOTALL)
_REMEMBERED = 8
"""Trees: of what is asked for again and again while a pattern is made. They are large."""
_BYTE = re.compile(r"\\x[89a-f][0-9a-f]")
_ALL_BYTES = bytes(range(0x100))
_MOST_WORDS = 64
"""More words than this are not spelt out when literals are looked for."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One byte: a literal (as the character of that code), or a class (then `literal` is empty)."""

    source: str
    literal: str


@dataclass(frozen=True, slots=True)
class Seq:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alt:
    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    item: "Node"
    low: int
    high: int | None


Node = Chars | Seq | Alt | Repeat


@lru_cache(_REMEMBERED)
def parse(source: str) -> Node:
    """The syntax tree of a pattern. Raises ValueError, with the position, for anything outside the language."""
    parser = _Parser(source)
    node = parser.alternatives()
    if parser.at != len(source):
        raise parser.error("unexpected character")
    return node


@cache
def _chars(source: str, literal: str) -> Chars:
    """One object for all that are equal: patterns have a hundred thousand of them."""
    return Chars(source, literal)


@cache
def _literal(source: str) -> Chars:
    """A byte by itself, or by its escape."""
    return _chars(source, chr(int(source[2:], 16)) if len(source) > 1 else source)


class _Parser:
    def __init__(self, source: str) -> None:
        if not source.isascii():
            raise ValueError(f"pattern is not ASCII: {source!r}")
        self.source = source
        self.at = 0

    def error(self, what: str) -> ValueError:
        return ValueError(f"{what} at {self.at} in {self.source!r}")

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def alternatives(self) -> Node:
        options = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Alt(tuple(options))

    def sequence(self) -> Node:
        items: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            if plain := _PLAIN.match(self.source, self.at):
                items += map(_literal, _CHARACTER.findall(plain[0]))
                self.at = plain.end()
                continue
            item = self.repeat(self.atom())
            items += item.items if isinstance(item, Seq) else [item]
        return items[0] if len(items) == 1 else Seq(tuple(items))

    def atom(self) -> Node:
        char = self.peek()
        if char == "(":
            return self.group()
        if char == "[":
            return self.char_class()
        if char == "\\":
            return self.escape()
        if char in _SPECIAL:
            raise self.error("unsupported syntax")
        self.at += 1
        return _literal(char)

    def group(self) -> Node:
        if not self.source.startswith("(?:", self.at):
            raise self.error("only (?:groups) are supported")
        self.at += 3
        node = self.alternatives()
        if self.peek() != ")":
            raise self.error("group is not closed")
        self.at += 1
        return node

    def char_class(self) -> Chars:
        found = _CLASS.match(self.source, self.at)
        if not found:
            raise self.error("class is empty, not closed, or holds an unescaped bracket")
        self.at = found.end()
        return _chars(found[0], "")

    def escape(self) -> Chars:
        char = self.source[self.at + 1 : self.at + 2]
        if code := _BYTE.match(self.source, self.at):
            self.at = code.end()
            return _literal(code[0])
        if not char or char.isalnum():
            raise self.error("only escaped punctuation and foreign bytes are supported outside classes")
        self.at += 2
        return _chars("\\" + char, char)

    def repeat(self, item: Node) -> Node:
        char = self.peek()
        if char and char in "?*+":
            self.at += 1
            low, high = {"?": (0, 1), "*": (0, None), "+": (1, None)}[char]
            return Repeat(item, low, high)
        if char != "{":
            return item
        end = self.source.find("}", self.at)
        bounds = self.source[self.at + 1 : end].split(",")
        if end < 0 or len(bounds) > 2 or not all(bound.isdigit() for bound in bounds):
            raise self.error("a repeat is {m} or {m,n}")
        self.at = end + 1
        return Repeat(item, int(bounds[0]), int(bounds[-1]))


def longest(node: Node) -> int | None:
    """The length in bytes of the longest word, None when there is no bound."""
    match node:
        case Chars():
            return 1
        case Seq(items):
            # Most of what patterns are made of is single bytes.
            lengths = [longest(item) for item in items if not isinstance(item, Chars)]
            found = [length for length in lengths if length is not None]
            return sum(found) + len(items) - len(lengths) if len(found) == len(lengths) else None
        case Alt(options):
            lengths = [longest(option) for option in options]
            return None if None in lengths else max(length for length in lengths if length is not None)
        case Repeat(item, _, high):
            length = longest(item)
            return None if high is None or length is None else high * length


def first(node: Node) -> tuple[frozenset[str], bool]:
    """The literals and classes that a word can begin with, and whether the empty word is one."""
    match node:
        case Chars(source, _):
            return frozenset({source}), False
        case Repeat(item, low, _):
            begins, empty = first(item)
            return begins, empty or low == 0
        case Alt(options):
            found = [first(option) for option in options]
            return frozenset().union(*(begins for begins, _ in found)), any(empty for _, empty in found)
        case Seq(items):
            begins = frozenset[str]()
            for item in items:
                more, empty = first(item)
                begins |= more
                if not empty:
                    return begins, False
            return begins, True


Head = tuple[str, ...]


def heads(node: Node, depth: int) -> frozenset[Head]:
    """The literals and classes that words begin with: of each word as many as `depth`, or all that it has."""
    return _extend(node, frozenset({()}), depth)


def _extend(node: Node, begun: frozenset[Head], depth: int) -> frozenset[Head]:
    """What these heads followed by a word of the node begin with."""
    full = frozenset(head for head in begun if len(head) >= depth)
    short = begun - full
    if not short:
        return full
    match node:
        case Chars(source, _):
            return full | {(*head, source) for head in short}
        case Seq(items):
            for item in items:
                short = _extend(item, short, depth)
            return full | short
        case Alt(options):
            return full.union(*(_extend(option, short, depth) for option in options))
        case Repeat(item, low, high):
            found = set(short) if low == 0 else set()
            for number in range(1, min(depth if high is None else high, depth) + 1):
                short = _extend(item, short, depth)
                if number >= low or number == depth:
                    found |= short
            return full | found


def classes(node: Node) -> frozenset[str]:
    """All literals and classes that occur."""
    found, rest = set[str](), [node]
    while rest:
        match rest.pop():
            case Chars(source, _):
                found.add(source)
            case Seq(items) | Alt(items):
                rest += items
            case Repeat(item, _, _):
                rest.append(item)
    return frozenset(found)


@cache
def members(source: str, ignore_case: bool) -> bytes:
    """The bytes that a literal or a class takes."""
    return b"".join(re.findall(source.encode(), _ALL_BYTES, re.IGNORECASE if ignore_case else 0))


def required(node: Node) -> frozenset[str]:
    """Literals of which every word contains at least one; empty when there is no such set."""
    match node:
        case Chars(_, literal):
            return frozenset({literal}) if literal else frozenset()
        case Repeat(item, low, _):
            return required(item) if low else frozenset()
        case Alt(options):
            sets = [required(option) for option in options]
            return frozenset().union(*sets) if all(sets) else frozenset()
        case Seq(items):
            return _best(items)


def _best(items: tuple[Node, ...]) -> frozenset[str]:
    candidates: list[frozenset[str]] = []
    run = frozenset({""})
    for item in items:
        more = _spelt(item)
        if more and len(run) * len(more) <= _MOST_WORDS:
            run = frozenset(map("".join, product(run, more)))
            continue
        candidates += [run, required(item)]
        run = more or frozenset({""})
    best = max([*candidates, run], key=lambda found: min(map(len, found), default=0))
    return frozenset() if "" in best else best


def _spelt(node: Node) -> frozenset[str]:
    """All words, where they are few; else empty."""
    match node:
        case Chars(_, literal):
            return frozenset({literal}) if literal else frozenset()
        case Alt(options):
            sets = [_spelt(option) for option in options]
        case Repeat(item, 0, 1):
            sets = [frozenset({""}), _spelt(item)]
        case Repeat():
            return frozenset()
        case Seq(items):
            words = frozenset({""})
            for item in items:
                more = _spelt(item)
                if not more or len(words) * len(more) > _MOST_WORDS:
                    return frozenset()
                words = frozenset(map("".join, product(words, more)))
            return words
    found = frozenset[str]().union(*sets)
    return found if all(sets) and len(found) <= _MOST_WORDS else frozenset()


def unfinished(node: Node) -> str:
    """A pattern that matches every beginning of every word: the empty one and the whole word too."""
    match node:
        case Chars(source, _):
            return f"{source}?"
        case Alt(options):
            return _any_of([unfinished(option) for option in options])
        case Repeat(item, _, high) if high is None or high > _most_counted(item):
            return f"{item.source}*" if isinstance(item, Chars) else f"(?:{loosened(item)})*{unfinished(item)}"
        case Repeat(item, _, high):
            return f"(?:{loosened(item)}){{0,{max((high or 1) - 1, 0)}}}{unfinished(item)}"
        case Seq(items):
            if not items:
                return ""
            pattern = unfinished(items[-1])
            for item in reversed(items[:-1]):
                whole = f"{loosened(item)}{pattern}"  # holds a byte itself: its one other beginning is nothing
                pattern = f"(?:{whole})?" if isinstance(item, Chars) else _any_of([whole, unfinished(item)])
            return pattern


def sketched(node: Node) -> str:
    """A pattern that matches every beginning of every word and more: after its first part, whatever occurs in the rest.

    For words that are long and many. It holds back more than `unfinished`, never less, and is a fraction of its size.
    """
    match node:
        case Alt(options):
            return _any_of([sketched(option) for option in options])
        case Seq(items) if items:
            size = 1 + next((at for at, item in enumerate(items) if not first(item)[1]), len(items))
            begin = Seq(items[:size])
            rest = "|".join(sorted(classes(Seq(items[size:]))))
            return _any_of([f"{loosened(begin)}(?:{rest})*", unfinished(begin)])
        case _:
            return unfinished(node)


def loosened(node: Node) -> str:
    """A pattern that matches every word and more: long repeats have no upper bound."""
    match node:
        case Chars(source, _):
            return source
        case Alt(options):
            return _any_of([loosened(option) for option in options])
        case Seq(items):
            return "".join(loosened(item) for item in items)
        case Repeat(item, low, high):
            if high is None or high > _most_counted(item):
                return f"(?:{loosened(item)}){{{low},}}"
            return f"(?:{loosened(item)}){{{low},{high}}}"


def _most_counted(item: Node) -> int:
    return LOOSE_ABOVE if isinstance(item, Chars) else PARTS_LOOSE_ABOVE


def head(node: Node, enough: int) -> str:
    """A pattern that every word begins with: short repeats whole, and nothing after the first long or open one."""
    return _head(node, enough)[0]


def _head(node: Node, enough: int) -> tuple[str, bool]:
    """The pattern, and whether it stands for whole words."""
    match node:
        case Chars(source, _):
            return source, True
        case Alt(options):
            heads = [_head(option, enough) for option in options]
            return _any_of([source for source, _ in heads]), all(is_whole for _, is_whole in heads)
        case Repeat(item, low, high):
            source, is_whole = _head(item, enough)
            if is_whole and high is not None and high <= enough:
                return f"(?:{source}){{{low},{high}}}", True
            if low == 0:
                return "", False
            return (f"(?:{source}){{{min(low, enough)}}}" if is_whole else source), False
        case Seq(items):
            pattern = ""
            for item in items:
                source, is_whole = _head(item, enough)
                pattern += source
                if not is_whole:
                    return pattern, False
            return pattern, True


def _any_of(options: list[str]) -> str:
    return "(?:" + "|".join(options) + ")"
