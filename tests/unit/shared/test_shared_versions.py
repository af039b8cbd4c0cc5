"""Gateways of different versions that share counters: who would not understand them does not join, and is told why."""

import secrets
from collections.abc import Callable

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit, Window
from gptgate.shared import membership
from shared_parts import LedgerThere, Member, Server
from waiting import eventually

LIFE = BudgetSpec(name="life", scope=(), unit=Unit.USD, window=Window.LIFETIME, amount=1000)
OLD, NEW = membership.VERSION, membership.VERSION + 1
Make = Callable[[int, str], Member]


@pytest.fixture
def of_version(member: Callable[..., Member], monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(version: int, prefix: str) -> Member:
        monkeypatch.setattr(membership, "VERSION", version)
        return member(prefix, (LIFE,))

    return make


@pytest.fixture
def prefix() -> str:
    return f"t{secrets.token_hex(6)}"


async def refused(self: Member) -> None:
    await eventually(lambda: f"version {NEW}, and this gateway knows {OLD}" in "".join(self.service.readiness()))


def warned_of(one: Member) -> list[list[str]]:
    return [call.kwargs["gateways"] for call in one.log.calls if "gateways" in call.kwargs]


def spend(one: Member, name: str) -> None:
    ledger = LedgerThere(one)
    ledger.settle(ledger.reserve(name, "a", [BudgetCharge(LIFE, ())], Spend(nano=5, requests=1), 0), Spend(nano=5))


def test_an_older_gateway_is_not_let_in_and_says_what_to_do(
    of_version: Make, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = of_version(NEW, prefix)
    with monkeypatch.context() as patch:
        patch.setattr(Member, "ready", refused)
        older = of_version(OLD, prefix)
    (said,) = older.service.readiness()
    assert "update this gateway" in said
    # Nobody waits for it, and nothing is in doubt.
    newer.service._membership.doubt()
    newer.run(newer.ready())
    spend(newer, "r1")
    assert LedgerThere(newer).spent(BudgetCharge(LIFE, ()), 0) == 5


def test_a_newer_gateway_tells_of_older_ones_and_these_do_not_join_again(of_version: Make, prefix: str) -> None:
    older = of_version(OLD, prefix)
    newer = of_version(NEW, prefix)
    assert warned_of(newer) == [[older.service._membership.gateway]]
    assert warned_of(older) == []
    for one, name in ((older, "r1"), (newer, "r2")):
        spend(one, name)
    assert LedgerThere(newer).spent(BudgetCharge(LIFE, ()), 0) == 10
    newer.service._membership.doubt()
    newer.run(newer.ready())
    assert len(warned_of(newer)) == 1  # once for the same ones
    older.service._membership.doubt()
    older.run(refused(older))


def test_a_gateway_from_before_there_were_versions_is_an_older_one(
    of_version: Make, prefix: str, counters_server: Server
) -> None:
    older = of_version(OLD, prefix)
    gateway = older.service._membership.gateway
    with counters_server.client() as client:
        assert client.hdel(f"{{{prefix}}}:state", "version", f"version:{gateway}") == 2
    newer = of_version(OLD, prefix)
    assert warned_of(newer) == [[gateway]]


def test_counters_without_a_gateway_of_their_version_are_still_of_it(
    of_version: Make, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_version(NEW, prefix).close()
    monkeypatch.setattr(Member, "ready", refused)
    of_version(OLD, prefix)
