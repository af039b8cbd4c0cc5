"""Pseudonyms come back in streams cut anywhere, in both dialects; masks and hashes there are those of the whole."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gptgate.core.finding import Origin, Segment
from gptgate.core.ports import Pseudonyms
from gptgate.core.snapshot import Stage
from gptgate.core.wire import Dialect
from gptgate.pipeline.answer_guard import AnswerGuard
from gptgate.pipeline.judge import cut_of
from gptgate.pipeline.services import Services
from pipeline_parts import (
    CARD,
    GITHUB_KEY,
    INSPECTOR,
    OPENAI_KEY,
    Judged,
    chat,
    configured,
    judged,
    new_codec,
    services,
)
from property.test_pipeline_streams import CHANNELS as SPOKEN
from property.test_pipeline_streams import RENDER, THOUGHTS, cut, in_pieces
from sse_reader import SseReader, Texts

RULES = """\
policy:
  rules:
    - {id: mask-cards, stage: response, effect: mask, findings: [pii.payment_card]}
    - {id: hash-keys, stage: response, effect: hash, findings: [secret.openai]}
    - {id: redact-keys, stage: response, effect: redact, findings: [secret.github]}
"""
PARTS: Services = services(configured(RULES))
CHANNELS = {dialect: {**SPOKEN[dialect], "thought": THOUGHTS[dialect]} for dialect in Dialect}
ASKED: dict[Dialect, dict[str, Any]] = {Dialect.OPENAI: {"n": 2}, Dialect.ANTHROPIC: {}}
FACTS: dict[Dialect, Judged] = {dialect: judged(PARTS, chat(dialect, **ASKED[dialect])) for dialect in Dialect}
PSEUDONYMS: Pseudonyms = PARTS.redaction.pseudonyms("demo", "session")
JANE = PSEUDONYMS.name("pii.email", "jane.doe@example.com")
QUOTED = PSEUDONYMS.name("pii.email", '"a \\ b"\n@example.com')
OWN_CARD = PSEUDONYMS.name("pii.payment_card", "5555 5555 5555 4444")
"""The caller's own card: the rule that masks cards in answers must not touch it once it is restored."""
PROSE = (
    f"Write to {JANE}, then {JANE.upper()}{QUOTED}: {CARD} [not {OWN_CARD[1:-1]}] "
    f"{OPENAI_KEY} [email:bcd {GITHUB_KEY}[em"
)
ARGUMENTS = json.dumps({"to": [JANE, {QUOTED: OWN_CARD}], "card": 4111111111111111, "key": f"{OPENAI_KEY} {QUOTED}☕"})


def expected(text: str, is_json: bool) -> str:
    """What may get out of a whole text: judged first, then restored."""
    origin = Origin.TOOL_CALL if is_json else Origin.ASSISTANT
    findings = INSPECTOR.inspect([Segment(("t",), origin, text, False, is_json)])
    facts = replace(FACTS[Dialect.OPENAI].facts, stage=Stage.RESPONSE)
    decision = PARTS.policy.decide(facts, PARTS.policy.assess(facts, findings))
    cuts = [cut_of(findings[index], effect) for index, effect in decision.rewrites]
    return PSEUDONYMS.restore(PARTS.redaction.text(text, cuts, is_json), is_json)


def stream_of(dialect: Dialect, pieces: dict[str, list[str]]) -> bytes:
    return b"".join(RENDER[dialect]({CHANNELS[dialect][name]: parts for name, parts in pieces.items()}))


def check(dialect: Dialect, data: Iterable[bytes], texts: dict[str, str]) -> None:
    """Play the stream; what gets out is at no time more than the beginning of what the whole texts become."""
    facts = FACTS[dialect]
    guard = AnswerGuard(PARTS, facts.grant, facts.facts, facts.draft, PSEUDONYMS)
    codec, reader = new_codec(PARTS, facts), SseReader()
    guard.begin()
    whole: Texts = {CHANNELS[dialect][name]: expected(text, name.startswith("json")) for name, text in texts.items()}
    for piece in data:
        reader.feed(b"".join([guard.event(codec, event) for event in codec.feed(piece)]))
        for channel, text in reader.texts.items():
            assert whole[channel].startswith(text)
    assert reader.texts == {channel: text for channel, text in whole.items() if text}
    assert reader.done
    kept = guard.kept_stream(codec)
    assert kept is not None
    for value in ("jane.doe@example.com", "5555 5555 5555 4444"):
        assert value.encode() not in kept


def test_what_is_expected_is_what_the_documentation_says() -> None:
    text, arguments = expected(PROSE, False), expected(ARGUMENTS, True)
    assert text.startswith('Write to jane.doe@example.com, then jane.doe@example.com"a \\ b"\n@example.com: **** ')
    assert "[not 5555 5555 5555 4444]" in text
    assert "[redacted:secret.github]" in text
    assert "[secret.openai:" in text
    document: Any = json.loads(arguments)
    assert document["to"] == ["jane.doe@example.com", {'"a \\ b"\n@example.com': "5555 5555 5555 4444"}]
    assert document["card"] == "************1111"
    assert document["key"].endswith(' "a \\ b"\n@example.com☕')


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(("name", "text"), [("text", PROSE), ("thought", PROSE), ("json", ARGUMENTS)])
def test_texts_in_pieces_of_every_size(dialect: Dialect, name: str, text: str) -> None:
    for size in range(1, len(text) + 1, 1 if len(text) < 40 else 3):
        check(dialect, [stream_of(dialect, {name: in_pieces(text, size)})], {name: text})


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_bytes_are_cut_in_two_at_every_place(dialect: Dialect) -> None:
    texts = {"text": f"é {JANE}{CARD}", "json": json.dumps({"to": JANE, "q": QUOTED})}
    stream = stream_of(dialect, {name: in_pieces(text, 9) for name, text in texts.items()})
    for place in range(len(stream) + 1):
        check(dialect, (stream[:place], stream[place:]), texts)


FRAGMENTS = [
    JANE,
    QUOTED,
    OWN_CARD,
    JANE.upper(),
    JANE[1:-1],
    JANE[:9],
    CARD,
    OPENAI_KEY,
    "[",
    "[email:",
    "em",
    " ",
    "é",
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=7).map("".join)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), dialect=st.sampled_from(list(Dialect)), ascii_only=st.booleans())
def test_any_texts_cut_at_any_places(data: st.DataObject, dialect: Dialect, ascii_only: bool) -> None:
    texts: dict[str, str] = {}
    for name in ("text", "json"):
        text = data.draw(TEXTS).encode("utf-8", "replace").decode()
        texts[name] = json.dumps({"a": text}, ensure_ascii=ascii_only) if name == "json" else text
    pieces = {name: data.draw(cut(text)) for name, text in texts.items()}
    json.loads(expected(texts["json"], True))
    check(dialect, data.draw(cut(stream_of(dialect, pieces))), texts)
