"""A flat price."""

from typing import Any

import pytest
from msgspec.structs import replace

from gptgate.core.facts import Usage
from gptgate.cost.table import TablePrice, Tier

BASE = Tier(above=-1, input=3_000_000_000, output=15_000_000_000, cache_read=300_000_000, cache_write=3_750_000_000)
LONG = Tier(above=1000, input=6_000_000_000, output=22_500_000_000, cache_read=600_000_000, cache_write=7_500_000_000)


def test_each_part_of_the_input_has_its_own_price() -> None:
    usage = Usage(input_tokens=1000, output_tokens=10, cache_read=200, cache_write=300)
    expected = 500 * 3000 + 200 * 300 + 300 * 3750 + 10 * 15000
    assert TablePrice("t", [BASE]).cost(usage) == expected


def test_the_sum_is_rounded_up_once() -> None:
    tier = Tier(above=-1, input=1, output=1, cache_read=1, cache_write=1)
    price = TablePrice("t", [tier])
    assert price.cost(Usage()) == 0
    assert price.cost(Usage(input_tokens=1)) == 1
    assert price.cost(Usage(input_tokens=500_000, output_tokens=500_000)) == 1
    assert price.cost(Usage(input_tokens=500_000, output_tokens=500_001)) == 2


@pytest.mark.parametrize(("tokens", "rate"), [(1000, 3000), (1001, 6000)])
def test_a_tier_begins_past_its_threshold_and_is_for_all_tokens(tokens: int, rate: int) -> None:
    price = TablePrice("t", [BASE, LONG])
    assert price.cost(Usage(input_tokens=tokens)) == tokens * rate
    assert price.cost(Usage(input_tokens=tokens, cache_read=tokens)) == tokens * rate // 10


def test_the_length_of_the_input_chooses_the_outputs_price_too() -> None:
    price = TablePrice("t", [BASE, LONG])
    assert price.cost(Usage(input_tokens=1000, output_tokens=5000)) == 1000 * 3000 + 5000 * 15000
    assert price.cost(Usage(input_tokens=1001, output_tokens=1)) == 1001 * 6000 + 22500


def test_a_usage_that_contradicts_itself_is_charged_for_all_that_it_names() -> None:
    price = TablePrice("t", [BASE])
    assert price.cost(Usage(input_tokens=10, cache_read=30, cache_write=20)) == 30 * 300 + 20 * 3750


def test_the_ceiling_takes_the_dearest_kind_of_input() -> None:
    assert TablePrice("t", [BASE]).ceiling(100, 10) == 100 * 3750 + 10 * 15000


def test_the_ceiling_looks_at_every_tier_in_reach() -> None:
    cheap_when_long = Tier(above=1000, input=1, output=1, cache_read=1, cache_write=1)
    price = TablePrice("t", [BASE, cheap_when_long])
    assert price.ceiling(1_000_000, 10) == 1000 * 3750 + 10 * 15000
    assert TablePrice("t", [BASE, LONG]).ceiling(1000, 0) == 1000 * 3750
    assert TablePrice("t", [BASE, LONG]).ceiling(1001, 0) == 1001 * 7500


def test_nothing_costs_nothing() -> None:
    assert TablePrice("t", [BASE, LONG]).ceiling(0, 0) == 0


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens", "cache_read", "cache_write"])
def test_negative_counts_are_errors(field: str) -> None:
    price = TablePrice("t", [BASE])
    counts: dict[str, Any] = {field: -1}
    with pytest.raises(ValueError, match="negative"):
        price.cost(Usage(**counts))
    with pytest.raises(ValueError, match="negative"):
        price.ceiling(-1, 0)
    with pytest.raises(ValueError, match="negative"):
        price.ceiling(0, -1)


