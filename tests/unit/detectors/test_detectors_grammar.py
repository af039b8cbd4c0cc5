import re

import pytest

from gptgate.detectors.grammar import classes, first, longest, loosened, parse, required, unfinished


@pytest.mark.parametrize(
    ("source", "length"),
    [("abc", 3), ("a?b", 2), ("[a-z]{2,5}x", 6), ("(?:ab|c){3}", 6), ("a*", None), ("(?:a+|b)c", None), ("", 0)],
)
def test_longest_is_the_length_of_the_longest_word(source: str, length: int | None) -> None:
    assert longest(parse(source)) == length


@pytest.mark.parametrize(
    ("source", "literals"),
    [
        ("sk-[a-z]{4}", {"sk-"}),
        ("(?:red|blue) car", {"red car", "blue car"}),
        ("(?:yellow|green) car", {"yellow car", "green car"}),
        ("[a-z]+", set()),
        ("(?:a|[0-9])x", {"x"}),
        ("(?:abc)?de", {"de", "abcde"}),
        (r"\xe9[a-z]", {"é"}),
        ("(?:abc|[0-9])", set()),
    ],
)
def test_every_word_contains_a_required_literal(source: str, literals: set[str]) -> None:
    assert required(parse(source)) == literals


@pytest.mark.parametrize(
    "source",
    ["(a)", "a.b", "^a", "a$", "[", "[]", "[a[b]", "(?:a", "a)", "a{", "a{,3}", "a{x}", "*a", r"\d", "é", "a{1}?"],
)
def test_what_is_outside_the_language_is_refused(source: str) -> None:
    with pytest.raises(ValueError):
        parse(source)


def test_classes_keep_escaped_brackets() -> None:
    assert classes(parse(r"[\]a]b")) == {r"[\]a]", "b"}


def test_first_looks_past_what_may_be_missing() -> None:
    assert first(parse("(?:a|b)?c*[de]f")) == (frozenset({"a", "b", "c", "[de]"}), False)
    assert first(parse("a?")) == (frozenset({"a"}), True)


def test_derived_patterns() -> None:
    assert unfinished(parse("ab")) == "(?:ab?)?"
    assert loosened(parse("[a-z]{3,9}")) == "(?:[a-z]){3,}"


def test_a_beginning_keeps_count_of_what_has_parts() -> None:
    begins = re.compile(unfinished(parse("call(?:[ ]{1,9}[a-z]{1,9}){0,3}[ ]{1,9}[0-9]"))).fullmatch
    assert begins("call me at the ")
    assert begins("call me at the" + " " * 30), "more than can become a match is held, never less"
    assert not begins("call me at the usual"), "a fourth word: a bound that is lost holds the text back"
