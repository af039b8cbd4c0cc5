"""The timeline of one request."""

import pytest
from msgspec.structs import replace

from gptgate.cli.audit_trace import Step, steps
from gptgate.cli.story import story
from gptgate.core.classifier import Opinion
from gptgate.core.events import Circumstances, End, EndState, Intent
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Effect, Obligations, RuleSpec, Stage
from gptgate.storage.history import Decided, Extended, History, Later
from gptgate.storage.views import AuditRecord
from storage_samples import blank

MAIL = Finding("pii.email", Origin.USER, "/messages/0/content", 3, 18, "email", 20)
TOOL = Finding("secret.key", Origin.TOOL_RESULT, "/messages/1/content", 0, 9, "keys", 40)
RULES = {
    "cut-mail": blank(RuleSpec, id="cut-mail", stage=Stage.REQUEST, effect=Effect.REDACT, findings=("pii.*",)),
    "cap": blank(
        RuleSpec,
        id="cap",
        stage=Stage.REQUEST,
        effect=Effect.FLAG,
        min_score=10,
        when="request.stream",
        obligations=Obligations(max_output_tokens=64),
    ),
}
INTENT = blank(
    Intent,
    id="019a",
    at_ms=1_793_534_400_123,
    team="payments",
    app="shop",
    key_id="abc123",
    endpoint="chat",
    model="fast",
    upstream_model="sim-gpt",
    provider="simulator",
    effect="redact",
    score=60,
    parts=(("pii", 20), ("secret", 40)),
    rules=("cut-mail", "cap"),
    shadowed=("later",),
    findings=(MAIL, TOOL),
    finding_counts=(("pii.email", 1), ("secret.key", 1)),
    config_digest="c" * 64,
    request_digest="1" * 64,
    sent_digest="2" * 64,
    routed_from="big",
    circumstances=blank(Circumstances),
    opinions=(Opinion(classifier="judge", failure="", labels=(("toxic", 250),)),),
)
END = blank(
    End,
    id="019a",
    at_ms=1_793_534_400_456,
    state=EndState.COMPLETED,
    status=200,
    effect="redact",
    answered_model="sim-gpt-2",
    provider_request_id="req_9",
    usage=Usage(input_tokens=11, output_tokens=22),
    usage_source="provider",
    attempts=2,
    answer_digest="3" * 64,
    timings_us={"admit": 100, "inspect": 20, "decide": 3, "record": 1000, "upstream": 5000, "total": 7000},
)
AROUND = History(
    rules=RULES,
    places={"intent": 41, "end": 42, "config_applied": None},
    later=(Later(1_796_126_400_000, "content_erased", "ada"),),
)


def told(intent: Intent, end: End | None, around: History = AROUND) -> dict[str, Step]:
    record = AuditRecord(seq=7, intent=intent, end=end, request_content=None, answer_content=None)
    return {step.name: step for step in steps(record, around)}


def test_it_is_told_in_the_order_in_which_it_happened() -> None:
    story = told(INTENT, END)
    assert list(story) == (
        "asked,admitted,found,judged outside,decided,changed,reserved,recorded,sent,answered,found in answer,"
        "decided on it,paid,ended,in the log,content_erased"
    ).split(",")
    times = [step.after_us for step in story.values() if step.after_us is not None]
    assert times == sorted(times) == [0, 100, 120, 123, 1123, 1123, 6123, 7000]


def test_what_was_found_says_where_and_what_it_weighs() -> None:
    lines = told(INTENT, END)["found"].lines
    assert lines[0] == "risk score 60 = 20 pii + 40 secret"
    assert lines[1] == "pii.email in user /messages/0/content, characters 3 to 18: 20 points"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("", "external.judge.toxic in the whole of it: 1 point"),
        ("/messages/0", "external.judge.toxic in other /messages/0, as a whole: 1 point"),
    ],
)
def test_a_finding_about_a_whole_names_no_characters(place: str, said: str) -> None:
    finding = Finding("external.judge.toxic", Origin.OTHER, place, 0, 0, "external", 1)
    record = AuditRecord(
        seq=7, intent=replace(INTENT, findings=(finding,)), end=END, request_content=None, answer_content=None
    )
    assert said in told(record.intent, END)["found"].lines
    (shown,) = [section for section in story(record, AROUND, content=False) if section.title == "found in the request"]
    assert shown.rows[0] == (finding.kind, said.partition(" in ")[2].replace(": 1", ", by external, 1"))


def test_why_a_rule_fired_is_told_from_the_configuration_that_decided() -> None:
    lines = told(INTENT, END)["decided"].lines
    assert lines[0] == f"redact, by configuration {'c' * 64}"
    assert "rule cut-mail (redact): found pii.*" in lines
    assert "rule cap (flag): risk score 10 or more; when request.stream" in lines
    assert "would have fired: rule later" in lines
    assert "rule cut-mail" in told(INTENT, END, replace(AROUND, rules=None))["decided"].lines


def test_what_was_changed_before_sending() -> None:
    lines = told(INTENT, END)["changed"].lines
    assert lines == (
        "model big became fast",
        "model fast is sim-gpt at the provider",
        "redact pii.email in user /messages/0/content, characters 3 to 18 (rule cut-mail)",
        "obligations of rule cap: max_output_tokens 64",
        f"what the provider got has sha256 {'2' * 64}",
    )
    same = replace(INTENT, sent_digest=INTENT.request_digest)
    assert told(same, END)["changed"].lines == ("nothing: the provider got the same bytes",)
    assert told(replace(INTENT, sent_digest=""), END)["changed"].lines == ("nothing was sent",)
    unreached = replace(END, attempts=0, status=502, code="upstream_unreachable")
    assert told(same, unreached)["changed"].lines == ("nothing: the provider was to get the same bytes",)
    assert told(INTENT, unreached)["sent"].lines == ("to sim-gpt at simulator: it could not be reached",)


