"""One inspector for the tests of patterns and views: building it compiles every pattern. It has no trained model."""

import pytest

from detector_parts import Find
from gptgate.core.finding import Origin, Segment
from gptgate.detectors import DETECTORS, TextInspector


@pytest.fixture(scope="session")
def inspector() -> TextInspector:
    return TextInspector(DETECTORS)


@pytest.fixture(scope="session")
def find(inspector: TextInspector) -> Find:
    """Kinds and texts of what is found in one text."""

    def find_in(text: str, origin: Origin = Origin.USER, is_json: bool = False) -> list[tuple[str, str]]:
        findings = inspector.inspect([Segment(("messages", 0, "content"), origin, text, False, is_json)])
        return [(finding.kind, text[finding.start : finding.end]) for finding in findings]

    return find_in
