"""Server-sent events, cut at every byte."""

import pytest

from gptgate.core.errors import UpstreamBroken
from gptgate.providers.sse import SseEvent, SseSplitter, render_event

LIMIT = 4096

STREAMS: dict[str, tuple[bytes, list[tuple[str, bytes]]]] = {
    "plain": (b'data: {"a":1}\n\ndata: [DONE]\n\n', [("", b'{"a":1}'), ("", b"[DONE]")]),
    "named": (b"event: ping\ndata: {}\n\n", [("ping", b"{}")]),
    "carriage returns and line feeds": (b"event: x\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [("x", b"1"), ("", b"2")]),
    "carriage returns only": (b"data: 1\r\rdata: 2\r\rdata: 3\n\n", [("", b"1"), ("", b"2"), ("", b"3")]),
    "comments, ids and unknown fields": (b": hi\nid: 7\nretry: 1\ndata: 1\nfoo: bar\n\n", [("", b"1")]),
    "no space after the colon": (b"data:1\n\n", [("", b"1")]),
    "two spaces keep one": (b"data:  1\n\n", [("", b" 1")]),
    "data in several lines": (b'data: {"a":\ndata: 1}\n\n', [("", b'{"a": 1}')]),
    "a comment alone": (b": keep-alive\n\ndata: 1\n\n", [("", b""), ("", b"1")]),
    "many blank lines": (b"\n\n\n\ndata: 1\n\n\n\ndata: 2\n\n", [("", b"1"), ("", b"2")]),
    "the last name wins": (b"event: a\nevent: b\ndata: 1\n\n", [("b", b"1")]),
    "a name that is not UTF-8": (b"event: \xff\ndata: 1\n\n", [("\ufffd", b"1")]),
    "a byte order mark": (b"\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", [("", b"1"), ("", b"2")]),
    "UTF-8 in the data": ('data: "é😀"\n\n'.encode(), [("", '"é😀"'.encode())]),
}


def _seen(events: list[SseEvent]) -> list[tuple[str, bytes]]:
    return [(event.name, event.data) for event in events]


@pytest.mark.parametrize("name", STREAMS)
def test_events_are_the_same_wherever_the_bytes_are_cut(name: str) -> None:
    stream, expected = STREAMS[name]
    assert _seen(SseSplitter(LIMIT).feed(stream)) == expected
    for cut in range(1, len(stream)):
        splitter = SseSplitter(LIMIT)
        assert _seen(splitter.feed(stream[:cut]) + splitter.feed(stream[cut:])) == expected, cut
    splitter = SseSplitter(LIMIT)
    assert _seen([event for byte in stream for event in splitter.feed(bytes([byte]))]) == expected


@pytest.mark.parametrize("name", STREAMS)
def test_raw_holds_nothing_but_name_and_data(name: str) -> None:
    stream, _ = STREAMS[name]
    for event in SseSplitter(LIMIT).feed(stream):
        assert event.raw == render_event(event.name, event.data)


def test_a_plain_event_is_passed_on_byte_for_byte() -> None:
    raw = b'data: {"z": 1.0,  "a":\t"\\u00e9"}\n\n'
    assert SseSplitter(LIMIT).feed(raw)[0].raw == raw


def test_an_unfinished_event_is_bounded() -> None:
    splitter = SseSplitter(16)
    assert splitter.feed(b"data: 01234567") == []
    with pytest.raises(UpstreamBroken):
        splitter.feed(b"89abcdef")
