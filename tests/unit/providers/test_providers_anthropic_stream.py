"""The stream of Messages events: what each event says, wherever the bytes are cut."""

from typing import Any

import msgspec
import pytest

from gptgate.core.adapter import StreamEvent
from gptgate.core.errors import Reach, UpstreamBroken, UpstreamFailed, UpstreamOverloaded
from gptgate.core.facts import Usage
from gptgate.providers.anthropic_stream import AnthropicStream


def _codec() -> AnthropicStream:
    return AnthropicStream(limit=65536)


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **fields}))


def _start(**usage: Any) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": []}
    return _event("message_start", message={**message, "stop_reason": None, "usage": usage})


def _delta(index: int, kind: str, **fields: Any) -> bytes:
    return _event("content_block_delta", index=index, delta={"type": kind, **fields})


def _end(**usage: Any) -> bytes:
    return _event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=usage)


CONVERSATION = (
    _start(input_tokens=10, cache_read_input_tokens=4, cache_creation_input_tokens=2, output_tokens=1)
    + _event("ping")
    + _event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""})
    + _delta(0, "thinking_delta", thinking="Let me ")
    + _delta(0, "thinking_delta", thinking="think é")
    + _delta(0, "signature_delta", signature="c2lnbmF0dXJl")
    + _event("content_block_stop", index=0)
    + _event("content_block_start", index=1, content_block={"type": "text", "text": "He"})
    + _delta(1, "text_delta", text="llo 😀")
    + _event("content_block_stop", index=1)
    + _event("content_block_start", index=2, content_block={"type": "tool_use", "id": "t", "name": "f", "input": {}})
    + _delta(2, "input_json_delta", partial_json="")
    + _delta(2, "input_json_delta", partial_json='{"a":')
    + _delta(2, "input_json_delta", partial_json="1}")
    + _event("content_block_stop", index=2)
    + _end(output_tokens=25)
    + _event("message_stop")
)
TEXTS = {(0, "thinking"): "Let me think é", (1, "text"): "Hello 😀", (2, "partial_json"): '{"a":1}'}


def _grown(events: list[StreamEvent]) -> dict[tuple[str | int, ...], str]:
    texts: dict[tuple[str | int, ...], str] = {}
    for event in events:
        for piece in event.pieces:
            texts[piece.channel] = texts.get(piece.channel, "") + piece.text
    return texts


def test_a_conversation_cut_at_every_byte_is_the_same() -> None:
    whole = _codec().feed(CONVERSATION)
    assert _grown(whole) == TEXTS
    assert b"".join(event.raw for event in whole) == CONVERSATION
    for cut in range(1, len(CONVERSATION)):
        codec = _codec()
        assert codec.feed(CONVERSATION[:cut]) + codec.feed(CONVERSATION[cut:]) == whole, cut
        assert (codec.complete, codec.model) == (True, "claude-x")
        assert codec.usage == Usage(input_tokens=16, output_tokens=25, cache_read=4, cache_write=2)


def test_only_tool_input_is_json() -> None:
    pieces = [piece for event in _codec().feed(CONVERSATION) for piece in event.pieces]
    assert {piece.channel for piece in pieces if piece.is_json} == {(2, "partial_json")}


def test_a_stop_closes_its_own_block_and_the_messages_end_closes_all() -> None:
    closes = [event.closes for event in _codec().feed(CONVERSATION) if event.closes != ()]
    blocks = [{channel[0] for channel in some} for some in closes if some is not None]
    assert blocks == [{0}, {1}, {2}]
    assert closes[-2:] == [None, None]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ({"input_tokens": 10, "output_tokens": 1}, {}),
        ({"input_tokens": 10, "output_tokens": 1}, {"output_tokens": -5}),
        ({"input_tokens": 10, "output_tokens": 1}, {"output_tokens": "5"}),
        ({"input_tokens": 10, "output_tokens": 1}, {"output_tokens": None}),
        ({"input_tokens": -1, "output_tokens": 1}, {"output_tokens": 5}),
        ({"output_tokens": 1}, {"output_tokens": 5}),
        ({}, {"output_tokens": 5}),
    ],
)
def test_usage_that_cannot_be_believed_is_unknown(start: dict[str, Any], end: dict[str, Any]) -> None:
    """The start's output count is a first estimate: without the final one the usage is not known."""
    codec = _codec()
    codec.feed(_start(**start) + _end(**end) + _event("message_stop"))
    assert codec.complete
    assert codec.usage is None


def test_the_final_counts_win() -> None:
    codec = _codec()
    codec.feed(
        _start(input_tokens=10, output_tokens=1) + _end(input_tokens=12, output_tokens=9, cache_read_input_tokens=1)
    )
    assert codec.usage == Usage(input_tokens=13, output_tokens=9, cache_read=1)


