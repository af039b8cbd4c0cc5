"""How many tokens a request can take at most: what is reserved before it is sent."""

from collections.abc import Container, Iterator
from typing import Any

from gptgate.core.facts import ChatRequest
from gptgate.core.snapshot import ModelSpec
from gptgate.core.wire import Endpoint

ADDED_TOKENS = 256
"""What a provider's template adds around the messages. Role markers are shorter than the JSON they stand for, so this
is for what has no counterpart in the body, such as a default system text (below 100 tokens where it was published)."""

ADDED_TOKENS_TOOLS = 4_096
"""The same when the request has tools or asks for a structured answer. Anthropic documents up to about 800 tokens of
instructions for tools, and 200 to 750 more for each of its own tools."""

IMAGE_TOKENS = 50_000
"""More than any documented image: gpt-4o-mini's 2,833 + 5,667 for each of at most 8 tiles is 48,169. Claude counts at
most about 4,800, the patch-based models of OpenAI at most about 12,000."""

FILE_TOKENS = 1_000_000
"""For any other part that is not text (a document, a file id), when the model's context window is not known. A small
file can have many pages, so its bytes bound nothing."""

_INSTRUCTING_FIELDS = frozenset(
    {"tools", "functions", "response_format", "output_format", "output_config", "mcp_servers"}
)
_IMAGE_TYPES = frozenset({"image", "image_url", "input_image"})


def ceiling_tokens(request: ChatRequest, model: ModelSpec, sent_body_bytes: int) -> tuple[int, int]:
    """The most (input, output) tokens that the request can be billed for, as it is sent.

    A token stands for at least one byte of text, so the bytes of the body bound its text; parts that are not text and
    what the provider adds have the allowances above. A chat's input also fits in the model's context window, where that
    is known. Output is what the request asks for, or the model's own bound when it sets none (which is then sent
    along), times the number of choices. Embeddings have no output. Counting tokens is free of charge at its providers.

    Not bounded here, for no field of the request bounds it: what a provider's own tools (web search) read while they
    answer. It is settled from the usage, and counted as an overrun.
    """
    if request.endpoint is Endpoint.COUNT_TOKENS:
        return 0, 0
    bound = sent_body_bytes + added_tokens(request.document)
    window = model.context_window
    if request.media:
        inline = list(_inline_image_sizes(request.document))
        images = min(len(inline), request.media)
        files = request.media - images
        # An image is billed by its pixels, so the bytes it takes in the body are no text. (Were they cut by a redaction
        # it would be no image any more, and the provider would refuse it.)
        bound = max(bound - sum(inline), 0) + images * IMAGE_TOKENS + files * (window or FILE_TOKENS)
    if request.endpoint is Endpoint.EMBEDDINGS:
        # One request embeds many inputs, each of which may fill the window.
        return bound, 0
    if window > 0:
        bound = min(bound, window)
    asked = request.max_output_tokens
    output = asked if asked is not None and asked > 0 else model.max_output_tokens
    return bound, output * max(request.choices, 1)


def added_tokens(fields: Container[str]) -> int:
    """What the provider adds to a request with these fields."""
    return ADDED_TOKENS_TOOLS if any(name in fields for name in _INSTRUCTING_FIELDS) else ADDED_TOKENS


def _inline_image_sizes(document: dict[str, Any]) -> Iterator[int]:
    """For each image part of the messages the characters of base64 it holds, 0 for one that is only referred to.

    Parts are looked for at any depth, since an Anthropic tool result holds parts of its own.
    """
    pending = [document.get("messages")]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            kind = item.get("type")
            if isinstance(kind, str) and kind in _IMAGE_TYPES:
                yield _inline_size(item)
            else:
                pending.append(item.get("content"))


def _inline_size(part: dict[str, Any]) -> int:
    holder = part.get("image_url", part.get("source"))
    if isinstance(holder, str):
        holder = {"url": holder}
    if not isinstance(holder, dict):
        return 0
    url, data = holder.get("url"), holder.get("data")
    if isinstance(url, str) and url.startswith("data:"):
        return len(url)
    return len(data) if isinstance(data, str) and holder.get("type") == "base64" else 0
