"""Masks and hashes: what they show and what they do not."""

import json

import pytest

from gptgate.core.ports import Cut
from gptgate.core.snapshot import Effect
from gptgate.policy.marks import Marks
from gptgate.policy.mask import mask
from gptgate.policy.redact import Rewriting

REWRITING = Rewriting(b"a secret of the installation")


def rewritten(text: str, needle: str, kind: str, effect: Effect, *, is_json: bool = False) -> str:
    start = text.index(needle)
    return REWRITING.text(text, [Cut(start, start + len(needle), kind, effect)], is_json)


@pytest.mark.parametrize(
    ("kind", "text", "masked"),
    [
        ("pii.payment_card", "4111 1111 1111 1234", "**** **** **** 1234"),
        ("pii.payment_card", "4111-1111-1111-1234", "****-****-****-1234"),
        ("pii.payment_card", "٤١١١١١١١١١١١١٢٣٤", "************١٢٣٤"),
        ("pii.payment_card", "41111111", "********"),
        ("pii.payment_card", "411111111234", "********1234"),
        ("pii.payment_card", "41111111234", "***********"),
        ("pii.iban", "4400 1234 5678 9012", "**** **** **** 9012"),
        ("pii.email", "@example.com", "@example.com"),
        ("pii.email", "jane.doe@example.com", "j***.***@example.com"),
        ("pii.email", "j@example.com", "*@example.com"),
        ("pii.email", "jo@example.com", "j*@example.com"),
        ("pii.email", '"a@b"@example.com', '"****@example.com'),
        ("pii.iban", "DE\u0664400 1234 5678 9012", "DE**** **** **** 9012"),
        ("pii.email", "no address", "** *******"),
        ("pii.iban", "DE44 5001 0517 5407 3249 31", "DE** **** **** **** **49 31"),
        ("pii.unheard_of", "Jane-Doe 12/34", "****-*** **/**"),
        ("secret.openai", "sk-proj-aB3_", "**-****-****"),
        ("secret.password", "Pa$$w0rd🄰①é", "***********"),
    ],
)
def test_a_mask_shows_the_shape_and_no_more(kind: str, text: str, masked: str) -> None:
    assert mask(kind, text) == masked


def test_equal_values_have_one_hash_in_one_installation_and_under_one_kind() -> None:
    marks = Marks(b"secret")
    mark = marks.write(Effect.HASH, "pii.email", "jane@example.com")
    assert mark == Marks(b"secret").write(Effect.HASH, "pii.email", "jane@example.com")
    others = {
        marks.write(Effect.HASH, "pii.email", "jane@example.org"),
        marks.write(Effect.HASH, "pii.other", "jane@example.com"),
        Marks(b"another").write(Effect.HASH, "pii.email", "jane@example.com"),
    }
    assert len({other.partition(":")[2] for other in others} | {mark.partition(":")[2]}) == 4
    assert mark.startswith("[pii.email:")
    assert len(mark) == len("[pii.email:]") + 16


def test_hashes_of_one_release_are_those_of_the_next() -> None:
    assert Marks(b"secret").write(Effect.HASH, "pii.email", "jane@example.com") == "[pii.email:bmpjchpnggkqfsbn]"


def test_an_escaped_value_in_json_has_the_hash_and_the_mask_of_the_value() -> None:
    plain = '{"to": "jane@example.com"}'
    escaped = '{"to": "jane\\u0040example.com"}'
    for effect in (Effect.HASH, Effect.MASK):
        expected = rewritten(plain, "jane@example.com", "pii.email", effect, is_json=True)
        assert rewritten(escaped, "jane\\u0040example.com", "pii.email", effect, is_json=True) == expected
    assert json.loads(expected) == {"to": "j***@example.com"}


def test_a_mask_of_a_number_is_a_string_of_the_whole_number() -> None:
    text = '{"card": 4111111111111234.5, "n": 1}'
    masked = rewritten(text, "4111111111111234", "pii.payment_card", Effect.MASK, is_json=True)
    assert json.loads(masked) == {"card": "************1234", "n": 1}


@pytest.mark.parametrize("effect", [Effect.MASK, Effect.HASH])
def test_what_is_no_value_is_redacted(effect: Effect) -> None:
    assert rewritten('["one", "two"]', 'ne", "tw', "k", effect, is_json=True) == '["o[redacted:k]", "[redacted:k]o"]'
    assert rewritten('["a\\qb"]', "a\\qb", "k", effect, is_json=True) == '["[redacted:k]"]'


@pytest.mark.parametrize("effect", [Effect.MASK, Effect.HASH])
def test_a_raw_line_break_in_a_json_string_is_a_line_break(effect: Effect) -> None:
    expected = rewritten('{"a": "one\\ntwo"}', "one\\ntwo", "k", effect, is_json=True)
    assert "redacted" not in expected
    assert rewritten('{"a": "one\ntwo"}', "one\ntwo", "k", effect, is_json=True) == expected


def test_the_strongest_effect_holds_where_findings_overlap() -> None:
    hashed = REWRITING.text("abcdef", [Cut(0, 4, "x", Effect.HASH), Cut(2, 6, "y", Effect.MASK)], False)
    assert hashed == Marks(b"a secret of the installation").write(Effect.HASH, "x", "abcdef")
    cuts = [Cut(0, 4, "x", Effect.HASH), Cut(2, 6, "y", Effect.REDACT)]
    assert REWRITING.text("abcdef", cuts, False) == "[redacted:x]"


def test_two_masks_that_overlap_show_nothing_of_either() -> None:
    card = "4111111111111234"
    same = [Cut(0, 16, "pii.payment_card", Effect.MASK), Cut(0, 16, "pii.phone", Effect.MASK)]
    assert REWRITING.text(card, same, False) == "************1234"
    apart = [Cut(0, 16, "pii.payment_card", Effect.MASK), Cut(4, 18, "pii.phone", Effect.MASK)]
    assert REWRITING.text(card + "99", apart, False) == "[redacted:pii.payment_card]"


def test_there_is_no_mark_without_a_session_and_none_for_effects_that_rewrite_nothing() -> None:
    with pytest.raises(ValueError, match="pseudonymise"):
        REWRITING.text("abc", [Cut(0, 3, "k", Effect.PSEUDONYMISE)], False)
    with pytest.raises(ValueError, match="flag"):
        Marks(b"s").write(Effect.FLAG, "k", "v")


@pytest.mark.parametrize("effect", [Effect.MASK, Effect.HASH])
@pytest.mark.parametrize(("text", "needle"), [('["ab", "cd"]', 'b", "c'), ("[41, 42]", "41, 42"), ('["a\\nb"]', "nb")])
def test_in_json_what_covers_no_whole_value_is_redacted(text: str, needle: str, effect: Effect) -> None:
    result = rewritten(text, needle, "x", effect, is_json=True)
    assert "[redacted:x]" in result
    assert not set(needle) & set(result.replace("[redacted:x]", "")) & set("abcd4")
