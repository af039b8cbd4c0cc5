"""The section `budgets`: what is refused when it is loaded, because it would bound nothing or say nothing."""

import pytest

from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.core.budgets import LEAST_OUTPUT_TOKENS, BudgetSpec, Dimension

BASE = """\
version: 1
providers: [{name: near, kind: simulator}, {name: far, kind: simulator}]
models: [{name: small, provider: near}, {name: large, provider: far}]
teams: [{name: red}, {name: blue}]
apps: [{name: shop, team: red}, {name: lab, team: blue}]
"""


def load(more: str) -> BudgetSpec:
    _, budget = load_text(f"{BASE}budgets: [{{name: b, scope: [app], window: day, {more}}}]\n", "f.yaml", ()).budgets
    return budget


def problem(more: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(more)
    (found,) = caught.value.problems
    return str(found).removeprefix("f.yaml:6: budgets[0].")


@pytest.mark.parametrize(
    ("match", "told"),
    [
        ("{teams: [red], apps: [lab]}", "match: no app is matched, so the budget would never hold"),
        ("{models: [small], providers: [far]}", "match: no model is matched, so the budget would never hold"),
        ("{apps: [shp]}", 'match.apps[0]: no app is called "shp" (hint: did you mean "shop"?)'),
    ],
)
def test_a_budget_that_no_request_can_fall_under_is_refused(match: str, told: str) -> None:
    assert problem(f"unit: usd, amount: '1', match: {match}") == told


def test_names_that_belong_together_are_taken() -> None:
    budget = load("unit: usd, amount: '1', match: {teams: [red], apps: [shop], models: [small], providers: [near]}")
    assert dict(budget.match)[Dimension.APP] == ("shop",)
    assert load("unit: usd, amount: '1', match: {}").match == ()


@pytest.mark.parametrize("more", ["unit: usd, mode: soft", "unit: requests"])
def test_a_shorter_answer_is_only_for_budgets_that_it_helps(more: str) -> None:
    bound = f"amount: '5', {more}, least_output_tokens: "
    assert problem(bound + "512").startswith("least_output_tokens: has no meaning for ")
    assert load(bound + "0").least_output_tokens == 0
    assert load("unit: tokens, amount: '5', least_output_tokens: 512").least_output_tokens == 512


def test_where_nobody_says_so_an_answer_is_cut_down_by_the_budgets_that_it_helps() -> None:
    told = ("unit: usd", "unit: tokens", "unit: requests", "unit: usd, mode: soft", "unit: usd, least_output_tokens: 0")
    given = [load(f"amount: '5', {more}").least_output_tokens for more in told]
    assert given == [LEAST_OUTPUT_TOKENS, LEAST_OUTPUT_TOKENS, 0, 0, 0]


def test_a_guard_of_sessions_bounds_something() -> None:
    with pytest.raises(ConfigError, match=r"f.yaml:6: guards.session: bounds nothing"):
        load_text(BASE + "guards: {session: {}}\n", "f.yaml", ())
    assert len(load_text(BASE + "guards: {session: {requests: 5}}\n", "f.yaml", ()).budgets) == 2
    assert len(load_text(BASE + "guards: {}\n", "f.yaml", ()).budgets) == 1
