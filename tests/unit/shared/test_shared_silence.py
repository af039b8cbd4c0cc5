"""A gateway that was silent for longer than its lease, and lives: stopped, or cut off, while its requests go on."""

import secrets
from collections.abc import Callable

import pytest

from gptgate.core.errors import ConcurrencyLimited
from limit_parts import charge, places
from shared_parts import LimiterThere, Member, Server
from waiting import eventually

LIMITS = [charge(places("p", 1))]


async def silent() -> None:
    """In the place of a beat."""


def test_who_is_heard_again_has_its_places_again(
    member: Callable[..., Member], counters_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"s{secrets.token_hex(6)}"
    one, other = member(prefix), member(prefix)
    process = one.service._membership.process
    held = LimiterThere(one).admit(LIMITS, 0)
    with monkeypatch.context() as patch, counters_server.client() as client:
        patch.setattr(one.service._membership, "_beat", silent)
        client.hset(f"{{{prefix}}}:alive", process, 1)  # when its lease ended
        LimiterThere(other).admit(LIMITS, 0).release()
    one.run(eventually(lambda: one.service._membership.process != process))
    one.run(one.ready())
    with pytest.raises(ConcurrencyLimited):
        LimiterThere(other).admit(LIMITS, 0)
    held.release()
    LimiterThere(other).admit(LIMITS, 0).release()
