"""Events that are recognised by their surroundings mean what a parser would have read in them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.adapter import StreamEvent
from gptgate.core.errors import UpstreamError
from gptgate.providers.anthropic_stream import AnthropicStream
from gptgate.providers.openai_stream import OpenAIChatStream
from gptgate.providers.sse import SseSplitter

LIMIT = 1 << 20
Codec = OpenAIChatStream | AnthropicStream

WORDS = [
    "",
    "a",
    "content",
    "delta",
    "index",
    "text",
    '"',
    '","',
    "\\",
    "\\u0041",
    "é",
    "😀",
    "\x00",
    "\n",
    "}",
    '"}',
    "role",
]
TEXTS = st.sampled_from(WORDS) | st.text(max_size=4)
ASCII = st.booleans()


@st.composite
def openai_events(draw: st.DrawFn) -> bytes:
    delta: dict[str, Any] = {draw(st.sampled_from(["content", "refusal", "role"])): draw(TEXTS)}
    choice: dict[str, Any] = {"index": draw(st.integers(0, 1)), "delta": delta}
    if draw(st.integers(0, 9)) == 0:
        choice["finish_reason"] = draw(st.sampled_from(["stop", None]))
    if draw(st.integers(0, 9)) == 0:
        choice["logprobs"] = {"content": []}
    document: dict[str, Any] = {"id": draw(st.sampled_from(["x", "a"])), "choices": [choice]}
    if draw(st.integers(0, 9)) == 0:
        document["usage"] = {"prompt_tokens": 1, "completion_tokens": draw(st.integers(0, 2))}
    return b"data: " + json.dumps(document, ensure_ascii=draw(ASCII)).encode() + b"\n\n"


@st.composite
def anthropic_events(draw: st.DrawFn) -> bytes:
    kind, field = draw(
        st.sampled_from([("text_delta", "text"), ("thinking_delta", "thinking"), ("input_json_delta", "partial_json")])
    )
    document: dict[str, Any] = {"type": "content_block_delta", "index": draw(st.integers(0, 1))}
    document["delta"] = {"type": kind, field: draw(TEXTS)}
    if draw(st.integers(0, 9)) == 0:
        document = {"type": "content_block_stop", "index": 0}
    name = draw(st.sampled_from([document["type"], "content_block_delta"]))
    return b"event: %s\ndata: %s\n\n" % (name.encode(), json.dumps(document, ensure_ascii=draw(ASCII)).encode())


def carefully(codec: Codec, stream: bytes) -> list[StreamEvent]:
    """The same codec with nothing remembered."""
    return [codec._event(event) for event in SseSplitter(LIMIT).feed(stream)]


def meaning(events: list[StreamEvent]) -> list[tuple[Any, ...]]:
    return [(e.raw, e.name, e.data, e.pieces, e.whole, e.closes, e.drop, e.repeats) for e in events]


def check(quick: Codec, careful: Codec, stream: bytes) -> None:
    events = quick.feed(stream)
    assert meaning(events) == meaning(carefully(careful, stream))
    assert (quick.usage, quick.model, quick.complete) == (careful.usage, careful.model, careful.complete)
    for event in events:
        if event.around is not None:
            before, after = event.around
            assert before + event.pieces[0].text.encode() + after == event.data


@given(st.lists(openai_events(), max_size=12))
def test_openai(events: list[bytes]) -> None:
    stream = b"".join(events)
    check(OpenAIChatStream(wants_usage=False, limit=LIMIT), OpenAIChatStream(wants_usage=False, limit=LIMIT), stream)


@given(st.lists(anthropic_events(), max_size=12))
def test_anthropic(events: list[bytes]) -> None:
    stream = b"".join(events)
    check(AnthropicStream(limit=LIMIT), AnthropicStream(limit=LIMIT), stream)


BEGIN = b'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n'


def test_an_ordinary_stream_is_recognised() -> None:
    codec = OpenAIChatStream(wants_usage=False, limit=LIMIT)
    events = codec.feed(BEGIN + BEGIN.replace(b"one", b"two") + BEGIN.replace(b"one", b""))
    assert [event.around is not None for event in events] == [False, True, True]
    assert [event.pieces[0].text for event in events] == ["one", "two", ""]


def test_what_only_looks_like_a_repetition_is_read_with_care() -> None:
    """Bytes that would end the string, or that no string may hold, must not be taken for its text."""
    hostile = [
        b'two"},"x":{"y":"',
        b'two"}},{"index":1,"delta":{"content":"three',
        b'two","content":"three',
        b"two\\u0022",
        b"two\x00",
        b"two\xff",
        b"\xed\xa0\x80",
    ]
    for text in hostile:
        stream = BEGIN + BEGIN.replace(b"one", text)
        careful: Any
        quick: Any
        try:
            careful = meaning(carefully(OpenAIChatStream(wants_usage=False, limit=LIMIT), stream))
        except UpstreamError as error:
            careful = type(error)
        try:
            quick = meaning(OpenAIChatStream(wants_usage=False, limit=LIMIT).feed(stream))
        except UpstreamError as error:
            quick = type(error)
        assert quick == careful, text
