"""A small vocabulary of our own in the layout of the published ones, for tests that count tokens."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from tiktoken import Encoding

from gptgate.cost import encodings
from gptgate.cost.counting import Count

WORDS = (
    " the",
    "the",
    " and",
    " of",
    " gate",
    "gate",
    " budget",
    " word",
    "word",
    "ing",
    " 12",
    "123",
    ". ",
    ", ",
    "\n\n",
    "  ",
    "'s",
    "'ll",
    "中文",
    "文。",
    "한국",
    "и ",
    "!?",
)
"""Made of pieces that grow from the left, so that each can be reached. Some can never be a token between two cuts."""


def ranks() -> dict[bytes, int]:
    """Every byte, then every beginning of the words."""
    tokens = dict.fromkeys([bytes([value]) for value in range(256)])
    for word in WORDS:
        data = word.encode()
        tokens.update(dict.fromkeys(data[:end] for end in range(2, len(data) + 1)))
    return {token: rank for rank, token in enumerate(tokens)}


def counting(name: str) -> Count:
    """How many tokens of this vocabulary a text has, cut by the pattern of an encoding."""
    pattern = encodings.ENCODINGS[name].pattern
    encoding = Encoding(name, pat_str=pattern, mergeable_ranks=ranks(), special_tokens={})
    return lambda text: len(encoding.encode_ordinary(text))


def published(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "o200k_base") -> Path:
    """The vocabulary in a file, which the gateway takes for the one that was published with this encoding."""
    data = b"".join(b"%b %d\n" % (b64encode(token), rank) for token, rank in ranks().items())
    spec = encodings.ENCODINGS[name]
    monkeypatch.setitem(encodings.ENCODINGS, name, spec._replace(digest=sha256(data).hexdigest()))
    file = folder / f"{name}.tiktoken"
    file.write_bytes(data)
    return file
