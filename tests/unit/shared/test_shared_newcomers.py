"""Who is waited for when the counters are lost: also gateways that are new, and those of which only others know."""

import asyncio
import errno
import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit, Window
from gptgate.core.errors import BudgetExceeded, CountersUnavailable
from gptgate.core.shared import Wish
from gptgate.shared.link import JOIN
from gptgate.shared.membership import LEASE_MS, QUIET_MS, VERSION, Known
from gptgate.shared.names import Keys
from shared_parts import Address, LedgerThere, Member, Server, copy, running_server
from waiting import eventually

LIFE = BudgetSpec(name="life", scope=(), unit=Unit.USD, window=Window.LIFETIME, amount=100)
CHARGES = [BudgetCharge(LIFE, ())]
Make = Callable[..., Member]


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    loop = asyncio.new_event_loop()
    made: list[Member] = []

    def make(folder: Path | None = None, **more: Any) -> Member:
        made.append(Member(server, loop, "new", [LIFE], folder=folder, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
    loop.close()


def spend(one: Member, nano: int) -> None:
    ledger = LedgerThere(one)
    ledger.settle(ledger.reserve(secrets.token_hex(4), "app", CHARGES, Spend(nano=nano), 0), Spend(nano=nano))


def id_of(one: Member) -> str:
    return one.service._membership.gateway


def knows(one: Member, members: list[Member]) -> bool:
    """Whether it has written down that there are these, and no others."""
    return one.service._membership._known.members == sorted(id_of(each) for each in members)


def lost(server: Server) -> None:
    server.kill()
    server.start()


def waits_for(one: Member, missing: Member) -> None:
    """It admits nothing before the other tells what it has spent, and says so."""
    one.service._membership.timeout_s = 3
    with pytest.raises(CountersUnavailable):
        spend(one, 90)
    assert f"wait for these gateways: {id_of(missing)}" in one.service.readiness()[-1]


def killed(one: Member) -> None:
    """It says nothing more, and does not take leave."""
    one.service._membership._met_epoch = ""
    one.close()


def test_one_that_spends_at_its_first_start_and_is_gone_is_waited_for_when_all_is_lost(
    make: Make, server: Server
) -> None:
    one, new = make(), make()
    spend(new, 90)
    new.close()
    lost(server)
    waits_for(one, new)


def test_one_that_comes_while_another_is_away_is_waited_for_by_whoever_comes_first(make: Make, server: Server) -> None:
    away, one = make(), make()
    away.close()
    new = make()
    spend(new, 90)
    new.close()
    lost(server)
    # It has never heard of the new one; who has tells it.
    away = make(away.folder, waits=False)
    one.run(eventually(lambda: one.service._membership.waited))
    waits_for(away, new)
    waits_for(one, new)
    again = make(new.folder)
    with pytest.raises(BudgetExceeded):
        spend(again, 101)


def away_and_new(make: Make, server: Server) -> tuple[Member, Member]:
    """One finds all lost, and has never heard of the other, who has spent, lives, and is a moment late."""
    away = make()
    away.close()
    new = make()
    spend(new, 90)
    new.run(new.service._end_tasks())
    lost(server)
    away = make(away.folder, quiet_ms=QUIET_MS, waits=False)
    with server.client() as client:
        away.run(eventually(lambda: client.sismember("{new}:members", id_of(away))))
    return away, new


def test_one_that_was_away_lets_others_come_first_when_it_finds_all_lost(make: Make, server: Server) -> None:
    away, new = away_and_new(make, server)
    new.run(new.start())
    with pytest.raises(BudgetExceeded):
        spend(away, 90)


def test_one_that_was_away_does_not_become_one_that_knows_by_joining_again(make: Make, server: Server) -> None:
    away, new = away_and_new(make, server)
    generation = away.service._membership.generation
    away.service.change([LIFE], True)
    away.run(eventually(lambda: away.service._membership.generation > generation))
    away.run(asyncio.sleep(0.1))
    new.run(new.start())
    with pytest.raises(BudgetExceeded):
        spend(away, 90)


def test_one_that_missed_a_whole_life_of_the_counters_lets_others_come_first(make: Make, server: Server) -> None:
    one = make(quiet_ms=QUIET_MS)
    one.run(one.service._end_tasks())
    one.service._membership.doubt()
    lost(server)
    new = make(quiet_ms=QUIET_MS)
    spend(new, 90)
    new.run(new.service._end_tasks())
    lost(server)
    with server.client() as client:
        one.run(one.start())
        one.run(eventually(lambda: client.sismember("{new}:members", id_of(one))))
    new.run(new.start())
    with pytest.raises(BudgetExceeded):
        spend(one, 90)


@pytest.mark.parametrize("late", [True, False], ids=["late", "killed"])
def test_one_that_came_back_after_its_lease_is_waited_for_by_a_server_from_before(
    make: Make, server: Server, late: bool
) -> None:
    loop, address = asyncio.new_event_loop(), Address(server)
    loop.run_until_complete(address.open())
    server.url = address.url
    with running_server() as second:
        one, other = (Member(server, loop, "new", [LIFE]) for _ in range(2))
        other.close()
        with server.client() as client:  # when its lease had ended
            client.hdel("{new}:alive", other.service._membership.process)
        copy(server, second)
        other = Member(server, loop, "new", [LIFE], folder=other.folder)
        spend(other, 90)
        if late:
            other.run(other.service._end_tasks())
        else:
            killed(other)
        address.lead_to(second)
        waits_for(one, other)
        one.close()
        other.close()
    loop.run_until_complete(address.close())
    loop.close()


def test_a_server_that_comes_back_without_what_was_since_is_told_of_it(make: Make, server: Server) -> None:
    """It is the process that it was, and knows these gateways."""
    loop, address = asyncio.new_event_loop(), Address(server)
    loop.run_until_complete(address.open())
    server.url = address.url
    with running_server() as second:
        one, other = (Member(server, loop, "new", [LIFE]) for _ in range(2))
        copy(server, second)
        address.lead_to(second)
        for each in (one, other):
            each.run(eventually(partial(on, each, second)))
        spend(other, 60)
        killed(other)
        with server.client() as client:  # so that only the one who knows can tell of it
            client.hset("{new}:alive", mapping=dict.fromkeys(client.hkeys("{new}:alive"), 1))
            client.srem("{new}:roster", id_of(other))
        address.lead_to(server)
        waits_for(one, other)
        one.close()
    loop.run_until_complete(address.close())
    loop.close()


def on(one: Member, server: Server) -> bool:
    """Whether it has joined there."""
    with server.client() as client:
        return bool(client.hget("{new}:state", "epoch") == one.service._membership.joined)


def away_for_long(client: redis.Redis, other: Member, by: Member) -> None:
    """All leases ended long ago."""
    client.hset("{new}:alive", mapping=dict.fromkeys(client.hkeys("{new}:alive"), "1000"))


def while_waited_for(client: redis.Redis, other: Member, by: Member) -> None:
    """Nobody would know of the other but for those that were just waited for."""
    client.hdel("{new}:alive", other.service._membership.process)
    client.hset("{new}:state", "ready", "0")


def while_joining(client: redis.Redis, other: Member, by: Member) -> None:
    """The other had begun to join again, and not ended."""
    membership = other.service._membership
    begin = {**membership._who("anew"), "step": "begin", "epoch": membership._known.epoch, "members": [], "numbers": {}}
    begin |= {"server": membership._server, "current": True, "again": True, "fresh": "f", "version": VERSION}
    by.run(by.service._link.call(JOIN, membership.join_keys().names, begin))


@pytest.mark.parametrize("lost_touch", [away_for_long, while_waited_for, while_joining])
def test_who_lived_when_the_server_went_is_waited_for_by_the_next(
    make: Make, server: Server, lost_touch: Callable[[redis.Redis, Member, Member], None]
) -> None:
    one, other = make(), make()
    killed(other)
    one.run(one.service._end_tasks())
    one.service._membership.doubt()
    with server.client() as client:
        lost_touch(client, other, one)
        client.hset("{new}:state", "server", "one that is gone")
    one.run(one.start())
    waits_for(one, other)


def test_nobody_waits_for_one_that_left_and_all_for_the_lease_of_one_that_was_killed(
    make: Make, server: Server
) -> None:
    one, other = make(), make()
    one.close()
    before_s = time.monotonic()
    make()
    assert time.monotonic() - before_s < LEASE_MS / 1000
    killed(other)
    newest = make(waits=False)
    newest.run(eventually(lambda: newest.service._membership.unaware == [id_of(other)]))
    unaware = f"these gateways have not heard of this one yet (at most 15 s): {id_of(other)}"
    assert newest.service.readiness() == [f"the shared counters are being joined: {unaware}"]
    newest.service._membership.timeout_s = 1
    with pytest.raises(CountersUnavailable):
        spend(newest, 1)
    with server.client() as client:
        client.hset("{new}:alive", other.service._membership.process, 1)  # when its lease ended
    newest.run(newest.ready())
    spend(newest, 1)


def test_who_cannot_write_keeps_out_nobody_who_was_here_and_new_ones_for_a_lease(
    make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, full = make(), make()
    keep = Known.keep

    def full_there(self: Known, folder: Path) -> None:
        if folder == full.folder:
            raise OSError(errno.ENOSPC, "No space left on device")
        keep(self, folder)

    monkeypatch.setattr(Known, "keep", full_there)
    new = make(waits=False)
    full.run(eventually(lambda: "counters.json: No space left on device" in "".join(full.service.readiness())))
    one.service.change([LIFE], True)
    spend(one, 1)
    new.run(eventually(lambda: new.service._membership.unaware == [id_of(full)]))
    # It gives no more signs of life.
    with server.client() as client:
        lives = {name: till for name, till in client.hgetall("{new}:alive").items() if name.startswith(id_of(full))}
        new.run(asyncio.sleep(1))
        assert lives.items() <= client.hgetall("{new}:alive").items()
        client.hdel("{new}:alive", *lives)
    new.run(new.ready())
    spend(new, 1)


def test_one_that_dies_while_it_joins_keeps_out_nobody_who_was_here(make: Make) -> None:
    one = make()
    membership = one.service._membership
    begin = {**membership._who("new"), "gateway": "feed", "step": "begin", "epoch": "", "members": [], "numbers": {}}
    begin |= {"server": membership._server, "current": False, "again": False, "fresh": "f", "version": VERSION}
    names = Keys("new", "state", "open:feed", "alive", "roster", "joined", "members").names
    one.run(one.service._link.call(JOIN, names, begin))
    membership.timeout_s = LEASE_MS / 3000
    one.service.change([LIFE], True)
    spend(one, 1)
    assert membership._known.members == [id_of(one)]  # the other never admitted anything


def test_who_ends_before_it_was_heard_takes_leave_too(make: Make, server: Server) -> None:
    one, dead = make(), make()
    killed(dead)
    new = make(waits=False)
    new.run(eventually(lambda: new.service._membership.unaware))
    new.close()
    with server.client() as client:
        client.hdel("{new}:alive", dead.service._membership.process)
    before_s = time.monotonic()
    make()
    assert time.monotonic() - before_s < LEASE_MS / 1000
    spend(one, 1)


def test_whom_operators_took_away_is_not_named_again_by_one_that_was_here(make: Make, server: Server) -> None:
    one, away, gone = make(), make(), make()
    away.close()
    gone.close()
    with server.client() as client:
        client.srem("{new}:roster", id_of(gone))
        client.srem("{new}:members", id_of(gone))
    away = make(away.folder)
    for each in (away, one):
        spend(each, 1)
        each.run(eventually(partial(knows, each, [one, away])))


def test_one_that_was_taken_away_and_is_here_is_new(make: Make, server: Server) -> None:
    one, other = make(), make()
    before = other.service._membership._known.numbers[id_of(other)]
    with server.client() as client:
        client.srem("{new}:members", id_of(other))
    other.service.change([LIFE], True)
    spend(other, 1)
    assert one.service._membership._known.numbers[id_of(other)] > before


def test_what_cannot_be_written_down_is_not_said_to_be_known(
    make: Make, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make()

    def full(_self: Known, _folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, server.client() as client:
        client.sadd("{new}:members", "another")
        patch.setattr(Known, "keep", full)
        one.run(eventually(lambda: "counters.json: No space left on device" in "".join(one.service.readiness())))
        with pytest.raises(CountersUnavailable):
            spend(one, 1)
    one.run(one.ready())
    spend(one, 1)


def test_what_is_settled_while_its_gateway_waits_to_be_heard_is_told(make: Make, server: Server) -> None:
    one, dead = make(), make()
    membership = one.service._membership
    wish = Wish((), CHARGES, Spend(nano=5))
    hold = one.run(one.counters.admit("late", "app", (), wish, 0))
    assert hold.reservation is not None
    membership.timeout_s = 0.5
    killed(dead)
    with server.client() as client:
        client.hset("{new}:state", f"heard:{id_of(dead)}", 0)
        client.hdel("{new}:state", f"known:{id_of(one)}")
        one.service.change([LIFE], True)
        one.run(eventually(lambda: membership.unaware))
        one.ledger.settle(hold.reservation, Spend(nano=1))
        hold.requests.release()
        (account,) = client.keys("{new}:budget:life:*")
        one.run(eventually(lambda: client.hmget(account, "0", "held") == ["1", "0"]))
