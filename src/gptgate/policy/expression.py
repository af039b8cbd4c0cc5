"""The words of a condition: which facts it names, and what in it CEL would accept but a rule must not hold."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from gptgate.core.condition import ConditionFault
from gptgate.policy.vocabulary import BY_NAME, FINDING_MEMBERS, FUNCTIONS, MACROS

MAX_CHARACTERS = 2000

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<string>[rRbB]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
  | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<number>0[xX][0-9a-fA-F]+[uU]?|\d+[uU]?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>[\s\S])
    """,
    re.VERBOSE | re.DOTALL,
)
_ROOTS = frozenset(name.partition(".")[0] for name in BY_NAME)
_OPERATORS = frozenset({"in"})
_SPELLED = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "True": "true", "False": "false"}
"""Words of other languages → how a condition says it."""
_SIGNS = {"=": "==", "===": "==", "!==": "!=", "<>": "!=", "=>": ">=", "=<": "<=", "&": "&&", "|": "||"}
"""Signs of other languages, of whose places CEL says only that they are no token → how a condition writes it."""
_OF_SIGNS = frozenset("=<>!&|")
_WORDS = _OPERATORS | {"true", "false", "null"}
CLOCK_WORDS = frozenset(
    {"timestamp", "duration", "now", "double", "getHours", "getDayOfWeek", "getFullYear", "getDate"}
)


class Word(NamedTuple):
    """A token that is no white space. `kind` is the name of its group in the pattern."""

    kind: str
    text: str
    at: int


def words(text: str) -> list[Word]:
    """The tokens of an expression. Total: what is no token is a sign of its own, for CEL to refuse."""
    found = ((match.lastgroup or "", match[0], match.start()) for match in _TOKEN.finditer(text))
    return [Word(*one) for one in found if one[0] != "space"]


def faults(text: str) -> list[ConditionFault]:
    """What CEL would let pass: functions that no rule may call, fractions, members that no finding has; and what it
    would refuse in words that help nobody: names that are no facts, and words and signs of other languages."""
    all_words = words(text)
    variables = macro_variables(all_words)
    found = [
        *_signs(all_words),
        *_calls(all_words),
        *_fractions(all_words),
        *_shadowing(variables),
        *_unknown(all_words, variables),
        *_members(all_words, variables),
    ]
    return [_fault(text, word, message, hint) for word, message, hint in sorted(found, key=lambda one: one[0].at)]


def uses(text: str) -> frozenset[str]:
    """The names of the facts that an expression looks at."""
    all_words = words(text)
    paths = (_path(all_words, place) for place, word in enumerate(all_words) if word.kind == "name")
    return frozenset(name for path in paths for name in (path, path.partition(".")[0]) if name in BY_NAME)


def place_of(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of a position in the text."""
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


Found = tuple[Word, str, str]


def _fault(text: str, word: Word, message: str, hint: str) -> ConditionFault:
    line, column = place_of(text, word.at)
    return ConditionFault(line, column, message, hint)


def _path(all_words: Sequence[Word], place: int) -> str:
    """The first two names of a chain that begins at a word: ``risk.parts`` of ``risk.parts.attack``."""
    if place and all_words[place - 1].text == ".":
        return ""
    head = all_words[place].text
    if [word.text for word in all_words[place + 1 : place + 2]] == ["."] and place + 2 < len(all_words):
        return f"{head}.{all_words[place + 2].text}"
    return head


def _followed_by(all_words: Sequence[Word], place: int, sign: str) -> bool:
    return place + 1 < len(all_words) and all_words[place + 1].text == sign


def _calls(all_words: Sequence[Word]) -> Iterator[Found]:
    for place, word in enumerate(all_words):
        if word.kind != "name" or word.text in _OPERATORS or not _followed_by(all_words, place, "("):
            continue
        if word.text in FUNCTIONS:
            continue
        if word.text in CLOCK_WORDS:
            hint = "a condition reads no clock and holds no fractions: time.hour and time.weekday are facts"
        else:
            hint = "known: " + ", ".join(FUNCTIONS)
        yield word, f"the function '{word.text[:32]}' is not for rules", hint


def _signs(all_words: Sequence[Word]) -> Iterator[Found]:
    place = 0
    while place < len(all_words):
        first, end = all_words[place], place + 1
        if first.text in _OF_SIGNS:
            while end < len(all_words) and all_words[end].text in _OF_SIGNS and _touch(all_words, end):
                end += 1
            sign = "".join(word.text for word in all_words[place:end])
            if sign in _SIGNS:
                yield first, f"'{sign}' is no sign of conditions", f"write {_SIGNS[sign]}"
        place = end


def _touch(all_words: Sequence[Word], place: int) -> bool:
    """Whether nothing stands between the word at a place and the one before it."""
    before = all_words[place - 1]
    return before.at + len(before.text) == all_words[place].at


def _fractions(all_words: Sequence[Word]) -> Iterator[Found]:
    for word in all_words:
        if word.kind == "float":
            yield word, "fractions are not for rules", "all numbers here are whole"


def macro_variables(all_words: Sequence[Word]) -> dict[str, Word]:
    """The variables that macros name."""
    return {
        all_words[place + 2].text: all_words[place + 2]
        for place, word in enumerate(all_words[:-2])
        if word.text in MACROS and all_words[place + 1].text == "(" and all_words[place + 2].kind == "name"
    }


def _unknown(all_words: Sequence[Word], variables: dict[str, Word]) -> Iterator[Found]:
    """Names that are no facts. What follows a fact is left to the type checker."""
    for place, word in enumerate(all_words):
        path = _path(all_words, place) if word.kind == "name" else ""
        head = path.partition(".")[0]
        if not path or head in variables or head in _WORDS or head in BY_NAME or path in BY_NAME:
            continue
        if _followed_by(all_words, place, "("):
            continue
        if head in _SPELLED:
            yield word, f"'{head}' is no word of conditions", f"write {_SPELLED[head]}"
            continue
        near = get_close_matches(path, BY_NAME, n=1)
        siblings = ", ".join(name for name in BY_NAME if name.startswith(f"{head}."))
        hint = f"did you mean {near[0]}?" if near else f"known: {siblings or ', '.join(sorted(_ROOTS))}"
        yield word, f"no fact is called {path[:64]}", hint


def _shadowing(variables: dict[str, Word]) -> Iterator[Found]:
    for name, word in variables.items():
        if name in _ROOTS:
            yield word, f"the variable '{name}' has the name of a fact", "call it otherwise"


def _members(all_words: Sequence[Word], variables: dict[str, Word]) -> Iterator[Found]:
    """Members of findings, which the type checker cannot know: their values have different types."""
    known = "known: " + ", ".join(FINDING_MEMBERS)
    for place, word in enumerate(all_words):
        begins = not place or all_words[place - 1].text != "."
        if word.kind == "name" and word.text in variables and begins:
            member = _selected(all_words, place + 1)
        elif word.text == "findings" and begins and _followed_by(all_words, place, "["):
            member = _selected(all_words, place + 4)
        else:
            continue
        if member is not None and member.text.strip("'\"") not in FINDING_MEMBERS:
            yield member, f"a finding has no member {member.text[:32]}", known


def _selected(all_words: Sequence[Word], place: int) -> Word | None:
    """What is selected at a place: the name after a dot that is no call, or the text in brackets."""
    if place + 1 >= len(all_words):
        return None
    sign, what = all_words[place].text, all_words[place + 1]
    if sign == "." and what.kind == "name" and not _followed_by(all_words, place + 1, "("):
        return what
    return what if sign == "[" and what.kind == "string" and _followed_by(all_words, place + 1, "]") else None
