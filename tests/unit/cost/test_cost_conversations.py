"""What a provider counted of a conversation bounds what it counts when that goes on."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.conversation import Conversation
from gptgate.cost.ceiling import ADDED_TOKENS
from gptgate.cost.conversations import LEAST_BYTES, Conversations, beginning

SYSTEM = {"role": "system", "content": "You write programs. " * 1000}
CACHED = {"type": "ephemeral"}
TOOL = {"name": "t", "description": "Finds.", "input_schema": {"type": "object"}}
CALL = {"type": "tool_use", "id": "1", "name": "t", "input": {"q": "x"}}


def body(*messages: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": list(messages), **fields}, separators=(",", ":")).encode()


def said(text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text, **more}]}


def size(*messages: dict[str, Any]) -> int:
    return sum(len(json.dumps(message, separators=(",", ":"))) + 1 for message in messages)


def read(
    known: Conversations, sent: bytes, app: str = "app", model: str = "m", headers: Sequence[tuple[str, str]] = ()
) -> Conversation:
    conversation = known.read(app, "provider", model, headers, sent)
    assert conversation is not None
    return conversation


def count(known: Conversations, sent: bytes, tokens: int) -> None:
    known.counted(read(known, sent), tokens)


def test_nothing_is_said_of_what_was_never_counted() -> None:
    assert read(Conversations(), body(SYSTEM, said("hello"))).bound == 0


def test_what_is_appended_adds_its_bytes() -> None:
    known, first, more = Conversations(), said("hello"), (said("hi", "assistant"), said("and now?"))
    count(known, body(SYSTEM, first), 3000)
    assert read(known, body(SYSTEM, first)).bound == 3000 + ADDED_TOKENS
    assert read(known, body(SYSTEM, first, *more)).bound == 3000 + size(*more) + ADDED_TOKENS


def test_a_new_conversation_of_the_same_beginning_is_bounded_too() -> None:
    known, other = Conversations(), said("something else")
    count(known, body(SYSTEM, said("hello"), tools=[TOOL]), 3000)
    assert read(known, body(SYSTEM, other, tools=[TOOL])).bound == 3000 + size(other) + ADDED_TOKENS
    assert read(known, body(other, SYSTEM, tools=[TOOL])).bound == 3000 + size(other, SYSTEM) + ADDED_TOKENS


def test_the_longest_known_beginning_and_the_smallest_count_hold() -> None:
    known, turns = Conversations(), [said(f"turn {number}") for number in range(50)]
    for length, tokens in ((1, 3000), (20, 3500), (40, 4000), (40, 3900), (40, 4100)):
        count(known, body(SYSTEM, *turns[:length]), tokens)
    assert read(known, body(SYSTEM, *turns)).bound == 3900 + size(*turns[40:]) + ADDED_TOKENS


@pytest.mark.parametrize(
    "changed",
    [
        {"tools": [TOOL]},
        {"tool_choice": "auto"},
        {"model": "other"},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    ],
)
def test_another_field_is_another_conversation(changed: dict[str, Any]) -> None:
    known = Conversations()
    count(known, body(SYSTEM), 3000)
    assert read(known, body(SYSTEM, **changed)).bound == 0
    assert read(known, body(SYSTEM, max_tokens=5, stream=True, temperature=0.5)).bound == 3000 + ADDED_TOKENS


@pytest.mark.parametrize(
    ("app", "fields"),
    [
        ("app", {"p 1 1tools": b"[]"}),
        ("app", {"p": b"1", "tools": b"[ ]"}),
        ("appp", {"p": b"1", "tools": b"[]"}),
        ("app", {"p": b"15 tools", "": b"[]"}),
    ],
)
def test_no_other_fields_look_the_same(app: str, fields: dict[str, bytes]) -> None:
    digest = beginning("app", "p", "m", (), {"p": b"1", "tools": b"[]"})
    assert beginning(app, "p", "m", (), fields) != digest


def test_apps_and_models_know_nothing_of_each_other() -> None:
    known, sent = Conversations(), body(SYSTEM)
    count(known, sent, 3000)
    assert read(known, sent, app="other").bound == 0
    assert read(known, sent, model="other").bound == 0
    elsewhere = known.read("app", "other", "m", (), sent)
    assert elsewhere is not None
    assert elsewhere.bound == 0


def test_marks_for_a_cache_move_on_and_count_as_bytes() -> None:
    known = Conversations()
    count(known, body(SYSTEM, said("hello", cache_control=CACHED)), 3000)
    later = (said("hi", "assistant"), said("go on", cache_control=CACHED))
    unmarked = (later[0], said("go on"))
    marker = len(',"cache_control":{"type":"ephemeral"}')
    bound = read(known, body(SYSTEM, said("hello"), *later)).bound
    assert bound == 3000 + size(*unmarked) + 2 * marker + ADDED_TOKENS
    # Whoever hides text behind that name has another conversation.
    hidden = said("hello", cache_control={"type": "ephemeral", "text": "many words " * 100})
    assert read(known, body(SYSTEM, hidden)).bound > 3000 + 1100


def test_reasoning_that_counts_in_one_turn_and_not_in_the_next_counts_its_bytes_again() -> None:
    known = Conversations()
    thought = {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm " * 300, "signature": "s"}]}
    later = said("go on")
    count(known, body(SYSTEM, thought), 3000)
    bound = read(known, body(SYSTEM, thought, later)).bound
    assert bound == 3000 + size(thought) - 1 + size(later) + ADDED_TOKENS
    escaped = body(SYSTEM, thought, later).replace(b'"type":"thinking"', b'"type":"\\u0074hinking"')
    count(known, escaped, 3000)
    assert read(known, escaped).bound == 3000 + size(thought) - 1 + len("\\u0074") - 1 + ADDED_TOKENS
    # Words about thinking are no thinking.
    count(known, body(SYSTEM, said('"thinking" is a word')), 3000)
    assert read(known, body(SYSTEM, said('"thinking" is a word'))).bound == 3000 + ADDED_TOKENS


@pytest.mark.parametrize(
    "fields",
    [
        {"context_management": {}},
        {"truncation": "auto"},
        {"mcp_servers": []},
        {"unheard_of": 1},
        {"tools": [{**TOOL, "defer_loading": True}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "function", "function": {"name": "t", "defer_loading": True}}]},
        {"system": [{"type": "document", "text": "t"}]},
        {"output_config": {"task_budget": {"total": 1}}},
    ],
)
def test_where_anything_is_not_known_to_be_plain_nothing_is_said(fields: dict[str, Any]) -> None:
    assert Conversations().read("app", "provider", "m", (), body(SYSTEM, **fields)) is None


@pytest.mark.parametrize(
    "block",
    [
        '{"type":"tool_result","tool_use_id":"1","content":[{"type":"tool_reference","tool_name":"t"}]}',
        '{"type":"\\u0074ool_reference","tool_name":"t"}',
        '{"type":"server_tool_use","id":"1","name":"web_search","input":{}}',
        '{"type":"text","text":"t","citations":[{"encrypted_index":"t"}]}',
        '{"type":"unheard_of"}',
    ],
)
def test_a_part_that_may_stand_for_more_than_its_bytes_is_not_bounded(block: str) -> None:
    """Deferred tools count nothing until some bytes refer to them; searches add what nobody sent."""
    sent = body(SYSTEM, {"role": "user", "content": ["BLOCK"]}).replace(b'"BLOCK"', block.encode())
    assert Conversations().read("app", "provider", "m", (), sent) is None


def test_calls_of_plain_tools_and_their_results_are_bounded() -> None:
    known, begun = Conversations(), body(SYSTEM, said("hello"), tools=[TOOL], system="Find.")
    count(known, begun, 3000)
    result = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "found"}]}
    for turns in (
        ({"role": "assistant", "content": [CALL]}, {"role": "user", "content": [result]}),
        (
            {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "annotations": [],
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "t", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "found"},
        ),
    ):
        bound = read(known, body(SYSTEM, said("hello"), *turns, tools=[TOOL], system="Find.")).bound
        assert bound == 3000 + size(*turns) + ADDED_TOKENS


def test_headers_that_change_how_a_provider_reads_make_another_conversation() -> None:
    known, sent = Conversations(), body(SYSTEM)
    count(known, sent, 3000)
    assert read(known, sent, headers=[("traceparent", "00-1")]).bound == 3000 + ADDED_TOKENS
    assert read(known, sent, headers=[("anthropic-beta", "unheard-of")]).bound == 0


def test_short_bodies_and_those_without_messages_are_not_looked_at() -> None:
    known = Conversations()
    assert known.read("app", "provider", "m", (), body(said("hello"))) is None
    assert known.read("app", "provider", "m", (), json.dumps({"input": "x" * LEAST_BYTES}).encode()) is None


def test_one_count_above_its_bound_ends_it_for_the_model() -> None:
    known, sent = Conversations(), body(SYSTEM)
    count(known, sent, 3000)
    count(known, sent, 3000 + ADDED_TOKENS)
    count(known, sent, 3000 + ADDED_TOKENS + 1)
    assert known.read("app", "provider", "m", (), sent) is None
    assert read(known, sent, model="other").bound == 0


def test_memory_is_bounded_and_what_is_used_stays() -> None:
    known, used = Conversations(most=10), body(SYSTEM, said("used"))
    count(known, used, 3000)
    for number in range(100):
        assert read(known, used).bound == 3000 + ADDED_TOKENS
        other = {"role": "system", "content": f"{number} " * LEAST_BYTES}
        count(known, body(other, tools=[{**TOOL, "name": str(number)}]), 1)
    assert known.size == 10


WORDS = st.lists(st.sampled_from(["a", "bb", "ccc dd", "\u00e9\u00e8", "\U0001f600", "\\n", '"']), max_size=8).map(
    " ".join
)


@given(st.lists(WORDS, min_size=1, max_size=6), st.lists(WORDS, max_size=4), st.integers(0, 200), st.data())
def test_a_bound_is_never_below_what_a_provider_that_counts_by_messages_counts(
    begun: list[str], appended: list[str], template: int, data: st.DataObject
) -> None:
    """The provider counts a byte of every text as a token, the most that there can be, and adds its template once."""

    def counts(messages: list[dict[str, Any]]) -> int:
        return template + sum(len(str(message["content"]).encode()) for message in messages)

    known = Conversations()
    head = {"role": "system", "content": "x" * LEAST_BYTES}
    first = [head, *({"role": "user", "content": text} for text in begun)]
    known.counted(read(known, body(*first)), counts(first))
    cut = data.draw(st.integers(1, len(first)))
    then = first[:cut] + [{"role": "user", "content": text} for text in appended]
    bound = read(known, body(*then)).bound
    assert bound >= counts(then)
