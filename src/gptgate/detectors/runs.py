"""Runs of like characters that every match of a pattern holds: a text without such a run is not searched for it.

Most texts are words. They hold neither a number of six digits nor twenty letters and digits in a row, so that most
forms of secrets and numbers cost them nothing. Which run a pattern asks for is computed from it.
"""

from functools import cache, reduce
from typing import NamedTuple

from gptgate.detectors.grammar import Alt, Chars, Node, Repeat, Seq, members
from gptgate.detectors.pattern import Pattern

_SIGNS = " ./_()-"
"""What stands between the digits of a number."""


class Run(NamedTuple):
    """At least so many characters of a class, with nothing between them but characters of another one.

    Both are the insides of classes.
    """

    counted: str
    between: str
    least: int

    @property
    def source(self) -> str:
        """The pattern of the run."""
        if not self.between:
            return f"[{self.counted}]{{{self.least}}}"
        return f"[{self.counted}](?:[{self.between}]*[{self.counted}]){{{self.least - 1}}}"


RUNS = (
    Run("A-Z0-9<", "", 16),
    Run("0-9", _SIGNS, 6),
    Run("A-Za-z0-9_-", "", 20),
    Run("0-9", _SIGNS, 2),
)
"""From those that texts hold seldom to those that they hold often."""


def run_of(pattern: Pattern) -> Run | None:
    """The first of `RUNS` that every match of the pattern holds; None: there is none, or none is looked for, since
    phrases are words."""
    if pattern.is_phrase or pattern.is_sketched:
        return None
    return next((run for run in RUNS if _least(pattern.tree, run, pattern.ignore_case).anywhere >= run.least), None)


class _Count(NamedTuple):
    """How many counted characters every word has at the least: in the unbroken run that it begins with, in the best
    one anywhere, and in the one that it ends with. `is_solid`: all words are one run."""

    is_solid: bool
    begin: int
    anywhere: int
    end: int


_NOTHING = _Count(True, 0, 0, 0)


def _least(node: Node, run: Run, ignore_case: bool) -> _Count:
    match node:
        case Chars(source, _):
            is_inside, is_counted = _belongs(source, run, ignore_case)
            return _Count(is_inside, is_counted, is_counted, is_counted)
        case Seq(items):
            return reduce(_then, (_least(item, run, ignore_case) for item in items), _NOTHING)
        case Alt(options):
            return reduce(_either, (_least(option, run, ignore_case) for option in options))
        case Repeat(item, low, high):
            once = _least(item, run, ignore_case)
            least = _times(once, low)
            # One time more may begin and end otherwise; what follows then changes nothing any more.
            return least if high == low else _either(least, _times(once, low + 1))


def _times(once: _Count, times: int) -> _Count:
    if once.is_solid:
        return _Count(True, *(count * times for count in once[1:]))
    return reduce(_then, [once] * min(times, 2), _NOTHING)


def _then(one: _Count, other: _Count) -> _Count:
    return _Count(
        one.is_solid and other.is_solid,
        one.begin + other.begin if one.is_solid else one.begin,
        max(one.anywhere, other.anywhere, one.end + other.begin),
        other.end + one.end if other.is_solid else other.end,
    )


def _either(one: _Count, other: _Count) -> _Count:
    return _Count(one.is_solid and other.is_solid, *map(min, one[1:], other[1:]))


@cache
def _belongs(source: str, run: Run, ignore_case: bool) -> tuple[bool, bool]:
    """Whether all bytes of a class may stand inside a run, and whether all of them count."""
    taken = members(source, ignore_case)
    counted, inside = members(f"[{run.counted}]", False), members(f"[{run.counted}{run.between}]", False)
    return not taken.translate(None, inside), not taken.translate(None, counted)
