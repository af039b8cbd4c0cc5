"""A conversation as a provider is sent it, compared with those that it counted before."""

from msgspec import Struct


class Conversation(Struct, frozen=True, kw_only=True):
    """`marks` are digests of its beginning: of all fields beside the messages, then with the messages up to some.

    `bound` is the most input tokens that the provider can count, 0 where nothing like it was counted before.
    """

    model: str
    marks: tuple[bytes, ...]
    bound: int = 0
