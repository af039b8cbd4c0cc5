"""Detectors that must see a whole text: what no pattern can say.

They look at texts that are there from beginning to end: those of requests, and of answers that are not streams. On
streams they see nothing, so a detector here declares origins that do not stream, or is openly not for streams.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from gptgate.core.finding import Origin


class Sighting(NamedTuple):
    """Characters ``[start, end)`` of the text, what they are and how much they weigh (0 to 100)."""

    start: int
    end: int
    kind: str
    points: int


class WholeDetector(Protocol):
    """A recogniser of whole texts. Pure and total; the work is linear in the length of the text.

    `kinds` maps each kind that it can report to one line that says what it is. `origins`: whose words it looks at.
    `points` are those that its sightings can have, from low to high.
    `digest` changes whenever its answers can (weights, tables, code).
    """

    name: str
    kinds: Mapping[str, str]
    origins: frozenset[Origin]
    points: Sequence[int]
    digest: str

    def look(self, text: str) -> Sequence[Sighting]:
        """What is recognised in the text as it was sent, without any normalisation."""
        ...
