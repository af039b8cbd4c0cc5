"""The record in the making."""

import json
from typing import Any

import pytest

from gptgate.core.errors import InvalidField
from gptgate.core.events import EndState
from gptgate.core.facts import RawRequest, Settlement
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Effect
from gptgate.core.wire import Dialect
from gptgate.pipeline.draft import MAX_FINDINGS, Draft, count_kinds
from gptgate.pipeline.judge import inspect_request
from gptgate.pipeline.services import Services
from harness import CONFIG, RULES
from pipeline_parts import CARD, OPENAI_KEY, chat, configured, judged, services

UNUSED = Settlement(nano=0, tokens=0, source="unused")


def drafted(content: str, raw: RawRequest) -> tuple[Services, Draft]:
    """A draft whose request was inspected."""
    parts = services(configured(RULES, config=CONFIG.replace("content: redacted", f"content: {content}")))
    facts = judged(parts, raw)
    facts.draft.request = facts.request
    facts.draft.inspection = inspect_request(parts, facts.request, facts.facts)
    return parts, facts.draft


@pytest.mark.parametrize(("content", "shown"), [("none", None), ("full", True), ("redacted", False)])
def test_what_is_kept_of_a_request(content: str, shown: bool | None) -> None:
    raw = chat(Dialect.OPENAI, f"my card {CARD} and key {OPENAI_KEY}")
    parts, draft = drafted(content, raw)
    kept = draft.kept_request(parts.redaction)
    if shown is None:
        assert kept is None
    else:
        assert kept is not None
        assert (CARD.encode() in kept, OPENAI_KEY.encode() in kept) == (shown, shown)
        assert b"my card" in kept


def test_what_was_never_inspected_or_cannot_be_cut_is_not_kept_as_redacted() -> None:
    parts, draft = drafted("redacted", chat(Dialect.OPENAI, "hello"))
    assert draft.kept_request(parts.redaction) == draft.raw.body
    assert draft.kept_request(None) is None
    draft.inspection = None
    assert draft.kept_request(parts.redaction) is None
    parts, draft = drafted("redacted", chat(Dialect.OPENAI, "hello", metadata={OPENAI_KEY: "x"}))
    assert draft.kept_request(parts.redaction) is None


def test_an_intent_is_bounded_and_counts_all() -> None:
    parts, draft = drafted("redacted", chat(Dialect.OPENAI, "a@b.co " * (MAX_FINDINGS + 50)))
    intent = draft.intent()
    assert len(intent.findings) == MAX_FINDINGS
    assert intent.finding_counts == (("pii.email", MAX_FINDINGS + 50),)
    assert intent.window == ""
    assert (intent.team, intent.app, intent.key_id, intent.client) == ("demo", "demo", "testkey", "192.0.2.1")
    assert "a@b.co" not in json.dumps([finding.place for finding in intent.findings])
    assert parts.snapshot.digest == intent.config_digest


@pytest.mark.parametrize(
    ("body_user", "header", "expected"),
    [
        ("u-1", "h-1", "u-1"),
        (None, "h-1", "h-1"),
        (None, "", ""),
        (OPENAI_KEY, "", "[redacted]"),
        ("x" * 999, "", "x" * 256),
    ],
)
def test_the_end_user(body_user: str | None, header: str, expected: str) -> None:
    more: dict[str, Any] = {} if body_user is None else {"user": body_user}
    raw = chat(Dialect.OPENAI, "hello", **more)
    parts = services(configured(RULES))
    given = RawRequest(
        id=raw.id,
        endpoint=raw.endpoint,
        dialect=raw.dialect,
        headers={"x-gptgate-end-user": header} if header else {},
        body=raw.body,
        peer=raw.peer,
        at_ms=raw.at_ms,
        started_ns=0,
    )
    facts = judged(parts, given)
    facts.draft.request = facts.request
    assert facts.draft.intent().end_user == expected


def test_the_stronger_effect_of_both_sides_is_the_end_s() -> None:
    parts, draft = drafted("redacted", chat(Dialect.OPENAI, f"card {CARD}"))
    assert draft.inspection is not None
    assert draft.grant is None
    for effect in Effect:
        draft.answer_effect = effect
        assert draft.end(EndState.COMPLETED, None, 200, UNUSED).effect == effect
    assert parts.clock.wall_ms() > 0


def test_times_add_up() -> None:
    _, draft = drafted("redacted", chat(Dialect.OPENAI))
    for stage in ("admit", "inspect", "upstream", "stream"):
        draft.mark(stage)
    end = draft.end(EndState.REFUSED, InvalidField("no"), 400, UNUSED)
    assert end.timings_us["total"] >= sum(end.timings_us[stage] for stage in ("admit", "inspect", "upstream", "stream"))
    assert 0 < end.timings_us["overhead"] <= end.timings_us["total"]
    assert (end.state, end.code, end.status) == (EndState.REFUSED, "invalid_request", 400)


def test_kinds_are_counted_in_order() -> None:
    def finding(kind: str) -> Finding:
        return Finding(kind, Origin.USER, "/x", 0, 1, "d", 1)

    assert count_kinds(()) == ()
    assert count_kinds((finding("b"), finding("a"), finding("b"))) == (("a", 1), ("b", 2))
