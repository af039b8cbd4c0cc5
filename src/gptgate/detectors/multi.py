"""Hyperscan: one pass over the text for all patterns at once. The only module that knows whether it is installed."""

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gptgate.core.errors import GuardFailed
from gptgate.detectors.engine import Finder, LiteralFinder
from gptgate.detectors.pattern import Pattern

try:
    import hyperscan
except ImportError:  # not built for this platform: LiteralFinder finds the same
    hyperscan = None  # type: ignore[assignment]

ENGINES = ("auto", "hyperscan", "re2")


def make_finder(engine: str, patterns: Sequence[Pattern], only: Collection[int] | None = None) -> Finder:
    """The finder of that name; ``auto`` takes Hyperscan where it is installed.

    `only` are the indexes of the patterns to look for, where not all are.

    Raises ValueError for an unknown name, GuardFailed where ``hyperscan`` is asked for and not installed.
    """
    if engine not in ENGINES:
        raise ValueError(f"unknown pattern engine {engine!r}: one of {', '.join(ENGINES)}")
    if engine == "hyperscan" and hyperscan is None:
        raise GuardFailed("The pattern engine is not available.", detail="hyperscan is not installed")
    wanted = {index: pattern for index, pattern in enumerate(patterns) if only is None or index in only}
    if engine == "re2" or hyperscan is None or not wanted:
        return LiteralFinder(wanted)
    return HyperscanFinder(wanted)


class HyperscanFinder:
    """Finds with a block-mode database. A scratch space belongs to one thread: each gets its own."""

    def __init__(self, patterns: Mapping[int, Pattern]) -> None:
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        base = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL
        self._database.compile(
            expressions=[pattern.hint.encode() for pattern in patterns.values()],
            ids=list(patterns),
            flags=[base | (hyperscan.HS_FLAG_CASELESS if pattern.ignore_case else 0) for pattern in patterns.values()],
        )
        self._scan = self._database.scan
        self._threads = threading.local()

    def hits(self, data: bytes) -> Sequence[int]:
        found: list[int] = []
        try:
            scratch = self._threads.scratch
        except AttributeError:
            scratch = self._threads.scratch = hyperscan.Scratch(self._database)
        try:
            self._scan(data, _note, 0, found, scratch)
        except hyperscan.error as error:
            raise GuardFailed("The pattern engine could not answer.", detail=f"hyperscan: {error}") from error
        return found


def _note(index: int, _start: int, _end: int, _flags: int, found: Any) -> None:
    found.append(index)
