import pytest

from gptgate.detectors.pattern import ANY, Detector, Pattern


def make(**changes: object) -> Pattern:
    return Pattern(**{"kind": "test.kind", "body": "abc", "points": 10, **changes})  # type: ignore[arg-type]


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
