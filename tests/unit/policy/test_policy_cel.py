"""Conditions: only true is true, and what gives neither true nor false refuses."""

from typing import Any

import pytest

from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Effect, Mode, RuleSpec, Stage
from gptgate.policy.cel import Circumstances, Condition, ConditionError, _reported, examine
from gptgate.policy.engine import Policy, compile_policy
from gptgate.policy.expression import uses, words
from gptgate.policy.rules import Rule
from gptgate.policy.score import assess
from gptgate.policy.vocabulary import BY_NAME, FACTS, FINDING_MEMBERS
from policy_facts import facts


def found(kind: str, points: int = 20, origin: Origin = Origin.USER) -> Finding:
    return Finding(kind, origin, "/messages/0/content", 0, 4, "test", points)


SOME = assess((found("pii.email"), found("pii.email"), found("attack.x", 60, Origin.TOOL_RESULT)))


def holds(text: str, **given: object) -> bool:
    condition = Condition(text)
    return condition.holds(Circumstances(facts(**given), SOME, condition.uses))


def test_the_size_of_a_text_is_its_number_of_characters() -> None:
    # Said by the specification; not every engine keeps to it, so the engine beside ours is not asked.
    assert holds("size(session) == 3", session="\u00e9\U0001f600a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('principal.team == "t" && principal.app == "a" && principal.key_id == "k1"', True),
        ('principal.end_user == ""', True),
        ('request.endpoint == "chat" && request.dialect == "openai" && !request.stream', True),
        ("request.max_output_tokens == 0 && request.choices == 1 && request.media == 0", True),
        ('model.name == "m" && model.upstream_name == "m-1" && model.provider == "p"', True),
        ('model.location == "cloud"', False),
        ('session == ""', True),
        ("usage.spent_nano == 0 && usage.budget_nano == 0 && usage.spent_percent == 0", True),
        ("time.hour in [11, 12] && time.weekday < 6", True),
        ("risk.score == 85 && risk.parts['attack'] == 60 && risk.parts.pii == 25", True),
        ("kinds['pii.email'] == 2 && !('secret.aws' in kinds)", None),
        ("has(kinds.x) || size(kinds) == 2", True),
        ("kinds.exists(k, k.startsWith('secret.'))", False),
        ("findings.exists(f, f.origin == 'tool_result' && f.points >= 60)", True),
        ("findings.exists_one(f, f.kind == 'pii.email')", False),
        ("findings.filter(f, f.kind == 'pii.email').size() == 2", True),
        ("findings.all(f, f.place.matches('^/messages/[0-9]+/') && f.detector == 'test')", True),
        ("size(findings) > 0 && findings[0].kind.contains('email') && findings[0]['kind'].endsWith('l')", True),
        ("size(failures) == 0", True),
        ('// who\nprincipal.app == "b" ||\n  true', True),
    ],
)
def test_what_a_condition_can_ask(text: str, expected: bool | None) -> None:
    if expected is None:
        assert examine(text).faults
    else:
        assert holds(text) is expected


def test_every_fact_is_of_its_declared_type() -> None:
    probes = {
        "string": "{} == {} + ''",
        "int": "{} == {} + 0",
        "bool": "{} || !{}",
        "list(string)": "size({}) == 0 || {}.all(x, x == x + '')",
        "map(string, int)": "size({}) == 0 || {}.all(x, x == x + '')",
        "list(map(string, dyn))": "size({}) == 0 || {}.all(x, x.points >= 0)",
    }
    for fact in FACTS:
        assert holds(probes[fact.type].replace("{}", fact.name)) is True


def test_spending_is_told_in_percent() -> None:
    assert holds("usage.spent_percent == 99", spent_nano=999, budget_nano=1000)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\U0001f600", "x" * 256, "\x00"])
def test_any_text_from_a_caller_is_a_text_in_a_condition(text: str) -> None:
    assert holds(f"session.startsWith('b') && size(session) > {len(text)}", session=f"b{text}e")
    assert holds("size(session) > 0 && size(principal.end_user) > 0", session=text, end_user=text) is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x" * 2001,
        "true\ud800",
        "1",
        "'a'",
        "findings",
        "[true]",
        "null",
        "now()",
        "risk.score > 1.0",
        "double(risk.score) > double(1)",
        "duration('1s') == duration('1s')",
        "risk.score == 1e3",
        "1/0 == 1",
        "time.getHours() == 1",
        "request.tools[3] == ''",
        "findings[0].kind == ''",
        "risk.parts.attack > 0",
        "session.matches('(')",
        "findings.exists(risk, risk.score == 1)",
        "findings.exists(f, f['kid'] == '')",
        "findings.map(f, f.kid).size() > 0",
        "size(findings) > 0 && findings[0].kid == ''",
        "unknown == 1",
        "principal == 'a'",
        "cel.bind(x, 1, x == 1)",
        "(" * 100 + "true" + ")" * 100,
        "true; false",
        "true //\n)",
        "dyn(1) == 1",
        "type(1) == int",
        "findings.exists(f, f.kind > 3)",
    ],
)
def test_what_is_no_condition_is_found_before_it_is_used(text: str) -> None:
    assert examine(text).faults
    with pytest.raises(ValueError, match=r".+"):
        Condition(text)


