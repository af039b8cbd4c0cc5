"""What users complain about in other gateways, and what attackers and researchers found there, with the test that is
named after each symptom, or that would fail if gptgate had it.

Threads are ``owner/repository#number``; advisories go by their number; what clients expect has a name of its own.
"""

Found = dict[str, tuple[str, str]]
"""Thread → file and test."""

COST = "system/test_complaints_cost.py"
SHARED = "system/test_shared_counters.py"
REDIS = "unit/shared/test_shared_complaints.py"
GUARDED = "system/test_complaints_guards.py"
CLIENTS = "system/test_complaints_clients.py"
ATTACKS = "security/test_complaints_findings.py"
OUTAGES = "fault/test_complaints_outages.py"
SOURCE = "architecture/test_complaints_source.py"
CANARIES = "security/test_canaries.py"
DISK = "fault/test_storage_disk.py"
SCHEMA = "unit/storage/test_storage_schema.py"
REFUSALS = "system/test_sdk_refusals.py"

MONEY: Found = {
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
GUARDS: Found = {
    # Guards against streams; masks that break.
    "BerriAI/litellm#41611": (GUARDED, "test_a_value_split_across_chunks_is_masked"),
    "BerriAI/litellm#41936": ("property/test_detectors_stream.py", "test_cut_at_every_place"),
    "BerriAI/litellm#31756": (GUARDED, "test_a_denied_stream_ends_with_an_error_and_not_with_the_secret"),
    "BerriAI/litellm#20027": (GUARDED, "test_a_stream_without_findings_arrives_word_by_word_and_whole"),
    "BerriAI/litellm#30028": (
        "property/test_pipeline_restored_streams.py",
        "test_the_bytes_are_cut_in_two_at_every_place",
    ),
    "BerriAI/litellm#30316": (GUARDED, "test_what_was_taken_out_is_restored_in_streams"),
    "BerriAI/litellm#22821": (
        "system/test_rewriting.py",
        "test_people_are_pseudonyms_for_the_provider_and_themselves_for_the_caller",
    ),
    "BerriAI/litellm#41600": (GUARDED, "test_a_person_keeps_the_name_across_turns"),
    "BerriAI/litellm#31062": ("system/test_presidio.py", "test_without_an_answer_it_fails_as_configured"),
    "BerriAI/litellm#30728": (GUARDED, "test_a_guard_that_is_down_refuses_unless_told_otherwise"),
    "BerriAI/litellm#19779": (GUARDED, "test_a_guard_that_is_down_refuses_unless_told_otherwise"),
    "agentgateway/agentgateway#1832": (GUARDED, "test_a_guard_that_is_down_refuses_unless_told_otherwise"),
    "agentgateway/agentgateway#2956": (GUARDED, "test_a_value_split_across_chunks_is_masked"),
    "agentgateway/agentgateway#3603": (GUARDED, "test_a_stream_without_findings_arrives_word_by_word_and_whole"),
    "agentgateway/agentgateway#2955": (GUARDED, "test_an_order_in_a_tool_s_result_is_refused"),
    "agentgateway/agentgateway#1607": ("system/test_presidio.py", "test_every_effect_is_there"),
    "BerriAI/litellm#35999": (GUARDED, "test_an_order_in_a_tool_s_result_is_refused"),
    "api7/aisix#204": (GUARDED, "test_a_value_split_across_chunks_is_masked"),
    "api7/aisix#512": ("fault/test_streams.py", "test_secrets_that_are_cut_anywhere_on_the_wire_never_arrive"),
    "langchain4j/langchain4j#4316": (GUARDED, "test_a_value_split_across_chunks_is_masked"),
}
SECRETS: Found = {
    # Keys and personal data in logs, records and errors.
    "BerriAI/litellm#31620": (ATTACKS, "test_a_new_key_is_in_the_audit_log_as_it_is"),
    "BerriAI/litellm#30670": (GUARDED, "test_no_key_is_written_anywhere_when_it_is_refused"),
    "BerriAI/litellm#18731": (GUARDED, "test_no_key_is_written_anywhere_when_it_is_refused"),
    "BerriAI/litellm#20240": (ATTACKS, "test_a_guard_writes_credentials_down"),
    "BerriAI/litellm#6963": ("unit/config/test_config_load.py", "test_providers_that_cannot_work_are_refused"),
    "BerriAI/litellm#15799": (CANARIES, "test_a_secret_in_an_answer_gets_no_further"),
    "BerriAI/litellm#13073": (CANARIES, "test_a_defect_that_quotes_a_request_is_told_of_by_its_place"),
    "BerriAI/litellm#8075": (
        "contract/test_upstream.py",
        "test_no_error_shows_the_provider_s_address_or_the_credential",
    ),
    "BerriAI/litellm#35951": (GUARDED, "test_a_kept_text_is_kept_without_what_rules_take_out"),
    "BerriAI/litellm#37965": (CANARIES, "test_a_secret_in_a_request_is_kept_nowhere_but_in_full_contents"),
}
RECORDS: Found = {
    # Records that are lost; a database that stops everything.
    "BerriAI/litellm#34805": ("fault/test_shutdown.py", "test_sigterm_with_requests_in_flight"),
    "BerriAI/litellm#34820": ("fault/test_hang_ups.py", "test_500_hang_ups_are_settled_and_recorded"),
    "BerriAI/litellm#38157": ("fault/test_kill_nine.py", "test_a_killed_gateway_forgets_no_request_and_no_money"),
    "BerriAI/litellm#34887": (
        "fault/test_dead_store.py",
        "test_a_store_that_dies_under_load_loses_no_answered_request",
    ),
    "BerriAI/litellm#27989": (
        DISK,
        "test_a_failing_write_refuses_requests_keeps_ends_and_mends_itself",
    ),
    "BerriAI/litellm#6895": ("unit/storage/test_storage_keys.py", "test_keys_change_while_a_gateway_writes_records"),
    "BerriAI/litellm#18708": (GUARDED, "test_a_key_is_looked_up_without_any_database"),
    "BerriAI/litellm#34929": (
        "fault/test_dead_store.py",
        "test_without_records_nothing_passes_and_all_is_well_afterwards",
    ),
    "BerriAI/litellm#35273": (OUTAGES, "test_counters_that_never_answer_block_every_request"),
    "BerriAI/litellm#29986": (GUARDED, "test_a_key_is_looked_up_without_any_database"),
}
GROWTH: Found = {
    # Memory, the start, upgrades, settings that do nothing.
    "BerriAI/litellm#12685": (OUTAGES, "test_every_request_leaves_memory_behind"),
    "BerriAI/litellm#38193": (DISK, "test_requests_are_refused_at_once_while_writes_fail"),
    "BerriAI/litellm#27954": (OUTAGES, "test_every_request_leaves_memory_behind"),
    "BerriAI/litellm#21908": (OUTAGES, "test_every_request_leaves_memory_behind"),
    "BerriAI/litellm#25219": (OUTAGES, "test_every_request_leaves_memory_behind"),
    "BerriAI/litellm#15128": (OUTAGES, "test_every_request_leaves_memory_behind"),
    "BerriAI/litellm#6404": (OUTAGES, "test_every_request_leaves_memory_behind"),
    "mlflow/mlflow#25184": (OUTAGES, "test_every_request_leaves_memory_behind"),
    "BerriAI/litellm#20697": (
        "unit/storage/test_storage_usage.py",
        "test_a_year_of_a_hundred_million_requests_is_reported_in_a_second",
    ),
    "BerriAI/litellm#10943": ("unit/storage/test_storage_compiled.py", "test_a_second_start_compiles_nothing"),
    "BerriAI/litellm#2677": ("unit/cli/test_cli_main.py", "test_a_command_loads_no_server_and_no_provider_client"),
    "BerriAI/litellm#23976": (OUTAGES, "test_a_gateway_starts_although_a_migration_failed"),
    "BerriAI/litellm#34236": ("unit/storage/test_storage_sqlite.py", "test_an_unwritable_folder_is_one_clear_error"),
    "BerriAI/litellm#21995": (SCHEMA, "test_a_failed_migration_leaves_the_version_before_it"),
    "BerriAI/litellm#19289": (SCHEMA, "test_an_empty_database_is_migrated_to_the_latest_version"),
    "BerriAI/litellm#19773": (SCHEMA, "test_processes_that_migrate_at_the_same_time_do_it_once"),
    "maximhq/bifrost#1912": (GUARDED, "test_what_cannot_be_enforced_is_refused_at_the_start"),
    "maximhq/bifrost#2408": (GUARDED, "test_what_cannot_be_enforced_is_refused_at_the_start"),
}
TENANTS: Found = {
    # Tenants, what auditors ask for, clients.
    "BerriAI/litellm#29955": (GUARDED, "test_no_answer_goes_to_another_tenant"),
    "theopenco/llmgateway#3758": (GUARDED, "test_no_answer_goes_to_another_tenant"),
    "wso2/api-platform#733": (GUARDED, "test_no_answer_goes_to_another_tenant"),
    "BerriAI/litellm#29895": ("system/test_audit_proofs.py", "test_a_request_is_proven_in_one_file"),
    "obot-platform/obot#7146": (GUARDED, "test_a_violation_is_on_record_with_its_rule_and_what_was_found"),
    "Portkey-AI/gateway#1718": (GUARDED, "test_no_caller_names_the_provider_s_host"),
    "kodustech/kodus-ai#1828": (CLIENTS, "test_cache_marks_are_dropped_on_an_openai_compatible_hop"),
    "router-for-me/CLIProxyAPI#2596": (GUARDED, "test_what_a_provider_s_features_need_passes_unchanged"),
    "router-for-me/CLIProxyAPI#4524": (CLIENTS, "test_the_beginning_of_a_conversation_changes_from_turn_to_turn"),
    "caozhiyuan/copilot-api#331": ("system/test_anthropic_sdk.py", "test_thinking_comes_back_as_it_was"),
    "openai/harmony#101": ("unit/test_tokenizers.py", "test_a_file_that_is_not_there_is_an_error"),
}
ADVISORIES: Found = {
    # What attackers and researchers found.
    "BerriAI/litellm#24512": (SOURCE, "test_a_requirement_is_not_held_to_what_was_looked_at"),
    "BerriAI/litellm#24518": (SOURCE, "test_a_requirement_is_not_held_to_what_was_looked_at"),
    "BerriAI/litellm#24521": (SOURCE, "test_a_requirement_is_not_held_to_what_was_looked_at"),
    "GHSA-r75f-5x8p-qvmc": (ATTACKS, "test_sql_in_a_key_is_run_before_anybody_is_known"),
    "GHSA-jjhc-v7c2-5hh6": (ATTACKS, "test_a_key_that_begins_like_another_opens_what_that_one_opens"),
    "GHSA-53mr-6c8q-9789": (ATTACKS, "test_a_caller_s_key_gives_orders_to_the_control_plane"),
    "GHSA-69x8-hrgq-fjj8": (ATTACKS, "test_the_hash_of_a_key_opens_what_the_key_opens"),
    "GHSA-v4p8-mg3p-g94g": (SOURCE, "test_something_in_the_gateway_runs_programs_or_templates"),
    "GHSA-xqmj-j6mv-4862": (ATTACKS, "test_a_text_of_a_caller_is_run_as_a_template"),
    "GHSA-46cm-pfwv-cgf8": (ATTACKS, "test_a_text_of_a_caller_is_run_as_a_template"),
    "GHSA-4xpc-pv4p-pm3w": (ATTACKS, "test_a_host_header_opens_what_a_key_opens"),
    "requests that hide in others": (ATTACKS, "test_a_request_hides_in_another"),
    "credentials in the logs of guards": (ATTACKS, "test_a_guard_writes_credentials_down"),
    "CVE-2025-66405": ("security/test_isolation.py", "test_no_header_leads_elsewhere"),
    "GHSA-h7x2-h6g9-p789": ("security/test_isolation.py", "test_no_redirect_is_followed"),
    "mlflow/mlflow#25070": ("security/test_isolation.py", "test_no_field_leads_elsewhere"),
    "mlflow/mlflow#23500": ("system/test_bad_input.py", "test_a_stranger_leaves_no_record"),
    "GHSA-h9ww-f95j-h54c": (GUARDED, "test_no_answer_goes_to_another_tenant"),
}
FEATURES: Found = {
    # What clients expect of everything between them and a provider.
    "prompt caching": (CLIENTS, "test_the_beginning_of_a_conversation_changes_from_turn_to_turn"),
    "unknown betas": (CLIENTS, "test_a_beta_of_tomorrow_is_refused_or_dropped"),
    "pings and unknown events": (CLIENTS, "test_pings_and_events_of_tomorrow_are_filtered"),
    "usage that nobody asked for": ("system/test_openai_sdk.py", "test_stream"),
    "parallel tool calls": (CLIENTS, "test_arguments_of_parallel_tool_calls_are_mixed_up"),
    "placeholders in arguments of tools": ("system/test_rewriting.py", "test_arguments_of_a_tool_call_are_restored"),
    "idle timeouts while a stream is held": ("fault/test_streams.py", "test_comments_keep_a_silent_stream_awake"),
    "x-should-retry": (REFUSALS, "test_what_no_retry_mends_reaches_the_gateway_once"),
    "compressed answers": (
        "fault/test_upstream_nasty.py",
        "test_a_compressed_body_is_read_plain_and_its_own_headers_are_gone",
    ),
    "compressed requests": ("system/test_bad_input.py", "test_a_compressed_body_is_not_read"),
    "413 for large images": ("system/test_bad_input.py", "test_a_body_of_exactly_the_limit_is_read"),
    "the key in either header": (
        "unit/auth/test_auth_authenticate.py",
        "test_a_key_is_accepted_in_either_header",
    ),
    "upgrades to a websocket": ("system/test_bad_input.py", "test_an_offer_to_upgrade_is_ignored"),
}
FOUND = (MONEY, GUARDS, SECRETS, RECORDS, GROWTH, TENANTS, ADVISORIES, FEATURES)
NOT_OURS: dict[str, str] = {
    "BerriAI/litellm#25762": "Nothing of gptgate is sold: its licence is Apache 2.0, and nothing asks for another.",
    "BerriAI/litellm#16866": "As above. There is no sign-in for people either: the control plane has one token.",
    "api7/aisix#63": "As above.",
    "Responses: encrypted_content, previous_response_id, store": "gptgate does not serve /v1/responses: 404.",
    "Responses: WebSocket first, then 426": "As above. On paths that are served an offer to upgrade is ignored.",
}
"""What cannot happen, and why."""
