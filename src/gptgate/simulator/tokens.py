"""The simulator's token count: a rule that a reader can check by hand, not a tokenizer."""

import re

MESSAGE_TOKENS = 4
"""Added for each message, for its role and frame."""

PART_TOKENS = 85
"""Charged for each part that is not text, whatever its size."""

_TOKEN = re.compile(r"\w+|[^\w\s]+")


def count_tokens(text: str) -> int:
    """One token for each word and one for each run of punctuation: ``"Hi, you!?"`` has four."""
    return len(_TOKEN.findall(text))


def first_tokens(text: str, limit: int) -> str:
    """The text up to and including its token number `limit`, which is zero or more."""
    if limit <= 0:
        return ""
    for number, match in enumerate(_TOKEN.finditer(text), 1):
        if number == limit:
            return text[: match.end()]
    return text
