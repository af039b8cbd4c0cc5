"""A stream that is cut anywhere comes out as the redaction of the whole, in whole events, and nothing out early."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gptgate.core.errors import PolicyDenied
from gptgate.core.finding import Origin, Segment
from gptgate.core.snapshot import Stage
from gptgate.core.wire import Dialect
from gptgate.pipeline.answer_guard import AnswerGuard
from gptgate.pipeline.judge import cut_of
from pipeline_parts import (
    CARD,
    DENYING,
    GITHUB_KEY,
    INSPECTOR,
    OPENAI_KEY,
    Judged,
    chat,
    configured,
    judged,
    new_codec,
    play,
    services,
)
from sse_reader import Channel, SseReader, Texts

PARTS = services(configured())
ASKED: dict[Dialect, dict[str, Any]] = {Dialect.OPENAI: {"n": 2}, Dialect.ANTHROPIC: {}}
FACTS = {dialect: judged(PARTS, chat(dialect, **ASKED[dialect])) for dialect in Dialect}
SECRETS = (OPENAI_KEY, GITHUB_KEY, CARD, "4111111111111111", "jane.doe@example.com")
PROSE = f"Write to jane.doe@example.com, pay with {CARD} and use {OPENAI_KEY}! Café ☕ 𝒳 {GITHUB_KEY}"
ARGUMENTS = json.dumps(
    {"to": "jane.doe@example.com", "card": 4111111111111111, "note": f'a \\ "b" \n{OPENAI_KEY}é☕', "on": [True, None]}
)
ESCAPED = json.dumps({"key": "".join(f"\\u{ord(char):04x}" for char in GITHUB_KEY)}).replace("\\\\", "\\")
TRICKY = [
    PROSE,
    OPENAI_KEY,
    f"{OPENAI_KEY}{GITHUB_KEY}",
    f"sk-sk-proj-{OPENAI_KEY} {CARD} {CARD}",
    f"no {CARD[:-1]}2 secret {CARD[:-1]} here sk-proj-short",
    "ab" + "\u200b".join(GITHUB_KEY) + "\u200b!",
    "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 3 + "-----END PRIVATE KEY-----\nbye",
    f"{CARD[:9]}",
    "x" * 200 + CARD,
]


def redacted(text: str, is_json: bool) -> str:
    """What may get out of a whole text."""
    origin = Origin.TOOL_CALL if is_json else Origin.ASSISTANT
    # Streams are read as they stand: what only a view shows is not cut out of them.
    segment = Segment(("t",), origin, text, False, is_json)
    findings = tuple(finding for finding in INSPECTOR.inspect([segment]) if not finding.view)
    facts = replace(judged(PARTS, chat(Dialect.OPENAI)).facts, stage=Stage.RESPONSE)
    decision = PARTS.policy.decide(facts, PARTS.policy.assess(facts, findings))
    cuts = [cut_of(findings[index], effect) for index, effect in decision.rewrites]
    return PARTS.redaction.text(text, cuts, is_json)


def openai_event(choice: int, delta: dict[str, Any], **more: Any) -> bytes:
    fields = {"index": choice, "delta": delta, "finish_reason": None, **more}
    return b"data: " + json.dumps({"id": "c1", "choices": [fields]}).encode() + b"\n\n"


def openai_stream(channels: Mapping[Channel, Sequence[str]]) -> list[bytes]:
    """Events that let the channels grow in turns, as parallel choices and tool calls do."""
    events = [openai_event(choice, {"role": "assistant", "content": ""}) for choice in sorted({c[0] for c in channels})]
    for turn in zip_longest(*channels.values()):
        for channel, piece in zip(channels, turn, strict=True):
            if piece is None:
                continue
            if channel[1] == "tool":
                call = {"index": channel[2], "function": {"arguments": piece}}
                events.append(openai_event(channel[0], {"tool_calls": [call]}))
            else:
                events.append(openai_event(channel[0], {channel[1]: piece}))
    events += [openai_event(choice, {}, finish_reason="stop") for choice in sorted({c[0] for c in channels})]
    usage = b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n'
    return [*events, usage, b"data: [DONE]\n\n"]


def anthropic_event(kind: str, **fields: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


BLOCKS = {
    "text": ({"type": "text", "text": ""}, "text_delta"),
    "thinking": ({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta"),
    "partial_json": ({"type": "tool_use", "id": "t1", "name": "pay", "input": {}}, "input_json_delta"),
}


def anthropic_stream(channels: Mapping[Channel, Sequence[str]]) -> list[bytes]:
    message = {"id": "m1", "type": "message", "role": "assistant", "model": "sim-claude", "content": []}
    events = [anthropic_event("message_start", message={**message, "usage": {"input_tokens": 3, "output_tokens": 1}})]
    for index, field in channels:
        events.append(anthropic_event("content_block_start", index=index, content_block=BLOCKS[field][0]))
    events.append(anthropic_event("ping"))
    for turn in zip_longest(*channels.values()):
        for (index, field), piece in zip(channels, turn, strict=True):
            if piece is not None:
                delta = {"type": BLOCKS[field][1], field: piece}
                events.append(anthropic_event("content_block_delta", index=index, delta=delta))
    events += [anthropic_event("content_block_stop", index=index) for index, _ in channels]
    events.append(anthropic_event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5}))
    return [*events, anthropic_event("message_stop")]


RENDER = {Dialect.OPENAI: openai_stream, Dialect.ANTHROPIC: anthropic_stream}
CHANNELS: dict[Dialect, dict[str, Channel]] = {
    Dialect.OPENAI: {"text": (0, "content"), "other": (1, "content"), "json": (0, "tool", 0), "json2": (1, "tool", 2)},
    Dialect.ANTHROPIC: {"text": (0, "text"), "other": (1, "thinking"), "json": (2, "partial_json")},
}


THOUGHTS: dict[Dialect, Channel] = {
    Dialect.OPENAI: (0, "reasoning_content"),
    Dialect.ANTHROPIC: (1, "thinking"),
}
MIXED = {"text": PROSE, "other": PROSE[::-1] + " " + CARD, "json": ARGUMENTS, "json2": ESCAPED}
SHORT = {"text": f"é {CARD} {OPENAI_KEY}.", "other": "to jane.doe@example.com!", "json": '{"n": 4111111111111111}'}


def check(dialect: Dialect, pieces: Iterable[bytes], expected: Texts, *, complete: bool = True) -> SseReader:
    """Feed the provider's bytes in these pieces and look at the output after each of them."""
    facts: Judged = FACTS[dialect]
    guard, codec, reader = (
        AnswerGuard(PARTS, facts.grant, facts.facts, facts.draft),
        new_codec(PARTS, facts),
        SseReader(),
    )
    guard.begin()
    raw = b""
    for piece in pieces:
        out = b"".join([guard.event(codec, event) for event in codec.feed(piece)])
        raw += out
        reader.feed(out)
        for channel, text in reader.texts.items():
            assert expected[channel].startswith(text), "something got out that the whole would not let out"
    if not complete:
        reader.feed(guard.rest(codec))
    assert reader.texts == {channel: text for channel, text in expected.items() if text}
    assert reader.done is codec.complete is complete
    for secret in SECRETS:
        if not any(secret in text for text in expected.values()):
            assert secret.encode() not in raw
    return reader


