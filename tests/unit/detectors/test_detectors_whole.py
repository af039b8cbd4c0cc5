"""Detectors that see whole texts stand beside the patterns."""

from collections.abc import Mapping, Sequence

from gptgate.core.finding import Finding, Origin, Segment
from gptgate.detectors import DETECTORS, TextInspector
from gptgate.detectors.whole import Sighting


class Shouting:
    """A detector of the test's own."""

    name = "shouting"
    kinds: Mapping[str, str] = {"test.shouting": "A text in capitals."}
    origins = frozenset({Origin.USER})
    points: Sequence[int] = (30,)
    digest = "1"

    def look(self, text: str) -> Sequence[Sighting]:
        return [Sighting(0, len(text), "test.shouting", 30)] if text.isupper() else []


def test_its_findings_stand_in_order_among_the_others() -> None:
    inspector = TextInspector(DETECTORS, "auto", {"shouting": Shouting()})
    segments = [
        Segment(("a",), Origin.USER, "MAIL ADA@EXAMPLE.COM NOW"),
        Segment(("b",), Origin.SYSTEM, "NOT ITS BUSINESS"),
        Segment(("c",), Origin.USER, "KEY", True),
    ]
    found = inspector.inspect(segments)
    assert [(one.kind, one.place, one.start, one.end) for one in found] == [
        ("test.shouting", "/a", 0, 24),
        ("pii.email", "/a", 5, 20),
    ]
    assert isinstance(found[0], Finding)
    assert found[0].points == 30


def test_the_digest_says_which_detectors_see_whole_texts() -> None:
    assert TextInspector(DETECTORS).digest != TextInspector(DETECTORS, "auto", {"shouting": Shouting()}).digest
