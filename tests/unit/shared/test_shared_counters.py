"""Several gateways' parts on one server: what one says, all know."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Sequence

import pytest
import uvloop
from msgspec.structs import replace
from redis.asyncio.connection import AbstractConnection

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Dimension, Spend, TopUp, Unit, Window
from gptgate.core.errors import BudgetExceeded, ConcurrencyLimited, CountersUnavailable
from gptgate.core.limit import Charge, LimitSpec
from gptgate.core.limit import Unit as LimitUnit
from gptgate.core.shared import Wish
from gptgate.shared.hold import SharedHold
from gptgate.shared.link import JOIN, Link, Reply, _doubts, unavailable
from limit_parts import charge, places, spec
from shared_parts import LedgerThere, LimiterThere, Member, Server, running_server, spec_of
from waiting import eventually

NOW_MS = 1_795_392_000_000
DAY = BudgetSpec(name="day", scope=(), unit=Unit.USD, window=Window.DAY, amount=100, thresholds=(50, 80))
WEEK = BudgetSpec(name="week", scope=(), unit=Unit.TOKENS, window=Window.ROLLING, over_ms=7 * 86_400_000, amount=1000)
BUDGETS = (DAY, WEEK)
CHARGES = [BudgetCharge(DAY, ()), BudgetCharge(WEEK, ())]
Make = Callable[..., Member]


def dollars(nano: int) -> Spend:
    return Spend(nano=nano, tokens=nano, requests=1)


@pytest.fixture
def both(member: Make) -> tuple[Member, Member]:
    prefix = f"p{secrets.token_hex(6)}"
    return member(prefix, BUDGETS), member(prefix, BUDGETS)


def test_what_one_reserves_the_other_cannot(both: tuple[Member, Member]) -> None:
    one, other = map(LedgerThere, both)
    held = one.reserve("a", "app", CHARGES, dollars(60), NOW_MS)
    with pytest.raises(BudgetExceeded, match=r"of which \$0.00000004 is left"):
        other.reserve("b", "app", CHARGES, dollars(41), NOW_MS)
    one.settle(held, dollars(10))
    other.reserve("c", "app", CHARGES, dollars(90), NOW_MS)
    assert one.left(CHARGES[0], NOW_MS) == 0
    assert one.spent(CHARGES[1], NOW_MS) == 100


def test_a_place_that_one_takes_is_not_free_for_the_other(both: tuple[Member, Member]) -> None:
    one, other = map(LimiterThere, both)
    held = one.admit([charge(places("p", 1))], 0)
    with pytest.raises(ConcurrencyLimited):
        other.admit([charge(places("p", 1))], 0)
    held.release()
    other.admit([charge(places("p", 1))], 0)


def test_a_threshold_is_told_by_one_of_them_once(both: tuple[Member, Member]) -> None:
    for number in range(8):
        there = LedgerThere(both[number % 2])
        there.settle(there.reserve(f"r{number}", "app", CHARGES, dollars(12), NOW_MS), dollars(11))
    told = [crossing.percent for member in both for crossing in member.crossings]
    assert sorted(told) == [50, 80]


def test_what_one_is_topped_up_by_the_other_can_spend(both: tuple[Member, Member]) -> None:
    one, other = both
    one.ledger.set_top_ups(BUDGETS, [TopUp("day", (), NOW_MS, 50)])

    async def told() -> None:
        one.service.change(BUDGETS, True)
        await one.ready()

    one.run(told())
    LedgerThere(other).reserve("a", "app", CHARGES[:1], dollars(150), NOW_MS)
    with pytest.raises(BudgetExceeded):
        LedgerThere(one).reserve("b", "app", CHARGES[:1], dollars(1), NOW_MS)


def test_dollars_that_one_is_given_are_no_tokens_of_the_other(both: tuple[Member, Member]) -> None:
    """Who has taken another configuration over counts them apart from who has not yet."""
    one, other = both
    tokens = replace(DAY, unit=Unit.TOKENS)
    given = [TopUp.given(DAY, (), NOW_MS, 11_900, 12_000)]

    async def told(member: Member, *budgets: BudgetSpec) -> None:
        member.ledger.set_top_ups(budgets, given)
        member.service.change(budgets, True)
        await member.ready()

    one.run(told(one, DAY))
    assert LedgerThere(other).left(CHARGES[0], NOW_MS) == 12_000
    one.run(told(one, DAY, tokens))
    assert LedgerThere(one).left(CHARGES[0], NOW_MS) == 12_000
    assert LedgerThere(one).left(BudgetCharge(tokens, ()), NOW_MS) == 100
    assert LedgerThere(other).left(BudgetCharge(tokens, ()), NOW_MS) == 100


def test_an_amount_that_several_are_told_to_set_is_that_amount(both: tuple[Member, Member]) -> None:
    one, other = both

    def told(member: Member, *changes: TopUp) -> None:
        async def tell() -> None:
            member.ledger.set_top_ups(BUDGETS, changes)
            member.service.change(BUDGETS, True)
            await member.ready()

        member.run(tell())

    def left(member: Member) -> int | None:
        return LedgerThere(member).left(CHARGES[0], NOW_MS)

    before, first = TopUp("day", (), NOW_MS, 50), TopUp("day", (), NOW_MS + 1, 20, 170)
    second = TopUp("day", (), NOW_MS + 2, 70, 170)
    told(one, before, first)
    told(other, second)
    assert (left(one), left(other)) == (170, 170)
    told(one, before, first, TopUp("day", (), NOW_MS + 3, 5))
    assert (left(one), left(other)) == (175, 175)
    told(other, second, TopUp.given(DAY, (), NOW_MS + 4, -75, configured=True))
    assert (left(one), left(other)) == (100, 100)
    told(other, second, TopUp("day", (), NOW_MS + 5, -175, 0))
    assert (left(one), left(other)) == (0, 0)
    with pytest.raises(BudgetExceeded, match=r"is \$0\.00, of which nothing is left"):
        LedgerThere(one).reserve("a", "app", CHARGES[:1], dollars(1), NOW_MS)


def test_what_one_operator_says_last_holds_also_when_the_clock_was_set_back(both: tuple[Member, Member]) -> None:
    one, other = both
    said = [
        TopUp.given(DAY, (), NOW_MS + 900, 900, 1000),
        TopUp.given(DAY, (), NOW_MS + 100, -990, 10),
        TopUp.given(DAY, (), NOW_MS + 100, 5),
    ]
    one.ledger.set_top_ups(BUDGETS, said)

    async def tell() -> None:
        one.service.change(BUDGETS, True)
        await one.ready()

    one.run(tell())
    assert [LedgerThere(member).left(CHARGES[0], NOW_MS) for member in both] == [15, 15]
    assert LedgerThere(other).spent(CHARGES[0], NOW_MS) == 0


def test_a_request_for_which_there_is_no_account_any_more_holds_nothing(
    member: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers make up end users and sessions. What is refused for their number alone has charged nobody."""
    monkeypatch.setattr("gptgate.cost.ledger.MAX_ACCOUNTS", 3)
    users = BudgetSpec(name="user", scope=(Dimension.END_USER,), unit=Unit.USD, window=Window.DAY, amount=100)
    prefix = f"p{secrets.token_hex(6)}"
    one, other = (member(prefix, [DAY, users]) for _ in range(2))
    ledger, now_ms = LedgerThere(one), NOW_MS

    def made_up(number: int) -> list[BudgetCharge]:
        return [BudgetCharge(DAY, ()), BudgetCharge(users, (f"u{number}",))]

    for number in range(3):
        ledger.reserve(f"r{number}", "app", made_up(number), dollars(10), now_ms)
    for number in range(3, 9):
        with pytest.raises(BudgetExceeded, match="too many accounts"):
            ledger.reserve(f"r{number}", "app", made_up(number), dollars(10), now_ms)
    one.run(one.service.settled())
    assert LedgerThere(other).spent(BudgetCharge(DAY, ()), now_ms) == 30


