"""A price made flat: whole nano-dollars per million tokens, by length of the input."""

from collections.abc import Sequence

from msgspec import Struct

from gptgate.core.facts import Usage
from gptgate.core.money import TOKENS_PER_MILLION


class Tier(Struct, frozen=True, kw_only=True):
    """Prices in nano-dollars per million tokens, for requests with more than `above` input tokens.

    They hold for all tokens of such a request, not only for those past the threshold.
    """

    above: int
    input: int
    output: int
    cache_read: int
    cache_write: int

    @property
    def dearest_input(self) -> int:
        return max(self.input, self.cache_read, self.cache_write)


class TablePrice:
    """Implements `Price`: tiers in ascending order, of which the first is for every request (`above` is -1).

    Each result is rounded up once, over the whole sum, so that a ceiling is never below a cost that it bounds.
    """

    __slots__ = ("_tiers", "version")

    def __init__(self, version: str, tiers: Sequence[Tier]) -> None:
        """Raises ValueError when the tiers are not in ascending order from -1, or a price is negative."""
        starts = [tier.above for tier in tiers]
        if not starts or starts[0] != -1 or starts != sorted(set(starts)):
            raise ValueError("price tiers start at -1 and ascend")
        if any(min(tier.input, tier.output, tier.cache_read, tier.cache_write) < 0 for tier in tiers):
            raise ValueError("a price is not negative")
        self.version = version
        self._tiers = tuple(tiers)

    def cost(self, usage: Usage) -> int:
        """What this usage costs. The input's length chooses the tier.

        Of a usage that contradicts itself (more cached than input tokens) all that it names is charged. Raises
        ValueError for a negative count.
        """
        read, write = usage.cache_read, usage.cache_write
        if min(usage.input_tokens, usage.output_tokens, read, write) < 0:
            raise ValueError("a usage has no negative counts")
        total_input = max(usage.input_tokens, read + write)
        tier = self._tiers[0]
        for candidate in self._tiers[1:]:
            if total_input > candidate.above:
                tier = candidate
        nano = (
            (total_input - read - write) * tier.input
            + read * tier.cache_read
            + write * tier.cache_write
            + usage.output_tokens * tier.output
        )
        return -(-nano // TOKENS_PER_MILLION)

    def ceiling(self, input_tokens: int, output_tokens: int) -> int:
        """The most that a usage of at most so many tokens can cost, whatever of its input was cached.

        Looks at every tier that so much input reaches, each filled to its end: a tier above may be the cheaper one.
        Raises ValueError for a negative count.
        """
        if min(input_tokens, output_tokens) < 0:
            raise ValueError("a ceiling has no negative counts")
        most = 0
        tiers = self._tiers
        for index, tier in enumerate(tiers):
            if input_tokens <= tier.above:
                break
            last = index + 1 == len(tiers)
            filled = input_tokens if last else min(input_tokens, tiers[index + 1].above)
            most = max(most, filled * tier.dearest_input + output_tokens * tier.output)
        return -(-most // TOKENS_PER_MILLION)
