"""The stream of chat completion chunks: what each event says, wherever the bytes are cut."""

from typing import Any

import msgspec
import pytest

from gptgate.core.adapter import StreamEvent
from gptgate.core.errors import Reach, UpstreamBroken, UpstreamFailed
from gptgate.core.facts import Usage
from gptgate.providers.openai_stream import OpenAIChatStream

LIMIT = 65536


def _codec(*, wants_usage: bool = False) -> OpenAIChatStream:
    return OpenAIChatStream(wants_usage=wants_usage, limit=LIMIT)


def _line(document: Any) -> bytes:
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


def _chunk(*choices: dict[str, Any], **fields: Any) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x"}
    return _line({**head, "choices": list(choices), **fields})


def _text(text: str, index: int = 0) -> dict[str, Any]:
    return {"index": index, "delta": {"content": text}, "finish_reason": None}


def _grown(events: list[StreamEvent]) -> dict[tuple[str | int, ...], str]:
    texts: dict[tuple[str | int, ...], str] = {}
    for event in events:
        for piece in event.pieces:
            texts[piece.channel] = texts.get(piece.channel, "") + piece.text
    return texts


CONVERSATION = (
    _chunk({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}, usage=None)
    + _chunk(_text("Hé"))
    + _chunk(_text("llo 😀"), _text("second", 1))
    + _chunk({"index": 0, "delta": {"reasoning_content": "hm"}})
    + _chunk(
        {
            "index": 0,
            "delta": {
                "tool_calls": [
                    {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}},
                    {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": "{"}},
                ]
            },
        }
    )
    + _chunk({"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}})
    + _chunk({"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]}})
    + _chunk({"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}})
    + _chunk({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    + _chunk({"index": 1, "delta": {}, "finish_reason": "stop"})
    + _chunk(usage={"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8})
    + b"data: [DONE]\n\n"
)
TEXTS = {
    (0, "content"): "Héllo 😀",
    (1, "content"): "second",
    (0, "reasoning_content"): "hm",
    (0, "tool_calls", 0, "function", "arguments"): '{"a":1}',
    (0, "tool_calls", 1, "function", "arguments"): "{}",
}


def test_a_conversation_cut_at_every_byte_is_the_same() -> None:
    whole = _codec().feed(CONVERSATION)
    assert _grown(whole) == TEXTS
    assert b"".join(event.raw for event in whole) == CONVERSATION
    for cut in range(1, len(CONVERSATION)):
        codec = _codec()
        assert codec.feed(CONVERSATION[:cut]) + codec.feed(CONVERSATION[cut:]) == whole, cut
        assert (codec.complete, codec.model) == (True, "gpt-x")
        assert codec.usage == Usage(input_tokens=3, output_tokens=5)


def test_arguments_of_a_call_are_json_and_nothing_else_is() -> None:
    pieces = [piece for event in _codec().feed(CONVERSATION) for piece in event.pieces]
    assert {piece.channel for piece in pieces if piece.is_json} == {
        (0, "tool_calls", 0, "function", "arguments"),
        (0, "tool_calls", 1, "function", "arguments"),
    }


def test_a_piece_says_where_in_the_event_it_stands() -> None:
    for event in _codec().feed(CONVERSATION):
        document = msgspec.json.decode(event.data) if event.data != b"[DONE]" else {}
        for piece in event.pieces:
            value = document
            for step in piece.path:
                value = value[step]
            assert value == piece.text


def test_a_finish_closes_its_own_choice_and_done_closes_all() -> None:
    closes = [event.closes for event in _codec().feed(CONVERSATION) if event.closes != ()]
    assert closes == [((0,),), ((1,),), None]


@pytest.mark.parametrize("wants_usage", [False, True])
def test_the_usage_chunk_is_dropped_unless_it_was_asked_for(wants_usage: bool) -> None:
    events = _codec(wants_usage=wants_usage).feed(CONVERSATION)
    assert [event.drop for event in events[-2:]] == [not wants_usage, False]


def test_the_service_tier_may_be_named_before_the_usage() -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 5}
    for last, tier in (
        ({}, "priority"),
        ({"service_tier": None}, "priority"),
        ({"service_tier": "default"}, "default"),
    ):
        codec = _codec()
        codec.feed(_chunk(_text("x"), service_tier="priority") + _chunk(usage=counts, **last))
        assert codec.usage == Usage(input_tokens=3, output_tokens=5, service_tier=tier)


def test_usage_beside_a_choice_is_kept_for_the_sake_of_the_choice() -> None:
    event = _codec().feed(_chunk(_text("x"), usage={"prompt_tokens": 1, "completion_tokens": 1}))[0]
    assert not event.drop


@pytest.mark.parametrize("lie", [{"prompt_tokens": 1}, {"prompt_tokens": -1, "completion_tokens": 1}, "7", 7, [], {}])
def test_usage_that_cannot_be_believed_is_unknown(lie: Any) -> None:
    codec = _codec()
    codec.feed(_chunk(_text("x")) + _chunk(usage=lie) + b"data: [DONE]\n\n")
    assert codec.complete
    assert codec.usage is None


def test_a_later_lie_takes_the_earlier_usage_back() -> None:
    codec = _codec()
    codec.feed(_chunk(usage={"prompt_tokens": 1, "completion_tokens": 1}) + _chunk(usage={"prompt_tokens": 1}))
    assert codec.usage is None


@pytest.mark.parametrize(
    "data", [b"data: {\n\n", b"data: [1]\n\n", b'data: {"a":1,"a":2}\n\n', b"data: \xff\n\n", b"data: NaN\n\n"]
)
def test_an_event_that_is_not_strict_json_breaks_the_stream(data: bytes) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        _codec().feed(data)
    assert caught.value.reach is Reach.ANSWERED


@pytest.mark.parametrize("error", [{"message": "m", "type": "server_error"}, "overloaded", {"code": 500}])
def test_an_error_event_is_the_providers_failure_and_not_passed_on(error: Any) -> None:
    with pytest.raises(UpstreamFailed):
        _codec().feed(_line({"error": error}))


def test_null_is_no_error() -> None:
    assert len(_codec().feed(_chunk(_text("x"), error=None))) == 1


def test_every_string_of_a_chunk_is_seen() -> None:
    document = {
        "id": "s-id",
        "system_fingerprint": "s-fingerprint",
        "x_unknown": {"s-key": ["s-item"]},
        "choices": [
            {
                "index": 0,
                "delta": {"role": "s-role", "content": "s-text", "x_more": {"deep": ["s-deep"]}},
                "finish_reason": "s-finish",
                "content_filter_results": {"reason": "s-filter"},
            },
            "s-no-object",
        ],
    }
    event = _codec().feed(_line(document))[0]
    seen = {segment.text for segment in event.whole} | {piece.text for piece in event.pieces}
    everything = msgspec.json.encode(document).decode().replace('"', " ").split()
    assert {word for word in everything if word.startswith("s-")} <= seen


def test_repeated_strings_beside_the_choices_are_seen_in_every_chunk_and_recognised_as_the_same() -> None:
    """The guard looks at them once when they are clean; were they left out, what it cut once would pass later."""
    codec = _codec()
    first, second, other = codec.feed(
        _chunk(_text("a"), system_fingerprint="fp")
        + _chunk(_text("b"), system_fingerprint="fp")
        + _chunk(_text("c"), system_fingerprint="other")
    )
    assert "fp" in [segment.text for segment in first.whole]
    assert second.whole is first.whole
    assert "other" in [segment.text for segment in other.whole]


def test_strings_that_a_later_chunk_lacks_are_not_said_to_be_there() -> None:
    codec = _codec()
    codec.feed(_chunk(_text("a"), system_fingerprint="fp"))
    event = codec.feed(_chunk(_text("b")))[0]
    assert ("system_fingerprint",) not in [segment.path for segment in event.whole]


def test_log_probabilities_repeat_the_text() -> None:
    choice = {**_text("x"), "logprobs": {"content": [{"token": "x", "logprob": -0.1, "bytes": [120]}]}}
    assert _codec().feed(_chunk(choice))[0].repeats == (("choices", 0, "logprobs"),)


def test_a_comment_is_dropped() -> None:
    events = _codec().feed(b": OPENROUTER PROCESSING\n\n")
    assert [event.drop for event in events] == [True]


def test_a_flushed_text_reads_back_as_the_same_channel() -> None:
    codec = _codec()
    codec.feed(CONVERSATION)
    for channel in TEXTS:
        flushed = codec.flush(channel, 'rest "quoted" é')
        assert _grown(_codec().feed(flushed)) == {channel: 'rest "quoted" é'}
        document = msgspec.json.decode(flushed.removeprefix(b"data: "))
        assert (document["id"], document["model"]) == ("chatcmpl-1", "gpt-x")


def test_a_place_is_that_of_the_whole_answer() -> None:
    assert _codec().place((1, "content")) == "/choices/1/message/content"
    place = _codec().place((0, "tool_calls", 2, "function", "arguments"))
    assert place == "/choices/0/message/tool_calls/2/function/arguments"


@pytest.mark.parametrize("choice", [{"index": None}, {}])
def test_a_choice_without_a_number_has_that_of_its_position(choice: dict[str, Any]) -> None:
    assert _grown(_codec().feed(_chunk({**choice, "delta": {"content": "x"}}))) == {(0, "content"): "x"}


@pytest.mark.parametrize("index", ["0", 0.0, 1.5, True, -1, 2, 4111111111111111])
def test_a_choice_that_nobody_asked_for_is_refused(index: Any) -> None:
    """A reader who does not look at numbers would put together what was judged apart."""
    codec = OpenAIChatStream(wants_usage=True, limit=LIMIT, choices=2)
    assert _grown(codec.feed(_chunk({"index": 1, "delta": {"content": "x"}}))) == {(1, "content"): "x"}
    with pytest.raises(UpstreamBroken, match="nobody asked for"):
        codec.feed(_chunk({"index": index, "delta": {"content": "x"}}))


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {"s-key": "text"}},
        {"delta": {"s-key": {"content": "text"}}},
        {"delta": {"s-key": [{"index": 0, "content": "text"}]}},
        {"delta": {"s-key": None}},
        {"s-key": None},
        {"logprobs": {"content": [{"token": "s-key", "top_logprobs": [{"token": "x"}]}]}},
    ],
)
def test_no_key_and_no_repetition_goes_unseen(choice: dict[str, Any]) -> None:
    (event,) = _codec().feed(_chunk({"index": 0, **choice}))
    assert "s-key" in [segment.text for segment in event.whole]


def test_a_key_beside_the_choices_is_seen_without_a_value() -> None:
    (event,) = _codec().feed(b'data: {"s-key":null,"choices":[]}\n\n')
    assert [segment.text for segment in event.whole] == ["s-key"]


def test_text_in_parts_without_an_index_grows() -> None:
    codec = _codec()
    deltas: list[dict[str, Any]] = [{"content": [{"type": "text", "text": text}]} for text in ("one ", "two")]
    deltas += [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "three"}]}]}]
    events = [event for delta in deltas for event in codec.feed(_chunk({"index": 0, "delta": delta}))]
    spoken, thought = (0, "content", "[text]", "text"), (0, "content", "[thinking]", "thinking", "[text]", "text")
    assert _grown(events) == {spoken: "one two", thought: "three"}
    for channel in (spoken, thought):
        assert _grown(_codec().feed(codec.flush(channel, "rest"))) == {channel: "rest"}


def test_what_came_before_a_bad_event_in_the_same_bytes_is_not_lost() -> None:
    codec = _codec()
    events = codec.feed(_chunk(_text("good")) + b"data: {bad\n\n" + _chunk(_text("after")))
    assert [piece.text for event in events for piece in event.pieces] == ["good"]
    assert isinstance(codec.failure, UpstreamBroken)


def test_what_is_reported_on_the_way_is_known_before_the_end() -> None:
    codec = _codec()
    codec.feed(_chunk(_text("a"), usage={"prompt_tokens": 3, "completion_tokens": 1}))
    assert codec.so_far == Usage(input_tokens=3, output_tokens=1)
    codec.feed(_chunk(_text("b")))
    codec.feed(_chunk(_text("c"), usage={"prompt_tokens": 3, "completion_tokens": 3}))
    assert codec.so_far == Usage(input_tokens=3, output_tokens=3)
    # What ends the answer is no report on the way.
    codec.feed(
        _chunk({"index": 0, "delta": {}, "finish_reason": "stop"}, usage={"prompt_tokens": 3, "completion_tokens": 4})
    )
    codec.feed(_chunk(usage={"prompt_tokens": 3, "completion_tokens": 5}))
    assert codec.so_far == Usage(input_tokens=3, output_tokens=3)
    assert codec.usage == Usage(input_tokens=3, output_tokens=5)


@pytest.mark.parametrize("arguments", ['{"a": {"b": 1}}', "{}", "", None, {"a": 1}])
def test_a_whole_call_without_a_number_passes(arguments: Any) -> None:
    """So do servers send them that have no numbers for calls."""
    call = {"id": "c", "type": "function", "function": {"name": "s-name", "arguments": arguments}}
    (event,) = _codec().feed(_chunk({"index": 0, "delta": {"tool_calls": [call]}}))
    assert "s-name" in [segment.text for segment in event.whole]


@pytest.mark.parametrize(
    "call",
    [
        {"function": {"arguments": '{"a": '}},
        {"function": {"arguments": "4111"}},
        {"function": "f"},
        {"id": "c"},
        {"custom": {"name": "f", "input": "text"}, "function": {"arguments": "{}"}},
        "text",
    ],
)
def test_a_part_of_a_call_without_a_number_is_refused(call: Any) -> None:
    with pytest.raises(UpstreamBroken, match="without its number"):
        _codec().feed(_chunk({"index": 0, "delta": {"tool_calls": [call]}}))
