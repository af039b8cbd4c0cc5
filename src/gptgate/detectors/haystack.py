"""What a group of lanes searches: the texts of the origins that it looks at, as one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from gptgate.core.finding import Origin, Segment
from gptgate.detectors.derive import Piece
from gptgate.detectors.lane import LaneGroup
from gptgate.detectors.pattern import SEPARATOR


class Haystack:
    """Pieces, and their bytes with separators before, between and after: no match reaches from one into another."""

    def __init__(self, pieces: Sequence[Piece], data: bytes) -> None:
        self._pieces = pieces
        self.data = data

    @cached_property
    def _begins(self) -> Sequence[int]:
        return list(accumulate((len(piece.data) + 1 for piece in self._pieces), initial=1))

    def piece_at(self, place: int) -> tuple[Piece, int]:
        """The piece that stands at this byte, and where it begins."""
        number = bisect_right(self._begins, place) - 1
        return self._pieces[number], self._begins[number]


class Haystacks:
    """What each of some groups searches in the texts of a request or an answer."""

    def __init__(self, groups: Sequence[LaneGroup]) -> None:
        self._groups = groups
        self._plans: dict[frozenset[Origin], tuple[tuple[LaneGroup, frozenset[Origin]], ...]] = {}
        """Whose words there are → who looks at the words of whom: as many as there are sets of origins."""

    def of(
        self, segments: Sequence[Segment], pieces: Sequence[Piece], data: bytes
    ) -> Iterator[tuple[LaneGroup, Haystack]]:
        """The groups that look at any of these words, each with those that it looks at. `data`: all pieces, joined."""
        present = frozenset([segment.origin for segment in segments])
        plan = self._plans.get(present)
        if plan is None:
            plan = self._plans[present] = tuple(
                (group, present & group.origins) for group in self._groups if present & group.origins
            )
        made = {present: Haystack(pieces, data)}
        for group, seen in plan:
            haystack = made.get(seen)
            if haystack is None:
                chosen = [piece for piece in pieces if segments[piece.segment].origin in seen]
                haystack = made[seen] = Haystack(chosen, joined([piece.data for piece in chosen]))
            yield group, haystack


def joined(texts: Iterable[bytes]) -> bytes:
    """Texts as patterns see them."""
    return SEPARATOR + SEPARATOR.join(texts) + SEPARATOR
