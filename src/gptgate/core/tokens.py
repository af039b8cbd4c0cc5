"""Bounds of inputs by the providers' own tokenizers."""

from typing import NamedTuple, Protocol

ENCODINGS = ("o200k_base", "cl100k_base")
"""The names of the encodings that can be counted with."""


class Counted(NamedTuple):
    """The bound of one request, as it is sent to this model; None where its texts are not counted."""

    model: str
    body: bytes
    bound: int | None


class TokenBounds(Protocol):
    """What is known of models whose tokenizer is at hand."""

    def knows(self, model: str) -> bool:
        """Whether this model's texts can be counted. Costs nothing to ask."""
        ...

    def most(self, model: str, body: bytes) -> int | None:
        """The most input tokens that a request can be billed for, as it is sent; None where its texts are not counted.
        Takes milliseconds for a long one."""
        ...

    def counted(self, model: str, bound: int, input_tokens: int) -> None:
        """The provider has counted what had this bound. A model of which more was counted is not known any more."""
        ...


class NoTokenizers:
    """Implements `TokenBounds` where no model has a tokenizer."""

    def knows(self, model: str) -> bool:
        del model
        return False

    def most(self, model: str, body: bytes) -> int | None:
        del model, body
        return None

    def counted(self, model: str, bound: int, input_tokens: int) -> None:
        del model, bound, input_tokens
