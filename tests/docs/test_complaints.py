"""What users of other gateways complain about, and the test that is named after each symptom.

Budgets that leak or block falsely, limits that do not limit, spending of streams that is lost: the threads below, as
``owner/repository#number``. All of them apply. What they complain of in guards, logs and tenants stands with the tests
of `tests/system/test_complaints_guards.py`.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
COST = "system/test_complaints_cost.py"
SHARED = "system/test_shared_counters.py"
REDIS = "unit/shared/test_shared_complaints.py"

THREADS: dict[str, tuple[str, str]] = {
    # Budgets: overspent, raced, blocking falsely.
    "BerriAI/litellm#34732": (COST, "test_concurrent_requests_of_a_session_all_pass_before_any_spend_is_recorded"),
    "BerriAI/litellm#40095": (COST, "test_the_first_concurrent_requests_of_a_fresh_key_bypass_its_budget"),
    "BerriAI/litellm#26672": (COST, "test_the_first_concurrent_requests_of_a_fresh_key_bypass_its_budget"),
    "BerriAI/litellm#27381": (COST, "test_a_limit_is_not_enforced_on_some_route"),
    "BerriAI/litellm#27509": (
        COST,
        "test_a_request_without_max_tokens_pins_the_budget_although_it_cost_almost_nothing",
    ),
    "BerriAI/litellm#38647": (
        "property/test_cost_agents.py",
        "test_a_coding_agents_worst_case_reservation_blocks_a_budget_that_is_not_spent",
    ),
    "BerriAI/litellm#36926": (
        COST,
        "test_a_request_without_max_tokens_pins_the_budget_although_it_cost_almost_nothing",
    ),
    "BerriAI/litellm#40050": (
        COST,
        "test_a_request_without_max_tokens_pins_the_budget_although_it_cost_almost_nothing",
    ),
    "BerriAI/litellm#35524": (COST, "test_an_unknown_price_is_counted_as_zero"),
    "BerriAI/litellm#33923": (COST, "test_a_failing_reservation_lets_the_request_pass"),
    "BerriAI/litellm#40002": (COST, "test_long_contexts_are_reserved_at_the_base_rate"),
    "BerriAI/litellm#35569": (COST, "test_a_failed_request_is_counted_twice"),
    "BerriAI/litellm#25874": (COST, "test_an_unknown_price_is_counted_as_zero"),
    "BerriAI/litellm#36561": (COST, "test_an_unknown_price_is_counted_as_zero"),
    "BerriAI/litellm#35914": (COST, "test_an_unknown_price_is_counted_as_zero"),
    "BerriAI/litellm#22726": (COST, "test_a_budget_stops_requests_although_no_such_budget_was_set"),
    "BerriAI/litellm#50438": (SHARED, "test_a_thousand_requests_at_four_processes_spend_exactly_the_budget"),
    "maximhq/bifrost#2873": (COST, "test_passthrough_routes_bypass_budgets"),
    "maximhq/bifrost#5673": (COST, "test_a_budget_is_accepted_but_never_enforced"),
    "majiayu000/litellm-rs#750": (
        COST,
        "test_concurrent_requests_of_a_session_all_pass_before_any_spend_is_recorded",
    ),
    # Limits that do not limit, or too early.
    "BerriAI/litellm#27736": (SHARED, "test_a_limit_is_multiplied_by_the_number_of_replicas"),
    "BerriAI/litellm#40291": (SHARED, "test_a_limit_is_multiplied_by_the_number_of_replicas"),
    "BerriAI/litellm#6938": (COST, "test_a_limit_is_walked_through_by_concurrent_requests"),
    "BerriAI/litellm#24677": (COST, "test_a_limit_is_walked_through_by_concurrent_requests"),
    "BerriAI/litellm#10555": (COST, "test_a_token_limit_counts_after_the_answer_only"),
    "BerriAI/litellm#5609": (REDIS, "test_counters_in_redis_have_no_ttl_and_accumulate_day_over_day"),
    "BerriAI/litellm#8430": (REDIS, "test_keys_in_redis_are_out_of_step_with_what_is_enforced"),
    "envoyproxy/ai-gateway#2394": (COST, "test_a_token_limit_counts_after_the_answer_only"),
    "envoyproxy/ai-gateway#1754": (COST, "test_the_remaining_tokens_never_decrease"),
    "wso2/api-platform#2932": (COST, "test_a_token_limit_charges_one_for_a_request"),
    "wso2/api-platform#1548": (COST, "test_a_token_limit_buffers_the_stream"),
    # Usage of streams that is lost, or made up.
    "BerriAI/litellm#35958": (COST, "test_an_interrupted_messages_stream_is_not_on_record"),
    "BerriAI/litellm#37992": (COST, "test_a_genuine_zero_usage_is_replaced_by_an_estimate"),
    "BerriAI/litellm#39893": (COST, "test_a_genuine_zero_usage_is_replaced_by_an_estimate"),
    "higress-group/higress#4145": (COST, "test_an_interrupted_messages_stream_is_not_on_record"),
    "ferro-labs/ai-gateway#281": (COST, "test_streams_report_no_usage_because_nobody_asked_for_it"),
    "bitrouter/bitrouter#537": (COST, "test_an_interrupted_messages_stream_is_not_on_record"),
    "defilantech/LLMKube#1852": (COST, "test_a_caller_evades_a_budget_by_asking_for_a_stream"),
    "api7/aisix#794": (COST, "test_streams_report_no_usage_because_nobody_asked_for_it"),
    "Wei-Shaw/sub2api#4408": (COST, "test_a_hang_up_before_the_first_token_is_billed_in_full_for_ever"),
    "Wei-Shaw/sub2api#5456": (COST, "test_counting_tokens_forwards_prompts_unmetered"),
}
"""Thread → file and test."""


@pytest.mark.parametrize("thread", THREADS)
def test_each_complaint_has_its_test(thread: str) -> None:
    file, name = THREADS[thread]
    text = (TESTS / file).read_text()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            break
    else:
        pytest.fail(f"there is no {name} in tests/{file}")
    number = thread.partition("#")[2]
    assert number in (ast.get_source_segment(text, node) or ""), "the test names its threads"