def test_words_in_texts_and_comments_are_no_words() -> None:
    text = "session == 'timestamp(1.5)' || session == r\"now()\" // double(2.5)"
    assert examine(text).faults == ()
    assert uses(text) == {"session"}
    assert [word.text for word in words("a . b'x'")] == ["a", ".", "b'x'"]


class Odd(Condition):
    """A condition whose engine answers something else."""

    __slots__ = ("answer",)

    def __init__(self, answer: object) -> None:
        super().__init__("true")
        self.answer = answer
        self._program = self

    def eval(self, _activation: object) -> "Odd":
        if isinstance(self.answer, Exception):
            raise self.answer
        return self

    def value(self) -> object:
        return self.answer


ODD_ANSWERS = ["NOT_FOUND: no such key", "", 1, 0, None, [True], RuntimeError("budget"), b"x"]


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_only_true_is_true_and_only_false_is_false(answer: object) -> None:
    condition = Odd(answer)
    with pytest.raises(ConditionError):
        condition.holds(Circumstances(facts(), SOME, ()))


def policy_with(answer: object, **rule: Any) -> Policy:
    fields: dict[str, Any] = {"findings": (), "origins": (), "min_score": 0, "apps": (), "models": (), "message": ""}
    spec = RuleSpec(id="r", stage=Stage.REQUEST, effect=Effect.FLAG, when="true", **{**fields, **rule})
    policy = compile_policy([spec], "d")
    prepared: Rule = policy._rules["r"]
    policy._rules["r"] = prepared._replace(condition=Odd(answer))
    return policy


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_a_condition_that_does_not_answer_refuses(answer: object) -> None:
    with pytest.raises(GuardFailed) as failed:
        policy_with(answer).decide(facts(), SOME)
    assert failed.value.status == 503
    assert failed.value.guard == "rule r"
    assert failed.value.why
    assert "rule r" not in failed.value.message
    # A rule that is no candidate is not asked.
    assert policy_with(answer, min_score=99).decide(facts(), SOME).rules == ()


def test_what_goes_on_record_of_a_failed_condition_holds_no_word_of_the_request() -> None:
    spec = RuleSpec(
        id="r",
        stage=Stage.REQUEST,
        effect=Effect.FLAG,
        # No trial meets it: they have no such session.
        when="session in ['', 's'] || kinds[session] > 1",
        findings=(),
        origins=(),
        min_score=0,
        apps=(),
        models=(),
        message="",
    )
    policy = compile_policy([spec], "d")
    with pytest.raises(GuardFailed) as failed:
        policy.decide(facts(session="private"), SOME)
    assert failed.value.why == "it reads a key that is not there"
    assert "private" in failed.value.detail


