"""Events recognised by their surroundings mean what the careful reading says they mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.errors import UpstreamBroken
from gptgate.providers.openai_stream import OpenAIChatStream

LIMIT = 100_000


def _event(content: str, **beside: object) -> bytes:
    chunk = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": content}}], **beside}
    return b"data: " + json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


@given(st.lists(st.text(max_size=12).filter(lambda text: text.isprintable()), min_size=1, max_size=8))
def test_recognised_events_equal_those_read_with_care(texts: list[str]) -> None:
    codec = OpenAIChatStream(wants_usage=True, limit=LIMIT)
    for text in texts:
        (quick,) = codec.feed(_event(text))
        (careful,) = OpenAIChatStream(wants_usage=True, limit=LIMIT).feed(_event(text))
        assert quick.pieces == careful.pieces
        assert (quick.raw, quick.name, quick.data) == (careful.raw, careful.name, careful.data)
        assert (quick.closes, quick.drop, quick.repeats) == (careful.closes, careful.drop, careful.repeats)
        assert [segment.text for segment in quick.whole] == [segment.text for segment in careful.whole]
        if quick.around is not None:
            assert quick.around[0] + text.encode() + quick.around[1] == quick.data


def test_the_second_of_two_like_events_is_recognised() -> None:
    codec = OpenAIChatStream(wants_usage=True, limit=LIMIT)
    assert codec.feed(_event("one"))[0].around is None
    assert codec.feed(_event("two"))[0].around is not None
    assert codec.feed(_event(""))[0].pieces[0].text == ""


@pytest.mark.parametrize(
    "text", ['a","role":"x', "a\\u0041", "a\nb", 'a"}}],"choices":[{"delta":{"content":"b', "\\", "\x00"]
)
def test_a_text_that_is_not_plain_is_read_with_care(text: str) -> None:
    """What looks like more JSON inside the text cannot pass as part of it."""
    codec = OpenAIChatStream(wants_usage=True, limit=LIMIT)
    codec.feed(_event("one"))
    raw = _event("@@").replace(b"@@", text.encode())
    try:
        (event,) = codec.feed(raw)
    except UpstreamBroken:
        return
    assert event.around is None


def test_an_event_with_more_to_say_is_not_remembered() -> None:
    for beside in ({"usage": {"prompt_tokens": 1, "completion_tokens": 1}, "choices": []}, {"extra": "one"}):
        codec = OpenAIChatStream(wants_usage=True, limit=LIMIT)
        codec.feed(_event("one", **beside))
        assert codec.feed(_event("two", **beside))[0].around is None


@pytest.mark.parametrize("text", [":", ": ", ","])
def test_a_text_that_looks_like_what_stands_between_strings_is_not_mistaken(text: str) -> None:
    """``"content":":"`` holds the quoted text twice, overlapping."""
    event = b'data: {"choices":[{"index":0,"delta":{"content":"@@"}}]}\n\n'
    for raw in (event, event.replace(b":", b": ").replace(b"data: ", b"data:")):
        codec = OpenAIChatStream(wants_usage=True, limit=LIMIT)
        codec.feed(raw.replace(b"@@", text.encode()))
        with pytest.raises(UpstreamBroken):
            codec.feed(event.replace(b':"@@"', b' no JSON "' + text.encode() + b'"'))
        (again,) = codec.feed(raw.replace(b"@@", b"words"))
        assert again.pieces[0].text == "words"
