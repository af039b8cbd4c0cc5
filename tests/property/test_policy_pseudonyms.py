"""Restoring a text that comes in pieces equals restoring the whole, and JSON stays JSON."""

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gptgate.policy.redact import Rewriting

PSEUDONYMS = Rewriting(b"a secret of the installation").pseudonyms("demo", "session")
VALUES = {"pii.email": ("jane@example.com", 'a"b\\c\n@example.com'), "pii.bsn": ("111222333",), "bs": ("x", "")}
NAMES = {PSEUDONYMS.name(kind, value): value for kind, values in VALUES.items() for value in values}
FOREIGN = Rewriting(b"another").pseudonyms("demo", "session").name("pii.email", "eve@example.com")

pieces = st.one_of(
    st.sampled_from([*NAMES, FOREIGN]),
    st.sampled_from([name[1:-1] for name in NAMES]),
    st.sampled_from([name.upper() for name in NAMES]),
    st.builds(
        lambda name, start, end: name[start:end], st.sampled_from(list(NAMES)), st.integers(0, 9), st.integers(0, 22)
    ),
    st.sampled_from(["[", "]", "[[", ":", "email", "email:", "[ema", "bs", "b", "_", " ", "é", '"', "\\"]),
    st.text(max_size=4),
)
texts = st.lists(pieces, max_size=10).map("".join)


def in_pieces(text: str, places: list[int], is_json: bool) -> str:
    restorer = PSEUDONYMS.restorer(is_json)
    edges = [0, *sorted(places), len(text)]
    parts = [restorer.feed(text[start:end]) for start, end in itertools.pairwise(edges)]
    return "".join(parts) + restorer.finish()


@given(st.data(), texts, st.booleans())
def test_the_pieces_of_a_text_are_restored_as_the_whole(data: st.DataObject, text: str, is_json: bool) -> None:
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    assert in_pieces(text, places, is_json) == PSEUDONYMS.restore(text, is_json)


@given(texts)
def test_a_text_cut_at_every_place_is_restored_as_the_whole(text: str) -> None:
    whole = PSEUDONYMS.restore(text, False)
    assert in_pieces(text, list(range(len(text))), False) == whole
    for place in range(len(text) + 1):
        assert in_pieces(text, [place], False) == whole


@given(texts)
def test_nothing_goes_out_that_the_whole_would_not_let_out(text: str) -> None:
    whole = PSEUDONYMS.restore(text, False)
    restorer = PSEUDONYMS.restorer(False)
    out = ""
    for char in text:
        out += restorer.feed(char)
        assert whole.startswith(out)


# Without its brackets a pseudonym behind an escape such as ``\n`` continues a word, as far as anybody can tell.
bracketed = st.lists(
    st.one_of(
        st.sampled_from([*NAMES, FOREIGN]),
        st.sampled_from([name.upper() for name in NAMES]),
        st.sampled_from(["[", "]", ":", "[email:", "_", "\n", "\\", '"', "é", "\x1f"]),
    ),
    max_size=8,
).map("".join)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), bracketed),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(bracketed, inner, max_size=3)),
    max_leaves=8,
)


def restored_value(value: Any) -> Any:
    if isinstance(value, str):
        return PSEUDONYMS.restore(value, False)
    if isinstance(value, list):
        return [restored_value(item) for item in value]
    if isinstance(value, dict):
        return {restored_value(key): restored_value(item) for key, item in value.items()}
    return value


@given(json_values, st.booleans())
def test_restored_json_is_the_json_of_restored_values(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert json.loads(PSEUDONYMS.restore(text, True)) == restored_value(value)


@given(st.recursive(texts, lambda inner: st.lists(inner, max_size=3)), st.booleans())
def test_restored_json_is_json_whatever_a_model_makes_of_pseudonyms(value: Any, ascii_only: bool) -> None:
    json.loads(PSEUDONYMS.restore(json.dumps(value, ensure_ascii=ascii_only), True))
