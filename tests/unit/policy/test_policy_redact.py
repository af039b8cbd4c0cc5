"""Redaction of whole texts and of streams."""

import json
import re

import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.core.ports import Cut
from gptgate.core.snapshot import Effect
from gptgate.detectors import build_inspector
from gptgate.policy.marks import Marks
from gptgate.policy.redact import Rewriting, StreamRedactor

SECRET = b"a secret of the installation"


def redact_text(text: str, cuts: list[Cut], is_json: bool = False) -> str:
    return Rewriting(SECRET).text(text, cuts, is_json)


def new_redactor(is_json: bool) -> StreamRedactor:
    return StreamRedactor(Marks(SECRET), is_json)


def spans_of(text: str, *needles: tuple[str, str]) -> list[Cut]:
    return [Cut(text.index(needle), text.index(needle) + len(needle), kind) for needle, kind in needles]


def test_a_text_without_spans_stays_as_it_is() -> None:
    assert redact_text("as it is", []) == "as it is"


def test_a_span_becomes_its_placeholder() -> None:
    text = "write to ann@example.com today"
    assert redact_text(text, spans_of(text, ("ann@example.com", "pii.email"))) == "write to [redacted:pii.email] today"


def test_spans_come_in_any_order() -> None:
    assert redact_text("abcdef", [Cut(4, 6, "y"), Cut(0, 2, "x")]) == "[redacted:x]cd[redacted:y]"


@pytest.mark.parametrize(
    ("spans", "result"),
    [
        ([Cut(1, 4, "late"), Cut(0, 2, "early")], "[redacted:early]ef"),
        ([Cut(0, 2, "short"), Cut(0, 4, "long")], "[redacted:long]ef"),
        ([Cut(0, 4, "b"), Cut(0, 4, "a")], "[redacted:a]ef"),
        ([Cut(0, 4, "outer"), Cut(1, 2, "inner"), Cut(3, 6, "tail")], "[redacted:outer]"),
        ([Cut(0, 2, "x"), Cut(2, 4, "y")], "[redacted:x][redacted:y]ef"),
    ],
)
def test_overlapping_spans_are_one_and_touching_ones_are_two(spans: list[Cut], result: str) -> None:
    assert redact_text("abcdef", spans) == result


@pytest.mark.parametrize("span", [Cut(2, 2, "x"), Cut(3, 2, "x"), Cut(-1, 2, "x"), Cut(0, 7, "x")])
@pytest.mark.parametrize("is_json", [False, True])
def test_a_span_that_cannot_be_cut_out_is_an_error(span: Cut, is_json: bool) -> None:
    with pytest.raises(ValueError, match="not inside"):
        redact_text("abcdef", [span], is_json)


def test_a_streams_spans_count_from_the_beginning_of_the_whole_text() -> None:
    redactor = new_redactor(False)
    assert redactor.apply("abc", []) == "abc"
    assert redactor.apply("def", [Cut(4, 6, "x")]) == "d[redacted:x]"
    assert redactor.apply("", []) == ""
    assert redactor.apply("g", [Cut(6, 7, "y")]) == "[redacted:y]"


def test_a_span_of_another_piece_is_an_error() -> None:
    redactor = new_redactor(False)
    redactor.apply("abc", [])
    with pytest.raises(ValueError, match="not inside"):
        redactor.apply("def", [Cut(2, 5, "x")])


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
    cut_out = spans_of(text, (needle, "k"))[0]
    start, end = cut_out.start, cut_out.end
    for cut in range(len(text) + 1):
        if start < cut < end:
            continue
        redactor = new_redactor(True)
        first = redactor.apply(text[:cut], [cut_out] if end <= cut else [])
        second = redactor.apply(text[cut:], [cut_out] if end > cut else [])
        assert first + second == result, f"cut at {cut}"


def test_two_spans_in_one_number_leave_nothing_of_it() -> None:
    assert redact_text('{"n": 11-22}', [Cut(6, 8, "a"), Cut(9, 11, "b")], is_json=True) == '{"n": "[redacted:a]"}'


def test_arguments_that_are_no_json_lose_the_finding_all_the_same() -> None:
    text = "call ann@example.com, or 4111 1111"
    assert redact_text(text, spans_of(text, ("ann@example.com", "pii.email")), is_json=True) == (
        'call "[redacted:pii.email]", or 4111 1111'
    )
    assert redact_text("xx4111", [Cut(2, 6, "k")], is_json=True) == "xx[redacted:k]"


def test_a_number_behind_a_string_begins_behind_its_quote() -> None:
    assert redact_text('"a b"14111', [Cut(6, 10, "k")], is_json=True) == '"a b"1'


@pytest.mark.parametrize("piece", ["word ", "x" * 5000])
def test_of_a_long_text_a_bounded_part_is_remembered(piece: str) -> None:
    redactor = new_redactor(is_json=False)
    for _ in range(1000):
        assert redactor.apply(piece, []) == piece
    assert len(redactor._before) <= 1024


def test_a_long_unquoted_token_is_remembered_within_a_bound() -> None:
    redactor = new_redactor(True)
    for _ in range(1000):
        redactor.apply("1" * 100, [])
    assert len(redactor._bare) <= 32
    assert redactor.apply("4111]", [Cut(100_000, 100_004, "k")]) == "]"


def test_the_last_character_of_a_long_number_counts() -> None:
    digits = "1" * 100
    assert redact_text(f"[{digits}.4111]", [Cut(102, 106, "k")], is_json=True) == f"[{digits}.0]"


