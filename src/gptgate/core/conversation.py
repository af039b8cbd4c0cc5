"""A conversation as a provider is sent it, compared with those that it counted before."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Conversation(Struct, frozen=True, kw_only=True):
    """`marks` are digests of its beginning: of all fields beside the messages, then with the messages up to some.

    `bound` is the most input tokens that the provider can count, 0 where nothing like it was counted before.
    """

    model: str
    marks: tuple[bytes, ...]
    bound: int = 0


class Conversations(Protocol):
    """What providers counted of conversations, to bound what they count when these go on."""

    def read(
        self, app: str, provider: str, model: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Conversation | None:
        """The conversation of a request of texts, as it is sent; None where nothing can be said of it."""
        ...

    def counted(self, conversation: Conversation, input_tokens: int) -> None:
        """The provider has counted it. A model of which more was counted than its bound is not bounded any more."""
        ...
