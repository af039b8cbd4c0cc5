"""What a judge that points at places is shown, and the way back from there."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.classifier import Opinion, Span
from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Origin, Segment
from gptgate.core.snapshot import Effect
from gptgate.pipeline.pointing import located, pointed


def segment(text: str, *path: str, **more: Any) -> Segment:
    return Segment(path or ("messages", "content"), Origin.USER, text, **more)


def opinion(*spans: tuple[int, int, int]) -> Opinion:
    return Opinion(classifier="p", failure="", spans=tuple(Span(*place, "person", 850) for place in spans))


def test_only_words_are_shown() -> None:
    segments = [
        segment("key", is_key=True),
        segment("  "),
        segment("AAAA", media="image"),
        segment("gpt", "model"),
        segment("call_1", "messages", "id"),
        segment("call_1", "messages", "tool_call_id"),
        segment("EqQBCgIYAhIM", "thinking", "signature"),
        Segment(("tool_calls", "name"), Origin.TOOL_CALL, "send"),
        segment("EqQBCgIYAhIM", "content", "data"),
        *(
            shown := [
                segment("Ada", "messages", "name"),
                segment("hello"),
                segment("Ada and Bob", "source", "data"),
                segment("Müller\nSchmidt", "source", "data"),
                segment("山田太郎", "source", "data"),
                segment("Ada", "source", "data"),
                segment("Ada", "content", "source", "data"),
                segment("山田太郎", "content", "data"),
                *(Segment(("input", "deep", name), Origin.TOOL_CALL, "Ada") for name in ("name", "id", "data")),
            ]
        ),
    ]
    assert [(segments[one.segment], one.text) for one in pointed(segments, ())] == [(one, one.text) for one in shown]


def test_what_the_rules_rewrite_is_blanked_and_moves_nothing() -> None:
    cuts = [
        (Finding("pii.email", Origin.USER, "", start, end, "d", 20, segment=1), Effect.REDACT)
        for start, end in [(6, 12), (10, 14)]
    ]
    (_, shown) = pointed([segment("x"), segment("ask: a@b.co, c Ada")], cuts)
    assert shown.text == "ask: a________ Ada"
    assert shown.starts is None


@given(st.lists(st.one_of(st.text(max_size=4), st.sampled_from(["Ada", "\n", '"', "\\", "\\u0041", "😀", "é"]))))
def test_every_place_in_json_text_leads_back_to_whole_escapes(parts: list[str]) -> None:
    value = "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for ensure_ascii in (True, False):
        raw = json.dumps(value, ensure_ascii=ensure_ascii)
        texts = pointed([segment(raw, is_json=True)], ())
        if not texts:
            continue
        (shown,) = texts
        assert shown.text == f'"{value}"' or "\\" not in raw
        for start in range(1, len(shown.text) - 1):
            span = located(opinion((0, start, start + 1)), texts).spans[0]
            assert json.loads(f'"{raw[span.start : span.end]}"') == shown.text[start]


def test_half_a_character_is_shown_as_none() -> None:
    (shown,) = pointed([segment('{"a": "\\ud83d \\ud83d\\ude00 Ada"}', is_json=True)], ())
    assert shown.text == '{"a": "\ufffd 😀 Ada"}'


def test_the_places_are_in_the_request_and_in_order() -> None:
    texts = pointed([segment("no", is_key=True), segment("I am Ada"), segment('"\\n Ada"', is_json=True)], ())
    found = located(opinion((1, 3, 6), (0, 5, 8), (0, 0, 1)), texts)
    assert [(one.segment, one.start, one.end) for one in found.spans] == [(1, 0, 1), (1, 5, 8), (2, 4, 7)]


def test_what_looks_like_an_escape_in_plain_text_is_none() -> None:
    (shown,) = pointed([segment("C:\\new\\Ada")], ())
    assert (shown.text, shown.starts) == ("C:\\new\\Ada", None)


@pytest.mark.parametrize("place", [(2, 0, 1), (0, 0, 9), (0, 1, 1), (0, 2, 1), (0, -1, 1)])
def test_a_place_where_nothing_is_is_a_guard_s_failure(place: tuple[int, int, int]) -> None:
    texts = pointed([segment("12345678"), segment("x")], ())
    with pytest.raises(GuardFailed) as caught:
        located(opinion(place), texts)
    assert caught.value.guard == "classifier p"
