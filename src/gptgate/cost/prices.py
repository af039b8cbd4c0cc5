"""Prices of configured models: the configuration's own, or those of the genai-prices package.

Only the data that the installed package ships is read; its network update is never started. Each model is made flat
once a day of use, and after that a price is a dictionary access.

What a `Usage` does not tell apart is charged at the dearest price that it can have, so that a budget is never charged
less than the provider charges: cache writes by how long they live, audio and images by whether they
were cached. What a service tier costs is in the configuration, in percent.

Tools that the provider runs have fees of their own (`Price.fee`): the configuration's, else those of Anthropic that are
published. The fees that the package knows of OpenAI's tools are those of another API, and not taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

import genai_prices
from genai_prices.data import providers as bundled_providers
from genai_prices.data_units import unit_data
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, TieredPrices
from genai_prices.types import Provider as PricedProvider

from gptgate.core.money import NANO_PER_USD
from gptgate.core.price import PriceOverride
from gptgate.core.snapshot import SERVICE_TIERS, ModelSpec, ProviderKind
from gptgate.cost.table import TablePrice, Tier

GENAI_IDS: Mapping[ProviderKind, str] = {ProviderKind.OPENAI: "openai", ProviderKind.ANTHROPIC: "anthropic"}
"""Kinds whose prices genai-prices knows. The others have none but what the configuration says."""

VERSION = f"genai-prices {genai_prices.__version__}"
DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BESIDE_TOKENS = frozenset({"web_searches_kcount", "storage_searches_kcount"})
"""Fees for what the provider does beside the tokens; they do not stand in the way of a token price."""

FREE_TOOLS = ("web_fetch", "mcp")
"""Tools for which Anthropic charges nothing but the tokens. Servers of somebody else's may charge whoever runs them."""
SEARCH = "web_search"
_SEARCHES = ("-search-preview", "-search-api")
"""What the names of those of OpenAI's models have in them that search for each request, and have a fee for it."""

_BUCKETS = ("input", "output", "cache_read", "cache_write")
_KINDS = ("audio_input", "audio_output", "image_input", "image_output")
_APART = ("audio", "image")
"""Kinds of tokens that a `Usage` tells apart. Others may be anything."""


class GenaiPriceBook:
    """Implements `PriceBook`. An override in the configuration wins; it says ``free`` when a model costs nothing."""

    def __init__(self, kinds: Mapping[str, ProviderKind]) -> None:
        """`kinds` are the configured providers' kinds by name."""
        self._kinds = dict(kinds)
        self._known: dict[str, tuple[ModelSpec, int, TablePrice | None]] = {}

    def find(self, model: ModelSpec, at_ms: int) -> TablePrice | None:
        """The price on the UTC day of `at_ms`, None when nobody knows it. Zero only where the configuration says so.

        Raises KeyError for a model of a provider that is not configured: a fault of the caller's wiring.
        """
        day = at_ms // DAY_MS
        known = self._known.get(model.name)
        if known is not None and known[0] is model and known[1] == day:
            return known[2]
        price = self._look_up(model, day)
        self._known[model.name] = (model, day, price)
        return price

    def _look_up(self, model: ModelSpec, day: int) -> TablePrice | None:
        kind = self._kinds[model.provider]
        provider_id = GENAI_IDS.get(kind)
        info = None if provider_id is None else _provider(provider_id).find_model(model.upstream_name)
        listed = [] if info is None else list(_possible(info, _EPOCH + timedelta(days=day)))
        fees = _fees(kind, listed) | {name: fee.thousand for name, fee in model.provider_tools.items()}
        searches = kind is ProviderKind.OPENAI and any(part in model.upstream_name for part in _SEARCHES)
        always = (SEARCH,) if searches else ()
        if model.price is not None:
            return _overridden(model.price, model.service_tiers, fees, always)
        return _flatten([_buckets(price) for price in listed], model.service_tiers, fees, always)


def _fees(kind: ProviderKind, listed: Sequence[ModelPrice]) -> dict[str, int]:
    """What tools are published to cost, in nano-dollars for a thousand uses."""
    if kind is not ProviderKind.ANTHROPIC:
        return {}
    fees = dict.fromkeys(FREE_TOOLS, 0)
    searches = [price.web_searches_kcount for price in listed]
    if searches and all(isinstance(each, Decimal) for each in searches):
        fees[SEARCH] = max(_nano(each) for each in searches if isinstance(each, Decimal))
    return fees


