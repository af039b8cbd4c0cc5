"""What is said of a condition's words, before an engine sees them."""

import pytest

from gptgate.policy.cel import examine
from gptgate.policy.expression import MAX_CHARACTERS, faults, macro_variables, place_of, words


@pytest.mark.parametrize(
    "text",
    [
        "findings[0].kid == 'x'",
        "findings[0]['kid'] == 'x'",
        "findings.exists(x, x.kid == 'x')",
        "findings.exists(x, x['kid'] == 'x')",
        "findings.exists(x, x.kid",
    ],
)
def test_a_member_that_no_finding_has_is_named(text: str) -> None:
    (fault,) = faults(text)
    assert "a finding has no member" in fault.message
    assert "kid" in fault.message


@pytest.mark.parametrize(
    "text",
    [
        "findings[0].kind == 'x'",
        "findings.exists(x, x['kind'] == 'x')",
        "findings.exists(x, principal.x.kid == 1)",
        "kinds['pii.email'] > 0",
        "kinds[0].kid == 1",
        "findings.exists(x, x",
        "findings.exists(x, x.",
        "findings[0]",
        "findings[0][0] == 1",
        "findings[0][session] == 1",
        "findings[0]['kid' + 'd'] == 1",
        "findings.exists('x', kinds.kid > 1)",
    ],
)
def test_other_members_are_left_to_the_engine(text: str) -> None:
    assert [fault.message for fault in faults(text) if "member" in fault.message] == []


def test_a_condition_may_have_as_many_characters_as_are_allowed() -> None:
    assert examine("true".ljust(MAX_CHARACTERS)).faults == ()
    assert len(examine("true".ljust(MAX_CHARACTERS + 1)).faults) == 1


CLOCK = "a condition reads no clock and holds no fractions: time.hour and time.weekday are facts"
KNOWN = "known: size, contains, startsWith, endsWith, matches, has, exists, exists_one, all, filter, map"
FACT_NAMES = "known: failures, findings, kinds, model, principal, request, risk, session, time, usage"
MEMBERS = "known: kind, origin, place, points, detector, view"
WHOLE = "all numbers here are whole"
LONG = "x" * 70


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now() > 1.5", [("the function 'now' is not for rules", CLOCK), ("fractions are not for rules", WHOLE)]),
        ("size(kinds) > foo(", [("the function 'foo' is not for rules", KNOWN)]),
        (f"{LONG}() == 1", [(f"the function '{LONG[:32]}' is not for rules", KNOWN)]),
        (f"{LONG} == 1", [(f"no fact is called {LONG[:64]}", FACT_NAMES)]),
        ("true or zz == 1", [("'or' is no word of conditions", "write ||"), ("no fact is called zz", FACT_NAMES)]),
        ("risk.score = 1", [("'=' is no sign of conditions", "write ==")]),
        (
            "risk.score === 1 & kinds.size()!==2",
            [
                ("'===' is no sign of conditions", "write =="),
                ("'&' is no sign of conditions", "write &&"),
                ("'!==' is no sign of conditions", "write !="),
            ],
        ),
        (
            "risk.score => 1 | risk.score =< 3 || risk.score <> 7",
            [
                ("'=>' is no sign of conditions", "write >="),
                ("'|' is no sign of conditions", "write ||"),
                ("'=<' is no sign of conditions", "write <="),
                ("'<>' is no sign of conditions", "write !="),
            ],
        ),
        ("request.stream==!true && !!request.stream && 'a = b & c' != ''", []),
        ("size(zz) == yy", [("no fact is called zz", FACT_NAMES), ("no fact is called yy", FACT_NAMES)]),
        ("kinds.all(time, true)", [("the variable 'time' has the name of a fact", "call it otherwise")]),
        ("findings[0]['kindX'] == 1", [("a finding has no member 'kindX'", MEMBERS)]),
        (f"findings[0].{LONG} == 1", [(f"a finding has no member {LONG[:32]}", MEMBERS)]),
    ],
)
def test_each_fault_is_said_in_its_order_and_with_what_helps(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(fault.message, fault.hint) for fault in faults(text)] == expected


@pytest.mark.parametrize(
    ("text", "variables"),
    [("kinds.exists(k", ["k"]), ("kinds.exists(k, kinds.all(j, true))", ["k", "j"]), ("kinds.exists('k', true)", [])],
)
def test_a_macro_names_its_variable(text: str, variables: list[str]) -> None:
    assert list(macro_variables(words(text))) == variables


def test_a_place_counts_lines_and_columns_from_one() -> None:
    text = "ab\ncd\nef"
    assert [place_of(text, at) for at in (0, 1, 3, 4, 6, 7)] == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
