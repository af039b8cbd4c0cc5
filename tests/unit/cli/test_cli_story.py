"""One record, told."""

import json

import pytest
from msgspec.structs import replace

from gptgate.cli.story import as_document, print_story, story
from gptgate.core.events import End, EndState, Intent
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.storage.history import History
from gptgate.storage.views import AuditRecord

FINDING = Finding("pii.email", Origin.USER, "/messages/0/content", 3, 18, "email", 20)
IN_A_VIEW = Finding("pii.email", Origin.USER, "/messages/1/content", 0, 24, "email", 20, 1, "percent+base64")
INTENT = Intent(
    id="019a-id",
    at_ms=1_793_534_400_123,
    team="payments",
    app="shop",
    key_id="abc123",
    end_user="ada\x1b[31m\nfake  line",
    client="192.0.2.7",
    endpoint="chat",
    stream=True,
    model="fast",
    provider="simulator",
    upstream_model="sim-gpt",
    effect="redact",
    score=20,
    parts=(("pii", 20),),
    rules=("redact-mail",),
    findings=(FINDING, IN_A_VIEW),
    config_digest="c" * 64,
    request_digest="1" * 64,
    sent_digest="2" * 64,
    window="2026-11",
    reserved_nano=65_971_000,
    price_version="prices-1",
    traceparent="",
    finding_counts=(("pii.email", 300),),
)
END = End(
    id="019a-id",
    at_ms=1_793_534_400_456,
    app="shop",
    window="2026-11",
    state=EndState.COMPLETED,
    status=200,
    code="",
    effect="redact",
    rules=("redact-answers",),
    findings=(replace(FINDING, kind="secret.key", origin=Origin.ASSISTANT, place="/choices/0"),),
    score=7,
    answered_model="sim-gpt-2",
    provider_request_id="req_9",
    usage=Usage(input_tokens=11, output_tokens=22, cache_read=3, cache_write=4),
    usage_source="provider",
    cost_nano=101_001,
    attempts=2,
    answer_digest="3" * 64,
    timings_us={"total": 3766, "upstream": 619, "admit": 289, "zebra": 5},
)
RECORD = AuditRecord(seq=42, intent=INTENT, end=END, request_content=b'{"a":\n"\x1b"}', answer_content=None)
AROUND = History(rules=None, places={"intent": 45, "end": None, "config_applied": 3}, later=())


def _text(record: AuditRecord, capsys: pytest.CaptureFixture[str], *, content: bool = False) -> str:
    print_story(story(record, AROUND, content))
    return capsys.readouterr().out


def test_the_story_tells_everything_that_the_record_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = _text(RECORD, capsys)
    for said in (
        "019a-id 2026-11-01T12:00:00.123Z 2026-11-01T12:00:00.456Z completed payments shop abc123 192.0.2.7 fast "
        "simulator sim-gpt redact-mail redact-answers sim-gpt-2 req_9 2026-11 prices-1 0.065971000 0.000101001"
    ).split():
        assert said in text
    for digest in (INTENT.config_digest, INTENT.request_digest, INTENT.sent_digest, END.answer_digest):
        assert digest in text
    assert "user /messages/0/content, characters 3 to 18, by email, 20 points" in text
    assert "by email, 20 points, read as percent+base64" in text
    assert "assistant /choices/0, characters 3 to 18" in text
    assert "300 in all: 300 pii.email" in text
    assert "chat, streamed" in text
    assert "3.766 ms" in text


def test_places_in_the_log_are_those_of_the_log_and_not_the_number_of_the_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = dict(story(RECORD, AROUND, content=False)[0].rows)
    assert rows["entries of the log"] == "intent 45, end not yet, config_applied 3"
    assert rows["number"] == "42, for search --before"
    assert as_document(RECORD, AROUND, content=False)["log_entries"] == AROUND.places


def test_audio_and_images_are_named_where_there_were_any() -> None:
    usage = replace(END.usage, audio_input=7, audio_output=0, image_output=5)
    record = replace(RECORD, end=replace(END, usage=usage))
    rows = next(section for section in story(record, AROUND, content=False) if section.title == "usage").rows
    assert rows[3:6] == (("of them audio", "7"), ("output tokens", "22"), ("of them images", "5"))


def test_stages_stand_in_the_order_of_the_path_and_unknown_ones_last() -> None:
    timings = next(section for section in story(RECORD, AROUND, content=False) if section.title == "timings")
    assert [name for name, _ in timings.rows] == ["admit", "upstream", "total", "zebra"]


