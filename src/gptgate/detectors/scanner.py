"""Findings in one growing text, and what of it may go out: the implementation of `core.ports.StreamScanner`.

The buffer holds the reading of the text's tail. `Unfinished.begin` says from which byte on a match may still be
undecided; every match with an earlier left edge is final, and is the same as in the whole text, because it depends on
nothing outside its reach. So findings come out exactly once, in the order of their left edges.
"""

import re
import sys
from collections.abc import Sequence

from gptgate.core.finding import Finding, Origin
from gptgate.detectors.engine import Finder
from gptgate.detectors.lane import Lane, in_order
from gptgate.detectors.pattern import SEPARATOR
from gptgate.detectors.prose import Prose
from gptgate.detectors.reading import Reader
from gptgate.detectors.unfinished import Unfinished

Division = tuple[frozenset[int], Unfinished, Finder, re.Pattern[str] | None, Prose]
"""Lanes, where their matches may begin, how they are found, and two shortcuts (`detectors.gate`, `detectors.prose`)."""

_LAZY = 1024
"""A tail longer than this is looked at again only when it has grown by an eighth, or is as long as it can get: so the
work stays linear in the length of the text."""

_BACKSLASH = 0x5C

_KEEP = 512
"""Bytes that gather before kinds are looked for that nobody waits for."""


class Group:
    """The lanes that are held back together, or those that are not: how far they are decided, when to look again."""

    __slots__ = ("decided", "finder", "lanes", "next_look", "patience", "unfinished")

    def __init__(self, lanes: frozenset[int], unfinished: Unfinished, finder: Finder, patience: int) -> None:
        self.lanes = lanes
        self.unfinished = unfinished
        self.finder = finder
        self.patience = patience
        self.decided = 0
        """Every match whose left edge begins before this byte has been reported."""
        self.next_look = 0 if lanes else sys.maxsize

    def advance(self, until: int, total: int) -> None:
        """All matches with a left edge before `until` are reported, of a text that is `total` bytes long."""
        self.decided = until
        tail = total - until
        pause = min(tail >> 3, max(self.unfinished.reach - tail, 0)) if tail > _LAZY else 0
        self.next_look = total + max(pause, self.patience)


class Scanner:
    """One channel. Positions are absolute, in bytes of the reading after the separator (byte 0) that precedes it."""

    def __init__(
        self, *, place: str, origin: Origin, is_json: bool, lanes: Sequence[Lane], held: Division, free: Division
    ) -> None:
        self._place = place
        self._origin = origin
        self._lanes = lanes
        self._held = Group(*held[:3], 0)
        self._free = Group(*free[:3], _KEEP)
        self._gate = None if is_json else held[3]
        self._prose = held[4]
        self._reader = Reader(is_json)
        self._buffer = SEPARATOR
        self._base = 0
        self._text = ""
        self._released = 0
        self._ends: dict[int, int] = {}
        self._waiting: list[Finding] = []

    def feed(self, text: str) -> tuple[str, tuple[Finding, ...]]:
        """Released text and the findings that became final. Those of held kinds lie inside the released text.

        Findings of kinds that are not held may come a little later than they could (`_KEEP`).
        """
        held, free = self._held, self._free
        tail = self._buffer[held.decided - self._base :]
        piece = self._reader.read(text)
        self._buffer += piece
        total = self._base + len(self._buffer)
        found = self._look(free, total, complete=False) if total >= free.next_look else []
        if not held.lanes:
            self._trim(free.decided)
            return text, tuple(found)
        self._text += text
        if total < held.next_look:
            return "", tuple(found)
        if (
            self._gate is not None
            and held.decided == total - len(text) - 1
            and not self._waiting
            and text.isascii()
            and "\\" not in text
            and self._buffer[-len(text) - 1] != _BACKSLASH
            and not self._gate.search(text)
        ):
            # All before the text is decided but its last byte, a left edge perhaps, and no match begins in the text.
            held.decided, held.next_look = total - 1, total
            self._trim(min(held.decided, free.decided) if free.lanes else held.decided)
            out, self._text, self._released = self._text, "", self._reader.taken
            return out, tuple(found)
        if self._prose.goes_on(tail, piece):
            held.decided, held.next_look = held.decided + len(tail), total
        else:
            self._waiting += self._look(held, total, complete=False)
        keep = free.decided if free.lanes and free.decided < held.decided else held.decided
        if keep > self._base:
            self._trim(keep)
        return self._release(found)

    def finish(self) -> tuple[str, tuple[Finding, ...]]:
        """All that was still held, and the findings that its end decides. The scanner is used up."""
        self._buffer += self._reader.finish() + SEPARATOR
        total = self._base + len(self._buffer)
        found = self._waiting
        for group in (self._held, self._free):
            found += self._look(group, total, complete=True)
        text, self._text, self._waiting = self._text, "", []
        return text, tuple(sorted(found, key=in_order))

    def _look(self, group: Group, total: int, *, complete: bool) -> list[Finding]:
        """The findings of a group that are decided and were not reported yet."""
        base, reader = group.decided, self._reader
        data = self._buffer[base - self._base :]
        begin = group.unfinished.begin_at_latest if group.patience else group.unfinished.begin
        until = len(data) if complete else begin(data)
        found: list[Finding] = []
        for hit in sorted(group.finder.hits(data)) if until else ():
            if hit not in group.lanes:
                continue
            lane = self._lanes[hit]
            free = max(self._ends.get(hit, 0) - base, 0)
            for start, end in lane.compiled.matches(data, 0, until, free):
                first, last = reader.start(base + start - 1), reader.end(base + end - 1)
                found.append(lane.finding(self._origin, self._place, first, last))
                self._ends[hit] = base + end
        group.advance(base + until, total)
        return found

    def _trim(self, keep: int) -> None:
        if keep > self._base:
            self._buffer = self._buffer[keep - self._base :]
            self._base = keep
            self._reader.forget(keep - 1)

    def _release(self, found: list[Finding]) -> tuple[str, tuple[Finding, ...]]:
        # A left edge takes a byte, so no undecided body begins before the byte after it.
        until = self._reader.start(self._held.decided)
        waiting = self._waiting
        if waiting:
            while (cut := min((one.start for one in waiting if one.start < until < one.end), default=until)) < until:
                until = cut
            self._waiting = [one for one in waiting if one.end > until]
            found = sorted(found + [one for one in waiting if one.end <= until], key=in_order)
        text, size = self._text, until - self._released
        self._released, self._text = until, text[size:]
        return text[:size], tuple(found)