@pytest.mark.parametrize("tiers", [[], [LONG], [LONG, BASE], [BASE, BASE]])
def test_tiers_that_do_not_cover_all_lengths_in_order_are_errors(tiers: list[Tier]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        TablePrice("t", tiers)


def test_a_negative_price_is_an_error() -> None:
    with pytest.raises(ValueError, match="negative"):
        TablePrice("t", [Tier(above=-1, input=0, output=0, cache_read=-1, cache_write=0)])


def test_a_request_has_its_fee_whatever_it_holds() -> None:
    price = TablePrice("t", [BASE], request=500)
    plain = TablePrice("t", [BASE])
    usage = Usage(input_tokens=10, output_tokens=1)
    assert price.cost(usage) == plain.cost(usage) + 500
    assert price.ceiling(10, 1) == plain.ceiling(10, 1) + 500
    assert price.cost(Usage()) == 500
    with pytest.raises(ValueError, match="not negative"):
        TablePrice("t", [BASE], request=-1)


def test_a_service_tier_costs_its_percentage_of_the_tokens_rounded_up() -> None:
    price = TablePrice("t", [BASE], request=7, percents={"flex": 50, "priority": 175})
    base = TablePrice("t", [BASE]).cost(Usage(input_tokens=3, output_tokens=1))

    def cost(tier: str) -> int:
        return price.cost(Usage(input_tokens=3, output_tokens=1, service_tier=tier))

    assert [cost(tier) for tier in ("", "default", "standard", "batch")] == [base + 7] * 4
    assert cost("flex") == -(-base * 50 // 100) + 7
    assert cost("priority") == -(-base * 175 // 100) + 7


@pytest.mark.parametrize(
    ("asked", "served", "percent"),
    [("priority", "", 175), ("priority", "default", 100), ("flex", "", 100), ("flex", "flex", 50), ("", "", 100)],
)
def test_an_answer_that_names_no_service_tier_costs_what_was_asked_for_or_more(
    asked: str, served: str, percent: int
) -> None:
    price = TablePrice("t", [BASE], percents={"flex": 50, "priority": 175})
    usage = Usage(input_tokens=1000, output_tokens=100, service_tier=served)
    assert price.cost(usage, asked) == TablePrice("t", [BASE]).cost(usage) * percent // 100


def test_a_ceiling_holds_for_every_service_tier_that_can_be_had_for_the_one_asked_for() -> None:
    price = TablePrice("t", [BASE], percents={"flex": 50, "priority": 175})
    full, dear = price.ceiling(100, 10, "default"), price.ceiling(100, 10, "priority")
    assert dear == -(-full * 175 // 100)
    assert price.ceiling(100, 10, "standard_only") == full
    assert [price.ceiling(100, 10, tier) for tier in ("", "auto", "flex")] == [dear] * 3
    assert TablePrice("t", [BASE], percents={"flex": 50}).ceiling(100, 10, "flex") == full


@pytest.mark.parametrize(
    ("tier", "known"), [("", True), ("flex", True), ("standard", True), ("priority", False), ("other", False)]
)
def test_a_service_tier_that_can_be_dearer_is_known_only_where_it_is_configured(tier: str, known: bool) -> None:
    assert TablePrice("t", [BASE]).covers(tier) is known
    assert TablePrice("t", [BASE], percents={tier: 120}).covers(tier)


KINDS = Tier(
    above=-1,
    input=4_000_000,
    output=16_000_000,
    cache_read=1_000_000,
    cache_write=5_000_000,
    audio_input=32_000_000,
    audio_output=64_000_000,
    image_input=6_000_000,
)


def test_each_kind_of_token_costs_its_own_price() -> None:
    usage = Usage(input_tokens=100, output_tokens=50, audio_input=30, image_input=20, audio_output=40, image_output=9)
    # Images of the output have no price of their own: they are output.
    assert TablePrice("t", [KINDS]).cost(usage) == 50 * 4 + 30 * 32 + 20 * 6 + 10 * 16 + 40 * 64


def test_tokens_that_may_be_of_a_dearer_kind_cost_its_price() -> None:
    price = TablePrice("t", [KINDS])
    assert price.cost(Usage(input_tokens=100, output_tokens=50)) == 100 * 32 + 50 * 64
    assert price.cost(Usage(input_tokens=100, cache_read=60)) == 100 * 32
    assert price.cost(Usage(input_tokens=100, audio_input=0)) == 100 * 6
    assert price.cost(Usage(input_tokens=100, audio_input=10)) == 10 * 32 + 90 * 6
    assert price.cost(Usage(input_tokens=100, image_input=10)) == 10 * 6 + 90 * 32
    assert price.cost(Usage(input_tokens=100, audio_input=0, image_input=0)) == 100 * 4
    assert price.cost(Usage(output_tokens=100, audio_output=0)) == 100 * 16


def test_text_costs_the_same_whether_or_not_audio_has_a_price() -> None:
    usage = Usage(input_tokens=100, output_tokens=10, cache_read=20, cache_write=30)
    told = replace(usage, audio_input=0, audio_output=0, image_input=0, image_output=0)
    plain = replace(KINDS, audio_input=None, audio_output=None, image_input=None)
    assert TablePrice("t", [KINDS]).cost(told) == TablePrice("t", [plain]).cost(usage)
    assert TablePrice("t", [plain]).cost(told) == TablePrice("t", [plain]).cost(usage)


def test_which_kind_was_cached_is_not_known_so_it_is_what_costs_the_most() -> None:
    price = TablePrice("t", [KINDS])
    usage = Usage(input_tokens=100, cache_read=60, audio_input=50, image_input=0)
    # Fifty of text, of which ten must have been read from the cache.
    assert price.cost(usage) == 50 * 32 + 40 * 4 + 10 * 1
    written = Usage(input_tokens=100, cache_write=100, audio_input=0, image_input=50)
    assert price.cost(written) == 50 * 6 + 50 * 5
    cheap = TablePrice("t", [replace(KINDS, image_input=2_000_000)])
    assert cheap.cost(written) == 100 * 5
    assert cheap.cost(replace(written, cache_write=0)) == 50 * 2 + 50 * 4


def test_a_kind_may_cost_nothing() -> None:
    price = TablePrice("t", [replace(KINDS, audio_input=0, image_input=None)])
    assert price.cost(Usage(input_tokens=100, audio_input=60)) == 40 * 4
    assert price.cost(Usage(input_tokens=100)) == 100 * 4
    assert price.ceiling(100, 0) == 100 * 5


def test_kinds_of_a_usage_that_contradicts_itself_are_all_charged() -> None:
    usage = Usage(input_tokens=10, audio_input=30, image_input=5, output_tokens=1, audio_output=2)
    assert TablePrice("t", [KINDS]).cost(usage) == 30 * 32 + 5 * 6 + 2 * 64


def test_the_ceiling_assumes_the_dearest_kind() -> None:
    assert TablePrice("t", [KINDS]).ceiling(100, 10) == 100 * 32 + 10 * 64


@pytest.mark.parametrize("field", ["audio_input", "audio_output", "image_input"])
def test_a_kind_has_no_negative_price_or_number(field: str) -> None:
    negative: dict[str, Any] = {field: -1}
    with pytest.raises(ValueError, match="not negative"):
        TablePrice("t", [replace(KINDS, **negative)])
    with pytest.raises(ValueError, match="negative"):
        TablePrice("t", [KINDS]).cost(Usage(input_tokens=5, output_tokens=5, **negative))


def test_rows_leave_out_kinds_without_a_price() -> None:
    assert "audio_input" not in TablePrice("t", [BASE]).rows()[0]
    (row,) = TablePrice("t", [KINDS]).rows()
    assert (row["audio_input"], row["image_input"], "image_output" in row) == (32_000_000, 6_000_000, False)


def test_uses_of_tools_cost_their_fee_beside_the_tokens_whatever_the_service_tier() -> None:
    price = TablePrice("t", [BASE], percents={"priority": 200}, tools={"web_search": 10_000_000_000, "nothing": 0})
    usage = Usage(input_tokens=100, service_tier="priority", tool_uses={"web_search": 3, "nothing": 5})
    assert price.cost(usage) == 100 * 3000 * 2 + 30_000_000
    assert (price.fee("web_search"), price.fee("nothing"), price.fee("other")) == (10_000_000_000, 0, None)


def test_fees_are_rounded_up_once_over_all_tools() -> None:
    price = TablePrice("t", [BASE], tools={"a": 1, "b": 999})
    assert [price.fees(uses) for uses in ({}, {"a": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1})] == [0, 1, 1, 2]


def test_a_tool_without_a_fee_is_no_tool_for_nothing() -> None:
    price = TablePrice("t", [BASE], tools={"a": 1})
    assert price.fees({"b": 0}) == 0
    with pytest.raises(KeyError):
        price.cost(Usage(tool_uses={"b": 1}))
    with pytest.raises(ValueError, match="negative"):
        price.fees({"a": -1})
    with pytest.raises(ValueError, match="negative"):
        TablePrice("t", [BASE], tools={"a": -1})
    assert TablePrice("free", [BASE], any_tool=True).fees({"b": 7}) == 0
