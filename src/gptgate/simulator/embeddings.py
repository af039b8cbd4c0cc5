"""Embeddings of the simulator: small deterministic unit vectors that mean nothing but their text."""

import base64
import hashlib
import math
import struct
from typing import Any

import msgspec
from msgspec import Struct

from gptgate.simulator.job import Malformed
from gptgate.simulator.tokens import count_tokens

DIMENSIONS = 16
MAX_DIMENSIONS = 4096


class _Body(Struct):
    model: str
    input: str | list[str | int | list[int]]
    dimensions: int | None = None
    encoding_format: str | None = None


_decoder = msgspec.json.Decoder(_Body)


class Embedded(Struct, frozen=True):
    """A rendered answer and what it costs."""

    body: bytes
    input_tokens: int


def vector(text: str, dimensions: int) -> tuple[float, ...]:
    """The unit vector of a text. Equal texts have equal vectors; others are as good as unrelated."""
    raw = hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(2 * dimensions)
    numbers = [number + 0.5 for number in struct.unpack(f"<{dimensions}h", raw)]
    norm = math.sqrt(sum(number * number for number in numbers))
    return tuple(number / norm for number in numbers)


def embed(body: bytes, *, report_usage: bool, wrong_usage: bool) -> Embedded:
    """Answer a request to ``/v1/embeddings``. Raises Malformed."""
    try:
        asked = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Malformed(f"We could not read your request: {error}") from None
    dimensions = DIMENSIONS if asked.dimensions is None else asked.dimensions
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise Malformed(f"Invalid 'dimensions': expected 1 to {MAX_DIMENSIONS}.", "dimensions")
    if asked.encoding_format not in (None, "float", "base64"):
        raise Malformed("Invalid 'encoding_format': expected 'float' or 'base64'.", "encoding_format")
    texts, tokens = _inputs(asked.input)
    data: list[dict[str, Any]] = []
    for index, text in enumerate(texts):
        numbers = vector(text, dimensions)
        packed = struct.pack(f"<{dimensions}f", *numbers)
        embedding = base64.b64encode(packed).decode() if asked.encoding_format == "base64" else numbers
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    answer: dict[str, Any] = {"object": "list", "data": data, "model": asked.model}
    if report_usage:
        reported = 1 if wrong_usage else tokens
        answer["usage"] = {"prompt_tokens": reported, "total_tokens": reported}
    return Embedded(msgspec.json.encode(answer), tokens)


def first_text(body: bytes) -> str:
    """The first input text, where fault orders are read; empty when there is none. Raises Malformed."""
    try:
        asked = _decoder.decode(body).input
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Malformed(f"We could not read your request: {error}") from None
    first = asked if isinstance(asked, str) else asked[0] if asked else ""
    return first if isinstance(first, str) else ""


def _inputs(asked: str | list[str | int | list[int]]) -> tuple[list[str], int]:
    if isinstance(asked, str):
        return [asked], count_tokens(asked)
    if not asked:
        raise Malformed("Invalid 'input': empty array.", "input")
    if all(isinstance(item, int) for item in asked):
        return [" ".join(map(str, asked))], len(asked)
    texts: list[str] = []
    tokens = 0
    for item in asked:
        if isinstance(item, str):
            texts.append(item)
            tokens += count_tokens(item)
        elif isinstance(item, list):
            texts.append(" ".join(map(str, item)))
            tokens += len(item)
        else:
            raise Malformed("Invalid 'input': texts and token numbers are mixed.", "input")
    return texts, tokens
