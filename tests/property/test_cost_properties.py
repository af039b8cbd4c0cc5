"""Money under all inputs: a ceiling is one, and no interleaving overspends."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import Reservation, Usage
from gptgate.core.money import TOKENS_PER_MILLION
from gptgate.cost.table import TablePrice, Tier
from gptgate.cost.windows import month_of, month_start_ms
from ledger_parts import ledger_with, reserve, spent, usd

NANO = st.integers(0, 100_000_000_000)
OWN = st.none() | NANO
NONE = dict.fromkeys(("audio_input", "audio_output", "image_input", "image_output"), 0)


@st.composite
def prices(draw: st.DrawFn) -> TablePrice:
    starts = [-1, *sorted(draw(st.sets(st.integers(0, 2000), max_size=3)))]
    return TablePrice(
        "t",
        [
            Tier(
                above=s,
                input=draw(NANO),
                output=draw(NANO),
                cache_read=draw(NANO),
                cache_write=draw(NANO),
                audio_input=draw(OWN),
                audio_output=draw(OWN),
                image_input=draw(OWN),
                image_output=draw(OWN),
            )
            for s in starts
        ],
    )


def parts(draw: st.DrawFn, whole: int) -> tuple[int | None, int | None]:
    """How many of these tokens are said to be audio, and images; None where it is not said."""
    audio = draw(st.none() | st.integers(0, whole))
    return audio, draw(st.none() | st.integers(0, whole - (audio or 0)))


@st.composite
def usages(draw: st.DrawFn, most_input: int, most_output: int) -> Usage:
    total, output = draw(st.integers(0, most_input)), draw(st.integers(0, most_output))
    read = draw(st.integers(0, total))
    audio_input, image_input = parts(draw, total)
    audio_output, image_output = parts(draw, output)
    return Usage(
        input_tokens=total,
        output_tokens=output,
        cache_read=read,
        cache_write=draw(st.integers(0, total - read)),
        audio_input=audio_input,
        audio_output=audio_output,
        image_input=image_input,
        image_output=image_output,
    )


@given(prices(), st.integers(0, 3000), st.integers(0, 3000), st.data())
def test_a_ceiling_is_never_below_the_cost_of_what_it_bounds(
    price: TablePrice, most_input: int, most_output: int, data: st.DataObject
) -> None:
    usage = data.draw(usages(most_input, most_output))
    assert 0 <= price.cost(usage) <= price.ceiling(most_input, most_output)


@given(prices(), st.data())
def test_a_usage_that_says_less_never_costs_less(price: TablePrice, data: st.DataObject) -> None:
    """What really was, token by token, costs no more than a usage that says any part of it."""
    usage = data.draw(usages(40, 40))
    truth = replace(usage, **{kind: getattr(usage, kind) or 0 for kind in NONE})
    assert price.cost(usage) >= price.cost(truth)
    assert price.cost(truth) >= _exact(price, truth, data)


def _exact(price: TablePrice, usage: Usage, data: st.DataObject) -> int:
    """The cost of the same tokens, each of which is of one kind and cached in one way, drawn at random."""
    tier = [tier for tier in price._tiers if usage.input_tokens > tier.above][-1]
    audio, image = usage.audio_input or 0, usage.image_input or 0
    text = usage.input_tokens - audio - image
    kinds = [tier.audio_input] * audio + [tier.image_input] * image + [None] * text
    rates = [tier.cache_read] * usage.cache_read + [tier.cache_write] * usage.cache_write
    rates += [tier.input] * (usage.input_tokens - len(rates))
    nano = sum(rate if own is None else own for own, rate in zip(kinds, data.draw(st.permutations(rates)), strict=True))
    for own, tokens in ((tier.audio_output, usage.audio_output or 0), (tier.image_output, usage.image_output or 0)):
        nano += tokens * (tier.output if own is None else own)
    nano += (usage.output_tokens - (usage.audio_output or 0) - (usage.image_output or 0)) * tier.output
    return -(-nano // TOKENS_PER_MILLION)


@given(prices(), st.integers(0, 3000), st.integers(0, 3000))
def test_a_ceiling_is_tight(price: TablePrice, most_input: int, most_output: int) -> None:
    """Some usage within the bounds costs exactly the ceiling."""
    reached = 0
    ends = {most_input, *(tier.above for tier in price._tiers if 0 <= tier.above <= most_input)}
    for total in ends:
        inputs: list[dict[str, Any]] = [
            {},
            {"cache_read": total},
            {"cache_write": total},
            {"audio_input": total},
            {"image_input": total},
        ]
        outputs: list[dict[str, Any]] = [{}, {"audio_output": most_output}, {"image_output": most_output}]
        for told in (NONE | one | other for one in inputs for other in outputs):
            usage = Usage(input_tokens=total, output_tokens=most_output, **told)
            reached = max(reached, price.cost(usage))
    assert reached == price.ceiling(most_input, most_output)


@given(st.integers(0, 4_000_000_000_000))
def test_every_moment_is_in_its_month(at_ms: int) -> None:
    window = month_of(at_ms)
    assert month_start_ms(window) <= at_ms
    assert month_of(month_start_ms(window)) == window
    assert len(window) == 7


APPS = ("shop", "mail")
MONTHS = (month_start_ms("2026-11"), month_start_ms("2026-12"))


class LedgerMachine(RuleBasedStateMachine):
    """Requests begin and end in any order; each settles at most what it reserved."""

    @initialize(budget=st.integers(0, 200))
    def begin(self, budget: int) -> None:
        self.budget = budget
        self.ledger = ledger_with({})
        self.open: list[Reservation] = []
        self.settled: list[Reservation] = []
        self.expected: dict[tuple[str, str], int] = {}
        self.number = 0

    @rule(app=st.sampled_from(APPS), nano=st.integers(0, 120), at_ms=st.sampled_from(MONTHS))
    def reserve(self, app: str, nano: int, at_ms: int) -> None:
        self.number += 1
        key = (app, month_of(at_ms))
        fits = self.expected.get(key, 0) + nano <= self.budget
        try:
            reservation = reserve(self.ledger, f"request {self.number}", app, self.budget, nano, at_ms)
        except BudgetExceeded:
            assert not fits
        else:
            assert fits
            self.open.append(reservation)
            self.expected[key] = self.expected.get(key, 0) + nano

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        reservation = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        nano = data.draw(st.integers(0, reservation.nano))
        self.ledger.settle(reservation, usd(nano))
        self.settled.append(reservation)
        self.expected[reservation.app, reservation.window] += nano - reservation.nano

    @precondition(lambda self: self.open)
    @rule(data=st.data(), nano=st.integers(0, 150))
    def extend(self, data: st.DataObject, nano: int) -> None:
        """Passes exactly when it fits; asked again, and by the reservation of before, it changes nothing."""
        place = data.draw(st.integers(0, len(self.open) - 1))
        held = self.open[place]
        key, more = (held.app, held.window), max(nano - held.nano, 0)
        fits = not more or self.expected.get(key, 0) + more <= self.budget
        for _ in range(2):
            try:
                self.open[place] = self.ledger.extend(held, usd(nano))
            except BudgetExceeded:
                assert not fits
                return
            assert fits
            assert self.open[place].nano == held.nano + more
        self.expected[key] += more

    @precondition(lambda self: self.settled)
    @rule(data=st.data(), nano=st.integers(0, 500))
    def settle_again(self, data: st.DataObject, nano: int) -> None:
        self.ledger.settle(data.draw(st.sampled_from(self.settled)), usd(nano))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.open))
        again = reserve(self.ledger, held.id, held.app, self.budget, held.nano, month_start_ms(held.window))
        assert again == held

    @invariant()
    def no_budget_is_overspent(self) -> None:
        for app in APPS:
            for at_ms in MONTHS:
                total = spent(self.ledger, app, month_of(at_ms))
                assert 0 <= total <= self.budget
                assert total == self.expected.get((app, month_of(at_ms)), 0)
        assert self.ledger.overrun_nano == 0
        assert self.ledger.open_reservations == len(self.open)


TestLedger = LedgerMachine.TestCase
