"""What every `PriceBook` promises."""

from collections.abc import Callable, Mapping

import pytest

from gptgate.core.facts import Usage
from gptgate.core.ports import PriceBook
from gptgate.core.price import PriceOverride
from gptgate.core.snapshot import ModelSpec, ProviderKind
from gptgate.cost.prices import GenaiPriceBook

Make = Callable[[Mapping[str, ProviderKind]], PriceBook]
BOOKS: dict[str, Make] = {"genai": GenaiPriceBook}
NOW = 1_795_000_000_000


@pytest.fixture(params=list(BOOKS.values()), ids=list(BOOKS))
def book(request: pytest.FixtureRequest) -> PriceBook:
    make: Make = request.param
    return make({"one": ProviderKind.OPENAI_COMPATIBLE})


def model(price: PriceOverride | None) -> ModelSpec:
    return ModelSpec(
        name="m",
        provider="one",
        upstream_name="made-up",
        context_window=0,
        max_output_tokens=1,
        price=price,
        location="local",
    )


def test_an_unknown_price_is_none_and_never_zero(book: PriceBook) -> None:
    assert book.find(model(None), NOW) is None
    assert book.find(model(PriceOverride()), NOW) is None


def test_free_is_zero_and_says_so(book: PriceBook) -> None:
    price = book.find(model(PriceOverride(free=True)), NOW)
    assert price is not None
    assert price.version == "free"
    assert price.cost(Usage(input_tokens=10**9, output_tokens=10**9)) == 0


def test_a_configured_price_is_taken(book: PriceBook) -> None:
    price = book.find(model(PriceOverride(input=1_000_000, output=2_000_000)), NOW)
    assert price is not None
    assert price.version == "configuration"
    assert price.cost(Usage(input_tokens=3, output_tokens=4)) == 3 + 8


def test_a_cost_is_rounded_up_to_a_whole_nano_dollar(book: PriceBook) -> None:
    price = book.find(model(PriceOverride(input=1, output=1)), NOW)
    assert price is not None
    assert price.cost(Usage(input_tokens=1)) == 1


def test_a_ceiling_covers_the_dearest_kind_of_input(book: PriceBook) -> None:
    for override in (
        PriceOverride(input=1_000_000, output=1_000_000, cache_write=5_000_000),
        PriceOverride(input=1_000_000, output=1_000_000, cache_read=5_000_000),
    ):
        price = book.find(model(override), NOW)
        assert price is not None
        assert price.ceiling(10, 1) == 51


def test_the_same_question_has_the_same_answer(book: PriceBook) -> None:
    first = book.find(model(PriceOverride(input=7)), NOW)
    second = book.find(model(PriceOverride(input=7)), NOW)
    assert first is not None
    assert second is not None
    assert first.ceiling(10**7, 0) == second.ceiling(10**7, 0) == 70