RE2 = "patterns are those of RE2"
COMPARE = "compare it with something"
LOOK_FIRST = "ask first: 'attack' in risk.parts && …, size(findings) > 0 && …"


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("session != '' && session.matches('[')", (1, 34), "is no pattern: missing ]: [", RE2),
        ("session.matches('regular expression: (')", (1, 17), "is no pattern: missing ): regular expression: (", RE2),
        ("false &&\n  matches(session, r'\\d(')", (2, 20), "is no pattern: missing ): \\d(", RE2),
        ("request.tool == [] && 1/0 == 1", (1, 1), "no fact is called request.tool", "did you mean request.tools?"),
        (
            "true &&\n session + 1 == 'x'",
            (2, 10),
            "found no matching overload for '_+_' applied to '(string, int)'",
            "",
        ),
        (".foo == 1", (1, 2), "undeclared reference to '.foo'", ""),
        ("findings", (1, 1), "gives a value of type list<map<string, dyn>>, not true or false", COMPARE),
        ("risk == 1", (1, 1), "no fact is called risk", "known: risk.score, risk.parts"),
        ("risk.score > 1 and request.stream", (1, 16), "'and' is no word of conditions", "write &&"),
        (
            "usage.spent_nano / usage.budget_nano > 1",
            (1, 1),
            "cannot be evaluated when nothing was found: it divides by zero",
            "ask first: usage.budget_nano > 0 && …",
        ),
        (
            "session != '' && kinds['pii.email'] > 1",
            (1, 1),
            "cannot be evaluated on a request with a user, a session and a budget: it reads a key that is not there",
            LOOK_FIRST,
        ),
    ],
)
def test_what_is_wrong_is_said_in_words_that_help(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    first = examine(text).faults[0]
    assert ((first.line, first.column), first.message, first.hint) == (place, message, hint)


def test_one_unknown_name_is_one_problem() -> None:
    assert len(examine("request.tool == 'x'").faults) == 1


def test_a_shadow_that_does_not_answer_is_recorded() -> None:
    decision = policy_with("ERROR", mode=Mode.SHADOW).decide(facts(), SOME)
    assert (decision.rules, decision.shadowed) == ((), ("r:failed",))


def test_more_findings_than_the_engine_reads_refuse() -> None:
    policy = compile_policy(
        [
            RuleSpec(
                id="r",
                stage=Stage.REQUEST,
                effect=Effect.FLAG,
                findings=(),
                origins=(),
                min_score=0,
                apps=(),
                models=(),
                message="",
                when="findings.exists(f, f.kind == 'x')",
            )
        ],
        "d",
    )
    with pytest.raises(GuardFailed):
        policy.decide(facts(), assess((found("pii.email"),) * 20_000))


def test_conditions_narrow_down_like_every_other_condition() -> None:
    base: dict[str, Any] = {
        "origins": (),
        "min_score": 0,
        "apps": (),
        "models": (),
        "message": "",
        "stage": Stage.REQUEST,
    }
    policy = compile_policy(
        [
            RuleSpec(id="a", effect=Effect.REDACT, findings=("pii.*",), when='model.location == "cloud"', **base),
            RuleSpec(id="b", effect=Effect.FLAG, findings=(), when="request.tools.exists(t, t == 'shell')", **base),
        ],
        "d",
    )
    inspection = assess((found("pii.email"),))
    assert policy.decide(facts(), inspection).rules == ()
    assert policy.decide(facts(location="cloud"), inspection).rules == ("a",)
    assert policy.decide(facts(tools=("x", "shell")), assess(())).rules == ("b",)


@pytest.mark.parametrize(
    ("text", "place"),
    [("kinds.exists(time, true)", (1, 14)), ("true &&\n kinds.all(risk, true)", (2, 12)), ("size(kinds)", (1, 1))],
)
def test_a_fault_has_its_place(text: str, place: tuple[int, int]) -> None:
    (fault,) = examine(text).faults
    assert (fault.line, fault.column) == place


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ERROR: <input>:-1:0: is wrong [INVALID_ARGUMENT]", [(0, 0, "is wrong")]),
        ("ERROR: <input>:0:3: is wrong", [(0, 0, "is wrong")]),
        ("ERROR: <input>:1:3: one\n | x\nERROR: <input>:2:4: two", [(1, 3, "one"), (2, 4, "two")]),
        ("CANCELLED: too deep\nmore", [(0, 0, "CANCELLED: too deep")]),
    ],
)
def test_the_engines_own_words_are_read(said: str, expected: list[tuple[int, int, str]]) -> None:
    assert [(one.line, one.column, one.message) for one in _reported(said)] == expected


@pytest.mark.parametrize(
    ("said", "why", "hint"),
    [
        ("NOT_FOUND: Key not found in map", "it reads a key that is not there", LOOK_FIRST),
        ("it rains", "it gives neither true nor false", ""),
    ],
)
def test_why_a_condition_does_not_answer(said: str, why: str, hint: str) -> None:
    error = ConditionError(said)
    assert (str(error), error.why, error.hint) == (said, why, hint)


def test_a_finding_has_the_members_that_are_documented() -> None:
    (given,) = BY_NAME["findings"].read(facts(), assess((found("pii.email"),)))
    assert given.keys() == FINDING_MEMBERS.keys()
    assert holds("findings.all(f, f.view == '') && session.startsWith('a\ufffdb\ufffd')", session="a\x00b\ud800")


def test_names_are_told_of_a_condition_without_faults() -> None:
    assert [name.value for name in examine("principal.team == 't'").names] == ["t"]
    assert examine("principal.team == 't' && 1").names == ()


@pytest.mark.parametrize("answer", [False, "ERROR"])
def test_rules_behind_one_that_does_not_hold_are_asked(answer: object) -> None:
    base: dict[str, Any] = {"findings": (), "origins": (), "min_score": 0, "apps": (), "models": (), "message": ""}
    specs = [
        RuleSpec(id=id, stage=Stage.REQUEST, effect=Effect.FLAG, when=when, mode=mode, **base)
        for id, when, mode in (("first", "true", Mode.SHADOW), ("second", "", Mode.ENFORCE))
    ]
    policy = compile_policy(specs, "d")
    policy._rules["first"] = policy._rules["first"]._replace(condition=Odd(answer))
    assert policy.decide(facts(), SOME).rules == ("second",)
