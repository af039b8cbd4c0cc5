"""A phrase's seldom word is what its pattern waits for: it must be in all that the phrase says."""

import pytest

from gptgate.detectors.phrase import Phrase, patterns

WORDS = {"seldom": "disregard|neglect", "other": "rules"}


def made(text: str) -> str:
    return patterns("attack.override", [Phrase(50, text, WORDS)])[0].trigger


@pytest.mark.parametrize(
    "text", ["<seldom!> <other>", "(all )?<seldom!>", "(<seldom!>) x", "((a|b) <seldom!>) c", "(a|b) <seldom!> (c|d)"]
)
def test_a_word_on_every_way_is_what_is_waited_for(text: str) -> None:
    assert "neglect" in made(text)


@pytest.mark.parametrize(
    "text",
    ["(<seldom!>|drop) <other>", "(drop|<seldom!>) x", "(<seldom!> )?<other>", "((<seldom!>) a|b) c", "a|<seldom!>"],
)
def test_a_word_that_a_phrase_can_do_without_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can do without its seldom word"):
        made(text)