def test_an_extension_whose_answer_was_lost_is_charged_once(
    both: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = both
    rate = LimitSpec(name="tpm", scope=(), unit=LimitUnit.TOTAL_TOKENS, amount=1000, window_ms=86_400_000)
    hold = one.run(one.counters.admit("r", "app", (), Wish([Charge(rate, "tpm", 100)], CHARGES, dollars(10)), NOW_MS))
    link = one.service._link
    call, lost = link.call, list[object]()

    async def losing(script: str, keys: Sequence[str], ask: dict[str, object]) -> Reply:
        reply = await call(script, keys, ask)
        if ask.get("more") and not lost:
            lost.append(ask)
            error = unavailable("cut off")
            error.broken = True
            raise error
        return reply

    monkeypatch.setattr(link, "call", losing)

    def used() -> int:
        seen = other.run(other.counters.admit("s", "app", (), Wish([Charge(rate, "tpm", 0)], (), dollars(0)), NOW_MS))
        (standing,) = seen.tokens.standing(time.monotonic_ns())
        other.run(released(other, seen))
        return rate.amount - standing.remaining

    one.run(hold.extend([50], dollars(15)))
    assert lost
    assert (used(), LedgerThere(other).spent(CHARGES[0], NOW_MS)) == (150, dollars(15).nano)
    one.run(hold.extend([50], dollars(20)))
    assert (used(), LedgerThere(other).spent(CHARGES[0], NOW_MS)) == (200, dollars(20).nano)


async def released(member: Member, hold: SharedHold) -> None:
    hold.requests.release()
    await member.service.settled()


def test_a_rolling_window_forgets_by_quarters_of_an_hour(both: tuple[Member, Member]) -> None:
    one, other = map(LedgerThere, both)
    week = CHARGES[1:]
    for hour in range(4):
        one.reserve(f"r{hour}", "app", week, dollars(250), NOW_MS + hour * 3_600_000)
    with pytest.raises(BudgetExceeded):
        other.reserve("early", "app", week, dollars(1), NOW_MS + WEEK.over_ms)
    for hour in range(4):
        later = NOW_MS + WEEK.over_ms + 900_000 + hour * 3_600_000
        other.reserve(f"s{hour}", "app", week, dollars(250), later)
        with pytest.raises(BudgetExceeded):
            one.reserve(f"t{hour}", "app", week, dollars(1), later)


def test_amounts_past_what_a_double_holds_are_added_exactly(member: Make) -> None:
    counting = BudgetSpec(name="all", scope=(), unit=Unit.USD, window=Window.LIFETIME)
    there = LedgerThere(member("", [counting]))
    charges = [BudgetCharge(counting, ())]
    for number in range(3):
        there.reserve(f"large{number}", "app", charges, dollars(2**60 + 1), NOW_MS)
    assert there.spent(charges[0], NOW_MS) == 3 * (2**60 + 1)


async def _cut_short(member: Member, name: str, steps: int) -> bool:
    """A caller who hangs up while the counters are asked, so many turns of the loop later."""
    limits, wish = [charge(places("p", 1)), charge(spec("r", 1000))], Wish((), CHARGES, dollars(60))
    asking = asyncio.create_task(member.counters.admit(name, "app", limits, wish, NOW_MS))
    for _ in range(steps):
        await asyncio.sleep(0)
    in_time = asking.cancel()
    try:
        (await asking).requests.release()
    except asyncio.CancelledError:
        assert in_time
    else:
        assert not in_time, "a cancellation was lost"
    await member.service.settled()
    return in_time


def test_a_caller_who_leaves_while_the_counters_are_asked_leaves_nothing_behind(both: tuple[Member, Member]) -> None:
    one, other = both
    cut = [one.run(_cut_short(one, f"r{steps}-{turn}", steps)) for steps in range(8) for turn in range(3)]
    assert any(cut)
    assert LedgerThere(other).spent(CHARGES[0], NOW_MS) == 0
    LimiterThere(other).admit([charge(places("p", 1))], time.time_ns())


def test_counters_that_were_emptied_are_filled_again_with_what_is_held(
    both: tuple[Member, Member], counters_server: Server
) -> None:
    one, other = both
    held = LedgerThere(one)
    reservation = held.reserve("a", "app", CHARGES, dollars(60), NOW_MS)
    with counters_server.client() as client:
        client.delete(*client.keys(f"{{{one.prefix}}}:*"))
    with pytest.raises(BudgetExceeded):
        LedgerThere(other).reserve("b", "app", CHARGES, dollars(41), NOW_MS)
    held.settle(reservation, dollars(5))
    assert LedgerThere(other).spent(CHARGES[0], NOW_MS) == 5


def test_what_a_budget_that_comes_back_holds_since_before_is_held_once(
    both: tuple[Member, Member], counters_server: Server
) -> None:
    one, other = both
    held = LedgerThere(one)
    reservation = held.reserve("a", "app", CHARGES, dollars(60), NOW_MS)
    one.ledger.begin([budget for budget, _ in CHARGES])
    one.counters.adopt("a", CHARGES)
    with counters_server.client() as client:
        client.delete(*client.keys(f"{{{one.prefix}}}:*"))
    assert LedgerThere(other).spent(CHARGES[0], NOW_MS) == 60
    held.settle(reservation, dollars(5))
    assert LedgerThere(other).spent(CHARGES[0], NOW_MS) == 5


def test_two_of_which_one_is_gone_are_not_complete_after_a_loss(
    both: tuple[Member, Member], counters_server: Server
) -> None:
    one, other = both

    one.run(eventually(lambda: len(one.service._membership._known.members) == 2))
    other.close()
    with counters_server.client() as client:
        client.delete(*client.keys(f"{{{one.prefix}}}:*"))

        async def ask() -> SharedHold:
            return await one.counters.admit("a", "app", (), Wish((), CHARGES, dollars(1)), NOW_MS)

        one.service._membership.timeout_s = 0.3
        with pytest.raises(CountersUnavailable):
            one.run(ask())
        assert other.service._membership.gateway in one.service.readiness()[0]
        # The way that the guide tells for a gateway that is gone for good.
        for name in ("roster", "members"):
            client.srem(f"{{{one.prefix}}}:{name}", other.service._membership.gateway)
        one.run(one.ready())
        one.run(ask())


def told(member: Member) -> list[tuple[str, str]]:
    """Levels and words of the log so far."""
    return [(call.method_name, call.args[0]) for call in member.log.calls]


def test_a_loss_of_the_counters_is_logged_once_and_so_is_their_return() -> None:
    loop = asyncio.new_event_loop()
    with running_server() as server:
        member = Member(server, loop, "lost", BUDGETS)
        assert not told(member)
        server.kill()
        member.run(eventually(lambda: bool(member.service._membership.fault)))
        generation = member.service._membership.generation
        member.run(eventually(lambda: member.service._membership.generation > generation + 2))
        assert told(member) == [("warning", "the shared counters cannot be asked; requests are refused")]
        server.start()
        member.run(member.ready())
        assert told(member)[1:] == [("info", "the shared counters answer again")]
        member.close()
    loop.close()


def test_a_server_that_could_evict_counters_is_warned_of_and_one_that_does_is_not_used() -> None:
    loop = asyncio.new_event_loop()
    with running_server() as server:
        with server.client() as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        member = Member(server, loop, "evicts", BUDGETS)
        assert told(member) == [("warning", "the shared counters may be lost one day")]
        with server.client() as client:
            client.config_set("maxmemory", "100mb")
        member.service._membership.doubt()
        member.run(eventually(lambda: "evicts keys" in member.service._membership.fault))
        member.close()
    loop.close()


def test_a_connection_that_is_closed_before_it_is_written_to_is_a_broken_one(
    counters_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        link = Link(spec_of(counters_server), "")
        await link.meet()
        send = AbstractConnection._send_packed_command

        async def closed(connection: AbstractConnection, command: Iterable[bytes]) -> None:
            assert connection._writer is not None
            connection._writer.transport.abort()
            await send(connection, command)

        ask: dict[str, object] = {"step": "beat", "epoch": "none"}
        with monkeypatch.context() as patch:
            patch.setattr(AbstractConnection, "_send_packed_command", closed)
            with pytest.raises(CountersUnavailable, match="nothing was sent") as refused:
                await link.call(JOIN, ["a"] * 6, ask)
            assert refused.value.broken
            with pytest.raises(CountersUnavailable):
                await link.meet()
        assert await link.call(JOIN, ["a"] * 6, ask) == ["lost"]
        await link.close()

    # On another loop such a connection is found broken when its answer is read.
    uvloop.run(act())


def test_a_server_that_does_not_say_which_it_is_is_not_used(member: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As some that only speak its protocol. It may be another by and by, so it is asked again."""
    one = member("", BUDGETS)
    membership = one.service._membership

    async def nothing(link: Link) -> dict[str, object]:
        return {}

    with monkeypatch.context() as patch:
        patch.setattr(Link, "_info", nothing)
        membership.doubt()
        one.run(eventually(lambda: "does not say its run_id" in membership.fault))
    one.run(one.ready())


def test_a_server_that_does_not_say_its_policy_is_warned_of() -> None:
    assert "could not be seen" in _doubts(None)
    assert not _doubts("noeviction")


def test_four_gateways_tell_a_server_that_was_killed_what_was_spent_and_what_is_in_flight() -> None:
    with running_server() as server:
        loop = asyncio.new_event_loop()
        members = [Member(server, loop, "killed", BUDGETS) for _ in range(4)]
        try:
            ledgers = [LedgerThere(one) for one in members]
            members[0].run(eventually(lambda: all(len(one.service._membership._known.members) == 4 for one in members)))
            for number, ledger in enumerate(ledgers):
                ledger.settle(ledger.reserve(f"s{number}", "app", CHARGES, dollars(20), NOW_MS), dollars(10))
            held = ledgers[2].reserve("held", "app", CHARGES, dollars(25), NOW_MS)
            server.kill()
            server.start()
            # Nobody knows yet what the request in flight will cost: it is spent. Who asks first has to wait for all.
            with pytest.raises(BudgetExceeded):
                ledgers[0].reserve("over", "app", CHARGES, dollars(36), NOW_MS)
            assert [ledger.spent(CHARGES[0], NOW_MS) for ledger in ledgers] == [65] * 4
            last = ledgers[1].reserve("last", "app", CHARGES, dollars(35), NOW_MS)
            ledgers[2].settle(held, dollars(5))
            ledgers[1].settle(last, dollars(35))
            assert [ledger.spent(charge, NOW_MS) for ledger in ledgers for charge in CHARGES] == [80] * 8
        finally:
            for one in members:
                one.close()
            loop.close()
