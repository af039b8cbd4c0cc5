"""A price made flat: whole nano-dollars per million tokens, by length of the input."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

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


LISTED = frozenset({"", "auto", "default", "standard", "standard_only", "flex", "batch", "scale"})
"""Service tiers that cost no more than the list price."""
_FIXED = frozenset({"default", "standard", "standard_only"})
"""Asked for one of these, a provider serves no other."""
_UPGRADE = "priority"
"""What a provider may serve with where nothing is asked for, if the account is set up so."""


class TablePrice:
    """Implements `Price`: tiers in ascending order, of which the first is for every request (`above` is -1).

    `request` is a fee for each request, `percents` what service tiers cost in percent of the tokens' price. Each result
    is rounded up once, over the whole sum, so that a ceiling is never below a cost that it bounds.
    """

    __slots__ = ("_percents", "_request", "_tiers", "version")

    def __init__(
        self, version: str, tiers: Sequence[Tier], request: int = 0, percents: Mapping[str, int] | None = None
    ) -> None:
        """Raises ValueError when the tiers are not in ascending order from -1, or a price is negative."""
        starts = [tier.above for tier in tiers]
        if not starts or starts[0] != -1 or starts != sorted(set(starts)):
            raise ValueError("price tiers start at -1 and ascend")
        if any(min(tier.input, tier.output, tier.cache_read, tier.cache_write) < 0 for tier in tiers):
            raise ValueError("a price is not negative")
        if request < 0 or any(percent < 0 for percent in (percents or {}).values()):
            raise ValueError("a price is not negative")
        self.version = version
        self._request = request
        self._percents = dict(percents or {})
        self._tiers = tuple(tiers)

    def cost(self, usage: Usage, asked_tier: str = "") -> int:
        """What this usage costs. The input's length chooses the tier. Where the answer names no service tier, it was
        the one asked for or the default: the dearer of them.

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
        percent = 100
        if self._percents:
            served = usage.service_tier
            percent = self._percents.get(served, 100) if served else max(100, self._percents.get(asked_tier, 100))
        return self._rounded(nano, percent)

    def covers(self, service_tier: str) -> bool:
        """Whether it is known what this service tier costs."""
        return service_tier in LISTED or service_tier in self._percents

    def ceiling(self, input_tokens: int, output_tokens: int, service_tier: str = "") -> int:
        """The most that a usage of at most so many tokens can cost, whatever of its input was cached, and served with
        whichever tier can be had for this one.

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
        percent = 100
        if self._percents and service_tier not in _FIXED:
            asked, upgraded = self._percents.get(service_tier, 100), self._percents.get(_UPGRADE, 100)
            percent = max(100, asked, upgraded)
        return self._rounded(most, percent)

    def _rounded(self, nano_millionths: int, percent: int) -> int:
        if percent == 100:
            return self._request - (-nano_millionths // TOKENS_PER_MILLION)
        return self._request - (-nano_millionths * percent // (TOKENS_PER_MILLION * 100))

    def rows(self) -> list[dict[str, int]]:
        """The prices, for people: one row for each tier of length."""
        return [{**structs.asdict(tier), "request": self._request} for tier in self._tiers]