def test_a_record_cannot_forge_lines_or_colour_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = _text(RECORD, capsys, content=True)
    assert "\x1b" not in text
    assert "ada\\x1b[31m" in text
    assert "ada\\x1b[31m\\x0afake  line" in text
    (second,) = (line for line in text.splitlines() if line.endswith('"\\x1b"}'))
    assert second.startswith(" " * 9), "a text's further lines are indented past the names"


def test_the_texts_come_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert '{"a":' not in _text(RECORD, capsys)
    assert "10 bytes kept" in _text(RECORD, capsys)
    shown = _text(RECORD, capsys, content=True)
    assert '{"a":' in shown
    assert "\\x1b" in shown
    assert "content" not in as_document(RECORD, AROUND, content=False)
    assert as_document(RECORD, AROUND, content=True)["content"] == {"request": '{"a":\n"\x1b"}', "answer": None}


def test_content_that_is_no_text_is_shown_by_its_bytes() -> None:
    document = as_document(replace(RECORD, answer_content=b"\xff\x00"), AROUND, content=True)
    assert document["content"] == {"request": '{"a":\n"\x1b"}', "answer": "\\xff\x00"}


def test_an_open_request_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    record = replace(RECORD, end=None)
    text = _text(record, capsys)
    assert "open: it is still running" in text
    assert "cost" not in text
    document = as_document(record, AROUND, content=False)
    assert (document["state"], document["end"], document["cost_usd"]) == ("open", None, None)


def test_an_abandoned_request_says_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    end = replace(END, state=EndState.ABANDONED, status=0, usage_source="unknown", cost_nano=INTENT.reserved_nano)
    text = _text(replace(RECORD, end=end), capsys)
    assert "abandoned" in text
    assert "nobody knows what the caller was given" in text
    assert "the reservation stays spent" in text


def test_a_refusal_names_its_code_and_that_nothing_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    end = replace(END, state=EndState.REFUSED, status=403, code="policy_denied", usage_source="unused", cost_nano=0)
    text = _text(replace(RECORD, intent=replace(INTENT, sent_digest=""), end=end), capsys)
    assert "policy_denied" in text
    assert "nothing was sent" in text
    older = _text(replace(RECORD, end=end), capsys)
    assert "nothing was sent" in older
    assert INTENT.sent_digest not in older


def test_a_refusal_names_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    ended = replace(END, state=EndState.REFUSED, status=429, code="rate_limited", limit="agent-tokens")
    assert "agent-tokens" in _text(replace(RECORD, end=ended), capsys)
    assert "limit" not in _text(RECORD, capsys)


def test_the_document_is_the_whole_record_with_money_both_ways() -> None:
    document = json.loads(json.dumps(as_document(RECORD, AROUND, content=False)))
    assert document["intent"]["reserved_nano"] == 65_971_000
    assert document["reserved_usd"] == "0.065971000"
    assert document["end"]["cost_nano"] == 101_001
    assert document["cost_usd"] == "0.000101001"
    assert document["intent"]["findings"][0]["place"] == "/messages/0/content"
    assert document["content_kept"] == {"request": True, "answer": False}


def test_rules_that_would_have_fired_are_told() -> None:
    record = AuditRecord(
        seq=1,
        intent=replace(INTENT, shadowed=("later",)),
        end=replace(END, shadowed=("much-later",)),
        request_content=None,
        answer_content=None,
    )
    rows = {name: value for section in story(record, AROUND, False) for name, value in section.rows}
    assert (rows["would have fired"], rows["would have fired on it"]) == ("later", "much-later")


def test_a_route_an_approval_and_a_failure_are_told() -> None:
    told = replace(INTENT, routed_from="sim-gpt", approval="a-1", approved_by="ada", failures=("judge",))
    (decision,) = [
        section for section in story(replace(RECORD, intent=told), AROUND, False) if section.title == "decision"
    ]
    rows = dict(decision.rows)
    assert (rows["routed from"], rows["approved by"]) == ("sim-gpt", "ada, approval a-1")
    assert rows["failed and let pass"] == "judge"
    (plain,) = [section for section in story(RECORD, AROUND, False) if section.title == "decision"]
    assert not {"routed from", "approved by", "failed and let pass"} & dict(plain.rows).keys()
