"""One inspector for all tests of this package: building it compiles every pattern."""

from collections.abc import Callable

import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector, build_inspector

Find = Callable[..., list[tuple[str, str]]]


@pytest.fixture(scope="session")
def inspector() -> TextInspector:
    return build_inspector()


@pytest.fixture(scope="session")
def find(inspector: TextInspector) -> Find:
    """Kinds and texts of what is found in one text."""

    def find_in(text: str, origin: Origin = Origin.USER, is_json: bool = False) -> list[tuple[str, str]]:
        findings = inspector.inspect([Segment(("messages", 0, "content"), origin, text, False, is_json)])
        return [(finding.kind, text[finding.start : finding.end]) for finding in findings]

    return find_in
