"""What is known of a word is what the engines would say of it again."""

import random

import pytest

from gptgate.core.finding import Origin
from gptgate.detectors.inspector import TextInspector
from gptgate.detectors.pattern import SEPARATOR
from gptgate.detectors.prose import Prose
from gptgate.detectors.scanner import Division

HELD = frozenset({"secret.*", "pii.*"})
WORDS = """
 the of sk-live ghp_ passport no. 12 1234 born on e-mail me@example.org -----BEGIN PRIVATE KEY 4111 St. phone: call tel
 AKIA (see) "x" über naïve 10.0.0.1 fe80:: ref- key=abc pwd a i it's end. DE89 id, new York Street Rue de la date birth
""".split()


@pytest.fixture
def division(inspector: TextInspector) -> Division:
    made: Division = inspector._divide(Origin.ASSISTANT, HELD)[0]
    made[1].begin(b" so word")  # which it remembers: a last word may become a secret
    return made


@pytest.fixture
def prose(division: Division) -> Prose:
    return division[4]


def test_it_says_where_a_match_may_begin_as_the_automata_do(inspector: TextInspector, division: Division) -> None:
    lanes, unfinished, finder, _, prose = division
    source = random.Random(5)
    known = 0
    for _ in range(20_000):
        tail, piece = (f" {source.choice(WORDS)}".encode() for _ in range(2))
        begin = unfinished.begin(tail + piece)
        if not prose.goes_on(tail, piece):
            continue
        known += 1
        assert begin == len(tail), (tail, piece)
        for hit in finder.hits(tail + piece):
            if hit in lanes:
                assert not list(inspector._lanes[hit].compiled.matches(tail + piece, 0, begin, 0)), (tail, piece)
    assert known > 2_000


@pytest.mark.parametrize(
    "tail", [SEPARATOR + b"the", b"the", b" the cat", b" th\\", " é".encode(), b" a", b" " + b"x" * 40, b""]
)
def test_what_is_no_word_is_not_known(prose: Prose, tail: bytes) -> None:
    assert not prose.goes_on(tail, b" word")


def test_a_word_that_is_a_secret_is_not_known_for_harmless(prose: Prose) -> None:
    assert prose.goes_on(b" plain", b" word")
    assert not prose.goes_on(b" me@example.org", b" word")
    assert not prose.goes_on(b" born", b" word"), "words may follow that make it a date of birth"


@pytest.mark.parametrize("nonsense", [None, 7])
def test_an_engine_without_an_answer_is_not_one_without_hits(prose: Prose, nonsense: object) -> None:
    class Broken:
        def hits(self, _: bytes) -> object:
            return nonsense

    broken = Prose(prose._unfinished, Broken())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        broken.goes_on(b" plain", b" word")


def test_a_word_is_known_although_another_begins_as_it_does(division: Division, prose: Prose) -> None:
    _, unfinished, *_ = division
    for tail in (b" person", b" reason", b" inside"):
        assert unfinished.begin(tail[:4]) == 0, "a beginning of what has spaces inside, as far as its first letters say"
        assert prose.goes_on(tail, b" word")
    assert not prose.goes_on(b" call", b" word"), "a number may follow"