def _overridden(
    price: PriceOverride, percents: Mapping[str, int], fees: Mapping[str, int], always: tuple[str, ...]
) -> TablePrice | None:
    if price.free:
        # Whatever the service tier: so many percent of nothing.
        nothing = Tier(above=-1, input=0, output=0, cache_read=0, cache_write=0)
        return TablePrice("free", [nothing], percents=dict.fromkeys(SERVICE_TIERS, 100), any_tool=True)
    tier = Tier(
        above=-1,
        input=price.input,
        output=price.output,
        cache_read=price.input if price.cache_read is None else price.cache_read,
        cache_write=price.input if price.cache_write is None else price.cache_write,
        audio_input=price.audio_input,
        audio_output=price.audio_output,
        image_input=price.image_input,
        image_output=price.image_output,
    )
    # Nothing but zeros without the word "free" is a price that was forgotten, not one that is zero.
    if not max(tier.dearest_input, tier.dearest_output, price.request):
        return None
    return TablePrice("configuration", [tier], price.request, percents, tools=fees, always=always)


def _provider(provider_id: str) -> PricedProvider:
    return next(provider for provider in bundled_providers if provider.id == provider_id)


def _possible(info: ModelInfo, day: datetime) -> Iterator[ModelPrice]:
    """The prices that can be in force at some time of this day: the last active one wins, the first is the fallback.

    A condition on the time of day (or one of a kind unknown here) may or may not hold, so both outcomes are possible.
    """
    if isinstance(info.prices, ModelPrice):
        yield info.prices
        return
    for conditional in reversed(info.prices):
        if _is_start(conditional):
            if conditional.constraint is None or conditional.constraint.active(day):
                yield conditional.prices
                return
        else:
            yield conditional.prices
    if info.prices:
        yield info.prices[0].prices


def _is_start(conditional: ConditionalPrice) -> bool:
    return conditional.constraint is None or isinstance(conditional.constraint, StartDateConstraint)


_Buckets = dict[str, list[Decimal | TieredPrices]]


def _buckets(prices: ModelPrice) -> _Buckets | None:
    """Token prices by what they are for; None when the model charges for something that is not tokens.

    Audio or images that have a price of their own only where they are cached cost what other input costs, else.
    """
    units = {unit["price_key"]: unit["dimensions"] for unit in unit_data.values()}
    buckets: _Buckets = {name: [] for name in (*_BUCKETS, *_KINDS)}
    for key, value in vars(prices).items():
        if value is None or key in _BESIDE_TOKENS:
            continue
        dimensions = units.get(key, {})
        bucket = dimensions.get("token_type", dimensions.get("direction"))
        if dimensions.get("family") != "tokens" or bucket not in _BUCKETS:
            return None
        kind = dimensions.get("modality")
        buckets[f"{kind}_{dimensions['direction']}" if kind in _APART else bucket].append(value)
    for kind in _APART:
        if buckets[f"{kind}_input"] and vars(prices).get(f"input_{kind}_mtok") is None:
            buckets[f"{kind}_input"] += buckets["input"]
    if not buckets["output"]:
        buckets["output"] = buckets["audio_output"] + buckets["image_output"]
    return buckets if buckets["input"] else None


def _flatten(
    possible: list[_Buckets | None], percents: Mapping[str, int], fees: Mapping[str, int], always: tuple[str, ...]
) -> TablePrice | None:
    """One table that is at least as dear as each of the possible prices; None when one of them is not known."""
    known = [buckets for buckets in possible if buckets is not None]
    if not known or len(known) != len(possible):
        return None
    starts = {-1}
    for buckets in known:
        for values in buckets.values():
            starts.update(tier.start for value in values if isinstance(value, TieredPrices) for tier in value.tiers)
    tiers = [_tier(known, above) for above in sorted(starts)]
    return TablePrice(VERSION, tiers, percents=percents, tools=fees, always=always)


def _tier(known: list[_Buckets], above: int) -> Tier:
    """Cached tokens without a price of their own cost what other input costs. So does output where there is no price
    for it: these are embedding models, which have none."""
    dearest = dict.fromkeys(_BUCKETS, 0)
    for buckets in known:
        for name in _BUCKETS:
            values = buckets[name] or buckets["input"]
            dearest[name] = max(dearest[name], *(_nano(_rate(value, above)) for value in values))
    own: dict[str, int] = {}
    for name in _KINDS:
        if any(buckets[name] for buckets in known):
            others = name.partition("_")[2]
            priced = [value for buckets in known for value in buckets[name] or buckets[others] or buckets["input"]]
            own[name] = max(_nano(_rate(value, above)) for value in priced)
    return Tier(above=above, **dearest, **own)


def _rate(value: Decimal | TieredPrices, above: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    rate = value.base
    for tier in value.tiers:
        if tier.start <= above:
            rate = tier.price
    return rate


def _nano(usd_per_million: Decimal) -> int:
    if not usd_per_million.is_finite() or usd_per_million < 0:
        raise ValueError("a price in the bundled data is not a finite, non-negative number")
    return int((usd_per_million * NANO_PER_USD).to_integral_value(rounding=ROUND_CEILING))