def test_a_refused_request_was_not_sent_whatever_an_older_record_says() -> None:
    refused = replace(END, state=EndState.REFUSED, status=429, code="budget_exceeded", limit="month", attempts=0)
    for intent in (INTENT, replace(INTENT, sent_digest=INTENT.request_digest)):
        assert told(intent, refused)["changed"].lines == ("nothing was sent",)


def test_of_a_request_without_a_known_end_nobody_knows_what_was_sent() -> None:
    for end in (None, replace(END, state=EndState.ABANDONED, attempts=0)):
        assert told(INTENT, end)["changed"].lines[-1] == f"what the provider may have got has sha256 {'2' * 64}"


def test_where_no_decision_was_reached_none_is_told() -> None:
    assert not {"decided", "changed", "reserved"} & told(replace(INTENT, circumstances=None), END).keys()


def test_what_classifiers_said() -> None:
    assert told(INTENT, END)["judged outside"].lines == ("judge: toxic 0.250",)
    ended = replace(END, opinions=(Opinion(classifier="guard", failure="timeout"),))
    assert told(INTENT, ended)["answer judged outside"].lines == ("guard: timeout",)


def test_attempts_usage_and_money() -> None:
    story = told(INTENT, END)
    assert story["sent"].lines == ("to sim-gpt at simulator, 2 times",)
    assert story["answered"].lines == ("by sim-gpt-2, its id req_9",)
    assert story["paid"].lines[0].startswith("0.000000000 USD for 11 input tokens (0 read from cache")


def test_a_refusal_ends_before_anything_is_sent() -> None:
    ended = replace(
        END,
        state=EndState.REFUSED,
        status=429,
        code="rate_limited",
        limit="agents",
        attempts=0,
        timings_us={"admit": 5},
    )
    story = told(replace(INTENT, sent_digest=""), ended)
    assert not {"found", "sent", "answered", "found in answer"} & story.keys()
    assert story["recorded"].lines == ("durable as number 7, refused, so nothing was sent",)
    assert told(INTENT, END)["recorded"].lines == ("durable as number 7, before anything was sent",)
    assert story["not inspected"].lines == ("it was refused before",)
    assert story["ended"].lines[:2] == ("refused, status 429, rate_limited", "refused by agents")


def test_a_provider_that_never_answered() -> None:
    story = told(INTENT, replace(END, attempts=0, status=504, code="upstream_timeout"))
    assert story["sent"].lines == ("to sim-gpt at simulator: no answer came",)
    assert "answered" not in story


def test_an_open_request() -> None:
    story = told(INTENT, None)
    assert {"found", "decided", "changed"} <= story.keys()
    assert "no end yet" in story["open"].lines[0]
    assert not {"sent", "paid", "ended"} & story.keys()


def test_places_in_the_log_and_what_was_done_later() -> None:
    story = told(INTENT, END)
    assert story["in the log"].lines == ("intent: entry 41", "end: entry 42", "config_applied: not yet")
    assert (story["content_erased"].lines, story["content_erased"].at_ms) == (("by ada",), 1_796_126_400_000)


def test_what_a_stream_took_beyond_its_reservation_is_told_each_time_it_did() -> None:
    extended = (Extended(5, 2_000_000, 10, 512), Extended(6, 3_000_000, 10, 768))
    for end in (END, None, replace(END, state=EndState.ABANDONED, attempts=0)):
        record = AuditRecord(seq=7, intent=INTENT, end=end, request_content=None, answer_content=None)
        found = list(steps(record, replace(AROUND, extended=extended)))
        told_of = [(step.at_ms, step.lines) for step in found if step.name == "extended"]
        assert told_of == [
            (5, ("reservation to 0.002000000 USD in all, for 10 input and 512 output tokens",)),
            (6, ("reservation to 0.003000000 USD in all, for 10 input and 768 output tokens",)),
        ]
        names = [step.name for step in found]
        before, after = ("recorded", "open") if end is None else ("answered" if end.attempts else "recorded", "paid")
        assert names.index(before) < names.index("extended") < names.index(after)


def test_the_effect_of_both_sides_is_not_told_as_one_on_the_answer() -> None:
    assert told(INTENT, END)["decided on it"].lines == (
        "redact for both sides together",
        "no rule fired on the answer",
    )
    lines = told(INTENT, replace(END, rules=("cut-mail",)))["decided on it"].lines
    assert lines == ("redact for both sides together", "rule cut-mail (redact): found pii.*")
    undecided = told(INTENT, replace(END, code="guard_failed"))["decided on it"].lines
    assert undecided[0] == "not decided on"


def test_a_decision_on_its_approval_is_told_when_it_was_made() -> None:
    record = AuditRecord(seq=7, intent=INTENT, end=END, request_content=None, answer_content=None)
    before = Decided(INTENT.at_ms - 5, "a1", "eve", "root", INTENT.at_ms + 9, given=True)
    first, *_ = steps(record, replace(AROUND, decided=(before,)))
    assert (first.name, first.at_ms) == ("approval given", before.at_ms)
    assert "by eve (run by root), approval a1, to be used until " in first.lines[0]
    after = replace(before, at_ms=INTENT.at_ms + 5, given=False, user="eve")
    names = [step.name for step in steps(record, replace(AROUND, decided=(after,)))]
    assert names.index("in the log") < names.index("approval rejected")
