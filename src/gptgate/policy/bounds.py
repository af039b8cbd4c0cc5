"""What is odd about a condition that is right: numbers that no request has, and conditions that look at nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gptgate.policy.expression import Word, place_of, uses, words
from gptgate.policy.operands import ARITHMETIC, MIRRORED, chains_of, sign_at, sign_before, stands_alone, word_at

BOUNDS: Mapping[str, tuple[int, int | None]] = {
    "time.hour": (0, 23),
    "time.weekday": (1, 7),
    "risk.score": (0, 100),
    "usage.spent_percent": (0, None),
    "usage.spent_nano": (0, None),
    "usage.budget_nano": (0, None),
    "request.max_output_tokens": (0, None),
    "request.choices": (0, None),
    "request.media": (0, None),
}
"""The least and the most that a number among the facts can be."""
_CATEGORY = (0, 90)
"""The same of a part of the risk score."""
_BEFORE = frozenset({"", "(", "&", "|", "!"})
_BEHIND = frozenset({"", ")", "&", "|"})


class Comparison(NamedTuple):
    """``fact sign number``."""

    word: Word
    fact: str
    sign: str
    number: int


def oddities(text: str) -> Iterator[tuple[str, str]]:
    """What is odd about a condition: a stable code, and the message. Nothing for an empty one."""
    if not text:
        return
    if not uses(text):
        yield "constant", "its condition looks at no fact: it says the same of every request"
        return
    yield from _literals(text)
    possible: dict[str, tuple[int, int | None]] = {}
    hopeless = False
    for one in comparisons(text):
        least, most = bounds = _bounds(one.fact)
        known = f"{one.fact} is {least} to {most}" if most is not None else f"{one.fact} is {least} or more"
        where = "line {}, column {}: ".format(*place_of(text, one.word.at))
        always = _always(one, bounds)
        if always is not None:
            hopeless = hopeless or not always
            code, what = ("always_true", "always true") if always else ("never_true", "never true")
            yield code, f"{where}{one.fact} {one.sign} {one.number} is {what}: {known}"
        elif one.sign != "!=":
            possible[one.fact] = _both(possible.get(one.fact, bounds), _passed(one))
    if conjunctive(text) and not hopeless:
        for fact, (least, most) in possible.items():
            if most is not None and least > most:
                yield "never_true", f"can never fire: what it asks of {fact} cannot hold at once (|| says either)"


def comparisons(text: str) -> Iterator[Comparison]:
    """The comparisons of a bounded number among the facts with a number that is written out."""
    found = words(text)
    for chain in chains_of(found):
        bounded = chain.path in BOUNDS or chain.parts[:2] == ("risk", "parts")
        if not bounded or not stands_alone(found, chain.start, chain.end):
            continue
        sign = sign_at(found, chain.end)
        number = _number(found, chain.end + len(sign)) if sign else None
        if number is not None:
            yield Comparison(found[chain.start], chain.path, sign, number)
        sign = sign_before(found, chain.start)
        number = _number_before(found, chain.start - len(sign)) if sign else None
        if number is not None:
            yield Comparison(found[chain.start], chain.path, MIRRORED[sign], number)


def conjunctive(text: str) -> bool:
    """Whether everything that is compared must hold at once."""
    found = words(text)
    return all(
        word.text not in ("|", "?") and (word.text != "!" or word_at(found, place + 1) == "=")
        for place, word in enumerate(found)
    )


def _literals(text: str) -> Iterator[tuple[str, str]]:
    found = words(text)
    for place, word in enumerate(found):
        before, behind = word_at(found, place - 1), word_at(found, place + 1)
        if word.text in ("true", "false") and word.kind == "name" and before in _BEFORE and behind in _BEHIND:
            where = "line {}, column {}: ".format(*place_of(text, word.at))
            yield f"always_{word.text}", f"{where}'{word.text}' stands there by itself, whatever the request"


def _bounds(fact: str) -> tuple[int, int | None]:
    return BOUNDS.get(fact, _CATEGORY)


def _passed(one: Comparison) -> tuple[int | None, int | None]:
    """The least and the most that a comparison lets through; not of ``!=``."""
    match one.sign:
        case "<":
            return None, one.number - 1
        case "<=":
            return None, one.number
        case ">":
            return one.number + 1, None
        case ">=":
            return one.number, None
        case _:
            return one.number, one.number


def _both(known: tuple[int, int | None], passed: tuple[int | None, int | None]) -> tuple[int, int | None]:
    least = known[0] if passed[0] is None else max(known[0], passed[0])
    ends = [end for end in (known[1], passed[1]) if end is not None]
    return least, min(ends, default=None)


def _always(one: Comparison, bounds: tuple[int, int | None]) -> bool | None:
    """Whether a comparison holds for every number within the bounds; None where it depends on the number."""
    if one.sign == "!=":
        same = _always(one._replace(sign="=="), bounds)
        return None if same is None else not same
    least, most = _both(bounds, _passed(one))
    if most is not None and least > most:
        return False
    return True if (least, most) == bounds else None


def _number(found: Sequence[Word], place: int) -> int | None:
    minus = word_at(found, place) == "-"
    place += minus
    if place >= len(found) or found[place].kind != "number" or word_at(found, place + 1) in ARITHMETIC:
        return None
    digits = found[place].text.rstrip("uU")
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)
    return -value if minus else value


def _number_before(found: Sequence[Word], end: int) -> int | None:
    """The number that ends there. One behind a sign of arithmetic is left alone."""
    return None if word_at(found, end - 2) in ARITHMETIC else _number(found[:end], end - 1)
