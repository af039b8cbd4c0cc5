"""Texts that stand side by side in one message are read on from one to the next.

A caller may give a message in many blocks. Each is a text of its own, but the model reads them in a row: what one
begins and another ends would be in none of them. So a row of blocks is read once more as one text, with a space
between them and without; of a long block only its ends. What reaches over more than one block is a finding in each.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from gptgate.core.finding import Finding, Origin, Path, Segment, pointer

WINDOW = 192
"""Characters at either end of a block that are read on. A match with more of them in one block is not seen."""
_GAP = "\0"
"""Stands for what is left out of a block: no pattern contains it."""
_LISTS = ("content", "system")
"""Fields whose items are blocks of one text."""


class _Part(NamedTuple):
    """Characters from `start` on of a row's text are those from `at` on of a segment. `is_cut` on the left, right."""

    start: int
    segment: int
    at: int
    text: str
    is_cut: tuple[bool, bool]


class Row(NamedTuple):
    """Neighbouring blocks as one text."""

    parts: tuple[_Part, ...]
    text: str


def rows(segments: Sequence[Segment]) -> list[Row]:
    """All rows of two blocks or more, each with a space between blocks and without, where that is not the same.

    The blocks of a row have one list and one field: what else stands in them or between them, such as an empty text,
    an image or a field that no dialect knows, parts nothing.
    """
    found: dict[tuple[Origin, Path, Path], list[int]] = {}
    for index, segment in enumerate(segments):
        if segment.is_key or segment.is_json or segment.media or not segment.text:
            continue
        path = segment.path
        at = _block(path)
        if at:
            found.setdefault((segment.origin, path[:at], path[at + 1 :]), []).append(index)
    return [reading for row in found.values() for reading in _readings(segments, row)]


def _block(path: Path) -> int:
    """Which step of the path is the number of a block: the last such; 0 where there is none."""
    for at in range(len(path) - 1, 0, -1):
        if path[at - 1] in _LISTS and isinstance(path[at], int):
            return at
    return 0


def _readings(segments: Sequence[Segment], row: Sequence[int]) -> list[Row]:
    if len(row) < 2:
        return []
    return [_joined(segments, row, glue) for glue in ("", " ")]


def _joined(segments: Sequence[Segment], row: Sequence[int], glue: str) -> Row:
    parts: list[_Part] = []
    size = 0
    texts: list[str] = []
    for index in row:
        text = segments[index].text
        is_long = len(text) > 2 * WINDOW
        ends = [(0, text[:WINDOW]), (len(text) - WINDOW, text[-WINDOW:])] if is_long else [(0, text)]
        for number, (at, piece) in enumerate(ends):
            between = "" if not parts else _GAP if number else glue
            parts.append(_Part(size + len(between), index, at, piece, (bool(number), is_long and not number)))
            texts += (between, piece)
            size += len(between) + len(piece)
    return Row(tuple(parts), "".join(texts))


def as_segments(segments: Sequence[Segment], found: Sequence[Row]) -> list[Segment]:
    """The rows as texts to inspect."""
    return [Segment(("row", at), segments[row.parts[0].segment].origin, row.text) for at, row in enumerate(found)]


def reaching(
    segments: Sequence[Segment], found: Sequence[Row], findings: Sequence[Finding], alone: Sequence[Finding]
) -> Iterator[Finding]:
    """Of the findings in `as_segments`, those that reach over more than one block: one in each of these blocks.

    `alone` are the findings in single blocks. What goes on behind one of them begins something else: an address that
    ends a block is not longer because the next begins with a letter.
    """
    spans: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for one in alone:
        spans.setdefault((one.kind, one.segment), []).append((one.start, one.end))
    told: set[tuple[str, int]] = set()
    for one in findings:
        pieces = _pieces(found[one.segment].parts, one)
        if not pieces or (one.kind, pieces[0][0]) in told or any(_overlap(spans, one.kind, *piece) for piece in pieces):
            continue
        told.add((one.kind, pieces[0][0]))
        for block, start, end in pieces:
            yield replace(one, place=pointer(segments[block].path), start=start, end=end, segment=block)


def _pieces(parts: Sequence[_Part], one: Finding) -> list[tuple[int, int, int]]:
    """What of a finding stands in which block, by its characters; nothing where it stands in one block only."""
    first = bisect_right(parts, one.start, key=_start) - 1
    last = bisect_right(parts, one.end - 1, key=_start) - 1
    touched = parts[first : last + 1]
    begins_cut = touched[0].is_cut[0] and one.start == touched[0].start
    ends_cut = touched[-1].is_cut[1] and one.end >= touched[-1].start + len(touched[-1].text)
    # Of what is left out of a block nobody knows whether the match would have been one.
    if begins_cut or ends_cut:
        return []
    spans = [
        (part.segment, part.at + max(one.start - part.start, 0), part.at + min(one.end - part.start, len(part.text)))
        for part in touched
    ]
    kept = [span for span in spans if span[1] < span[2]]
    return kept if len({block for block, _, _ in kept}) > 1 else []


def _overlap(
    spans: Mapping[tuple[str, int], Sequence[tuple[int, int]]], kind: str, block: int, start: int, end: int
) -> bool:
    return any(begin < end and start < last for begin, last in spans.get((kind, block), ()))


def _start(part: _Part) -> int:
    return part.start
