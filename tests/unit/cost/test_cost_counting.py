"""Requests whose texts are counted by a tokenizer, and the rest by its bytes."""

import json
from typing import Any

import pytest

from gptgate.core.tokens import NoTokenizers
from gptgate.cost import counting
from gptgate.cost.ceiling import ADDED_TOKENS, ADDED_TOKENS_TOOLS
from gptgate.cost.counting import CountedModel, Distrust, ExactBounds, most_tokens
from vocabulary import counting as counts

COUNT = counts("o200k_base")
PROSE = "the gate and the budget of the gate. " * 50
SAVED = len(PROSE) - most_tokens(PROSE, COUNT)
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


def body(*messages: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": list(messages), **fields}).encode()


def most(sent: bytes) -> int | None:
    return bounds_of("m").most("m", sent)


def bounds_of(*models: str) -> ExactBounds:
    counts = {name: (CountedModel("p", name, "o200k_base"), COUNT) for name in models}
    return ExactBounds(counts, Distrust(lambda _: None))


def test_prose_takes_far_fewer_tokens_than_bytes() -> None:
    assert most_tokens(PROSE, COUNT) < len(PROSE) / 3
    assert most_tokens(PROSE, COUNT) - COUNT(PROSE) < 16


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant"])
def test_texts_take_their_tokens_and_the_rest_its_bytes(role: str) -> None:
    sent = body({"role": role, "content": PROSE})
    assert most(sent) == len(sent) - SAVED + ADDED_TOKENS


def test_parts_of_a_message_are_texts_too() -> None:
    sent = body({"role": "user", "content": [{"type": "text", "text": PROSE}, {"type": "text", "text": PROSE}]})
    assert most(sent) == len(sent) - 2 * SAVED + ADDED_TOKENS


def test_escapes_of_json_are_no_text() -> None:
    sent = body({"role": "user", "content": "中文。" * 100})
    assert b"\\u4e2d" in sent
    assert most(sent) == len(sent) - len("中文。") * 600 + most_tokens("中文。" * 100, COUNT) + ADDED_TOKENS


def test_tools_calls_and_their_results_take_their_bytes() -> None:
    """How a provider sets them is its own affair: a result may be quoted once more."""
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": PROSE}}
    messages: list[dict[str, Any]] = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": PROSE},
        {"role": "user", "content": "hello", "name": "somebody"},
    ]
    sent = body(*messages, tools=[TOOL])
    assert most(sent) == len(sent) + ADDED_TOKENS_TOOLS


@pytest.mark.parametrize(
    "sent",
    [
        body({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com"}}]}),
        body({"role": "user", "content": PROSE, "unknown": 1}),
        body({"role": "user", "content": PROSE}, web_search_options={}),
        body({"role": "user", "content": PROSE}, prediction={"type": "content", "content": PROSE}),
        json.dumps({"model": "m", "input": PROSE}).encode(),
    ],
    ids=["image", "unknown part", "search", "prediction", "embeddings"],
)
def test_what_is_not_known_to_be_plain_is_not_counted(sent: bytes) -> None:
    assert most(sent) is None


@pytest.mark.parametrize("text", [PROSE + "<|endoftext|>", "x" * 100, "", "   ", "!?" * 60], ids=repr)
def test_texts_that_might_be_read_in_another_way_take_their_bytes(text: str) -> None:
    assert most_tokens(text, COUNT) == len(text)


def test_a_long_piece_without_a_cut_takes_its_bytes() -> None:
    """Threat: a tokenizer that takes long for what nobody writes."""
    asked: list[int] = []

    def count(text: str) -> int:
        asked.append(len(text))
        return COUNT(text)

    long = "the gate " + "x" * (counting.MOST_CHUNK + 1) + " and the gate"
    assert most_tokens(long, count) > counting.MOST_CHUNK
    assert max(asked, default=0) <= counting.MOST_CHUNK


def test_only_so_much_is_counted_for_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_COUNTED", len(PROSE) * 2)
    sent = body(*[{"role": "user", "content": PROSE}] * 5)
    assert most(sent) == len(sent) - 2 * SAVED + ADDED_TOKENS


def test_a_tokenizer_that_counted_too_little_is_not_asked_again() -> None:
    bounds, sent = bounds_of("m", "other"), body({"role": "user", "content": PROSE})
    bound = bounds.most("m", sent)
    assert bound is not None
    bounds.counted("m", bound, bound)
    assert bounds.knows("m")
    bounds.counted("m", bound, bound + 1)
    assert (bounds.knows("m"), bounds.most("m", sent), bounds.knows("other")) == (False, None, True)


def test_without_tokenizers_nothing_is_counted() -> None:
    none = NoTokenizers()
    none.counted("m", 1, 2)
    assert (none.knows("m"), none.most("m", b"{}")) == (False, None)
