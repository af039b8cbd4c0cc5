"""Findings in one growing text, and what of it may go out: the implementation of `core.ports.StreamScanner`.

The buffer holds the reading of the text's tail. `Unfinished.begin` says from which byte on a match may still be
undecided; every match with an earlier left edge is final, and is the same as in the whole text, because it depends on
nothing outside its reach. So findings come out exactly once, in the order of their left edges.
"""

from collections.abc import Sequence

from gptgate.core.finding import Finding, Origin
from gptgate.detectors.engine import Finder
from gptgate.detectors.lane import Lane, in_order
from gptgate.detectors.pattern import SEPARATOR
from gptgate.detectors.reading import Reader
from gptgate.detectors.unfinished import Unfinished

_LAZY = 1024
"""A tail longer than this is looked at again only when it has grown by an eighth, or is as long as it can get: so the
work stays linear in the length of the text."""

_KEEP = 128
"""Bytes that may gather before the held tail until it is worth asking which of them are still needed."""


class Group:
    """The lanes that are held back together, or those that are not."""

    __slots__ = ("decided", "lanes", "unfinished")

    def __init__(self, lanes: frozenset[int], unfinished: Unfinished) -> None:
        self.lanes = lanes
        self.unfinished = unfinished
        self.decided = 0
        """Every match whose left edge begins before this byte has been reported."""


class Scanner:
    """One channel. Positions are absolute, in bytes of the reading after the separator (byte 0) that precedes it."""

    def __init__(
        self,
        *,
        place: str,
        origin: Origin,
        is_json: bool,
        finder: Finder,
        lanes: Sequence[Lane],
        held: Group,
        free: Group,
    ) -> None:
        self._place = place
        self._origin = origin
        self._finder = finder
        self._lanes = lanes
        self._held = held
        self._free = free
        self._reader = Reader(is_json)
        self._buffer = SEPARATOR
        self._base = 0
        self._next_look = 0
        self._text = ""
        self._released = 0
        self._ends: dict[int, int] = {}
        self._waiting: list[Finding] = []

    def feed(self, text: str) -> tuple[str, tuple[Finding, ...]]:
        """Released text and the findings that became final. Those of held kinds lie inside the released text."""
        buffer = self._buffer = self._buffer + self._reader.read(text)
        total = self._base + len(buffer)
        held = self._held
        if not held.lanes:
            if total >= self._next_look:
                return text, tuple(self._look(total, total))
            return text, ()
        self._text += text
        if total < self._next_look:
            return "", ()
        found = self._look(held.unfinished.begin(buffer, held.decided - self._base) + self._base, total)
        return self._release(found)

    def finish(self) -> tuple[str, tuple[Finding, ...]]:
        """All that was still held, and the findings that its end decides. The scanner is used up."""
        self._buffer += self._reader.finish() + SEPARATOR
        total = self._base + len(self._buffer)
        found = self._collect(self._finder.hits(self._buffer), total, total) + self._waiting
        text, self._text, self._waiting = self._text, "", []
        return text, tuple(sorted(found, key=in_order))

    def _look(self, held_until: int, total: int) -> list[Finding]:
        """Findings that are decided now. Those of held kinds go to the waiting ones, the others are returned."""
        held, free, base = self._held, self._free, self._base
        hits = self._finder.hits(self._buffer)
        free_until = free.decided
        if not free.lanes:
            free_until = total
        elif hits or held_until - free_until > _KEEP:
            free_until = free.unfinished.begin(self._buffer, free_until - base) + base
        found = self._collect(hits, held_until, free_until) if hits else []
        held.decided, free.decided = held_until, free_until
        keep = min(held_until, free_until)
        if keep > base:
            self._buffer = self._buffer[keep - base :]
            self._base = keep
            self._reader.forget(keep - 1)
        tail = total - (held_until if held.lanes else keep)
        reach = held.unfinished.reach if held.lanes else free.unfinished.reach
        self._next_look = total + min(tail >> 3, max(reach - tail, 0)) if tail > _LAZY else 0
        return found

    def _collect(self, hits: Sequence[int], held_until: int, free_until: int) -> list[Finding]:
        base, reader = self._base, self._reader
        found: list[Finding] = []
        for hit in hits:
            if hit in self._held.lanes:
                since, until, to = self._held.decided, held_until, self._waiting
            elif hit in self._free.lanes:
                since, until, to = self._free.decided, free_until, found
            else:
                continue
            lane = self._lanes[hit]
            free = max(self._ends.get(hit, 0) - base, 0)
            for start, end in lane.compiled.matches(self._buffer, since - base, until - base, free):
                first, last = reader.start(base + start - 1), reader.end(base + end - 1)
                to.append(lane.finding(self._origin, self._place, first, last))
                self._ends[hit] = base + end
        return found

    def _release(self, found: list[Finding]) -> tuple[str, tuple[Finding, ...]]:
        # A left edge takes a byte, so no undecided body begins before the byte after it.
        until = self._reader.start(self._held.decided)
        waiting = self._waiting
        if waiting:
            while (cut := min((one.start for one in waiting if one.start < until < one.end), default=until)) < until:
                until = cut
            self._waiting = [one for one in waiting if one.end > until]
            found = sorted(found + [one for one in waiting if one.end <= until], key=in_order)
        size = until - self._released
        self._released = until
        out, self._text = self._text[:size], self._text[size:]
        return out, tuple(found)