def in_pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def mixed(dialect: Dialect, size: int, texts: dict[str, str] = MIXED) -> tuple[bytes, Texts]:
    """A stream with several texts and tool calls that grow in turns, and what must come of it."""
    channels = {name: channel for name, channel in CHANNELS[dialect].items() if name in texts}
    stream = RENDER[dialect]({channels[name]: in_pieces(texts[name], size) for name in channels})
    return b"".join(stream), {channels[name]: redacted(texts[name], name.startswith("json")) for name in channels}


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_expected_redaction_is_one(dialect: Dialect) -> None:
    _, expected = mixed(dialect, 16)
    for channel, text in expected.items():
        assert "[redacted:" in text
        assert not any(secret in text for secret in SECRETS)
        if channel[1] in ("tool", "partial_json"):
            json.loads(text)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_bytes_are_cut_in_two_at_every_place(dialect: Dialect) -> None:
    stream, expected = mixed(dialect, 12, SHORT)
    for place in range(len(stream) + 1):
        check(dialect, (stream[:place], stream[place:]), expected)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_other_line_endings_are_cut_at_every_place(dialect: Dialect) -> None:
    channel = CHANNELS[dialect]["text"]
    stream = b"".join(RENDER[dialect]({channel: in_pieces(f"a {CARD} b", 6)})).replace(b"\n", b"\r\n")
    for place in range(len(stream) + 1):
        check(dialect, (stream[:place], stream[place:]), {channel: redacted(f"a {CARD} b", False)})


@pytest.mark.parametrize("dialect", list(Dialect))
def test_single_bytes_and_one_piece(dialect: Dialect) -> None:
    stream, expected = mixed(dialect, 7)
    check(dialect, (stream[at : at + 1] for at in range(len(stream))), expected)
    check(dialect, (stream,), expected)


@pytest.mark.parametrize("text", TRICKY, ids=range(len(TRICKY)))
@pytest.mark.parametrize("dialect", list(Dialect))
def test_texts_in_pieces_of_every_size(dialect: Dialect, text: str) -> None:
    channel = CHANNELS[dialect]["text"]
    expected = {channel: redacted(text, False)}
    for size in range(1, len(text) + 1):
        check(dialect, RENDER[dialect]({channel: in_pieces(text, size)}), expected)


