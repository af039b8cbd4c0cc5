"""Prices from the bundled data and from the configuration."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import genai_prices
import pytest
from genai_prices import types
from genai_prices.data import providers
from msgspec.structs import replace

from gptgate.core.facts import Usage
from gptgate.core.price import PriceOverride, ToolFee
from gptgate.core.snapshot import ModelSpec, ProviderKind
from gptgate.cost import prices as module
from gptgate.cost.prices import DAY_MS, GenaiPriceBook

KINDS = {
    "oai": ProviderKind.OPENAI,
    "ant": ProviderKind.ANTHROPIC,
    "local": ProviderKind.OPENAI_COMPATIBLE,
    "sim": ProviderKind.SIMULATOR,
}
NOW = 1_795_000_000_000


def model(upstream: str, provider: str = "oai", price: PriceOverride | None = None) -> ModelSpec:
    return ModelSpec(
        name=f"public-{upstream}",
        provider=provider,
        upstream_name=upstream,
        context_window=0,
        max_output_tokens=100,
        price=price,
        location="cloud",
    )


def ms(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(("upstream", "provider"), [("gpt-4o-mini", "oai"), ("claude-sonnet-4-5", "ant")])
def test_known_models_have_a_price_from_the_package(upstream: str, provider: str) -> None:
    price = GenaiPriceBook(KINDS).find(model(upstream, provider), NOW)
    assert price is not None
    assert price.version == f"genai-prices {genai_prices.__version__}"
    assert price.cost(Usage(input_tokens=1000, output_tokens=1000)) > 0


def test_a_published_price_comes_out_to_the_nano_dollar() -> None:
    price = GenaiPriceBook(KINDS).find(model("gpt-4o-mini"), NOW)
    assert price is not None
    # $0.15 in, $0.075 cached, $0.60 out, each per million tokens.
    assert price.cost(Usage(input_tokens=1000, output_tokens=100, cache_read=400)) == 600 * 150 + 400 * 75 + 100 * 600


@pytest.mark.parametrize(
    ("upstream", "provider"),
    [
        ("no-such-model", "oai"),
        ("claude-sonnet-4-5", "oai"),
        ("gpt-4o-mini", "local"),
        ("gpt-4o-mini", "sim"),
        ("whisper-1", "oai"),
        ("moderation", "oai"),
    ],
)
def test_what_nobody_knows_has_no_price(upstream: str, provider: str) -> None:
    assert GenaiPriceBook(KINDS).find(model(upstream, provider), NOW) is None


def test_a_provider_that_is_not_configured_is_a_fault() -> None:
    with pytest.raises(KeyError):
        GenaiPriceBook(KINDS).find(model("gpt-4o-mini", "nobody"), NOW)


def test_free_must_be_said() -> None:
    free = GenaiPriceBook(KINDS).find(model("x", "local", PriceOverride(free=True)), NOW)
    assert free is not None
    assert (free.version, free.ceiling(10**9, 10**9)) == ("free", 0)
    assert GenaiPriceBook(KINDS).find(model("x", "local", PriceOverride()), NOW) is None


def test_a_price_in_the_configuration_wins() -> None:
    override = PriceOverride(input=2_000_000_000, output=4_000_000_000, cache_read=1_000_000_000)
    price = GenaiPriceBook(KINDS).find(model("gpt-4o-mini", "oai", override), NOW)
    assert price is not None
    assert price.version == "configuration"
    usage = Usage(input_tokens=100, output_tokens=10, cache_read=20, cache_write=30)
    assert price.cost(usage) == 50 * 2000 + 20 * 1000 + 30 * 2000 + 10 * 4000


def test_cached_tokens_that_are_said_to_be_free_are_free() -> None:
    price = GenaiPriceBook(KINDS).find(model("x", "sim", PriceOverride(input=1000, cache_read=0)), NOW)
    assert price is not None
    assert price.cost(Usage(input_tokens=10**6, cache_read=10**6)) == 0


def test_a_price_is_looked_up_once_a_day() -> None:
    book = GenaiPriceBook(KINDS)
    spec = model("gpt-4o-mini")
    midnight = NOW // DAY_MS * DAY_MS
    first = book.find(spec, midnight)
    assert book.find(spec, midnight + DAY_MS - 1) is first
    assert book.find(spec, midnight + DAY_MS) is not first


def test_a_new_configuration_of_the_same_name_is_looked_up_anew() -> None:
    book = GenaiPriceBook(KINDS)
    assert book.find(model("gpt-4o-mini"), NOW) is not None
    assert book.find(model("gpt-4o-mini", "local"), NOW) is None


def test_cache_writes_are_charged_at_the_dearest_time_to_live() -> None:
    price = GenaiPriceBook(KINDS).find(model("claude-sonnet-4-5", "ant"), NOW)
    assert price is not None
    # $3.75 for five minutes, $6 for an hour: the usage does not say which.
    assert price.cost(Usage(input_tokens=1000, cache_write=1000)) == 1000 * 6000


def bundled(monkeypatch: pytest.MonkeyPatch, prices: object) -> GenaiPriceBook:
    info = types.ModelInfo(id="m", match=types.ClauseEquals(equals="m"), prices=prices)  # type: ignore[arg-type]
    provider = types.Provider(id="openai", name="", api_pattern="", models=[info])
    monkeypatch.setattr(module, "bundled_providers", [provider])
    return GenaiPriceBook(KINDS)


def at(book: GenaiPriceBook, at_ms: int) -> int:
    price = book.find(model("m"), at_ms)
    assert price is not None
    return price.cost(Usage(input_tokens=1_000_000))


def usd(amount: str) -> types.ModelPrice:
    return types.ModelPrice(input_mtok=Decimal(amount), output_mtok=Decimal(amount))


def test_a_price_starts_on_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    book = bundled(
        monkeypatch,
        [
            types.ConditionalPrice(prices=usd("9")),
            types.ConditionalPrice(types.StartDateConstraint(date(2026, 3, 1)), prices=usd("2")),
        ],
    )
    assert at(book, ms(2026, 2, 28, 23)) == 9_000_000_000
    assert at(book, ms(2026, 3, 1)) == 2_000_000_000


def test_a_price_by_the_time_of_day_is_the_dearest_of_that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    off_peak = types.TimeOfDateConstraint(time(16), time(23))
    cheap = [
        types.ConditionalPrice(prices=usd("9")),
        types.ConditionalPrice(types.StartDateConstraint(date(2026, 3, 1)), prices=usd("4")),
        types.ConditionalPrice(off_peak, prices=usd("2")),
    ]
    book = bundled(monkeypatch, cheap)
    for hour in (0, 17):
        assert at(book, ms(2026, 2, 1, hour)) == 9_000_000_000
        assert at(book, ms(2026, 4, 1, hour)) == 4_000_000_000
    peak = [types.ConditionalPrice(prices=usd("1")), types.ConditionalPrice(off_peak, prices=usd("2"))]
    assert at(bundled(monkeypatch, peak), ms(2026, 4, 1)) == 2_000_000_000


def test_without_any_active_price_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    later = [types.ConditionalPrice(types.StartDateConstraint(date(2099, 1, 1)), prices=usd("3"))]
    assert at(bundled(monkeypatch, later), NOW) == 3_000_000_000
    assert bundled(monkeypatch, []).find(model("m"), NOW) is None


def test_fractions_of_a_nano_dollar_are_rounded_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at(bundled(monkeypatch, usd("0.0000000011")), NOW) == 2


@pytest.mark.parametrize("key", ["requests_kcount", "audio_hours", "input_mchars", "something_new"])
def test_a_model_with_fees_that_are_not_for_tokens_has_no_price(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    prices = types.ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), **{key: Decimal(1)})
    assert bundled(monkeypatch, prices).find(model("m"), NOW) is None


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-1"])
def test_broken_data_is_an_error_and_not_a_price(monkeypatch: pytest.MonkeyPatch, amount: str) -> None:
    with pytest.raises(ValueError, match="bundled data"):
        bundled(monkeypatch, usd(amount)).find(model("m"), NOW)


def test_audio_and_images_cost_what_the_package_says(monkeypatch: pytest.MonkeyPatch) -> None:
    prices = types.ModelPrice(
        input_mtok=Decimal(4),
        cache_read_mtok=Decimal("0.4"),
        output_mtok=Decimal(16),
        input_audio_mtok=Decimal(32),
        cache_audio_read_mtok=Decimal("0.4"),
        output_audio_mtok=Decimal(64),
        input_image_mtok=Decimal(5),
    )
    price = bundled(monkeypatch, prices).find(model("m"), NOW)
    assert price is not None
    told = Usage(input_tokens=10, output_tokens=10, audio_input=3, image_input=2, audio_output=4)
    assert price.cost(told) == 5 * 4000 + 3 * 32000 + 2 * 5000 + 6 * 16000 + 4 * 64000
    assert price.cost(Usage(input_tokens=10, output_tokens=10)) == 10 * 32000 + 10 * 64000
    assert price.ceiling(10, 10) == 10 * 32000 + 10 * 64000


@pytest.mark.parametrize(
    ("own", "audio"),
    [({"cache_audio_read_mtok": Decimal(1)}, 4), ({"input_audio_mtok": Decimal(2), "cache_audio_write_mtok": 7}, 7)],
)
def test_audio_is_never_cheaper_than_it_can_be(
    monkeypatch: pytest.MonkeyPatch, own: dict[str, Decimal], audio: int
) -> None:
    """Cached audio has a price, other audio may have none; and which of it was cached is not known."""
    prices = types.ModelPrice(input_mtok=Decimal(4), output_mtok=Decimal(4), **{k: Decimal(v) for k, v in own.items()})
    price = bundled(monkeypatch, prices).find(model("m"), NOW)
    assert price is not None
    assert price.cost(Usage(input_tokens=10, audio_input=10)) == 10 * audio * 1000


def test_output_with_a_price_for_audio_only_costs_that(monkeypatch: pytest.MonkeyPatch) -> None:
    prices = types.ModelPrice(input_mtok=Decimal(4), output_audio_mtok=Decimal(64))
    price = bundled(monkeypatch, prices).find(model("m"), NOW)
    assert price is not None
    assert price.cost(Usage(output_tokens=10, audio_output=4)) == 10 * 64000


def test_a_day_of_two_prices_has_the_dearer_one_for_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    own = types.ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), input_audio_mtok=Decimal(2))
    conditional = [
        types.ConditionalPrice(prices=usd("3")),
        types.ConditionalPrice(types.TimeOfDateConstraint(time(1), time(2)), prices=own),
    ]
    price = bundled(monkeypatch, conditional).find(model("m"), NOW)
    assert price is not None
    assert price.cost(Usage(input_tokens=10, audio_input=10)) == 10 * 3000


def test_an_override_prices_each_kind_or_takes_what_others_cost() -> None:
    override = PriceOverride(input=1_000_000, output=2_000_000, audio_input=8_000_000, image_output=16_000_000)
    price = GenaiPriceBook(KINDS).find(model("x", "local", override), NOW)
    assert price is not None
    usage = Usage(input_tokens=10, output_tokens=10, audio_input=4, image_input=3, audio_output=2, image_output=5)
    assert price.cost(usage) == 6 + 4 * 8 + 5 * 2 + 5 * 16
    only_audio = GenaiPriceBook(KINDS).find(model("x", "local", PriceOverride(audio_output=1_000_000)), NOW)
    assert only_audio is not None
    assert only_audio.cost(Usage(output_tokens=10, audio_output=4)) == 4


def test_anthropics_tools_have_their_published_fees_and_those_of_the_configuration() -> None:
    found = GenaiPriceBook(KINDS).find(model("claude-sonnet-4-6", "ant"), NOW)
    assert found is not None
    fees = {name: found.fee(name) for name in ("web_search", "web_fetch", "mcp", "code_execution")}
    assert fees == {"web_search": 10_000_000_000, "web_fetch": 0, "mcp": 0, "code_execution": None}
    own = {"web_search": ToolFee(thousand=7, most=1), "code_execution": ToolFee(thousand=5, most=1)}
    for override in (None, PriceOverride(input=1)):
        configured = replace(model("claude-sonnet-4-6", "ant", override), provider_tools=own)
        found = GenaiPriceBook(KINDS).find(configured, NOW)
        assert found is not None
        assert found.tools == {"web_search": 7, "web_fetch": 0, "mcp": 0, "code_execution": 5}


def test_a_search_costs_the_most_that_it_may_and_what_may_have_no_fee_has_none_that_is_known() -> None:
    cheap, dear = (types.ModelPrice(web_searches_kcount=Decimal(each)) for each in ("10", "12"))
    assert module._fees(ProviderKind.ANTHROPIC, [cheap, dear])["web_search"] == 12_000_000_000
    assert module._fees(ProviderKind.ANTHROPIC, [cheap, usd("3")]) == {"web_fetch": 0, "mcp": 0}
    assert module._fees(ProviderKind.OPENAI, [cheap]) == {}


@pytest.mark.parametrize(("upstream", "always"), [("gpt-5-search-api", ("web_search",)), ("gpt-5", ())])
def test_openais_models_that_search_always_do_and_what_it_costs_is_not_assumed(
    upstream: str, always: tuple[str, ...]
) -> None:
    found = GenaiPriceBook(KINDS).find(model(upstream), NOW)
    assert found is not None
    assert (found.always, found.fee("web_search")) == (always, None)


def _keys(info: types.ModelInfo) -> set[str]:
    return {
        key
        for key, value in vars(info.get_prices(datetime.fromtimestamp(NOW / 1000, tz=UTC))).items()
        if value is not None
    }


ALL = [m for p in providers if p.id in ("openai", "anthropic") for m in p.models]
USAGES = [
    Usage(input_tokens=1234, output_tokens=567),
    Usage(input_tokens=150_001, output_tokens=9, cache_read=150_000),
    Usage(input_tokens=300_000, output_tokens=77, cache_read=1234),
]


@pytest.mark.parametrize("info", ALL, ids=[m.id for m in ALL])
@pytest.mark.parametrize("at_ms", [ms(2025, 6, 1), NOW])
def test_costs_agree_with_the_packages_own_calculation(info: types.ModelInfo, at_ms: int) -> None:
    """Equal to the nano-dollar, or above it where one model has several prices that a usage does not tell apart."""
    when = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    price = module._flatten([module._buckets(p) for p in module._possible(info, when)], {}, {}, ())
    own = info.get_prices(when)
    keys = {key for key, value in vars(own).items() if value is not None} - module._BESIDE_TOKENS
    if "input_mtok" not in keys or any("mtok" not in key for key in keys):
        assert price is None
        return
    assert price is not None
    for usage in USAGES:
        output = usage.output_tokens if "output_mtok" in keys else 0
        ours = price.cost(Usage(input_tokens=usage.input_tokens, output_tokens=output, cache_read=usage.cache_read))
        theirs = own.calc_price(
            types.Usage(
                input_tokens=usage.input_tokens,
                output_tokens=output,
                cache_read_tokens=usage.cache_read,
                **dict.fromkeys(_modalities(keys), 0),
            )
        )["total_price"]
        exact = _nano(theirs)
        if keys <= {"input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"}:
            assert ours == exact
        else:
            assert ours >= exact


TOLD = [
    Usage(input_tokens=1000, output_tokens=500, audio_input=0, audio_output=0, image_input=0, image_output=0),
    Usage(input_tokens=1000, output_tokens=500, audio_input=300, audio_output=200, image_input=0, image_output=0),
    Usage(input_tokens=1000, output_tokens=500, audio_input=0, audio_output=0, image_input=400, image_output=100),
]
APART = [m for m in ALL if any("audio_mtok" in key or "image_mtok" in key for key in _keys(m))]


@pytest.mark.parametrize("info", APART, ids=[m.id for m in APART])
@pytest.mark.parametrize("usage", TOLD, ids=["text", "audio", "images"])
def test_audio_and_images_agree_with_the_packages_own_calculation(info: types.ModelInfo, usage: Usage) -> None:
    """To the nano-dollar, wherever the usage says how many of them there were and none was cached."""
    when = datetime.fromtimestamp(NOW / 1000, tz=UTC)
    price = module._flatten([module._buckets(p) for p in module._possible(info, when)], {}, {}, ())
    assert price is not None
    own = info.get_prices(when)
    counts = {
        "input_audio_tokens": usage.audio_input,
        "output_audio_tokens": usage.audio_output,
        "input_image_tokens": usage.image_input,
        "output_image_tokens": usage.image_output,
    }
    cached = {f"cache_{kind}_read_tokens": 0 for kind in ("audio", "image")}
    theirs = own.calc_price(
        types.Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, **counts, **cached)
    )["total_price"]
    assert price.cost(usage) == _nano(theirs)


def _nano(usd: Decimal) -> int:
    return int((usd * 10**9).to_integral_value(rounding="ROUND_CEILING"))


def _modalities(keys: set[str]) -> set[str]:
    """Usage keys that the package insists on for models that price audio or images apart."""
    return {f"{key.removesuffix('_mtok')}_tokens" for key in keys if "audio" in key or "image" in key or "write" in key}
