"""What a condition compares its facts with: names of which there are only so many, numbers, patterns.

Everything here reads words and never refuses: what it does not understand it leaves to the engine.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gptgate.core.condition import ConditionName
from gptgate.policy.expression import Word, macro_variables, place_of, words

NAMED = frozenset(
    {
        "principal.team",
        "principal.app",
        "request.endpoint",
        "request.dialect",
        "model.name",
        "model.provider",
        "model.location",
    }
)
"""Facts that are one of a few names."""
HOLDING = frozenset({"kinds", "risk.parts", "failures"})
"""Facts that hold some of a few names."""
_MEMBERS = {"kind": "kinds", "origin": "origin"}
"""Members of a finding that are one of a few names → whose they are."""

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
ARITHMETIC = frozenset("+-*/%")


class Chain(NamedTuple):
    """Names that hang together, ``risk.parts["attack"]`` as ``risk``, ``parts`` and ``attack``: words `start` to `end`,
    the latter not among them."""

    parts: tuple[str, ...]
    words: tuple[Word, ...]
    start: int
    end: int

    @property
    def path(self) -> str:
        return ".".join(self.parts)


def text_of(word: Word) -> str | None:
    """What a literal says; None for no literal, and for one that is not said as it is written."""
    if word.kind != "string":
        return None
    prefix, raw = word.text[: word.text.find(word.text[-1])].lower(), word.text.lstrip("rRbB")
    quotes = 3 if len(raw) >= 6 and raw[:3] == raw[0] * 3 else 1
    inner = raw[quotes:-quotes]
    return None if "b" in prefix or ("\\" in inner and "r" not in prefix) else inner


def patterns(text: str) -> Iterator[Word]:
    """The patterns of `matches` that are written out as one literal."""
    found = words(text)
    for place, word in enumerate(found):
        if word.text == "matches" and word_at(found, place + 1) == "(":
            last = _closing(found, place + 1) - 1
            if found[last].kind == "string" and word_at(found, last - 1) in ("(", ","):
                yield found[last]


def names(text: str) -> tuple[ConditionName, ...]:
    """The names that an expression looks for, each with what they are names of."""
    found = words(text)
    chains = chains_of(found)
    sources = _sources(found, chains)
    looked_for = [*_keys(chains, sources)]
    for place, word in enumerate(found):
        value = text_of(word)
        asked = None if value is None else _asked(found, place, chains, sources)
        if value is not None and asked is not None:
            looked_for.append((word, *asked, value))
    return tuple(
        ConditionName(*place_of(text, word.at), of, value, begins)
        for word, of, begins, value in sorted(looked_for, key=lambda one: one[0].at)
    )


Asked = tuple[str, bool]
"""Whose names are looked for, and whether their beginnings are."""


def word_at(found: Sequence[Word], place: int) -> str:
    return found[place].text if 0 <= place < len(found) else ""


def _closing(found: Sequence[Word], opening: int) -> int:
    """Where the bracket that opens there is closed; the end where it is not."""
    depth = 0
    for place in range(opening, len(found)):
        depth += (word_at(found, place) in ("(", "[", "{")) - (word_at(found, place) in (")", "]", "}"))
        if not depth:
            return place
    return len(found)


def chains_of(found: Sequence[Word]) -> list[Chain]:
    return [
        _chain(found, place)
        for place, word in enumerate(found)
        if word.kind == "name" and word_at(found, place - 1) != "." and word.text != "in"
    ]


def _chain(found: Sequence[Word], start: int) -> Chain:
    parts, heads, end = [found[start].text], [found[start]], start + 1
    while True:
        if word_at(found, end) == "." and end + 1 < len(found) and word_at(found, end + 2) != "(":
            part, word, size = found[end + 1].text, found[end + 1], 2
        elif word_at(found, end) == "[" and word_at(found, end + 2) == "]":
            part, word, size = text_of(found[end + 1]) or "", found[end + 1], 3
        else:
            return Chain(tuple(parts), tuple(heads), start, end)
        parts.append(part)
        heads.append(word)
        end += size


def _sources(found: Sequence[Word], chains: Sequence[Chain]) -> dict[str, str]:
    """Variable of a macro → the fact whose names it goes through; ``""`` where it is something else."""
    ends = {chain.end: chain for chain in chains}
    sources: dict[str, str] = {}
    for place, word in enumerate(found):
        if word.text not in macro_variables(found):
            continue
        if word_at(found, place - 1) == "(" and word_at(found, place + 1) == "," and word_at(found, place - 3) == ".":
            before = ends.get(place - 3)
            source = before.path if before is not None and before.path in HOLDING else ""
            sources[word.text] = source if sources.get(word.text, source) == source else ""
    return sources


def _subject(chain: Chain, sources: Mapping[str, str]) -> str:
    """Whose name it is that stands there; ``""`` where it is none of a few."""
    if chain.path in NAMED:
        return chain.path
    head, *rest = chain.parts
    if head in sources:
        return sources[head] if not rest else _MEMBERS.get(rest[0], "") if len(rest) == 1 else ""
    return _MEMBERS.get(rest[1], "") if head == "findings" and len(rest) == 2 else ""


def _keys(chains: Sequence[Chain], sources: Mapping[str, str]) -> Iterator[tuple[Word, str, bool, str]]:
    """Names that are read as keys: ``risk.parts.attack``."""
    for chain in chains:
        *holder, key = chain.parts
        path = ".".join(holder)
        if path in HOLDING and key and chain.parts[0] not in sources:
            yield chain.words[-1], path, False, key


def _asked(found: Sequence[Word], place: int, chains: Sequence[Chain], sources: Mapping[str, str]) -> Asked | None:
    """What a literal is compared with."""
    starts = {chain.start: chain for chain in chains}
    ends = {chain.end: chain for chain in chains}
    if word_at(found, place + 1) == "in":
        holder = starts.get(place + 2)
        return (holder.path, False) if holder is not None and holder.path in HOLDING else None
    chain = None
    begins = False
    if not stands_alone(found, place, place + 1):
        return None
    if sign_before(found, place) in ("==", "!="):
        chain = ends.get(place - 2)
    elif sign_at(found, place + 1) in ("==", "!="):
        chain = starts.get(place + 3)
    elif word_at(found, place - 1) == "(" and word_at(found, place - 2) == "startsWith":
        chain, begins = ends.get(place - 3), True
    elif (opening := _list_before(found, place)) is not None and word_at(found, opening - 1) == "in":
        chain = ends.get(opening - 1)
    if chain is None or not stands_alone(found, chain.start, chain.end, called=begins):
        return None
    subject = _subject(chain, sources)
    return (subject, begins) if subject else None


def _list_before(found: Sequence[Word], place: int) -> int | None:
    """Where the list of literals begins in which a word stands."""
    while place and (found[place].kind in ("string", "number") or word_at(found, place) == ","):
        place -= 1
    return place if word_at(found, place) == "[" else None


def stands_alone(found: Sequence[Word], start: int, end: int, *, called: bool = False) -> bool:
    """Whether words are an operand, and not a part of a sum or of what a method is called on."""
    after = word_at(found, end)
    return (
        word_at(found, start - 1) not in ARITHMETIC and after not in ARITHMETIC and (called or after not in (".", "["))
    )


def sign_at(found: Sequence[Word], place: int) -> str:
    """The comparison that begins at a word; ``""`` for none. Each of its characters is a word."""
    both = word_at(found, place) + word_at(found, place + 1)
    return both if both in MIRRORED and len(both) == 2 else both[:1] if both[:1] in ("<", ">") else ""


def sign_before(found: Sequence[Word], place: int) -> str:
    both = word_at(found, place - 2) + word_at(found, place - 1)
    return both if both in MIRRORED and len(both) == 2 else both[-1:] if both[-1:] in ("<", ">") else ""
