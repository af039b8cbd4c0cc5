"""Ids, money, pointers, errors."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.core import errors
from gptgate.core.events import ENCODER
from gptgate.core.finding import pointer
from gptgate.core.ids import uuid7
from gptgate.core.money import NANO_PER_USD, format_usd, parse_usd, tokens_cost


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_ids_are_version_7_and_sort_by_time(at_ms: int, random_bytes: bytes) -> None:
    value = uuid.UUID(uuid7(at_ms, random_bytes))
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert value.int >> 80 == at_ms
    later = uuid7(at_ms + 1, bytes(10)) if at_ms < 2**48 - 1 else "g"
    assert str(value) < later


def test_ids_use_all_their_randomness() -> None:
    assert uuid7(0, bytes(10)) == "00000000-0000-7000-8000-000000000000"
    assert uuid7(0, b"\xff" * 10) == "00000000-0000-7fff-bfff-ffffffffffff"
    with pytest.raises(ValueError, match="ten"):
        uuid7(0, bytes(9))


@given(st.integers(0, 10**18))
def test_money_survives_its_text(nano: int) -> None:
    assert parse_usd(format_usd(nano)) == nano


@pytest.mark.parametrize("text", ["", "abc", "-1", "NaN", "Infinity", "1,5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_usd(text)


def test_fractions_of_a_nano_dollar_are_rounded_up() -> None:
    assert parse_usd("0.0000000001") == 1
    assert tokens_cost(1, 1) == 1
    assert tokens_cost(1_000_000, NANO_PER_USD) == NANO_PER_USD
    assert tokens_cost(0, 5) == 0
    assert format_usd(-1_500_000) == "-0.001500000"


def test_pointers_escape() -> None:
    assert pointer(("a/b", 0, "m~n")) == "/a~1b/0/m~0n"


def test_a_pointer_is_short_however_long_the_names_are() -> None:
    assert pointer(("x" * 200, 7)) == "/" + "x" * 200 + "/7"
    assert pointer(("a", "x" * 201, 7, "b")) == "/a/…/7/b"
    deep = pointer(("/" * 200,) * 64)
    assert deep == ("/" + "~1" * 200) * 3 + "/…"
    assert len(pointer(("~" * 200,) * 10_000)) < 2000


def _tree(kind: type[errors.GateError]) -> list[type[errors.GateError]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in _tree(child))]


def test_the_drawn_tree_names_every_leaf_and_code() -> None:
    drawing = errors.__doc__ or ""
    for kind in _tree(errors.GateError):
        assert kind.__name__ in drawing, kind
        if not kind.__subclasses__():
            assert kind.code in drawing, kind.code


def test_codes_are_unique_among_leaves() -> None:
    codes = [kind.code for kind in _tree(errors.GateError) if not kind.__subclasses__()]
    assert len(set(codes)) == len(codes)


def test_the_detail_is_not_in_the_text_of_an_error() -> None:
    assert "secret" not in str(errors.InternalFault("public", detail="secret"))


def test_events_are_encoded_with_sorted_keys() -> None:
    assert ENCODER.encode({"b": 1, "a": 2}) == b'{"a":2,"b":1}'