def test_counts_that_nobody_reads_are_not_gathered() -> None:
    codec = _codec()
    for number in range(100):
        codec.feed(_end(input_tokens=12, output_tokens=9, **{f"count_{number}_{n}": n for n in range(10)}))
    assert codec.usage == Usage(input_tokens=12, output_tokens=9)
    assert set(codec._reported) == {"input_tokens", "output_tokens"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("overloaded_error", UpstreamOverloaded), ("api_error", UpstreamFailed), ("new_error", UpstreamFailed)],
)
def test_an_error_event_is_the_providers_failure_and_not_passed_on(kind: str, expected: type[Exception]) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        _codec().feed(_event("error", error={"type": kind, "message": "secret words"}))
    assert type(caught.value) is expected
    assert caught.value.reach is Reach.ANSWERED
    assert "secret words" not in caught.value.message


@pytest.mark.parametrize("data", [b"event: ping\ndata: {\n\n", b"data: 1\n\n", b'data: {"type":"a","type":"b"}\n\n'])
def test_an_event_that_is_not_strict_json_breaks_the_stream(data: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        _codec().feed(data)


def test_every_string_of_an_event_is_seen() -> None:
    documents = [
        {"type": "message_start", "message": {"id": "s-id", "model": "s-model", "x": {"s-key": "s-value"}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "s-kind", "text": "s-text", "x": "s-x"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "s-delta", "x": ["s-item"]}},
        {"type": "content_block_delta", "index": 0, "delta": "s-no-object"},
        {"type": "s-new-event", "payload": {"text": "s-payload"}},
    ]
    for document in documents:
        data = msgspec.json.encode(document)
        event = _codec().feed(b"data: " + data + b"\n\n")[0]
        seen = {segment.text for segment in event.whole} | {piece.text for piece in event.pieces} | {event.name}
        words = data.decode().replace('"', " ").split()
        assert {word for word in words if word.startswith("s-")} <= seen, document
    event = _codec().feed(b'event: s-name\ndata: {"type":"s-new-event"}\n\n')[0]
    assert any(segment.text == "s-name" for segment in event.whole)


@pytest.mark.parametrize(
    "event",
    [
        b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":"x"}}\n\n',
        b'event: content_block_delta\ndata: {"type":"ping","delta":{"type":"text_delta","text":"x"}}\n\n',
        b'event: ping\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}\n\n',
        b'data: {"type":"content_block_delta","index":0.0,"delta":{"type":"text_delta","text":"x"}}\n\n',
        b'data: {"type":"content_block_delta","index":null,"delta":{"type":"text_delta","text":"x"}}\n\n',
    ],
)
def test_an_event_that_two_readers_would_read_differently_is_refused(event: bytes) -> None:
    with pytest.raises(UpstreamBroken, match="contradicts itself"):
        _codec().feed(event)


def test_a_message_that_begins_with_content_is_continued_by_its_blocks() -> None:
    start = {"type": "message_start", "message": {"content": [{"type": "text", "text": "one "}]}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "two"}}
    codec = _codec()
    events = [event for one in (start, delta) for event in codec.feed(b"data: " + msgspec.json.encode(one) + b"\n\n")]
    assert _grown(events) == {(0, "text"): "one two"}


def test_a_new_kind_of_delta_grows_too() -> None:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "summary": "text"}}
    codec = _codec()
    (event,) = codec.feed(b"data: " + msgspec.json.encode(delta) + b"\n\n")
    assert _grown([event]) == {(0, "summary"): "text"}
    assert _grown(_codec().feed(codec.flush((0, "summary"), "rest"))) == {(0, "summary"): "rest"}
    assert [segment.text for segment in event.whole] == ["new_delta", "summary"]


def test_a_flushed_text_reads_back_as_the_same_channel() -> None:
    codec = _codec()
    codec.feed(CONVERSATION)
    for channel in TEXTS:
        flushed = codec.flush(channel, 'rest "quoted" é')
        assert _grown(_codec().feed(flushed)) == {channel: 'rest "quoted" é'}
        assert flushed.startswith(b"event: content_block_delta\n")


def test_a_place_is_that_of_the_whole_answer() -> None:
    assert _codec().place((1, "text")) == "/content/1/text"
    assert _codec().place((2, "partial_json")).startswith("/content/2/")


def test_what_is_reported_on_the_way_is_known_before_the_end() -> None:
    codec = _codec()
    codec.feed(_start(input_tokens=10, output_tokens=1))
    assert (codec.so_far, codec.usage) == (Usage(input_tokens=10, output_tokens=1), None)
    (event,) = codec.feed(_event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 40}))
    # The answer goes on: no text is complete yet.
    assert event.closes == ()
    assert codec.so_far == Usage(input_tokens=10, output_tokens=40)
    (event,) = codec.feed(_end(output_tokens=90))
    assert event.closes is None
    assert (codec.so_far, codec.usage) == (
        Usage(input_tokens=10, output_tokens=40),
        Usage(input_tokens=10, output_tokens=90),
    )
