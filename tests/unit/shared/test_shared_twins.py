"""Two gateways with one id, as when a data folder is copied with all that it holds: each would tell its own spending in
the place of the other's."""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit, Window
from gptgate.core.errors import BudgetExceeded, CountersUnavailable
from gptgate.shared.link import JOIN
from gptgate.shared.membership import FILE_NAME
from shared_parts import LedgerThere, Member, Server
from waiting import eventually

LIFE = BudgetSpec(name="life", scope=(), unit=Unit.USD, window=Window.LIFETIME, amount=100)
CHARGES = [BudgetCharge(LIFE, ())]


def test_of_two_gateways_with_one_id_neither_admits_anything_until_one_is_gone(
    member: Callable[..., Member], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptgate.shared.membership.LEASE_MS", 3000)
    prefix = f"t{secrets.token_hex(6)}"
    first = member(prefix, [LIFE])
    ledger = LedgerThere(first)
    ledger.settle(ledger.reserve("a", "app", CHARGES, Spend(nano=60), 0), Spend(nano=60))
    shutil.copy(first.folder / FILE_NAME, tmp_path)
    second = member(prefix, [LIFE], folder=tmp_path)
    first.run(eventually(lambda: all("was copied" in "".join(one.service.readiness()) for one in (first, second))))
    for one in (first, second):
        with pytest.raises(CountersUnavailable):
            LedgerThere(one).reserve("b", "app", CHARGES, Spend(nano=60), 0)
    second.close()
    first.run(first.ready())
    # Who starts anew is no twin of what it was.
    first.close()
    again = LedgerThere(member(prefix, [LIFE], folder=first.folder))
    again.reserve("c", "app", CHARGES, Spend(nano=40), 0)
    with pytest.raises(BudgetExceeded):
        again.reserve("d", "app", CHARGES, Spend(nano=1), 0)


def begin(one: Member, instance: str, *, by: Member | None = None, again: bool = False) -> str:
    """What is answered to another with the same id: one that was started this moment, or was here before. `by` asks."""
    membership = one.service._membership
    ask = membership._who(f"{membership.gateway}:new") | {"instance": instance, "step": "begin", "again": again}
    told = {"epoch": "", "server": membership._server, "current": False, "fresh": "f", "members": [], "numbers": {}}
    told["version"] = membership._version
    return str(one.run((by or one).service._link.call(JOIN, membership.join_keys().names, ask | told))[0])


def test_a_twin_that_is_started_again_and_again_is_not_let_in(member: Callable[..., Member]) -> None:
    one = member("", [LIFE])
    assert begin(one, "other") == "met"
    one.run(eventually(lambda: "was copied" in "".join(one.service.readiness())))
    for instance in ("third", "fourth"):
        assert begin(one, instance) == "twin"


def test_one_that_is_started_again_and_again_does_not_keep_itself_out(
    member: Callable[..., Member], counters_server: Server
) -> None:
    one, by = member("", [LIFE]), member()
    key, mark = one.service._membership.keys().names[0], f"twins:{one.service._membership.gateway}"
    assert begin(one, "other") == "met"
    one.run(eventually(lambda: "was copied" in "".join(one.service.readiness())))
    one.close()
    with counters_server.client() as client:
        till = client.hget(key, mark)
        for instance in ("third", "fourth"):
            assert begin(one, instance, by=by) == "twin"
        assert client.hget(key, mark) == till
        # Who was refused before and is replaced all the same has a twin that lives.
        assert begin(one, "third", by=by, again=True) == "twin"
        assert client.hget(key, mark) > till


def test_what_a_clock_said_that_was_set_back_keeps_nobody_out(
    member: Callable[..., Member], counters_server: Server
) -> None:
    one = member("", [LIFE])
    membership = one.service._membership
    with counters_server.client() as client:
        client.hset(membership.keys().names[0], f"twins:{membership.gateway}", str(2**45))
    generation = membership.generation
    membership.doubt()
    one.run(one.ready())
    assert membership.generation == generation + 1


def test_a_gateway_that_joins_again_and_again_is_no_twin_of_its_own(member: Callable[..., Member]) -> None:
    one = member("", [LIFE])
    membership = one.service._membership
    generation = membership.generation
    for times in range(1, 4):
        membership.doubt()
        one.run(one.ready())
        assert membership.generation == generation + times
    assert not one.log.calls
