"""What a view is: another reading of a text that somebody could have meant, such as its base64 decoded.

Views work on readings (`detectors.reading`), in bytes. A view gives derived texts, each with the way back to the bytes
of its parent, so that what is found in it can be placed, and cut out, in the text as it was sent.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

Back = Callable[[int, int], tuple[int, int]]
"""Span in a derived text → the span of its parent that it came from. Never empty, always inside the parent."""


class Derived(NamedTuple):
    """A derived text and the way back. `is_strong`: so much was changed that the text means something else now."""

    data: bytes
    back: Back
    is_strong: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """One way of reading.

    `sign` is a pattern for RE2 and Hyperscan that occurs in every text that is worth deriving: most texts pay nothing
    else for a view.
    `derive` is total, and its work and its output are linear in its input. `believed` are the beginnings of the kinds
    that are reported from it: letters in disguise give words back, but digits in disguise are mostly just digits.
    `nests`: views are looked for in what it gives. `points` is the weight of having used it to hide something.
    `is_strong`: detectors of whole texts look at what it gives too, where it changed enough.
    Raising `version` is the way to say that `derive` changed.
    """

    name: str
    what: str
    sign: str
    derive: Callable[[bytes], Iterator[Derived]]
    points: int
    believed: tuple[str, ...] = ("",)
    nests: bool = False
    for_trusted: bool = True
    is_strong: bool = False
    version: int = 1

    @property
    def kind(self) -> str:
        """The kind of the finding that something was hidden this way."""
        return f"obfuscation.{self.name}"


def rewritten(data: bytes, units: "re.Pattern[bytes]", read: Callable[[bytes], bytes]) -> Derived:
    """The text with every unit replaced by its reading. The way back is worked out when somebody asks for it."""
    text = units.sub(lambda unit: read(unit[0]), data)
    return Derived(text, _Units(data, units, read).back, 4 * len(text) < 3 * len(data))


class _Units:
    """The way back from a text in which units were replaced."""

    def __init__(self, data: bytes, units: "re.Pattern[bytes]", read: Callable[[bytes], bytes]) -> None:
        self._make = (data, units, read)
        self._runs: list[tuple[int, int, int]] | None = None

    def back(self, start: int, end: int) -> tuple[int, int]:
        """A unit is taken whole: it cannot be cut in half."""
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, at: int) -> tuple[int, int]:
        """The first byte that byte `at` came from, and the one after the last."""
        if self._runs is None:
            self._runs = self._build()
        low, high = 0, len(self._runs)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._runs[middle][0] <= at else (low, middle)
        given, start, width = self._runs[low]
        return (start, start + width) if width else (start + at - given, start + at - given + 1)

    def _build(self) -> list[tuple[int, int, int]]:
        """Runs: where each begins in the derived text and in the parent, and a unit's width (0: byte for byte)."""
        data, units, read = self._make
        runs = [(0, 0, 0)]
        given = taken = 0
        for unit in units.finditer(data):
            start, end = unit.span()
            given += start - taken
            size = len(read(unit[0]))
            if size:
                runs.append((given, start, end - start))
                given += size
            runs.append((given, end, 0))
            taken = end
        return runs


def whole(data: bytes, start: int, end: int) -> Derived:
    """A text decoded from the run ``[start, end)`` of its parent: whatever is found in it is the whole run."""
    return Derived(data, lambda _start, _end: (start, end))


def same_places(data: bytes, *, is_strong: bool = True) -> Derived:
    """A text in which every byte stands where it stood."""
    return Derived(data, lambda start, end: (start, end), is_strong)
