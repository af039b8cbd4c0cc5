"""Which names a condition looks for, among names of which there are only so many."""

import pytest

from gptgate.policy.expression import words
from gptgate.policy.operands import names, patterns, text_of

TEAM, KINDS, PARTS = "principal.team", "kinds", "risk.parts"


def looked_for(text: str) -> list[tuple[str, str]]:
    """What each name is a name of, and the name; with a star where its beginning is looked for."""
    return [(one.of, one.value + "*" * one.begins) for one in names(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("principal.team == 't'", [(TEAM, "t")]),
        ("principal.team != 't'", [(TEAM, "t")]),
        ("'t' == principal.team", [(TEAM, "t")]),
        ("'t' != principal.team", [(TEAM, "t")]),
        ("true && 't' == principal.team && true", [(TEAM, "t")]),
        ("principal['team'] == 't'", [(TEAM, "t")]),
        ("principal.team.startsWith('t')", [(TEAM, "t*")]),
        ("principal.team in ['t', 'u', 'v']", [(TEAM, "t"), (TEAM, "u"), (TEAM, "v")]),
        ("principal.team in [1, 't', 2]", [(TEAM, "t")]),
        ("principal.team in ['t'] && principal.app == 'a'", [(TEAM, "t"), ("principal.app", "a")]),
        ("'pii.email' in kinds", [(KINDS, "pii.email")]),
        ("'attack' in risk.parts && 'x' in failures", [(PARTS, "attack"), ("failures", "x")]),
        ("kinds['pii.email'] > 1", [(KINDS, "pii.email")]),
        ("has(risk.parts.attack) && risk.parts['pii'] > 3", [(PARTS, "attack"), (PARTS, "pii")]),
        ("findings[0].kind == 'x' || 'user' == findings[0]['origin']", [(KINDS, "x"), ("origin", "user")]),
        ("findings.exists(f, f.kind == 'x' && f['origin'] != 'user')", [(KINDS, "x"), ("origin", "user")]),
        ("kinds.exists(k, k == 'x' || k.startsWith('y'))", [(KINDS, "x"), (KINDS, "y*")]),
        ("failures.exists(k, k in ['x']) || failures.all(k, k != 'y')", [("failures", "x"), ("failures", "y")]),
        ("risk.parts.all(p, 1 == 1 && (p == 'x'))", [(PARTS, "x")]),
        ("principal.team == 't' && risk.parts.attack > 1", [(TEAM, "t"), (PARTS, "attack")]),
        ("kinds.exists(k, [1, {2: (k == 'x')}] != [])", [(KINDS, "x")]),
        ("kinds.exists(k, kinds[k] > 1)", []),
        ("kinds.exists(k, kinds.k > 1)", [(KINDS, "k")]),
        ("kinds.exists(k, true) && k.exists(x, x == 'a')", []),
    ],
)
def test_what_a_name_is_compared_with_says_whose_it_is(text: str, expected: list[tuple[str, str]]) -> None:
    assert looked_for(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "session == 't'",
        "'t' in session",
        "'t' in [principal.team]",
        "size('t') == 1",
        "session.startsWith('t')",
        "principal.team.endsWith('t')",
        "principal.team < 't'",
        "principal.team + 'x' == 't'",
        "'x' + principal.team == 't'",
        "principal.team == 't' + 'x'",
        "'x' + 't' == principal.team",
        "principal.team == 't'.x",
        "principal.team == 't'[0]",
        "principal.team.size == 't'",
        "'t' == principal.team.size()",
        "'t' == principal.team[0]",
        "principal.team == b't'",
        "principal.team == '\\t'",
        "principal.team == session || 't' == session",
        "principal.team in [session, 't']",
        "principal.team in ('t')",
        "session in ['t']",
        "principal.team == ['t']",
        "principal.team == t",
        "request.tools.exists(t, t == 'x')",
        "findings.exists(f, f == 'x')",
        "findings.exists(f, f.detector == 'x')",
        "findings.exists(f, f.kind.y == 'x')",
        "kinds.exists(k, k.kind.y == 'x')",
        "findings[0].detector == 'x'",
        "findings[0].kind.y == 'x'",
        "session[0].kind == 'x'",
        "kinds.exists(k, k == 'a') && failures.exists(k, k == 'b')",
        "failures.exists(k, k == 'a') && request.tools.exists(k, k == 'b')",
        "kinds",
        "kinds[session] > 1",
        "kinds['a' + 'b'] > 1",
        "request.tools.exists(kinds, kinds.x == 'y')",
        "principal.",
        "'t' ==",
        "== 't'",
        "'t'",
        "['t'",
    ],
)
def test_a_text_that_is_compared_with_something_else_is_no_name(text: str) -> None:
    assert looked_for(text) == []


def test_a_variable_belongs_to_the_macro_that_names_it() -> None:
    assert looked_for("kinds.exists(k, k == 'x') && (k, k == 'y') != []") == [(KINDS, "x"), (KINDS, "y")]
    assert looked_for("exists(k, k == 'x')") == []


def test_a_name_has_its_place() -> None:
    found = names("principal.team == 't' &&\n  principal.app == 'a' &&\n 'u' == principal.team")
    assert [(one.line, one.column) for one in found] == [(1, 19), (2, 20), (3, 2)]
    found = names("risk.parts.attack > 1 && risk.parts['pii'] > 1 && kinds.x > 1")
    assert [(one.line, one.column) for one in found] == [(1, 12), (1, 37), (1, 57)]


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("'a'", "a"),
        ('"a"', "a"),
        ("''", ""),
        ("''''''", ""),
        ("'''a'''", "a"),
        ('"""a"b"""', 'a"b'),
        ("'''ab'''", "ab"),
        ("'aaaaaa'", "aaaaaa"),
        ("'rb'", "rb"),
        ("'ba'", "ba"),
        (r"r'\d'", r"\d"),
        (r"R'\d'", r"\d"),
        (r"r'''\d'''", r"\d"),
        ("r'r'", "r"),
        (r"'\d'", None),
        ("b'a'", None),
        ("B'a'", None),
        ("rb'a'", None),
        (r"bR'\d'", None),
        ("session", None),
        ("12", None),
    ],
)
def test_what_a_literal_says(literal: str, text: str | None) -> None:
    assert text_of(words(literal)[0]) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("session.matches('a')", ["'a'"]),
        ("matches(session, 'a')", ["'a'"]),
        ("matches([session][0], {1: 'b'}[1] + 'a')", []),
        ("session.matches('a' + 'b') && session.matches('c')", ["'c'"]),
        ("matches(f({'x': [1]}), 'a') || ('b' == 'c')", ["'a'"]),
        ("matches((session), 'a')", ["'a'"]),
        ("session.matches(session)", []),
        ("session.matches == 'a'", []),
        ("session.contains('a')", []),
        ("session.matches('a'", ["'a'"]),
        ("session.matches(", []),
    ],
)
def test_patterns_that_are_written_out_are_found(text: str, expected: list[str]) -> None:
    assert [word.text for word in patterns(text)] == expected
