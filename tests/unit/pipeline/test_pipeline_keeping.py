"""What is kept of texts, by the classes of what was found in them: both sides, both dialects, whole and streamed."""

import json
from collections.abc import Sequence
from contextlib import nullcontext

import pytest

from gptgate.core.errors import RedactionImpossible, UpstreamBroken
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import AppSpec, Effect, Limits
from gptgate.core.wire import Dialect
from gptgate.pipeline.answer_guard import AnswerGuard
from gptgate.pipeline.gate import Gate
from gptgate.pipeline.judge import inspect_request, rewriting_edits
from gptgate.pipeline.keeping import content_of, content_unjudged, keeps_any, kept_out
from gptgate.policy.redact import Rewriting
from gptgate.storage.memory import MemoryStore
from harness import CONFIG
from pipeline_parts import (
    CARD,
    OPENAI_KEY,
    Caller,
    PlayedReply,
    PlayedUpstream,
    chat,
    configured,
    judged,
    principal_of,
    services,
)

EVENTS = {
    Dialect.OPENAI: 'data: {{"id":"c","choices":[{{"index":0,"delta":{{"content":{text}}}}}]}}\n\n',
    Dialect.ANTHROPIC: (
        'event: content_block_delta\ndata: {{"type":"content_block_delta","index":0,'
        '"delta":{{"type":"text_delta","text":{text}}}}}\n\n'
    ),
}
HEADS = {
    Dialect.OPENAI: "",
    Dialect.ANTHROPIC: (
        'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"m","usage":'
        '{"input_tokens":1,"output_tokens":1}}}\n\n'
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        '"content_block":{"type":"text","text":""}}\n\n'
    ),
}
ENDS = {
    Dialect.OPENAI: 'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    Dialect.ANTHROPIC: (
        'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        '"usage":{"output_tokens":3}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    ),
}


def app(content: str, **classes: str) -> AppSpec:
    stated = tuple(sorted(classes.items()))
    return AppSpec(
        name="a",
        team="t",
        models=(),
        limits=Limits(),
        key_limits=Limits(),
        monthly_budget_nano=None,
        content=content,
        class_content=stated,
    )


def found(kind: str) -> Finding:
    return Finding(kind, Origin.USER, "/x", 0, 1, "test", 10)


def config(content: str, classes: str, everywhere: str = "") -> str:
    text = CONFIG.replace("content: redacted", f"content: {content}, content_classes: [{classes}]")
    assert text != CONFIG
    return text.replace("version: 1\n", f"version: 1\ntexts: {{classes: [{everywhere}]}}\n", 1) if everywhere else text


@pytest.mark.parametrize(
    ("spec", "classes", "kept"),
    [
        (app("full"), {"pii"}, "full"),
        (app("full", pii="redacted", secret="none"), set(), "full"),
        (app("full", pii="redacted", secret="none"), {"pii"}, "redacted"),
        (app("full", pii="redacted", secret="none"), {"pii", "secret"}, "none"),
        (app("none", injection="full"), {"injection"}, "full"),
        (app("none", injection="full"), {"injection", "pii"}, "none"),
        (app("none", injection="full"), set(), "none"),
    ],
)
def test_the_strictest_of_the_classes_counts_and_what_nothing_is_said_of_counts_as_the_app_does(
    spec: AppSpec, classes: set[str], kept: str
) -> None:
    assert content_of(spec, classes) == kept


def test_what_was_not_judged_may_be_of_every_class() -> None:
    assert content_unjudged(app("full")) == "full"
    assert content_unjudged(app("full", secret="none")) == "none"
    assert not keeps_any(app("none", secret="none"))
    assert keeps_any(app("none", injection="full"))


def test_a_redacted_text_never_holds_what_a_classifier_pointed_at() -> None:
    pointed = found("external.presidio.person")
    whole = Finding("external.guard.hate", Origin.OTHER, "", 0, 0, "external.guard", 10)
    assert kept_out(app("redacted"), [pointed, whole]) == [(pointed, Effect.REDACT)]
    # Nothing can be cut out for what stands nowhere, so a text of that class is not kept as redacted.
    assert (whole, Effect.REDACT) in kept_out(app("full", external="redacted"), [pointed, whole])
    with pytest.raises(RedactionImpossible):
        rewriting_edits(Rewriting(b"secret"), [], [(whole, Effect.REDACT)])


@pytest.mark.parametrize("kind", ["pii.email", "secret.github", "injection.override", "piixemail"])
def test_a_redacted_text_never_holds_secrets_and_personal_data(kind: str) -> None:
    kept = [(found(kind), Effect.REDACT)] if kind.startswith(("pii.", "secret.")) else []
    assert kept_out(app("redacted"), [found(kind)]) == kept


