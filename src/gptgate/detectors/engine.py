"""Compiled patterns: exact spans and unfinished matches by RE2; which patterns are worth asking by a `Finder`."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import re2

from gptgate.detectors.grammar import unfinished
from gptgate.detectors.pattern import Pattern


class Finder(Protocol):
    """Says which patterns may match. Every pattern that does match is named; others may be named too."""

    def hits(self, data: bytes) -> Sequence[int]:
        """Indexes of patterns, in no order. Raises GuardFailed when it cannot say."""
        ...


def _options(ignore_case: bool) -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are bytes: no text is too broken to be matched
    options.case_sensitive = not ignore_case
    options.log_errors = False
    return options


class CompiledPattern:
    """A pattern and its matches in bytes that begin and end with the separator."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self._regex = re2.compile(pattern.source.encode(), _options(pattern.ignore_case))

    def matches(self, data: bytes, since: int, before: int, free: int) -> Iterator[tuple[int, int]]:
        """Spans of bodies whose left edge begins in ``[since, before)`` and which begin at `free` or later.

        From left to right, not overlapping. What is outside the reach of such a left edge changes nothing.
        """
        pattern, search = self.pattern, self._regex.search
        at = since
        while (match := search(data, at)) is not None and (edge := match.start()) < before:
            start, end = match.span(1)
            if end - start > pattern.longest:
                # Only a body without a bound of its own: what it takes within its limit.
                start, end = self._regex.match(data, edge, edge + pattern.reach).span(1)
            at = edge + 1
            if start >= free and (pattern.accept is None or pattern.accept(data[start:end])):
                yield start, end
                free = end
                at = max(at, end - 2)


class Unfinished:
    """Where a text's tail may still grow into a match of some of `patterns`."""

    _SHORT = 512

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        short = [pattern for pattern in patterns if pattern.reach <= self._SHORT]
        long = [pattern for pattern in patterns if pattern.reach > self._SHORT]
        self._any = _ends_with(patterns)
        self._groups = [(_ends_with(group), max(p.reach for p in group)) for group in (short, long) if group]
        self._safe = min((reach for _, reach in self._groups), default=0)

    def begin(self, data: bytes) -> int:
        """The first byte that may be the left edge of a match which the end of `data` does not yet decide.

        Never more than the longest reach away from the end. All matches with an earlier left edge are decided.
        """
        at = _start(self._any, data)
        size = len(data)
        if size - at < self._safe or not self._groups:
            return at
        return min(max(_start(regex, data), size - reach + 1) for regex, reach in self._groups)


def _start(regex: "re2._Regexp", data: bytes) -> int:
    start: int = regex.search(data).start()
    return start


def _ends_with(patterns: Sequence[Pattern]) -> "re2._Regexp":
    # Anchored at the end, RE2 runs one automaton backwards and gives the leftmost beginning: linear, and no longer
    # than the tail that is alive.
    options = [f"(?{'i' if pattern.ignore_case else '-i'}:{unfinished(pattern.tree)})" for pattern in patterns]
    return re2.compile(f"(?:{'|'.join(options)})\\z".encode(), _options(False))


class LiteralFinder:
    """Finds by literals that every match must contain: for platforms without Hyperscan."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._always = [index for index, pattern in enumerate(patterns) if not pattern.literals]
        self._plain = _by_literals(patterns, ignore_case=False)
        self._folded = _by_literals(patterns, ignore_case=True)

    def hits(self, data: bytes) -> Sequence[int]:
        found = list(self._always)
        for literals, indexes in self._plain:
            if any(literal in data for literal in literals):
                found += indexes
        folded = data.lower()
        for literals, indexes in self._folded:
            if any(literal in folded for literal in literals):
                found += indexes
        return found


def _by_literals(patterns: Sequence[Pattern], *, ignore_case: bool) -> list[tuple[tuple[bytes, ...], list[int]]]:
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for index, pattern in enumerate(patterns):
        if pattern.literals and pattern.ignore_case == ignore_case:
            groups.setdefault(pattern.literals, []).append(index)
    return list(groups.items())
