import json

import pytest

from gptgate.detectors.reading import IGNORED_RUN, Reader, read_text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("plain", "plain"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("a\u200bb\u00adc\ufeffd\u202ee\ufe0ff\U000e0041g", "abcdefg"),
        ("a\u00a0b\u2003c\u3000d", "a b c d"),
        ("a\u2028b\u2029c\u0085d", "a\nb\nc\nd"),
        ("1\u20132\u20143\u22124\uff0d5", "1-2-3-4-5"),
        ("don\u2019t \u201cgo\u201d", 'don\'t "go"'),
        ("٤١ ۴۱ ४१ 𝟜𝟙", "41 41 41 41"),
        ("ﬁle ㎏ ①", "file kg 1"),
        ("é e\u0301 汉 \U0001f600", "é e\u0301 汉 \U0001f600"),
    ],
)
def test_characters_are_read_one_by_one(text: str, read: str) -> None:
    assert read_text(text, False).decode() == read


def test_lone_surrogates_are_kept_as_something_that_no_pattern_contains() -> None:
    assert read_text("a\ud800b", False) == b"a\xed\xa0\x80b"


@pytest.mark.parametrize(
    "value", ['q"q', "a\\b", "tab\tnew\nline\r\b\f", "é\u200b", "\U0001f600 \ud83d alone", "/", "\\u0041", "\\\\n"]
)
def test_json_escapes_are_read_as_what_they_stand_for(value: str) -> None:
    for text in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        assert read_text(text, True) == read_text(value, False)


def test_what_is_no_escape_stays() -> None:
    assert read_text(r"\x \u12 \u00g0 \\", True) == rb"\x \u12 \u00g0 " + b"\\"


def test_escapes_are_characters_where_the_text_is_not_json() -> None:
    assert read_text(r"a\u0040b", False) == rb"a\u0040b"


def test_every_byte_knows_where_it_came_from() -> None:
    text = "a\u200b㎏\u200bb汉\u00adc"
    reader = Reader(False)
    assert reader.read_all(text) == "akgb汉c".encode()
    starts = [reader.start(at) for at in range(9)]
    ends = [reader.end(at + 1) for at in range(8)]
    assert starts == [0, 2, 2, 4, 5, 5, 5, 7, 8]
    assert ends == [1, 3, 3, 5, 6, 6, 6, 8]


def test_an_escape_is_one_character_of_the_reading_and_several_of_the_text() -> None:
    reader = Reader(True)
    assert reader.read_all(r"x\u0040\ud83d\ude00\"y") == 'x@\U0001f600"y'.encode()
    assert (reader.start(1), reader.end(2)) == (1, 7)
    assert (reader.start(2), reader.end(6)) == (7, 19)
    assert (reader.start(6), reader.end(7)) == (19, 21)


def test_a_cut_escape_waits_for_its_end() -> None:
    reader = Reader(True)
    assert reader.read("a\\u00") == b"a"
    assert reader.taken == 1
    assert reader.read("40b") == b"@b"
    assert reader.taken == 8
    assert reader.read("\\ud83d\\") == b""
    assert reader.finish() == b"\xed\xa0\xbd\\"


def test_an_endless_run_of_invisible_characters_ends_a_match() -> None:
    text = "a" + "\u200b" * (IGNORED_RUN + 3) + "b"
    assert read_text("a" + "\u200b" * IGNORED_RUN + "b", False) == b"ab"
    assert read_text(text, False) == b"a\0\0\0b"
    reader = Reader(False)
    assert b"".join(reader.read(char) for char in text) == b"a\0\0\0b"


def test_forgetting_keeps_what_is_still_asked_for() -> None:
    reader = Reader(False)
    reader.read("é" * 1000 + "abc")
    reader.forget(2000)
    assert [reader.start(at) for at in (2000, 2001, 2003)] == [1000, 1001, 1003]
    assert len(reader._at) < 5
