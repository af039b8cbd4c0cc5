"""Compiled patterns: exact spans by RE2, and which patterns are worth asking for them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import re2

from gptgate.detectors.pattern import Pattern

_AUTOMATON_BYTES = 64 << 20
"""A bound, not a need: RE2 takes its slow way where it cannot have some twenty of its largest states."""

_FREELY = 8
"""Searches of all the rest of a text, for a pattern whose body has no bound of its own. Those after it see a window
only: what lies further away than a match can be would otherwise be read again from every place where one begins."""


class Finder(Protocol):
    """Says which patterns may match. Every pattern that does match is named; others may be named too."""

    def hits(self, data: bytes) -> Sequence[int]:
        """Indexes of patterns, in no order. Raises GuardFailed when it cannot say."""
        ...


def compile_bytes(source: str, *, ignore_case: bool, longest: bool = False) -> "re2._Regexp":
    """The pattern over bytes as they are: no text is too broken to be matched. Raises `re2.error`.

    `longest`: of several matches that begin at one place the longest counts, not the first that the pattern names.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = not ignore_case
    options.log_errors = False
    options.longest_match = longest
    options.max_mem = _AUTOMATON_BYTES
    return re2.compile(source.encode(), options)


def compile_fullmatch(source: str) -> Callable[[bytes, int], bool]:
    """Whether the bytes from a place on are a match of the pattern. Raises `re2.error`.

    This asks RE2 itself: the generator and the match that its `fullmatch` makes take more time than the answer.
    """
    match, whole = compile_bytes(source, ignore_case=False)._regexp.Match, re2._Anchor.ANCHOR_BOTH

    def is_match(data: bytes, at: int) -> bool:
        start: int = match(whole, data, at, len(data))[0][0]
        return start >= 0

    return is_match


class CompiledPattern:
    """A pattern and its matches in bytes that begin and end with the separator."""

    def __init__(self, pattern: Pattern) -> None:
        """Raises `re2.error` for one that somebody else wrote and RE2 cannot read."""
        self.pattern = pattern
        if pattern.is_foreign:
            compile_bytes(pattern.source, ignore_case=pattern.ignore_case)

    @cached_property
    def _regex(self) -> "re2._Regexp":
        # Compiled when a text asks for it, in a few milliseconds at most: few are ever asked for, and all take 12 MB.
        # Captures keep RE2 from its fastest way, so those are asked for only where the edges leave doubt.
        return compile_bytes(self.pattern.source, ignore_case=self.pattern.ignore_case)

    @cached_property
    def _exact(self) -> "re2._Regexp":
        pattern = self.pattern
        return compile_bytes(
            f"(?:{pattern.left})(?:{pattern.prefix})({pattern.body})(?:{pattern.right})",
            ignore_case=pattern.ignore_case,
        )

    def matches(self, data: bytes, since: int, before: int, free: int) -> Iterator[tuple[int, int]]:
        """Spans of bodies whose left edge begins in ``[since, before)`` and which begin at `free` or later.

        From left to right, not overlapping. What is outside the reach of such a left edge changes nothing.
        """
        pattern, search = self.pattern, self._regex.search
        at, searches = since, 0
        within = before + pattern.reach
        while (match := search(data, at, within) if searches < _FREELY else self._near(data, at, before)) is not None:
            searches += bool(pattern.most)
            edge, last = match.span()
            if edge >= before:
                return
            if last - edge > pattern.reach or not pattern.one_byte_edges or pattern.prefix or data[edge] == 0x5C:
                # A body without a bound of its own gets what lies within its limit, if that is a match.
                exact = self._exact.match(data, edge, edge + pattern.reach)
                if exact is None:
                    at = edge + 1
                    continue
                start, end = exact.span(1)
            else:
                start, end = edge + 1, last - 1
            at = edge + 1
            if start >= free and (pattern.accept is None or pattern.accept(data[start:end])):
                yield start, end
                free = end
                at = max(at, end - pattern.lead)

    def _near(self, data: bytes, at: int, before: int) -> "re2._Match[bytes] | None":
        """The first match within its reach that begins in ``[at, before)``. Takes time linear in the text."""
        reach, search = self.pattern.reach, self._regex.search
        while at < before:
            match = search(data, at, at + 2 * reach)
            if match is None or match.start() - at > reach:
                # What begins further on may end behind the window.
                at += reach + 1
                continue
            edge, last = match.span()
            if last - edge > reach:
                match = self._regex.match(data, edge, edge + reach)
            if match is not None:
                return match
            # Nothing from here on ends before `earliest`: what begins more than the reach before that is too long.
            earliest = edge + bisect_left(range(edge, last), True, key=lambda end: search(data, edge, end) is not None)
            at = max(edge + 1, earliest - reach)
        return None


class LiteralFinder:
    """Finds by literals that every match must contain: for platforms without Hyperscan."""

    def __init__(self, patterns: Mapping[int, Pattern]) -> None:
        self._always = [index for index, pattern in patterns.items() if not pattern.literals]
        self._plain = _by_literal(patterns, ignore_case=False)
        self._folded = _by_literal(patterns, ignore_case=True)

    def hits(self, data: bytes) -> Sequence[int]:
        """Patterns of which some required literal occurs, and those that require none."""
        found = set(self._always)
        for literal, indexes in self._plain:
            if literal in data:
                found.update(indexes)
        folded = data.lower()
        for literal, indexes in self._folded:
            if literal in folded:
                found.update(indexes)
        return list(found)


class ExactFinder:
    """Names the patterns that match, by RE2 alone: those of which a required literal occurs are searched for."""

    def __init__(self, patterns: Mapping[int, Pattern]) -> None:
        self._may_match = LiteralFinder(patterns).hits
        self._searches = {
            index: compile_bytes(pattern.source, ignore_case=pattern.ignore_case).search
            for index, pattern in patterns.items()
        }

    def hits(self, data: bytes) -> Sequence[int]:
        """Exactly the patterns that match."""
        return [index for index in self._may_match(data) if self._searches[index](data) is not None]


class SearchFinder:
    """Finds by searching for each pattern."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._searches = [compile_bytes(source, ignore_case=False).search for source in sources]

    def hits(self, data: bytes) -> Sequence[int]:
        """Exactly the patterns that match."""
        return [index for index, search in enumerate(self._searches) if search(data) is not None]


class JointFinder:
    """Several finders of different patterns."""

    def __init__(self, *finders: Finder) -> None:
        self._all = [finder.hits for finder in finders]

    def hits(self, data: bytes) -> Sequence[int]:
        """What any of them says."""
        found: list[int] = []
        for hits in self._all:
            found += hits(data)
        return found


def _by_literal(patterns: Mapping[int, Pattern], *, ignore_case: bool) -> list[tuple[bytes, list[int]]]:
    users: dict[bytes, list[int]] = {}
    for index, pattern in patterns.items():
        if pattern.ignore_case == ignore_case:
            for literal in sorted(pattern.literals):
                users.setdefault(literal, []).append(index)
    return list(users.items())
