"""Attacks in many styles and languages are alerted, and ordinary texts with the same words are not."""

import pytest

import unforeseen_words as unforeseen
from gptgate.core.finding import Origin, Segment
from gptgate.detectors import build_inspector
from ordinary_words import IN_RESULTS as HONEST_RESULTS
from ordinary_words import OF_USERS
from words_of_our_own import ATTACKS, IN_RESULTS, ORDINARY, ORDINARY_RESULTS

ALERTED = 50
INSPECTOR = build_inspector()


def is_alerted(text: str, origin: Origin) -> bool:
    found = INSPECTOR.inspect([Segment(("x",), origin, text)])
    return any(one.kind.startswith("attack.") and one.points >= ALERTED for one in found)


@pytest.mark.parametrize("text", ATTACKS + unforeseen.ATTACKS)
def test_attacks_of_users(text: str) -> None:
    assert is_alerted(text, Origin.USER)


@pytest.mark.parametrize("text", ORDINARY + OF_USERS + unforeseen.ORDINARY)
def test_ordinary_words_of_users(text: str) -> None:
    assert not is_alerted(text, Origin.USER)


@pytest.mark.parametrize("text", IN_RESULTS + unforeseen.IN_RESULTS)
def test_words_in_results_that_speak_to_the_model(text: str) -> None:
    assert is_alerted(text, Origin.TOOL_RESULT)


@pytest.mark.parametrize("text", ORDINARY_RESULTS + HONEST_RESULTS + OF_USERS + unforeseen.ORDINARY_RESULTS)
def test_ordinary_results(text: str) -> None:
    assert not is_alerted(text, Origin.TOOL_RESULT)
