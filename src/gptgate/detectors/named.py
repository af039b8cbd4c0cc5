"""Values are read beside their names: ``{"password": "…"}`` says what the value is; in the value alone nothing does.

In text that holds JSON the two stand side by side. In an object they are texts of their own, so the values of names
that no dialect has are read once more with their names before them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from gptgate.core.finding import Finding, Path, Segment, pointer

VERSION = 1
"""To be raised when what is read beside its name changes."""
LONGEST = 512
"""Characters of a value that are read beside its name: what a name says something about is shorter."""
SHORTEST = 4
"""A value that is shorter is nothing that a name makes a finding of."""
LONGEST_NAME = 32
"""Characters of a name, the last ones. Threat: a long name over a list of short values is read with each of them."""


class Named(NamedTuple):
    """A value behind its name: its text begins at `offset`."""

    segment: int
    offset: int
    text: str


def named(segments: Sequence[Segment]) -> list[Named]:
    """The values of all names that are texts themselves; in a list, each beside the name of the list."""
    names = {segment.path for segment in segments if segment.is_key}
    if not names:
        return []
    found = []
    for index, segment in enumerate(segments):
        if segment.is_key or segment.is_json or segment.media or len(segment.text) < SHORTEST:
            continue
        path = _name_of(segment.path)
        if path in names:
            head = f'"{str(path[-1])[-LONGEST_NAME:]}": "'
            found.append(Named(index, len(head), f'{head}{segment.text[:LONGEST]}"'))
    return found


def as_segments(segments: Sequence[Segment], found: Sequence[Named]) -> list[Segment]:
    """The values with their names, as texts to inspect behind the others."""
    return [Segment(("named", at), segments[one.segment].origin, one.text) for at, one in enumerate(found)]


def beside_names(
    segments: Sequence[Segment], found: Sequence[Named], findings: Sequence[Finding], alone: Sequence[Finding]
) -> Iterator[Finding]:
    """Of the findings in `as_segments`, which were inspected behind `segments`, those in values that are not among
    `alone`, which were found without names."""
    known: dict[tuple[str, int], list[Finding]] = {}
    for one in alone:
        known.setdefault((one.kind, one.segment), []).append(one)
    for one in findings:
        index, offset, text = found[one.segment - len(segments)]
        start, end = one.start - offset, one.end - offset
        segment = segments[index]
        is_cut = len(segment.text) > LONGEST and end >= LONGEST
        if start < 0 or end > len(text) - offset - 1 or is_cut:
            continue
        if not any(other.start < end and start < other.end for other in known.get((one.kind, index), ())):
            yield replace(one, place=pointer(segment.path), start=start, end=end, segment=index)


def _name_of(path: Path) -> Path:
    end = len(path)
    while end and isinstance(path[end - 1], int):
        end -= 1
    return path[:end]
