"""Coding agents (a synthetic trace: see `bench.agents`) use a budget up before anybody is refused, and never more."""

import pytest
from bench.agents import BUDGET, SHARE, WAIT_S, percent, run


@pytest.mark.parametrize("seed", [1, 2])
def test_a_coding_agents_worst_case_reservation_blocks_a_budget_that_is_not_spent(seed: int) -> None:
    # litellm pull 38647: $25 blocked with $0 spent
    found = run(1, 0, 0, calibrated=True, seed=seed)
    assert percent(found.at_refusal) >= SHARE
    assert found.spent <= BUDGET
    assert min(found.ratios) >= 1, "a reservation is never below what is billed"


@pytest.mark.parametrize("seed", [1, 2])
def test_agents_that_wait_are_refused_late_and_spend_the_budget(seed: int) -> None:
    """Who is overtaken until its time is over is refused a little before the share is spent: the rest is in flight."""
    found = run(4, 0, WAIT_S, calibrated=True, seed=seed)
    assert percent(found.at_refusal) >= SHARE - 3
    assert SHARE <= percent(found.spent) <= 100
    assert min(found.ratios) >= 1


def test_agents_that_do_not_wait_are_refused_for_what_is_in_flight_only() -> None:
    found = run(4, 1024, 0, calibrated=True)
    assert SHARE <= percent(found.spent) <= 100
    assert 85 <= percent(found.at_refusal) < SHARE
    assert min(found.ratios) >= 1
