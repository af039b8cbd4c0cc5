"""The gate lets through every text in which a match may begin."""

import re

import pytest

from gptgate.detectors.gate import make_gate
from gptgate.detectors.pattern import Pattern


def _gate(*bodies: str, ignore_case: bool = False) -> re.Pattern[str] | None:
    return make_gate([Pattern(kind="secret.x", body=body, points=1, ignore_case=ignore_case) for body in bodies])


@pytest.mark.parametrize(
    "text", ["key sk-abc", "x s", "x sk", "sk-", "AKIA", "so A3T", "end A3", "1 41", "411", "a 4", "2 411x"]
)
def test_a_beginning_is_seen_whole_or_at_the_end(text: str) -> None:
    gate = _gate("sk-[a-z]{3}", "(?:A3T|AKI)[A-Z]{2}", "[3-5][0-9]{8}")
    assert gate is not None
    assert gate.search(text)


@pytest.mark.parametrize("text", ["skip ", "words", "a word ", "KIA ", "2411x", "task-", " 9 ", "A3x ", "s k- "])
def test_other_texts_are_ruled_out(text: str) -> None:
    gate = _gate("sk-[a-z]{3}", "(?:A3T|AKI)[A-Z]{2}", "[3-5][0-9]{8}")
    assert gate is not None
    assert not gate.search(text)


def test_optional_parts_and_short_words_are_beginnings_too() -> None:
    gate = _gate("x?y{0,2}zab", "q")
    assert gate is not None
    for text in ("xyz", "yyz", "xza", "zab", "q!", "at last x", "xy"):
        assert gate.search(text), text
    assert not gate.search("x-y-z-")


def test_patterns_that_begin_like_any_word_have_no_gate() -> None:
    assert _gate("[a-z]{3,9}@x") is None
    assert _gate("sk-[a-z]{3}", ignore_case=True) is None
    assert make_gate([]) is None


def test_a_left_edge_of_two_characters_may_be_the_end_of_a_text() -> None:
    """It is no last character that alone would be kept for the next piece."""
    gate = make_gate([Pattern(kind="secret.x", body="[3-5][0-9]{8}", left=r"(?:[^A-Za-z0-9.]|[^0-9]\.)", points=1)])
    assert gate is not None
    assert gate.search("No.")
    assert not gate.search("No. ")


def test_patterns_with_longer_left_edges_have_no_gate() -> None:
    assert make_gate([Pattern(kind="secret.x", body="[3-5][0-9]{8}", left="(?: |no )[:]?", points=1)]) is None
