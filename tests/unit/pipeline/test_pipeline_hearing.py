"""Step 12b: classifiers judge answers, whole and as streams; nothing is out before those are heard that may deny it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from gptgate.core.classifier import Opinion
from gptgate.core.errors import AnswerTooLarge, GateError, GuardFailed, PolicyDenied, UpstreamBroken
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Mode, Snapshot
from gptgate.core.wire import Dialect
from gptgate.pipeline.gate import Gate
from pipeline_parts import (
    CARD,
    OPENAI_KEY,
    Caller,
    PlayedClassifier,
    PlayedReply,
    PlayedServices,
    PlayedUpstream,
    chat,
    configured,
    principal_of,
    services,
)
from sse_reader import SseReader

HEAD = "    - {name: @, kind: webhook, base_url: http://127.0.0.1:1, credential: env:W, labels: [leak]"
DENY = '    - {id: deny-leaks, stage: response, effect: deny, findings: ["external.w.leak"], message: "No leaks."}\n'
FLAG = '    - {id: see-leaks, stage: response, effect: flag, findings: ["external.w.*"]}\n'
REDACT = '    - {id: redact-cards, stage: response, effect: redact, findings: ["pii.*"]}\n'
KEYS = '    - {id: deny-keys, stage: response, effect: deny, findings: ["secret.*"]}\n'
BOTH = pytest.mark.parametrize("dialect", list(Dialect))
STREAMED = pytest.mark.parametrize("stream", [False, True])


def configuration(rules: str = DENY, *, more: str = "", names: Sequence[str] = ("w",)) -> Snapshot:
    entries = "".join(HEAD.replace("@", name) + more + "}\n" for name in names)
    return configured("classifiers:\n" + entries + "policy:\n  rules:\n" + rules)


def whole(dialect: Dialect, text: str) -> bytes:
    """An answer of this dialect."""
    if dialect is Dialect.ANTHROPIC:
        content = [{"type": "text", "text": text}]
        usage = {"input_tokens": 3, "output_tokens": 5}
        return json.dumps(
            {"id": "i", "type": "message", "role": "assistant", "content": content, "usage": usage}
        ).encode()
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    return json.dumps({"id": "i", "model": "m", "choices": [choice], "usage": usage}).encode()


def event(dialect: Dialect, document: dict[str, Any]) -> bytes:
    name = f"event: {document['type']}\n" if dialect is Dialect.ANTHROPIC else ""
    return f"{name}data: {json.dumps(document)}\n\n".encode()


def stream(dialect: Dialect, text: str, size: int = 4) -> list[bytes]:
    """The same as a stream, the text in pieces of so many characters."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    if dialect is Dialect.ANTHROPIC:
        start = {"id": "i", "role": "assistant", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}}
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
        documents: list[dict[str, Any]] = [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
            {"type": "message_stop"},
        ]
        return [event(dialect, document) for document in documents]
    deltas = [{"content": piece} for piece in pieces]
    chunks: list[dict[str, Any]] = [
        {"id": "i", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    end = {"id": "i", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"id": "i", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}
    return [*(event(dialect, chunk) for chunk in (*chunks, end, usage)), b"data: [DONE]\n\n"]


def answered(dialect: Dialect, text: str, *, streamed: bool) -> list[bytes]:
    return stream(dialect, text) if streamed else [whole(dialect, text)]


def said(body: bytes) -> str:
    """The text that a streamed body brings."""
    reader = SseReader()
    reader.feed(body)
    return "".join(reader.texts.values())


class Served:
    """One request that was served: what its caller got, and what is on record."""

    def __init__(self, parts: PlayedServices, out: Caller, error: GateError | None) -> None:
        self.out, self.error = out, error
        (record,) = parts.store.records.values()
        assert record.end is not None
        self.intent, self.end = record.intent, record.end


async def serve(
    snapshot: Snapshot,
    pieces: Sequence[bytes | Exception],
    *classifiers: PlayedClassifier,
    dialect: Dialect = Dialect.OPENAI,
    streamed: bool = True,
    out: Caller | None = None,
    text: str = "hello",
) -> Served:
    parts = services(
        snapshot,
        classifiers={one.opinion.classifier: one for one in classifiers},
        upstream=PlayedUpstream([PlayedReply(pieces=pieces)]),
    )
    caller = out or Caller()
    error: GateError | None = None
    try:
        await Gate(parts).serve(chat(dialect, text, stream=streamed), principal_of(snapshot), caller)
    except GateError as refusal:
        error = refusal
    return Served(parts, caller, error)


@BOTH
@STREAMED
async def test_an_answer_that_a_classifier_condemns_never_goes_out(dialect: Dialect, stream: bool) -> None:
    judge = PlayedClassifier(leak=950)
    pieces = answered(dialect, "the launch is on Monday", streamed=stream)
    served = await serve(configuration(), pieces, judge, dialect=dialect, streamed=stream)
    assert isinstance(served.error, PolicyDenied)
    assert (served.error.message, served.out.body) == ("No leaks.", b"")
    assert judge.shown == [[(Origin.ASSISTANT, "the launch is on Monday")]]
    end = served.end
    assert (end.effect, end.rules, end.code) == ("deny", ("deny-leaks",), "policy_denied")
    assert end.opinions == (Opinion(classifier="w", failure="", labels=(("leak", 950),)),)
    assert [(one.kind, one.points) for one in end.findings] == [("external.w.leak", 80)]
    assert (end.score, end.chunks, end.failures) == (80, 0, ())


@BOTH
@STREAMED
async def test_what_is_refused_was_delivered_all_the_same_and_is_paid(dialect: Dialect, stream: bool) -> None:
    pieces = answered(dialect, "the launch is on Monday", streamed=stream)
    end = (await serve(configuration(), pieces, PlayedClassifier(leak=950), dialect=dialect, streamed=stream)).end
    assert (end.usage_source, end.usage.input_tokens, end.usage.output_tokens) == ("provider", 3, 5)
    assert end.cost_nano > 0


@BOTH
@STREAMED
async def test_an_answer_that_passes_is_the_same_as_without_a_classifier(dialect: Dialect, stream: bool) -> None:
    pieces = answered(dialect, f"pay {CARD} on Monday", streamed=stream)
    alone = await serve(configured("policy:\n  rules:\n" + REDACT), pieces, dialect=dialect, streamed=stream)
    judge = PlayedClassifier(leak=299)
    judged = await serve(configuration(DENY + REDACT), pieces, judge, dialect=dialect, streamed=stream)
    assert (judged.error, judged.out.body) == (None, alone.out.body)
    assert judged.out.ended
    assert judge.shown == [[(Origin.ASSISTANT, "pay [redacted:pii.payment_card] on Monday")]]
    assert judged.end.answer_digest == alone.end.answer_digest
    assert (judged.end.effect, judged.end.chunks) == ("redact", alone.end.chunks)


@BOTH
async def test_no_byte_of_a_stream_is_out_when_the_classifier_is_asked(dialect: Dialect) -> None:
    caller = Caller()
    seen: list[tuple[int, bytes]] = []
    judge = PlayedClassifier(on_asked=lambda: seen.append((caller.status, caller.body)))
    await serve(configuration(), stream(dialect, "one two three"), judge, dialect=dialect, out=caller)
    assert seen == [(200, b"")]
    assert said(caller.body) == "one two three"


@BOTH
async def test_a_rule_that_only_flags_lets_the_text_out_and_keeps_the_end(dialect: Dialect) -> None:
    caller = Caller()
    seen: list[bytes] = []
    judge = PlayedClassifier(leak=950, on_asked=lambda: seen.append(caller.body))
    served = await serve(configuration(FLAG), stream(dialect, "one two three"), judge, dialect=dialect, out=caller)
    assert said(seen[0]) == "one two three"
    end = stream(dialect, "")[-1]
    assert end not in seen[0]
    assert caller.body == seen[0] + end
    assert (served.error, served.end.effect, served.end.rules) == (None, "flag", ("see-leaks",))


async def test_the_end_that_waits_never_comes_when_the_classifier_fails_closed() -> None:
    judge = PlayedClassifier(failure="timeout")
    served = await serve(configuration(FLAG), stream(Dialect.OPENAI, "one two three"), judge)
    assert isinstance(served.error, GuardFailed)
    assert b"[DONE]" not in served.out.body
    assert said(served.out.body) == "one two three"


SCORE = '    - {id: deny-risk, stage: response, effect: deny, findings: ["pii.*"], min_score: 90}\n'
KINDS = "    - {id: deny-kinds, stage: response, effect: deny, when: 'size(kinds) > 3'}\n"
ALL = '    - {id: deny-all, stage: response, effect: deny, findings: ["*"], min_points: 90}\n'
SHADOW = DENY.replace("effect: deny", "effect: deny, mode: shadow")
NEVER = DENY.replace("effect: deny", 'effect: deny, when: "time.hour > 23"')


@pytest.mark.parametrize(
    ("rules", "waits"),
    [(FLAG, False), (FLAG + KEYS, False), (FLAG + SHADOW, False), (FLAG + NEVER, False)]
    + [(FLAG + rule, True) for rule in (SCORE, KINDS, ALL, DENY)],
)
async def test_a_stream_waits_where_a_rule_may_deny_it_for_what_a_classifier_says(rules: str, waits: bool) -> None:
    caller = Caller()
    seen: list[bytes] = []
    judge = PlayedClassifier(on_asked=lambda: seen.append(caller.body))
    await serve(configuration(rules), stream(Dialect.OPENAI, "one two three"), judge, out=caller)
    assert len(seen) == 1
    assert (seen[0] == b"") is waits
    assert said(caller.body) == "one two three"


@STREAMED
async def test_nobody_is_asked_about_what_is_denied_here_already(stream: bool) -> None:
    judge = PlayedClassifier()
    pieces = answered(Dialect.OPENAI, f"use {OPENAI_KEY} now", streamed=stream)
    served = await serve(configuration(DENY + KEYS), pieces, judge, streamed=stream)
    assert isinstance(served.error, PolicyDenied)
    assert (judge.shown, served.end.opinions, served.out.body) == ([], (), b"")


@STREAMED
@pytest.mark.parametrize("rule", [NEVER, DENY.replace("effect: deny", "effect: deny, models: [sim-claude]")])
async def test_nobody_is_asked_where_no_rule_can_fire(stream: bool, rule: str) -> None:
    judge = PlayedClassifier(leak=1000)
    pieces = answered(Dialect.OPENAI, "hello", streamed=stream)
    served = await serve(configuration(rule), pieces, judge, streamed=stream)
    assert (served.error, judge.shown, served.end.opinions) == (None, [], ())


@STREAMED
async def test_a_condition_that_looks_at_what_was_found_may_still_become_true(stream: bool) -> None:
    rule = DENY.replace("effect: deny", "effect: deny, when: \"'external.w.leak' in kinds && time.hour < 24\"")
    pieces = answered(Dialect.OPENAI, "hello", streamed=stream)
    served = await serve(configuration(rule), pieces, PlayedClassifier(leak=1000), streamed=stream)
    assert isinstance(served.error, PolicyDenied)
    assert served.out.body == b""


@STREAMED
async def test_a_classifier_that_cannot_answer_refuses(stream: bool) -> None:
    pieces = answered(Dialect.OPENAI, "hello", streamed=stream)
    served = await serve(configuration(), pieces, PlayedClassifier(failure="timeout"), streamed=stream)
    assert isinstance(served.error, GuardFailed)
    assert (served.error.message, served.out.body) == ("The classifier 'w' could not answer.", b"")
    assert (served.end.failed_guard, served.end.failure) == ("classifier w", "timeout")
    assert served.end.opinions == (Opinion(classifier="w", failure="timeout"),)


@STREAMED
async def test_one_that_may_fail_open_lets_pass_and_says_so(stream: bool) -> None:
    pieces = answered(Dialect.OPENAI, "hello", streamed=stream)
    judge = PlayedClassifier(failure="nonsense")
    served = await serve(configuration(more=", on_failure: open"), pieces, judge, streamed=stream)
    assert served.error is None
    assert b"hello"[:4] in served.out.body
    assert (served.end.effect, served.end.failures) == ("allowed_on_failure", ("external.w",))


@STREAMED
async def test_the_failure_of_one_that_only_a_shadow_asks_has_no_effect(stream: bool) -> None:
    snapshot = configuration()
    shadow = replace(snapshot, rules=(replace(snapshot.rules[0], mode=Mode.SHADOW),))
    pieces = answered(Dialect.OPENAI, "hello", streamed=stream)
    for judge in (PlayedClassifier(failure="timeout"), PlayedClassifier(leak=1000)):
        served = await serve(shadow, pieces, judge, streamed=stream)
        assert (served.error, served.end.effect, served.end.failures) == (None, "allow", ())
        assert served.end.opinions == (judge.opinion,)
        assert served.end.shadowed == (("deny-leaks",) if judge.opinion.labels else ())


async def test_a_stream_that_outgrows_a_classifier_ends_at_once() -> None:
    pieces: list[bytes | Exception] = [*stream(Dialect.OPENAI, "x" * 40)[:-1], AssertionError("read on")]
    judge = PlayedClassifier()
    served = await serve(configuration(more=", max_chars: 30"), pieces, judge)
    assert isinstance(served.error, GuardFailed)
    assert (served.error.why, judge.shown, served.out.body) == ("too_long", [], b"")
    assert served.end.opinions == (Opinion(classifier="w", failure="too_long"),)
    assert served.end.usage_source == "unknown"


async def test_one_that_fails_open_holds_up_no_stream_that_it_cannot_judge() -> None:
    caller = Caller()
    grown: list[int] = []
    caller.on_send = lambda data: grown.append(len(data))
    judge = PlayedClassifier(leak=1000)
    snapshot = configuration(more=", max_chars: 30, on_failure: open")
    served = await serve(snapshot, stream(Dialect.OPENAI, "x" * 400), judge, out=caller)
    assert (served.error, said(caller.body)) == (None, "x" * 400)
    assert len(grown) > 50
    assert judge.shown == []
    assert (served.end.effect, served.end.failures) == ("allowed_on_failure", ("external.w",))
    assert served.end.opinions == (Opinion(classifier="w", failure="too_long"),)


async def test_what_nobody_could_judge_is_decided_on_before_it_goes_out() -> None:
    unjudged = (
        """    - {id: deny-unjudged, stage: response, effect: deny, when: 'failures.exists(f, f == "external.w")'}\n"""
    )
    snapshot = configuration(DENY + unjudged, more=", max_chars: 30, on_failure: open")
    for streamed in (False, True):
        pieces = answered(Dialect.OPENAI, "x" * 400, streamed=streamed)
        served = await serve(snapshot, pieces, PlayedClassifier(), streamed=streamed)
        assert isinstance(served.error, PolicyDenied)
        assert b"x" * 4 not in served.out.body
        assert served.end.rules == ("deny-unjudged",)


async def test_one_that_can_judge_it_still_holds_what_another_cannot() -> None:
    rules = DENY.replace("external.w.leak", "external.*")
    entries = (
        HEAD.replace("@", "w") + ", max_chars: 8, on_failure: open}\n" + HEAD.replace("@", "x") + ", max_chars: 9000}\n"
    )
    snapshot = configured("classifiers:\n" + entries + "policy:\n  rules:\n" + rules)
    narrow, wide = PlayedClassifier("w"), PlayedClassifier("x", leak=1000)
    served = await serve(snapshot, stream(Dialect.OPENAI, "one two three four"), narrow, wide)
    assert isinstance(served.error, PolicyDenied)
    assert (served.out.body, narrow.shown) == (b"", [])
    assert wide.shown == [[(Origin.ASSISTANT, "one two three four")]]
    assert [one.failure for one in served.end.opinions] == ["too_long", ""]


async def test_no_more_waits_than_a_whole_answer_may_have() -> None:
    snapshot = configuration(more=", max_chars: 10000000")
    small = replace(snapshot, server=replace(snapshot.server, max_answer_bytes=2000))
    served = await serve(small, stream(Dialect.OPENAI, "one two three " * 20), PlayedClassifier())
    assert isinstance(served.error, AnswerTooLarge)
    assert served.out.body == b""


@pytest.mark.parametrize(
    "pieces", [stream(Dialect.OPENAI, "one two")[:-1], [*stream(Dialect.OPENAI, "one")[:1], b"data: {]\n\n"]]
)
async def test_nobody_judges_half_an_answer_and_nobody_gets_it(pieces: list[bytes]) -> None:
    judge = PlayedClassifier()
    served = await serve(configuration(), pieces, judge)
    assert isinstance(served.error, UpstreamBroken)
    assert (served.out.body, judge.shown, served.end.chunks) == (b"", [], 0)
    assert served.end.usage_source == "unknown"


@pytest.mark.parametrize("rules", [DENY, FLAG])
async def test_what_comes_behind_the_end_of_a_stream_is_judged_with_it(rules: str) -> None:
    late = {"id": "i", "choices": [{"index": 0, "delta": {"refusal": "late words"}, "finish_reason": None}]}
    pieces = [*stream(Dialect.OPENAI, "one"), event(Dialect.OPENAI, late)]
    caller = Caller()
    seen: list[bytes] = []
    judge = PlayedClassifier(leak=950, on_asked=lambda: seen.append(caller.body))
    await serve(configuration(rules), pieces, judge, out=caller)
    assert judge.shown == [[(Origin.ASSISTANT, "one"), (Origin.ASSISTANT, "late words")]]
    assert b"late words" not in seen[0]


def calling(dialect: Dialect, *, streamed: bool) -> list[bytes]:
    """An answer that thinks aloud and calls a tool."""
    arguments = json.dumps({"to": "ada", "card": CARD})
    if dialect is Dialect.OPENAI:
        call = {"id": "c1", "type": "function", "function": {"name": "send", "arguments": arguments}}
        message = {"role": "assistant", "content": "so be it", "tool_calls": [call]}
        if not streamed:
            return [json.dumps({"id": "i", "model": "m", "choices": [{"index": 0, "message": message}]}).encode()]
        head = {**call, "index": 0, "function": {"name": "send", "arguments": arguments[:9]}}
        rest = {"index": 0, "function": {"arguments": arguments[9:]}}
        deltas = [{"content": "so be it"}, {"tool_calls": [head]}, {"tool_calls": [rest]}]
        documents = [{"id": "i", "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        return [*(event(dialect, one) for one in documents), b"data: [DONE]\n\n"]
    text, used = {"type": "text", "text": "so be it"}, {"type": "tool_use", "id": "c1", "name": "send"}
    if not streamed:
        content = [text, {**used, "input": json.loads(arguments)}]
        return [json.dumps({"type": "message", "role": "assistant", "model": "m", "content": content}).encode()]
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in (arguments[:9], arguments[9:])]
    return [
        event(dialect, {"type": "message_start", "message": {"id": "i", "model": "m", "content": []}}),
        event(dialect, {"type": "content_block_start", "index": 0, "content_block": text}),
        event(dialect, {"type": "content_block_stop", "index": 0}),
        event(dialect, {"type": "content_block_start", "index": 1, "content_block": {**used, "input": {}}}),
        *(event(dialect, {"type": "content_block_delta", "index": 1, "delta": delta}) for delta in deltas),
        event(dialect, {"type": "content_block_stop", "index": 1}),
        event(dialect, {"type": "message_stop"}),
    ]


@BOTH
@STREAMED
async def test_it_sees_all_that_the_model_says_and_nothing_of_the_envelope(dialect: Dialect, stream: bool) -> None:
    judge = PlayedClassifier()
    rules = DENY + REDACT.replace("pii.*", "pii.payment_card")
    pieces = calling(dialect, streamed=stream)
    served = await serve(configuration(rules), pieces, judge, dialect=dialect, streamed=stream)
    assert served.error is None
    (shown,) = judge.shown
    assert (Origin.ASSISTANT, "so be it") in shown
    called = " ".join(text for origin, text in shown if origin is Origin.TOOL_CALL)
    assert "send" in called
    assert "ada" in called
    assert "[redacted:pii.payment_card]" in called
    assert CARD not in called
    assert not {"m", "i", "message", "assistant"} & {text for _, text in shown}


async def test_a_classifier_is_shown_only_the_words_that_it_is_for() -> None:
    judge = PlayedClassifier()
    await serve(configuration(more=", origins: [tool_call]"), calling(Dialect.OPENAI, streamed=True), judge)
    assert {origin for origin, _ in judge.shown[0]} == {Origin.TOOL_CALL}


@BOTH
async def test_what_it_is_shown_does_not_depend_on_how_a_stream_was_cut(dialect: Dialect) -> None:
    raw = b"".join(stream(dialect, f"pay {CARD} now", size=3))
    for at in range(1, len(raw)):
        judge = PlayedClassifier()
        served = await serve(configuration(DENY + REDACT), [raw[:at], raw[at:]], judge, dialect=dialect)
        assert judge.shown == [[(Origin.ASSISTANT, "pay [redacted:pii.payment_card] now")]]
        assert said(served.out.body) == "pay [redacted:pii.payment_card] now"


async def test_pseudonyms_are_not_restored_for_a_classifier() -> None:
    rules = '    - {id: hide, stage: request, effect: pseudonymise, findings: ["pii.email"]}\n' + DENY
    judge, snapshot, echo, caller = PlayedClassifier(), configuration(rules), Echo(), Caller()
    parts = services(snapshot, classifiers={"w": judge}, upstream=echo)
    await Gate(parts).serve(chat(Dialect.OPENAI, "ask bob@example.org"), principal_of(snapshot), caller)
    assert said(caller.body) == "ask bob@example.org"
    assert judge.shown == [[(Origin.ASSISTANT, echo.heard)]]
    assert "bob@example.org" not in echo.heard


class Echo(PlayedUpstream):
    """A provider that says what it hears."""

    heard = ""

    async def send(self, provider: Any, path: str, headers: Any, body: bytes) -> PlayedReply:
        self.heard = json.loads(body)["messages"][0]["content"]
        return PlayedReply(pieces=stream(Dialect.OPENAI, self.heard))
