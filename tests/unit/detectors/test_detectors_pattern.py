from collections.abc import Callable
from typing import Any

import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector
from gptgate.detectors.pattern import ANY, Detector, Pattern

Inspect = Callable[[Pattern, str], list[str]]


@pytest.fixture(params=["re2", "auto"])
def inspect_with(request: pytest.FixtureRequest) -> Inspect:
    """What one pattern finds in a text, whole and letter by letter alike."""

    def inspect(pattern: Pattern, text: str) -> list[str]:
        inspector = TextInspector({"test": Detector("test", 1, {pattern.kind: "A test."}, (pattern,))}, request.param)
        whole = inspector.inspect([Segment(("c",), Origin.ASSISTANT, text)])
        scanner = inspector.stream("/c", Origin.ASSISTANT, frozenset({"*"}), False)
        cut = [one for letter in text for one in scanner.feed(letter)[1]] + list(scanner.finish()[1])
        assert tuple(cut) == whole
        return [text[one.start : one.end] for one in whole]

    return inspect


def make(**changes: Any) -> Pattern:
    plain: dict[str, Any] = {"kind": "test.kind", "body": "abc", "points": 10}
    return Pattern(**{**plain, **changes})


def test_lengths_are_derived() -> None:
    pattern = make(body="ab{2,4}")
    assert (pattern.longest, pattern.reach) == (5, 8)
    assert pattern.literals == {b"a"}


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "a[^b]"},
        {"body": "a+"},
        {"body": "abc", "most": 5},
        {"points": 101},
        {"left": ""},
        {"left": "x"},
        {"left": ANY},
        {"body": r"[\x80-\xff]a"},
        {"body": "a("},
    ],
    ids=["negated", "unbounded", "bounded twice", "points", "no edge", "edge", "inside words", "not ASCII", "syntax"],
)
def test_patterns_that_could_not_be_recognised_exactly_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        make(**changes)


def test_a_body_without_a_bound_needs_one() -> None:
    assert make(body="a+", most=9).longest == 9


def test_a_detector_declares_the_kinds_that_its_patterns_have() -> None:
    with pytest.raises(ValueError, match="kinds"):
        Detector("test", 1, {"test.other": "Something."}, (make(),))


def test_what_stands_before_a_body_is_asked_for_and_not_found(inspect_with: Inspect) -> None:
    number = make(prefix="(?:passport|id)[ :#]{1,3}", body="[0-9]{6}", ignore_case=True)
    texts = {"My PASSPORT: 123456.": ["123456"], "ID 123456 and 654321": ["123456"], "order 123456": []}
    assert {text: inspect_with(number, text) for text in texts} == texts


def test_a_prefix_begins_the_match() -> None:
    assert make(prefix="no ", body="[0-9]{6}").longest == 9
    with pytest.raises(ValueError):
        make(prefix=r"[\x80-\xff]", body="[0-9]{6}")
