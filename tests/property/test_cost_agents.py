"""Coding agents (a synthetic trace: see `bench.agents`) use a budget up before anybody is refused, and never more."""

import pytest
from bench.agents import BUDGET, DEFAULT, LEAST, SHARE, percent, run


@pytest.mark.parametrize("agents", [1, 4, 8])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_coding_agents_worst_case_reservation_blocks_a_budget_that_is_not_spent(agents: int, seed: int) -> None:
    # litellm pull 38647: $25 blocked with $0 spent
    least, wait_s, calibrated = DEFAULT
    found = run(agents, least, wait_s, calibrated=calibrated, seed=seed)
    assert percent(found.at_refusal) >= SHARE
    assert found.spent <= BUDGET
    assert min(found.ratios) >= 1, "a reservation is never below what is billed"


def test_an_agent_bounded_by_bytes_alone_uses_the_budget_up_where_its_answers_may_be_cut_down() -> None:
    found = run(1, LEAST, 0, calibrated=False)
    assert percent(found.at_refusal) >= SHARE
    assert found.spent <= BUDGET


def test_agents_that_do_not_wait_are_refused_for_what_is_in_flight_only() -> None:
    found = run(4, LEAST, 0, calibrated=True)
    assert SHARE <= percent(found.spent) <= 100
    assert 85 <= percent(found.at_refusal) < SHARE
    assert min(found.ratios) >= 1
