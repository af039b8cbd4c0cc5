"""Usage as providers report it, and as a provider that lies does: what cannot be believed is no usage at all."""

from typing import Any

import pytest

from gptgate.core.facts import Usage
from gptgate.providers.anthropic_common import read_usage as read_anthropic
from gptgate.providers.openai_common import read_usage as read_openai

LIES: list[Any] = [-1, 1.0, 1.5, "12", True, False, [], {}, 10**9 + 1, 10**40, float("nan")]
NO_USAGE: list[Any] = [None, [], "usage", 7, {}, True]


def test_openai_counts_are_read() -> None:
    reported = {
        "prompt_tokens": 20,
        "completion_tokens": 30,
        "total_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 9},
    }
    assert read_openai(reported) == Usage(input_tokens=20, output_tokens=30, cache_read=5, audio_input=0)


def test_kinds_of_tokens_are_counted_where_they_are_said() -> None:
    reported = {
        "prompt_tokens": 20,
        "completion_tokens": 30,
        "prompt_tokens_details": {"audio_tokens": 12, "image_tokens": 8},
        "completion_tokens_details": {"audio_tokens": 0, "image_tokens": None},
    }
    expected = Usage(input_tokens=20, output_tokens=30, audio_input=12, image_input=8, audio_output=0)
    assert read_openai(reported) == expected


@pytest.mark.parametrize("lie", [*LIES, 5], ids=repr)
@pytest.mark.parametrize("kind", ["audio_tokens", "image_tokens"])
@pytest.mark.parametrize("details", ["prompt_tokens_details", "completion_tokens_details"])
def test_unbelievable_numbers_of_a_kind_make_openai_usage_unknown(details: str, kind: str, lie: Any) -> None:
    """Of four tokens."""
    reported = {"prompt_tokens": 4, "completion_tokens": 4}
    assert read_openai({**reported, details: {kind: 4}}) is not None
    assert read_openai({**reported, details: {kind: lie}}) is None


@pytest.mark.parametrize("details", ["prompt_tokens_details", "completion_tokens_details"])
def test_kinds_that_are_more_than_the_whole_together_are_a_contradiction(details: str) -> None:
    reported = {"prompt_tokens": 4, "completion_tokens": 4, details: {"audio_tokens": 3, "image_tokens": 2}}
    assert read_openai(reported) is None


def test_anthropic_input_counts_cached_reads_and_writes() -> None:
    reported = {
        "input_tokens": 20,
        "output_tokens": 30,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 0},
    }
    assert read_anthropic(reported) == Usage(input_tokens=32, output_tokens=30, cache_read=5, cache_write=7)


def test_counts_of_details_may_be_absent_or_null() -> None:
    openai = {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": None}
    assert read_openai(openai) == Usage(input_tokens=1, output_tokens=2)
    anthropic = {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": None}
    assert read_anthropic(anthropic) == Usage(input_tokens=1, output_tokens=2)


def test_embeddings_report_no_output() -> None:
    assert read_openai({"prompt_tokens": 4, "total_tokens": 4}, has_output=False) == Usage(input_tokens=4)


@pytest.mark.parametrize("value", NO_USAGE, ids=repr)
def test_what_is_no_usage_object_is_none(value: Any) -> None:
    assert read_openai(value) is None
    assert read_anthropic(value) is None


@pytest.mark.parametrize("lie", [*LIES, None], ids=repr)
@pytest.mark.parametrize("field", ["prompt_tokens", "completion_tokens"])
def test_one_unbelievable_count_makes_openai_usage_unknown(field: str, lie: Any) -> None:
    honest = {"prompt_tokens": 3, "completion_tokens": 4}
    assert read_openai({**honest, field: lie}) is None
    assert read_openai({name: count for name, count in honest.items() if name != field}) is None


@pytest.mark.parametrize("lie", LIES, ids=repr)
def test_unbelievable_cached_tokens_make_openai_usage_unknown(lie: Any) -> None:
    reported = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": lie}}
    assert read_openai(reported) is None


def test_more_cached_than_input_tokens_is_a_contradiction() -> None:
    reported = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}}
    assert read_openai(reported) is None


@pytest.mark.parametrize("lie", [*LIES, None], ids=repr)
@pytest.mark.parametrize("field", ["input_tokens", "output_tokens"])
def test_one_unbelievable_count_makes_anthropic_usage_unknown(field: str, lie: Any) -> None:
    honest = {"input_tokens": 3, "output_tokens": 4}
    assert read_anthropic({**honest, field: lie}) is None
    assert read_anthropic({name: count for name, count in honest.items() if name != field}) is None


@pytest.mark.parametrize("lie", LIES, ids=repr)
@pytest.mark.parametrize("field", ["cache_read_input_tokens", "cache_creation_input_tokens"])
def test_unbelievable_cache_counts_make_anthropic_usage_unknown(field: str, lie: Any) -> None:
    assert read_anthropic({"input_tokens": 3, "output_tokens": 4, field: lie}) is None
