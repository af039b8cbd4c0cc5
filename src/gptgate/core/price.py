"""Prices as the configuration says them."""

from msgspec import Struct


class PriceOverride(Struct, frozen=True, kw_only=True):
    """A price from the configuration, in nano-dollars per million tokens, and for each request. `free` must be said,
    never implied. What is None costs what other input, or output, costs.
    """

    free: bool = False
    input: int = 0
    output: int = 0
    cache_read: int | None = None
    cache_write: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None
    request: int = 0


MOST_USES = 10
"""How often a request may use a tool of its provider's at most, where neither it nor the configuration says."""


class ToolFee(Struct, frozen=True, kw_only=True):
    """What a tool that the provider runs costs, in nano-dollars for a thousand uses, and how often a request that does
    not say may use it."""

    thousand: int
    most: int
