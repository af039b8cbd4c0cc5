"""A server that takes over, on the same address, without the last charges: as a replica does."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from gptgate.core.budgets import BudgetCharge, BudgetSpec, Spend, Unit, Window
from gptgate.core.errors import BudgetExceeded
from gptgate.core.shared import Wish
from shared_parts import Address, LedgerThere, Member, copy, running_server
from waiting import PATIENCE_S

LIFE = BudgetSpec(name="life", scope=(), unit=Unit.USD, window=Window.LIFETIME, amount=100)
CHARGES = [BudgetCharge(LIFE, ())]


class Gone(NamedTuple):
    """A gateway's part whose server does not answer any more, and in whose place another answers new connections."""

    member: Member
    ledger: LedgerThere


@pytest.fixture
def gone() -> Iterator[Gone]:
    """The other server has not heard of the 60 that were spent. Nobody gives a sign of life in between."""
    loop = asyncio.new_event_loop()
    with running_server() as old, running_server() as new:
        address = Address(old)
        loop.run_until_complete(address.open())
        old.url = address.url
        member = Member(old, loop, "behind", [LIFE], beat_s=10 * PATIENCE_S)
        ledger = LedgerThere(member)
        copy(old, new)
        ledger.settle(ledger.reserve("first", "app", CHARGES, Spend(nano=60), 0), Spend(nano=60))
        with old.client() as client:
            client.client_pause(1000 * int(PATIENCE_S))
        address.leads_to = new
        try:
            yield Gone(member, ledger)
        finally:
            member.close()
            loop.run_until_complete(address.close())
    loop.close()


def test_a_server_that_took_over_is_noticed_although_the_connections_to_the_old_one_are_silent(gone: Gone) -> None:
    """As when a host is gone: nothing says so to those who are connected, and who connects anew reaches the other."""
    member, ledger = gone
    wish = Wish((), CHARGES, Spend(nano=41))

    async def ask(name: str) -> str:
        hold = await member.counters.admit(name, "app", (), wish, 0)
        try:
            await hold.reserve(wish)
        except BudgetExceeded:
            return "refused"
        finally:
            hold.requests.release()
        return "admitted"

    async def both() -> list[str]:
        """One of them may be sent to the old server, and waits for its answer."""
        asking = [asyncio.create_task(ask(name)) for name in ("one", "other")]
        done, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.wait(asking)
        return [task.result() for task in done]

    assert {*member.run(both())} == {"refused"}
    member.run(member.ready())
    assert ledger.spent(CHARGES[0], 0) == 60
