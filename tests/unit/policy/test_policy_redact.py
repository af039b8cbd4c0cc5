"""Redaction of whole texts and of streams."""

import json

import pytest

from gptgate.policy.redact import PlaceholderRedaction, Span, StreamRedactor, redact_text


def spans_of(text: str, *needles: tuple[str, str]) -> list[Span]:
    return [(text.index(needle), text.index(needle) + len(needle), kind) for needle, kind in needles]


def test_a_text_without_spans_stays_as_it_is() -> None:
    assert redact_text("as it is", []) == "as it is"


def test_a_span_becomes_its_placeholder() -> None:
    text = "write to ann@example.com today"
    assert redact_text(text, spans_of(text, ("ann@example.com", "pii.email"))) == "write to [redacted:pii.email] today"


def test_spans_come_in_any_order() -> None:
    assert redact_text("abcdef", [(4, 6, "y"), (0, 2, "x")]) == "[redacted:x]cd[redacted:y]"


@pytest.mark.parametrize(
    ("spans", "result"),
    [
        ([(1, 4, "late"), (0, 2, "early")], "[redacted:early]ef"),
        ([(0, 2, "short"), (0, 4, "long")], "[redacted:long]ef"),
        ([(0, 4, "b"), (0, 4, "a")], "[redacted:a]ef"),
        ([(0, 4, "outer"), (1, 2, "inner"), (3, 6, "tail")], "[redacted:outer]"),
        ([(0, 2, "x"), (2, 4, "y")], "[redacted:x][redacted:y]ef"),
    ],
)
def test_overlapping_spans_are_one_and_touching_ones_are_two(spans: list[Span], result: str) -> None:
    assert redact_text("abcdef", spans) == result


@pytest.mark.parametrize("span", [(2, 2, "x"), (3, 2, "x"), (-1, 2, "x"), (0, 7, "x")])
@pytest.mark.parametrize("is_json", [False, True])
def test_a_span_that_cannot_be_cut_out_is_an_error(span: Span, is_json: bool) -> None:
    with pytest.raises(ValueError, match="not inside"):
        redact_text("abcdef", [span], is_json)


def test_a_streams_spans_count_from_the_beginning_of_the_whole_text() -> None:
    redactor = StreamRedactor(False)
    assert redactor.apply("abc", []) == "abc"
    assert redactor.apply("def", [(4, 6, "x")]) == "d[redacted:x]"
    assert redactor.apply("", []) == ""
    assert redactor.apply("g", [(6, 7, "y")]) == "[redacted:y]"


def test_a_span_of_another_piece_is_an_error() -> None:
    redactor = StreamRedactor(False)
    redactor.apply("abc", [])
    with pytest.raises(ValueError, match="not inside"):
        redactor.apply("def", [(2, 5, "x")])


JSON_CASES = [
    ('{"to": "ann@example.com"}', "ann@example.com", '{"to": "[redacted:k]"}'),
    ('{"ann@example.com": 1}', "ann@example.com", '{"[redacted:k]": 1}'),
    ('{"q": "say \\"ann\\u0040example.com\\" now"}', "ann\\u0040example.com", '{"q": "say \\"[redacted:k]\\" now"}'),
    ('{"p": "C:\\\\", "q": 4111}', "4111", '{"p": "C:\\\\", "q": "[redacted:k]"}'),
    ('{"card": 4111111111111111}', "4111111111111111", '{"card": "[redacted:k]"}'),
    ('{"card": 4111111111111111, "n": 5}', "4111111111111111", '{"card": "[redacted:k]", "n": 5}'),
    ('{"card": -4111111111111111}', "4111111111111111", '{"card": -0}'),
    ('{"card": -4111111111111111}', "-4111111111111111", '{"card": "[redacted:k]"}'),
    ('{"card": 4111111111111111.25}', "4111111111111111", '{"card": "[redacted:k]"}'),
    ('{"card": 994111111111111111}', "4111111111111111", '{"card": 99}'),
    ('{"card": 0.4111111111111111}', "4111111111111111", '{"card": 0.0}'),
    ('{"card": 1e+4111111111111111}', "4111111111111111", '{"card": 1e+0}'),
    ("[4111111111111111,4222]", "4111111111111111", '["[redacted:k]",4222]'),
    ("4111111111111111", "4111111111111111", '"[redacted:k]"'),
    ('["a", true]', "true", '["a", "[redacted:k]"]'),
    ('["a", true]', "ue", '["a", true]'),
    ('["one", "two"]', 'ne", "tw', '["o[redacted:k]", "[redacted:k]o"]'),
    ('{"a": "x", "b": 12}', '"x", "b": 12', '{"a": "[redacted:k]", "[redacted:k]": "[redacted:k]"}'),
    ('["", "x"]', '"", ', '["", "x"]'),
]


@pytest.mark.parametrize(("text", "needle", "result"), JSON_CASES)
def test_json_stays_json(text: str, needle: str, result: str) -> None:
    assert redact_text(text, spans_of(text, (needle, "k")), is_json=True) == result
    json.loads(result)


@pytest.mark.parametrize(("text", "needle", "result"), JSON_CASES)
def test_json_stays_json_wherever_the_stream_is_cut(text: str, needle: str, result: str) -> None:
    start, end, kind = spans_of(text, (needle, "k"))[0]
    for cut in range(len(text) + 1):
        if start < cut < end:
            continue
        redactor = StreamRedactor(True)
        first = redactor.apply(text[:cut], [(start, end, kind)] if end <= cut else [])
        second = redactor.apply(text[cut:], [(start, end, kind)] if end > cut else [])
        assert first + second == result, f"cut at {cut}"


def test_two_spans_in_one_number_leave_nothing_of_it() -> None:
    assert redact_text('{"n": 11-22}', [(6, 8, "a"), (9, 11, "b")], is_json=True) == '{"n": "[redacted:a]"}'


def test_arguments_that_are_no_json_lose_the_finding_all_the_same() -> None:
    text = "call ann@example.com, or 4111 1111"
    assert redact_text(text, spans_of(text, ("ann@example.com", "pii.email")), is_json=True) == (
        'call "[redacted:pii.email]", or 4111 1111'
    )
    assert redact_text("xx4111", [(2, 6, "k")], is_json=True) == "xx[redacted:k]"


def test_a_long_unquoted_token_is_remembered_within_a_bound() -> None:
    redactor = StreamRedactor(True)
    for _ in range(1000):
        redactor.apply("1" * 100, [])
    assert len(redactor._bare) <= 32
    assert redactor.apply("4111]", [(100_000, 100_004, "k")]) == "]"


def test_the_last_character_of_a_long_number_counts() -> None:
    digits = "1" * 100
    assert redact_text(f"[{digits}.4111]", [(102, 106, "k")], is_json=True) == f"[{digits}.0]"


def test_the_port_gives_texts_and_streams_the_same_redaction() -> None:
    redaction = PlaceholderRedaction()
    assert redaction.text('{"n": 12}', [(6, 8, "k")], True) == '{"n": "[redacted:k]"}'
    assert redaction.text('{"n": 12}', [(6, 8, "k")], False) == '{"n": [redacted:k]}'
    assert redaction.stream(True).apply('{"n": 12}', [(6, 8, "k")]) == '{"n": "[redacted:k]"}'
