import re

import pytest

from gptgate.detectors import DETECTORS
from gptgate.detectors.multi import GatedFinder, HyperscanFinder, make_finder
from gptgate.detectors.pattern import ANY, Pattern
from gptgate.detectors.runs import RUNS, Run, run_of

CAPITALS, SIX_DIGITS, LONG, TWO_DIGITS = RUNS


@pytest.mark.parametrize(
    ("body", "run"),
    [
        ("id-[0-9]{6}", SIX_DIGITS),
        ("id-[0-9]{5}", TWO_DIGITS),
        ("id-[0-9]{5,9}", TWO_DIGITS),
        ("[0-9]{3}-[0-9]{3}", SIX_DIGITS),
        ("[0-9]{3}:[0-9]{3}", TWO_DIGITS),
        ("[0-9]:[0-9]{1,3}", None),
        ("(?:[0-9][.])?[0-9]{2}[ ][0-9]{2}[ ][0-9]{2}", SIX_DIGITS),
        ("(?:[0-9]{2}:){3}", TWO_DIGITS),
        ("(?:[0-9]{2}[.]){3}", SIX_DIGITS),
        ("(?:[0-9]{2}[.]){2,3}", TWO_DIGITS),
        ("[0-9]{6}|x[0-9]{2}", TWO_DIGITS),
        ("[0-9]{6}|none", None),
        ("[0-9a-f]{6}", None),
        ("sk-[A-Za-z0-9]{17}", LONG),
        ("sk-[A-Za-z0-9]{16}", None),
        ("[A-Z]{16}", CAPITALS),
        ("[A-Z0-9]{8}[a-z]?[A-Z0-9]{8}", None),
        ("a[0-9]*b", None),
        ("a[0-9]*[0-9]{2}b", TWO_DIGITS),
    ],
)
def test_a_pattern_asks_for_the_run_that_every_match_holds(body: str, run: Run | None) -> None:
    assert run_of(Pattern("test.a", body, 1, left=" ", right=ANY, most=99 if "*" in body else 0)) == run


def test_small_letters_are_no_capitals_where_case_is_ignored() -> None:
    assert run_of(Pattern("test.a", "[A-Z]{16}", 1, ignore_case=True, trigger="[A-Z]{4}")) is None
    assert run_of(Pattern("test.a", "[A-Z]{20}", 1, ignore_case=True, trigger="[A-Z]{4}")) == LONG


def test_what_stands_between_is_not_counted() -> None:
    six = re.compile(SIX_DIGITS.source)
    assert all(map(six.search, ["call 12 (34)-56", "1234567"]))
    assert not any(map(six.search, ["12345", "123, 456"]))


def test_most_forms_of_secrets_cost_words_nothing() -> None:
    patterns = [pattern for detector in DETECTORS.values() for pattern in detector.patterns]
    secrets = [run_of(pattern) for pattern in patterns if pattern.kind.startswith("secret.")]
    assert sum(run is not None for run in secrets) > 0.7 * len(secrets)


def test_a_text_without_the_run_is_not_searched() -> None:
    pytest.importorskip("hyperscan", reason="without hyperscan nothing is searched in steps")
    asked = []

    class Noting(HyperscanFinder):
        def hits(self, data: bytes) -> list[int]:
            asked.append(data)
            return list(super().hits(data))

    runs = HyperscanFinder([(0, LONG.source, False), (1, SIX_DIGITS.source, False)])
    finder = GatedFinder(runs, [Noting([(7, "key", False)]), Noting([(8, "number", False)])])
    assert finder.hits(b"the key and its number") == []
    assert not asked
    assert finder.hits(b"the key aaaaaaaaaaaaaaaaaaaaaaaaaaaa and its number") == [7]
    assert finder.hits(b"the key and its number 123 456") == [8]
    assert len(asked) == 2


def test_a_finder_of_patterns_with_and_without_runs_names_them_by_their_index() -> None:
    patterns = [Pattern("test.a", "word", 1), Pattern("test.b", "sk-[a-z]{20}", 1), Pattern("test.c", "[0-9]{9}", 1)]
    finder = make_finder("auto", patterns)
    found = finder.hits(b" word sk-abcdefghijklmnopqrst 123456789 ")
    assert sorted(found) == [0, 1, 2]
    assert list(make_finder("auto", patterns, [0]).hits(b" word ")) == [0]