def test_what_is_found_of_a_class_to_be_redacted_is_cut_out_as_well() -> None:
    assert kept_out(app("full", custom="redacted"), [found("custom.project"), found("customs.x")]) == [
        (found("custom.project"), Effect.REDACT)
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("hello", "hello"), (f"card {CARD}", "card [redacted:pii.payment_card]"), (f"key {OPENAI_KEY} {CARD}", None)],
)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_is_kept_of_a_request_follows_what_was_found_in_it(dialect: Dialect, text: str, kept: str | None) -> None:
    stated = "{class: pii, content: redacted}, {class: secret, content: none}"
    parts = services(configured(config=config("full", stated)))
    facts = judged(parts, chat(dialect, text))
    draft = facts.draft
    draft.request, draft.inspection = facts.request, inspect_request(parts, facts.request, facts.facts)
    body = draft.kept_request(parts.redaction)
    assert (body if body is None else json.loads(body)["messages"][0]["content"]) == kept
    draft.inspection = None
    assert draft.kept_request(parts.redaction) is None


async def kept_answer(dialect: Dialect, settings: str, asked: str, pieces: Sequence[str], *, cut: bool = False) -> str:
    """What a gate keeps of a streamed answer. `cut`: the provider's stream has no end."""
    events = HEADS[dialect] + "".join(EVENTS[dialect].format(text=json.dumps(piece)) for piece in pieces)
    stream = events if cut else events + ENDS[dialect]
    store = MemoryStore()
    upstream = PlayedUpstream([PlayedReply(pieces=[stream.encode()])])
    parts = services(configured(config=settings), store=store, upstream=upstream)
    gate = Gate(parts)
    raw = chat(dialect, asked)
    with pytest.raises(UpstreamBroken) if cut else nullcontext():
        await gate.serve(raw, principal_of(parts.snapshot), Caller())
    record = store.show(raw.id)
    assert record is not None
    return "" if record.answer_content is None else "".join(json.loads(record.answer_content).values())


PII_NONE = "{class: pii, content: none}"


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("dialect", list(Dialect))
async def test_a_stream_is_kept_by_what_was_found_up_to_its_end(dialect: Dialect, cut: bool) -> None:
    settings = config("full", f"{PII_NONE}, {{class: secret, content: redacted}}")
    assert await kept_answer(dialect, settings, "hi", ["all ", "is well"], cut=cut) == "all is well"
    assert await kept_answer(dialect, settings, "hi", ["card ", CARD[:9], CARD[9:]], cut=cut) == ""
    kept = await kept_answer(dialect, settings, "hi", ["key ", OPENAI_KEY[:12], OPENAI_KEY[12:]], cut=cut)
    assert kept == "key [redacted:secret.openai]"


@pytest.mark.parametrize("dialect", list(Dialect))
async def test_an_answer_is_kept_by_what_was_found_in_its_request_too(dialect: Dialect) -> None:
    settings = config("full", PII_NONE)
    assert await kept_answer(dialect, settings, f"whose is {CARD}?", ["Ada's"]) == ""
    assert await kept_answer(dialect, settings, "whose is it?", ["Ada's"]) == "Ada's"


async def test_an_app_keeps_no_more_than_all_apps_may() -> None:
    settings = config("full", "{class: pii, content: redacted}", PII_NONE)
    assert await kept_answer(Dialect.OPENAI, settings, "hi", [f"card {CARD}"]) == ""
    settings = config("none", "{class: pii, content: full}", "{class: pii, content: redacted}")
    kept = await kept_answer(Dialect.OPENAI, settings, "hi", [f"card {CARD}"])
    assert kept == "card [redacted:pii.payment_card]"
    assert await kept_answer(Dialect.OPENAI, settings, "hi", ["nothing"]) == ""


def test_a_whole_answer_is_kept_by_class_and_not_at_all_when_it_was_not_judged() -> None:
    parts = services(configured(config=config("full", PII_NONE)))
    for text, kept in (("hello", True), (f"card {CARD}", False)):
        facts = judged(parts, chat(Dialect.OPENAI, stream=False))
        adapter = parts.adapters[facts.request.endpoint]
        document = {"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
        answer, body = adapter.decode(document), json.dumps(document).encode()
        guard = AnswerGuard(parts, facts.grant, facts.facts, facts.draft)
        assert guard.kept_whole(adapter, answer, body) is None
        guard.inspect(answer)
        guard.whole(adapter, answer, body)
        assert guard.kept_whole(adapter, answer, body) == (body if kept else None)
