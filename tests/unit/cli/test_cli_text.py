"""What records may put on an operator's terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.cli.text import clean, clean_json, counted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünïcödé, 漢字, 🙂", "plain, ünïcödé, 漢字, 🙂"),
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("a\r\nb\tc", "a\\x0d\\x0ab\\x09c"),
        ("\x9b31m", "\\x9b31m"),
        ("\x7f", "\\x7f"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("\u2066x\u2069\u200b", "\\u2066x\\u2069\\u200b"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_is_not_printable_is_shown_by_its_code(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_lines_and_tabs_stay_where_they_are_wanted() -> None:
    assert clean("a\n\tb\r\x1b", lines=True) == "a\n\tb\\x0d\\x1b"


@given(st.text())
def test_a_cleaned_text_is_printable_and_cleaning_it_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.isprintable()
    assert clean(cleaned) == cleaned
    assert clean(text, lines=True).replace("\n", "").replace("\t", "").isprintable()


def test_one_is_not_many() -> None:
    assert [counted(number, "request") for number in (0, 1, 2)] == ["0 requests", "1 request", "2 requests"]
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


def test_json_says_the_same_with_nothing_in_it_that_a_terminal_obeys() -> None:
    value = {"a": "\x9b31m \x7f \u202e\u2066 \U000e0041 \ud7ff \u00e9 \U0001f600", "b": ["\u200b", 'say "hi"\\ ']}
    line = json.dumps(value, ensure_ascii=False).encode()
    cleaned = clean_json(line)
    assert json.loads(cleaned) == value
    assert cleaned.decode().isprintable()
    assert "\u00e9 \U0001f600".encode() in cleaned
    plain = b'{"a": "\\u202e \xc3\xa9"}'
    assert clean_json(plain) is plain
