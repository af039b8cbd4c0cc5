"""The most tokens that a request can take."""

from typing import Any

import pytest

from gptgate.core.facts import ChatRequest
from gptgate.core.snapshot import ModelSpec
from gptgate.core.wire import Dialect, Endpoint
from gptgate.cost.ceiling import ADDED_TOKENS, ADDED_TOKENS_TOOLS, FILE_TOKENS, IMAGE_TOKENS, ceiling_tokens


def request(**fields: Any) -> ChatRequest:
    base: dict[str, Any] = {
        "endpoint": Endpoint.CHAT,
        "dialect": Dialect.OPENAI,
        "body": b"",
        "document": {"messages": []},
        "model": "m",
        "stream": False,
        "wants_usage": False,
        "max_output_tokens": None,
        "choices": 1,
        "media": 0,
        "end_user": "",
        "segments": (),
    }
    return ChatRequest(**(base | fields))


def model(context_window: int = 0, max_output_tokens: int = 500) -> ModelSpec:
    return ModelSpec(
        name="m",
        provider="p",
        upstream_name="m",
        context_window=context_window,
        max_output_tokens=max_output_tokens,
        price=None,
        location="cloud",
    )


def test_a_token_is_at_least_a_byte() -> None:
    assert ceiling_tokens(request(), model(), 1000) == (1000 + ADDED_TOKENS, 500)


def test_the_context_window_bounds_the_input_where_it_is_known() -> None:
    assert ceiling_tokens(request(), model(800), 1000)[0] == 800
    assert ceiling_tokens(request(), model(100_000), 1000)[0] == 1000 + ADDED_TOKENS


@pytest.mark.parametrize("field", ["tools", "functions", "response_format", "output_config"])
def test_tools_and_structured_answers_take_instructions(field: str) -> None:
    assert ceiling_tokens(request(document={"messages": [], field: []}), model(), 0)[0] == ADDED_TOKENS_TOOLS


@pytest.mark.parametrize(("asked", "output"), [(None, 500), (20, 20), (100_000, 100_000), (1, 1), (0, 500), (-1, 500)])
def test_the_requests_own_bound_counts_and_the_models_only_without_one(asked: int | None, output: int) -> None:
    assert ceiling_tokens(request(max_output_tokens=asked), model(), 10)[1] == output


@pytest.mark.parametrize(("choices", "output"), [(1, 500), (4, 2000), (0, 500)])
def test_choices_multiply_the_output_only(choices: int, output: int) -> None:
    assert ceiling_tokens(request(choices=choices), model(), 10) == (10 + ADDED_TOKENS, output)


def test_embeddings_have_no_output_and_many_windows() -> None:
    assert ceiling_tokens(request(endpoint=Endpoint.EMBEDDINGS), model(8), 1000) == (1000 + ADDED_TOKENS, 0)


def test_counting_tokens_is_free_of_charge() -> None:
    assert ceiling_tokens(request(endpoint=Endpoint.COUNT_TOKENS, media=3), model(), 1000) == (0, 0)


IMAGES: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    {"type": "image", "source": {"type": "base64", "data": "AAAA"}},
]


@pytest.mark.parametrize("part", IMAGES)
def test_an_image_has_an_allowance(part: dict[str, Any]) -> None:
    document = {"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, part, part]}]}
    inline = 2 * 4 if part["type"] == "image" else 0
    bound = ceiling_tokens(request(document=document, media=2), model(), 100)[0]
    assert bound == 100 - inline + ADDED_TOKENS + 2 * IMAGE_TOKENS


@pytest.mark.parametrize(
    ("part", "inline"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 900}}, 922),
        ({"type": "input_image", "image_url": "data:image/png;base64," + "A" * 900}, 922),
        ({"type": "image", "source": {"type": "base64", "data": "A" * 900}}, 900),
        ({"type": "image", "source": {"type": "url", "data": "A" * 900}}, 0),
        ({"type": "image", "source": {"type": "base64", "data": 900}}, 0),
        ({"type": "image", "source": None}, 0),
        ({"type": "image_url", "image_url": {"url": "https://example.com/" + "A" * 900}}, 0),
        ({"type": "image_url"}, 0),
    ],
)
def test_the_bytes_of_an_image_are_no_text(part: dict[str, Any], inline: int) -> None:
    document = {"messages": [{"role": "user", "content": [part]}]}
    bound = ceiling_tokens(request(document=document, media=1), model(), 1000)[0]
    assert bound == 1000 - inline + ADDED_TOKENS + IMAGE_TOKENS


def test_a_body_shorter_than_its_images_leaves_the_allowances() -> None:
    document = {"messages": [{"role": "user", "content": [IMAGES[1]]}]}
    bound = ceiling_tokens(request(document=document, media=1), model(), 0)[0]
    assert bound == ADDED_TOKENS - 4 + IMAGE_TOKENS


def test_an_image_in_a_tool_result_is_an_image() -> None:
    result = {"type": "tool_result", "content": [IMAGES[1]]}
    document = {"messages": [{"role": "user", "content": [result]}]}
    assert ceiling_tokens(request(document=document, media=1), model(), 4)[0] == ADDED_TOKENS + IMAGE_TOKENS


@pytest.mark.parametrize(
    ("window", "bound"), [(0, ADDED_TOKENS + FILE_TOKENS), (200_000, 200_000), (2_000_000, 2_000_000)]
)
def test_any_other_part_may_fill_the_window(window: int, bound: int) -> None:
    document = {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}
    assert ceiling_tokens(request(document=document, media=1), model(window), 0)[0] == bound


def test_parts_that_are_not_found_as_images_count_as_files() -> None:
    document = {"messages": "not a list", "input": [IMAGES[0]]}
    assert ceiling_tokens(request(document=document, media=2), model(), 0)[0] == ADDED_TOKENS + 2 * FILE_TOKENS


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    part: dict[str, Any] = IMAGES[1]
    for _ in range(50_000):
        part = {"type": "tool_result", "content": [part]}
    document = {"messages": [part]}
    assert ceiling_tokens(request(document=document, media=1), model(), 4)[0] == ADDED_TOKENS + IMAGE_TOKENS