def test_the_port_gives_texts_and_streams_the_same_redaction() -> None:
    redaction = Rewriting(SECRET)
    assert redaction.text('{"n": 12}', [Cut(6, 8, "k")], True) == '{"n": "[redacted:k]"}'
    assert redaction.text("{'n': 12}", [Cut(6, 8, "k")], False) == "{'n': [redacted:k]}"
    assert redaction.stream(True).apply('{"n": 12}', [Cut(6, 8, "k")]) == '{"n": "[redacted:k]"}'


@pytest.mark.parametrize(
    ("text", "needle", "result"),
    [
        ("[41, 42]", "41, 42", '["[redacted:x]", "[redacted:x]"]'),
        ('{"": 4111, "a": ""}', "4111", '{"": "[redacted:x]", "a": ""}'),
    ],
)
def test_each_value_that_a_span_covers_becomes_a_string(text: str, needle: str, result: str) -> None:
    assert redact_text(text, spans_of(text, (needle, "x")), is_json=True) == result


NUMBER = "4111111111111111"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('{"n": 4111111111111111}', '{"n": "[redacted:x]"}'),
        ('{"n":\n  4111111111111111,"m":1}', '{"n":\n  "[redacted:x]","m":1}'),
        ('{"n": [4111111111111111, 12, 4111111111111111]}', '{"n": ["[redacted:x]", 12, "[redacted:x]"]}'),
        (r'{"n": "{\"m\": 4111111111111111}"}', r'{"n": "{\"m\": \"[redacted:x]\"}"}'),
        ('{"n": "4111111111111111"}', '{"n": "[redacted:x]"}'),
        ('{"n": "card: 4111111111111111"}', '{"n": "card: [redacted:x]"}'),
        ("n: 4111111111111111", "n: [redacted:x]"),
        ("[1]: 4111111111111111", "[1]: [redacted:x]"),
    ],
)
def test_a_number_that_is_a_value_of_json_in_a_text_becomes_a_string(text: str, result: str) -> None:
    cuts = [Cut(at, at + len(NUMBER), "x") for at in range(len(text)) if text.startswith(NUMBER, at)]
    assert redact_text(text, cuts) == result
    for place in range(len(text)):
        if any(cut.start < place < cut.end for cut in cuts):
            continue
        redactor = new_redactor(False)
        first = redactor.apply(text[:place], [cut for cut in cuts if cut.end <= place])
        assert first + redactor.apply(text[place:], [cut for cut in cuts if cut.start >= place]) == result


@pytest.mark.parametrize(("spaces", "result"), [(100, '"[redacted:x]"'), (10_000, "[redacted:x]")])
def test_of_what_stands_before_a_number_a_bounded_part_counts(spaces: int, result: str) -> None:
    before = '{"n":' + " " * spaces
    cut = Cut(len(before), len(before) + len(NUMBER), "x")
    assert redact_text(before + NUMBER + "}", [cut]) == f"{before}{result}}}"
    redactor = new_redactor(False)
    assert "".join(redactor.apply(char, []) for char in before) == before
    assert redactor.apply(NUMBER + "}", [cut]) == f"{result}}}"


def test_an_escape_that_a_stream_is_cut_in_is_over_with_its_next_character() -> None:
    pieces = ['{"a": "x\\', '"y", "b": "", "m": "', "jane.doe@example.com", '"}']
    text = "".join(pieces)
    start = text.index("jane")
    redactor, out = new_redactor(is_json=True), ""
    for piece in pieces:
        cuts = [Cut(start, start + len(piece), "pii.email", Effect.MASK)] if piece.startswith("jane") else []
        out += redactor.apply(piece, cuts)
    assert json.loads(out)["m"] == redact_text("jane.doe@example.com", [Cut(0, 20, "pii.email", Effect.MASK)])
    assert json.loads(out)["a"] == 'x"y'


def test_what_follows_the_rest_of_a_redacted_number_is_whole() -> None:
    redactor = new_redactor(is_json=True)
    out = redactor.apply('{"n": 4111', [Cut(6, 10, "pii.payment_card")]) + redactor.apply('222, "m": 5, "e": "a', [])
    out += redactor.apply("b", [Cut(30, 31, "pii.email")]) + redactor.apply('c"}', [])
    assert json.loads(out)["m"] == 5
    assert json.loads(out)["n"] == "[redacted:pii.payment_card]"
    assert json.loads(out)["e"].startswith("a[redacted:pii.email]")


@pytest.mark.parametrize("effect", [Effect.REDACT, Effect.MASK, Effect.PSEUDONYMISE, Effect.HASH])
def test_an_iban_whose_digits_are_a_card_number_is_rewritten_once_and_as_an_iban(effect: Effect) -> None:
    text = "pay to DE62 4452 7832 3029 6820 21 now"
    found = build_inspector("re2").inspect([Segment((), Origin.USER, text)])
    assert {one.kind for one in found} == {"pii.iban", "pii.payment_card"}
    redaction = Rewriting(SECRET)
    cuts = [Cut(one.start, one.end, one.kind, effect) for one in found]
    rewritten = redaction.text(text, cuts, False, redaction.pseudonyms("app", "session"))
    assert "iban" in rewritten
    assert "card" not in rewritten
    assert re.fullmatch(r"pay to \S+ now", rewritten)
    assert not set("4452783230296820") & set(rewritten.removesuffix("]").rpartition(":")[0])


def test_a_word_that_is_a_value_of_json_in_a_text_gets_no_quotes() -> None:
    text = '{"to": ann@example.com}'
    assert redact_text(text, spans_of(text, ("ann@example.com", "x"))) == '{"to": [redacted:x]}'
