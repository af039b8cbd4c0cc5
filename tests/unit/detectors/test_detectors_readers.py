"""Orders to the machine that reads a result, in mails, pages, values, code and logs; and honest results."""

import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector
from reader_words import ORDERS, ORDINARY

BAR = 50
"""The points from which on a rule of the baseline policy fires."""


def points(inspector: TextInspector, text: str, origin: Origin = Origin.TOOL_RESULT) -> int:
    findings = inspector.inspect([Segment(("messages", 2, "content"), origin, text)])
    return max((one.points for one in findings if one.kind.startswith("attack.")), default=0)


@pytest.mark.parametrize("text", ORDERS)
def test_orders_to_the_reader(inspector: TextInspector, text: str) -> None:
    assert points(inspector, text) >= BAR


@pytest.mark.parametrize("text", ORDINARY)
def test_honest_results(inspector: TextInspector, text: str) -> None:
    assert points(inspector, text) < BAR


def test_in_a_users_own_words_most_of_them_are_wishes(inspector: TextInspector) -> None:
    found = [text for text in ORDERS if points(inspector, text, Origin.USER) >= BAR]
    assert len(found) < len(ORDERS) // 4
