import pytest

from gptgate.simulator.tokens import count_tokens, first_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), (" \n", 0), ("word", 1), ("two words", 2), ("Hi, you!?", 4), ("a_b-c", 3), ("naïve 日本", 2)],
)
def test_words_and_runs_of_punctuation_are_counted(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


@pytest.mark.parametrize(("limit", "text"), [(0, ""), (1, "one"), (2, "one,"), (3, "one, two"), (9, "one, two.")])
def test_the_first_tokens_end_where_the_last_of_them_ends(limit: int, text: str) -> None:
    assert first_tokens("one, two.", limit) == text
    assert count_tokens(text) == min(limit, 4)
