"""The strict reader and the byte-exact edits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.document import (
    MAX_CONTAINERS,
    MAX_DEPTH,
    MAX_QUOTES,
    apply_edits,
    drop_members,
    encode_json,
    insert_item,
    read_object,
)
from gptgate.core.errors import MalformedRequest
from gptgate.core.finding import Path

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=8).filter(str.isprintable),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"x":{"a":1,"b":2,"a":3}}', "'a' twice"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":1e999}', "too large"),
        (b'{"a":[-1e999]}', "too large"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\uDC00":1}', "surrogate"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b'{"a":1} {"b":2}', "Extra data"),
        (b'{"a":01}', "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper"),
        (b'{"a":' + b'{"b":' * 90_000, "nested deeper"),
        (b'{"a":' + b"9" * 6000 + b"}", "too many digits"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(MalformedRequest, match=says):
        read_object(body)


def test_nesting_up_to_the_bound_is_read() -> None:
    levels = MAX_DEPTH - 1
    body = b'{"a":' + b"[" * levels + b"]" * levels + b"}"
    assert read_object(body)
    with pytest.raises(MalformedRequest):
        read_object(b'{"a":' + b"[" * (levels + 1) + b"]" * (levels + 1) + b"}")


def test_an_escaped_pair_of_surrogates_is_a_character() -> None:
    assert read_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@given(VALUES)
def test_the_reader_agrees_with_the_standard_library(value: Any) -> None:
    body = json.dumps({"value": value}).encode()
    assert read_object(body) == json.loads(body)


@given(st.binary(max_size=60))
def test_the_reader_is_total(body: bytes) -> None:
    try:
        read_object(body)
    except MalformedRequest:
        return


def test_an_edit_keeps_every_other_byte() -> None:
    body = b'{ "n": 1.0e5, "messages": [ {"role":"user", "content":"a", "x": [1, 2.50]}, {"k":  "v"} ], "t":0.70 }'
    edited = apply_edits(body, {("messages", 0, "content"): b'"b"', ("new",): b"1"})
    assert edited == (
        b'{"n":1.0e5,"messages":[{"role":"user","content":"b","x":[1, 2.50]},{"k":  "v"}],"t":0.70,"new":1}'
    )


def test_no_edit_gives_the_same_object() -> None:
    body = b'{ "a" : 1 }'
    assert apply_edits(body, {}) is body


def _leaves(value: Any, path: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in _leaves(child, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, child in enumerate(value) for leaf in _leaves(child, (*path, index))]
    return [path]


def _replaced(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


@given(st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=4), st.data())
def test_edits_change_exactly_what_they_name(document: dict[str, Any], data: st.DataObject) -> None:
    paths = [path for path in _leaves(document) if path]
    if not paths:
        return
    chosen = data.draw(st.lists(st.sampled_from(paths), unique=True, min_size=1, max_size=3))
    expected: Any = document
    for path in chosen:
        expected = _replaced(expected, path, "new")
    edited = apply_edits(json.dumps(document).encode(), dict.fromkeys(chosen, b'"new"'))
    assert json.loads(edited) == expected
    assert list(json.loads(edited)) == list(document)


SPELLED = (
    b"1.0",
    b"1e2",
    b'"\\u00e9\\/"',
    b'{ "x" : [ 1 , 2 ] }',
    b"[ ]",
    b"null",
)
"""Values that a parser and a writer would spell otherwise."""
MEMBERS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(SPELLED), max_size=6)


def _spelled(members: dict[str, bytes]) -> bytes:
    return b"{" + b",".join([encode_json(key) + b":" + value for key, value in members.items()]) + b"}"


@given(MEMBERS, st.sets(st.sampled_from("abcxyz")))
def test_dropped_members_are_gone_and_the_others_keep_their_bytes(members: dict[str, bytes], names: set[str]) -> None:
    kept = {key: value for key, value in members.items() if key not in names}
    assert drop_members(_spelled(members), names) == _spelled(kept)


def test_a_body_that_loses_nothing_is_the_same() -> None:
    body = b'{ "a" : 1 }'
    assert drop_members(body, {"b"}) is body


@given(MEMBERS, st.lists(st.sampled_from(SPELLED), max_size=4), st.sampled_from(SPELLED), st.data())
def test_an_item_more_leaves_the_others_their_bytes(
    members: dict[str, bytes], items: list[bytes], item: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(items)))
    grown = [*items[:place], item, *items[place:]]
    before = _spelled({"a": b"1", "list": b"[" + b",".join(items) + b"]", **members})
    assert insert_item(before, "list", place, item) == _spelled(
        {"a": b"1", "list": b"[" + b",".join(grown) + b"]", **members}
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a" :2}',
        b'{"a":1,"a"\n:2}',
        b'{"a\\\\":1,"b":1,"b":2}',
        b'{"a":"\\":","a":1}',
        b'{"\\u0061":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":"x\\\\","a":1}',
    ],
)
def test_no_spelling_of_a_duplicate_gets_past(body: bytes) -> None:
    with pytest.raises(MalformedRequest, match="twice"):
        read_object(body)


@pytest.mark.parametrize(
    "body",
    [b'{"a":[' + b"{}," * MAX_CONTAINERS + b"1]}", b'{"a":[' + b'"",' * (MAX_QUOTES // 2) + b'""]}'],
    ids=["containers", "strings"],
)
def test_very_many_very_small_values_are_refused_at_once(body: bytes) -> None:
    with pytest.raises(MalformedRequest, match="more values"):
        read_object(body)
