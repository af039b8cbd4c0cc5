"""The coverage table has every route and every guard, and follows the configuration."""

from gptgate.config.coverage import Guard, Holds, Row, coverage
from gptgate.config.load import load_text
from gptgate.config.starter import starter_yaml
from gptgate.core.wire import PATHS, Dialect, Endpoint

KINDS = frozenset({"pii.email", "pii.payment_card", "attack.override", "secret.openai"})
STARTER = load_text(starter_yaml(openai=True, anthropic=False, local_url=None, local_model=None), "f", KINDS)


def cell(row: Row, guard: Guard) -> tuple[Holds, str]:
    (found,) = [each for each in row.cells if each.guard is guard]
    return found.holds, found.text


def test_every_route_has_a_row_for_each_dialect_and_stream() -> None:
    rows = coverage(STARTER)
    assert {row.path for row in rows} == set(PATHS)
    assert [(row.endpoint, row.dialect, row.stream) for row in rows] == [
        (Endpoint.CHAT, Dialect.OPENAI, "no"),
        (Endpoint.CHAT, Dialect.OPENAI, "yes"),
        (Endpoint.EMBEDDINGS, Dialect.OPENAI, "–"),
        (Endpoint.MESSAGES, Dialect.ANTHROPIC, "no"),
        (Endpoint.MESSAGES, Dialect.ANTHROPIC, "yes"),
        (Endpoint.COUNT_TOKENS, Dialect.ANTHROPIC, "–"),
        (Endpoint.MODELS, Dialect.OPENAI, "–"),
        (Endpoint.MODELS, Dialect.ANTHROPIC, "–"),
    ]
    for row in rows:
        assert [each.guard for each in row.cells] == list(Guard)
        assert all(each.text for each in row.cells)


def test_cells_follow_the_configuration() -> None:
    row = coverage(STARTER)[1]
    assert cell(row, Guard.AUTHORIZE) == (Holds.ON, "app and key; 5 of 5 models speak this dialect")
    assert cell(row, Guard.POLICY_REQUEST) == (Holds.ON, "1 flag, 2 redact, 1 deny")
    assert cell(row, Guard.POLICY_ANSWER) == (Holds.ON, "1 redact")
    assert cell(row, Guard.BUDGET) == (Holds.ON, "1 of 1 app with a budget")
    bare = coverage(load_text("version: 1\nteams: [{name: t}]\napps: [{name: a, team: t}]", "f", KINDS))[0]
    assert cell(bare, Guard.LIMITS) == (Holds.OFF, "0 of 1 app limited")
    assert cell(bare, Guard.BUDGET) == (Holds.OFF, "0 of 1 app with a budget")
    assert cell(bare, Guard.POLICY_REQUEST) == (Holds.OFF, "no rule")
    assert cell(bare, Guard.RECORD)[0] is Holds.ON


def test_what_does_not_apply_says_why() -> None:
    models = coverage(STARTER)[-1]
    assert cell(models, Guard.INSPECT_REQUEST) == (Holds.NONE, "no body to inspect")
    assert cell(models, Guard.RECORD)[0] is Holds.ON
    counting = coverage(STARTER)[5]
    assert cell(counting, Guard.BUDGET) == (Holds.NONE, "counting tokens costs nothing")
    assert cell(counting, Guard.POLICY_ANSWER) == (Holds.ON, "1 redact")
    embeddings = coverage(STARTER)[2]
    assert cell(embeddings, Guard.INSPECT_ANSWER) == (Holds.ON, "every string but the vectors, which hold no words")


def test_guards_of_sessions_are_counted_apart_from_budgets() -> None:
    text = """\
version: 1
teams: [{name: t}]
apps: [{name: a, team: t}]
"""
    budgets = "budgets: [{name: b, scope: [app], unit: usd, amount: '1', window: day}]\n"
    guards = "guards: {session: {requests: 5, usd: '1'}}\n"
    for more, told in (
        (budgets, "; 1 of `budgets`"),
        (guards, "; 2 of `guards.session`"),
        (budgets + guards, "; 1 of `budgets`; 2 of `guards.session`"),
    ):
        row = coverage(load_text(text + more, "f", KINDS))[0]
        assert cell(row, Guard.BUDGET) == (Holds.ON, "0 of 1 app with a budget" + told)
