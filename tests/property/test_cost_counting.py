"""Texts between sure cuts are counted the same, whatever stands around them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gptgate.core.tokens import ENCODINGS
from gptgate.cost import counting, encodings
from gptgate.cost.counting import most_tokens
from vocabulary import counting as counts

COUNTS = {name: counts(name) for name in ENCODINGS}
WORDS = st.lists(
    st.sampled_from(
        [
            *("a", "the ", "Word", " ", "\n", "\r\n", "  ", "\t", ".", ",", "'", "'s", "'LL", "1", "12345", "中文。"),
            *("é", "\u0301", "ſ", "²", "Ⅷ", "--", "/", "\u3000", "\u00a0", "\u2028", "и ", "<", "|", "_", "😀", "ǅ"),
        ]
    ),
    max_size=30,
).map("".join)
TEXTS = WORDS | st.text(max_size=40)


def size(text: str) -> int:
    return len(text.encode())


def test_all_names_are_known() -> None:
    assert set(ENCODINGS) == set(encodings.ENCODINGS)


@pytest.mark.parametrize("name", ENCODINGS)
@given(before=TEXTS, text=WORDS, after=TEXTS, data=st.data())
def test_a_sure_cut_is_one_whatever_stands_around_it(
    name: str, before: str, text: str, after: str, data: st.DataObject
) -> None:
    places = [found.start() for found in counting._SURE_CUT.finditer(text)]
    assume(places)
    start, end = sorted((data.draw(st.sampled_from(places)), data.draw(st.sampled_from(places))))
    count = COUNTS[name]
    apart = count(before + text[:start]) + count(text[start:end]) + count(text[end:] + after)
    assert count(before + text + after) == apart


@pytest.mark.parametrize("name", ENCODINGS)
@given(before=TEXTS, text=WORDS, after=TEXTS)
def test_a_text_never_adds_more_than_its_bound(name: str, before: str, text: str, after: str) -> None:
    count = COUNTS[name]
    bound = most_tokens(text, count)
    assert count(before + text + after) <= size(before) + bound + size(after)
    assert count(text) <= bound <= size(text)


@given(text=WORDS.map(lambda text: text * 9))
def test_counting_in_pieces_gives_the_same(text: str) -> None:
    count = COUNTS["o200k_base"]
    whole = most_tokens(text, count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "CHUNK", 7)
        assert most_tokens(text, count) == whole
