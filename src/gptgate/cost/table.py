"""A price made flat: whole nano-dollars per million tokens, by length of the input."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from gptgate.core.facts import Usage
from gptgate.core.money import TOKENS_PER_MILLION


class Tier(Struct, frozen=True, kw_only=True):
    """Prices in nano-dollars per million tokens, for requests with more than `above` input tokens.

    They hold for all tokens of such a request, not only for those past the threshold. Audio and images whose price is
    None cost what other input, or output, costs.
    """

    above: int
    input: int
    output: int
    cache_read: int
    cache_write: int
    audio_input: int | None = None
    audio_output: int | None = None
    image_input: int | None = None
    image_output: int | None = None

    @property
    def dearest_input(self) -> int:
        return max(self.input, self.cache_read, self.cache_write, self.audio_input or 0, self.image_input or 0)

    @property
    def dearest_output(self) -> int:
        return max(self.output, self.audio_output or 0, self.image_output or 0)

    @property
    def kinds(self) -> tuple[int, ...]:
        """The prices that audio and images have of their own."""
        own = (self.audio_input, self.audio_output, self.image_input, self.image_output)
        return tuple(price for price in own if price is not None)


LISTED = frozenset({"", "auto", "default", "standard", "standard_only", "flex", "batch", "scale"})
"""Service tiers that cost no more than the list price."""
_FIXED = frozenset({"default", "standard", "standard_only"})
"""Asked for one of these, a provider serves no other."""
_UPGRADE = "priority"
"""What a provider may serve with where nothing is asked for, if the account is set up so."""


class TablePrice:
    """Implements `Price`: tiers in ascending order, of which the first is for every request (`above` is -1).

    `request` is a fee for each request, `percents` what service tiers cost in percent of the tokens' price, `tools`
    what a thousand uses of the provider's tools cost, whatever the service tier; with `any_tool` all of them cost
    nothing. `always` are those of which every request is a use. The tokens' price and the tools' are each rounded up
    once, over the whole sum, so that a ceiling is never below a cost that it bounds.
    """

    __slots__ = ("_dearest", "_kinds", "_percents", "_request", "_tiers", "_tools", "always", "version")

    def __init__(
        self,
        version: str,
        tiers: Sequence[Tier],
        request: int = 0,
        percents: Mapping[str, int] | None = None,
        *,
        tools: Mapping[str, int] | None = None,
        any_tool: bool = False,
        always: tuple[str, ...] = (),
    ) -> None:
        """Raises ValueError when the tiers are not in ascending order from -1, or a price is negative."""
        starts = [tier.above for tier in tiers]
        if not starts or starts[0] != -1 or starts != sorted(set(starts)):
            raise ValueError("price tiers start at -1 and ascend")
        if any(min(tier.input, tier.output, tier.cache_read, tier.cache_write, *tier.kinds) < 0 for tier in tiers):
            raise ValueError("a price is not negative")
        if request < 0 or any(each < 0 for each in (*(percents or {}).values(), *(tools or {}).values())):
            raise ValueError("a price is not negative")
        self.version, self.always = version, always
        self._tools = None if any_tool else dict(tools or {})
        self._request = request
        self._percents = dict(percents or {})
        self._tiers = tuple(tiers)
        self._dearest = tuple([(tier.above, tier.dearest_input, tier.dearest_output) for tier in tiers])
        self._kinds = any(tier.kinds for tier in tiers)

    def cost(self, usage: Usage, asked_tier: str = "") -> int:
        """What this usage costs. The input's length chooses the tier. Where the answer names no service tier, it was
        the one asked for or the default: the dearer of them.

        Audio and images cost what they cost where the usage says how many tokens they were, else all tokens that may be
        such are charged as if they were. Of a usage that contradicts itself (more cached than input tokens) all that it
        names is charged. Raises ValueError for a negative count.
        """
        read, write = usage.cache_read, usage.cache_write
        if min(usage.input_tokens, usage.output_tokens, read, write) < 0:
            raise ValueError("a usage has no negative counts")
        total_input = max(usage.input_tokens, read + write)
        tier = self._tiers[0]
        for candidate in self._tiers[1:]:
            if total_input > candidate.above:
                tier = candidate
        if self._kinds:
            nano = _input_by_kind(tier, usage, total_input) + _output_by_kind(tier, usage)
        else:
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
        fees = self.fees(usage.tool_uses) if usage.tool_uses else 0
        return self._rounded(nano, percent) + fees

    def fee(self, tool: str) -> int | None:
        """What a thousand uses of this tool of the provider's cost; None where it is not known."""
        return 0 if self._tools is None else self._tools.get(tool)

    def fees(self, uses: Mapping[str, int]) -> int:
        """What so many uses of each tool cost. Raises KeyError for one whose fee is not known, if it was used at all,
        and ValueError for a negative count."""
        if any(count < 0 for count in uses.values()):
            raise ValueError("a usage has no negative counts")
        if self._tools is None:
            return 0
        return -(-sum([count * self._tools[name] for name, count in uses.items() if count]) // 1000)

    @property
    def tools(self) -> dict[str, int]:
        """The fees that are known, for people."""
        return dict(self._tools or {})

    def covers(self, service_tier: str) -> bool:
        """Whether it is known what this service tier costs."""
        return service_tier in LISTED or service_tier in self._percents

    def ceiling(self, input_tokens: int, output_tokens: int, service_tier: str = "") -> int:
        """The most that a usage of at most so many tokens can cost, whatever of its input was cached and whatever of it
        and of the output was audio or images, served with whichever tier can be had for this one.

        Looks at every tier that so much input reaches, each filled to its end: a tier above may be the cheaper one.
        Raises ValueError for a negative count.
        """
        if min(input_tokens, output_tokens) < 0:
            raise ValueError("a ceiling has no negative counts")
        most = 0
        tiers = self._dearest
        for index, (above, dearest_input, dearest_output) in enumerate(tiers):
            if input_tokens <= above:
                break
            last = index + 1 == len(tiers)
            filled = input_tokens if last else min(input_tokens, tiers[index + 1][0])
            most = max(most, filled * dearest_input + output_tokens * dearest_output)
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
        """The prices, for people: one row for each tier of length, without what has no price of its own."""
        return [
            {name: rate for name, rate in structs.asdict(tier).items() if rate is not None} | {"request": self._request}
            for tier in self._tiers
        ]


def _input_by_kind(tier: Tier, usage: Usage, total: int) -> int:
    """What `total` input tokens cost. No usage says which kind the cached ones were, so they are what costs the most:
    audio and images cost no less than the cached tokens, and of the others as few as can be were cached cheaply."""
    read, write = usage.cache_read, usage.cache_write
    cached = max(tier.cache_read if read else 0, tier.cache_write if write else 0)
    kinds = ((usage.audio_input, tier.audio_input), (usage.image_input, tier.image_input))
    nano, left, least = _of_kinds(kinds, total, cached)
    rates = ((tier.input, total - read - write), (tier.cache_read, read), (tier.cache_write, write))
    for rate, most in sorted(rates, reverse=True):
        tokens = min(most, left)
        nano += tokens * max(rate, least)
        left -= tokens
    return nano


def _output_by_kind(tier: Tier, usage: Usage) -> int:
    kinds = ((usage.audio_output, tier.audio_output), (usage.image_output, tier.image_output))
    nano, left, least = _of_kinds(kinds, usage.output_tokens, 0)
    return nano + left * max(tier.output, least)


def _of_kinds(kinds: tuple[tuple[int | None, int | None], ...], total: int, floor: int) -> tuple[int, int, int]:
    """What the tokens cost that are said to be of a kind with its own price, `floor` or more each; how many of `total`
    are left; and the least that each of these costs, since it may be of a kind whose number is not said."""
    nano = least = 0
    left = total
    for tokens, rate in kinds:
        if rate is None:
            continue
        if tokens is None:
            least = max(least, rate)
            continue
        if tokens < 0:
            raise ValueError("a usage has no negative counts")
        nano += tokens * max(rate, floor)
        left -= tokens
    return nano, max(left, 0), least