@pytest.mark.parametrize("text", [ARGUMENTS, ESCAPED, json.dumps({"pem": TRICKY[6]}), '{"n":[-4111111111111111,1]}'])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_tool_arguments_in_pieces_of_every_size_stay_json(dialect: Dialect, text: str) -> None:
    channel = CHANNELS[dialect]["json"]
    expected = {channel: redacted(text, True)}
    assert json.loads(expected[channel]) != json.loads(text)
    for size in range(1, len(text) + 1):
        check(dialect, RENDER[dialect]({channel: in_pieces(text, size)}), expected)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_stream_without_its_end_lets_out_what_the_redaction_of_its_texts_is(dialect: Dialect) -> None:
    text = f"{PROSE} and {OPENAI_KEY}"
    channel = CHANNELS[dialect]["text"]
    first = 1 if dialect is Dialect.OPENAI else 3
    for size in range(1, len(text)):
        begun = RENDER[dialect]({channel: [text[:size]]})[: first + 1]
        check(dialect, begun, {channel: redacted(text[:size], False)}, complete=False)


def test_token_probabilities_do_not_say_what_was_cut() -> None:
    pieces = in_pieces(f"take {CARD} or {OPENAI_KEY} now and go on with words", 3)
    events = [
        openai_event(0, {"content": piece}, logprobs={"content": [{"token": piece, "logprob": -0.1, "bytes": [1]}]})
        for piece in pieces
    ]
    events += [openai_event(0, {}, finish_reason="stop"), b"data: [DONE]\n\n"]
    facts = FACTS[Dialect.OPENAI]
    guard, codec, reader = (
        AnswerGuard(PARTS, facts.grant, facts.facts, facts.draft),
        new_codec(PARTS, facts),
        SseReader(),
    )
    play(guard, codec, events, reader)
    assert not any(secret[:6] in reader.texts.get((0, "logprobs"), "") for secret in SECRETS)
    assert reader.texts[0, "content"] == redacted("".join(pieces), False)


@pytest.mark.parametrize("delta", [{}, {"role": "assistant"}])
def test_token_probabilities_without_their_text_are_not_passed_on(delta: dict[str, Any]) -> None:
    facts = FACTS[Dialect.OPENAI]
    guard, codec = AnswerGuard(PARTS, facts.grant, facts.facts, facts.draft), new_codec(PARTS, facts)
    tokens = {"content": [{"token": piece, "logprob": -0.1} for piece in in_pieces(OPENAI_KEY, 4)]}
    out = play(guard, codec, [openai_event(0, delta, logprobs=tokens)])
    assert json.loads(out.removeprefix(b"data: "))["choices"][0]["logprobs"] is None


def test_token_probabilities_pass_where_no_rule_cuts() -> None:
    parts = services(configured("policy: {rules: []}"))
    facts = judged(parts, chat(Dialect.OPENAI))
    guard, codec = AnswerGuard(parts, facts.grant, facts.facts, facts.draft), new_codec(parts, facts)
    event = openai_event(0, {"content": "hello"}, logprobs={"content": [{"token": "hello", "logprob": -0.1}]})
    assert play(guard, codec, [event]) == event


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("name", ["text", "thought", "json"])
def test_a_denied_stream_ends_before_the_secret_wherever_it_is_cut(dialect: Dialect, name: str) -> None:
    parts = services(configured(DENYING))
    text = f"Here it is: {OPENAI_KEY}, and {CARD} too."
    before = "Here it is: "
    if name == "json":
        text, before = json.dumps({"it": text}), '{"it": "Here it is: '
    channel = THOUGHTS[dialect] if name == "thought" else CHANNELS[dialect][name]
    for size in range(1, len(text) + 1):
        facts = judged(parts, chat(dialect))
        guard, codec, reader = (
            AnswerGuard(parts, facts.grant, facts.facts, facts.draft),
            new_codec(parts, facts),
            SseReader(),
        )
        stream = RENDER[dialect]({channel: in_pieces(text, size)})
        with pytest.raises(PolicyDenied, match="No keys here"):
            play(guard, codec, stream, reader)
        assert before.startswith("".join(reader.texts.values()))
        assert not reader.done
        assert facts.draft.effect == "deny"
        assert "deny-keys" in facts.draft.answer_rules
        kept = guard.kept_stream(codec)
        assert kept is None or OPENAI_KEY[:12].encode() not in kept


FRAGMENTS = [*SECRETS, "sk-", "sk-proj-", "4111 ", "1111", "ghp_", "@", ".", " ", "\n", "words ", "é", "☕", "\u200b"]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=8).map("".join)
JSONS = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.just(4111111111111111)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@st.composite
def cut(draw: st.DrawFn, text: str | bytes) -> list[Any]:
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), dialect=st.sampled_from(list(Dialect)), escape=st.booleans())
def test_any_texts_cut_at_any_places(data: st.DataObject, dialect: Dialect, escape: bool) -> None:
    channels = CHANNELS[dialect]
    streams: dict[Channel, list[str]] = {}
    expected: Texts = {}
    for name, channel in channels.items():
        text = json.dumps(data.draw(JSONS), ensure_ascii=escape) if name.startswith("json") else data.draw(TEXTS)
        text = encodable(text)
        streams[channel] = data.draw(cut(text))
        expected[channel] = redacted(text, name.startswith("json"))
        if name.startswith("json"):
            json.loads(expected[channel])
    check(dialect, data.draw(cut(b"".join(RENDER[dialect](streams)))), expected)
