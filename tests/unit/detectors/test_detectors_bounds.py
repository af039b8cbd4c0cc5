"""A text made of findings is refused, not worked through."""

import pytest

from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Origin, Segment
from gptgate.detectors import build_inspector
from gptgate.detectors.inspector import MAX_FINDINGS


def test_more_findings_than_are_judged_fail_closed() -> None:
    inspector = build_inspector()
    few = Segment(("x",), Origin.USER, "a@b.example " * 100)
    many = Segment(("x",), Origin.USER, "a@b.example " * (MAX_FINDINGS + 1))
    assert len(inspector.inspect([few])) == 100
    with pytest.raises(GuardFailed, match="more than"):
        inspector.inspect([many])
