"""What all tests share."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from gptgate import compose
from gptgate.detectors import build_inspector

if TYPE_CHECKING:
    from shared_parts import Member, Server


# How long an example takes says how busy the machine is. What fails here fails everywhere, and again;
# `--hypothesis-profile=explore` looks at other examples each time.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", settings.get_profile("explore"), derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def one_inspector_for_all() -> Iterator[None]:
    """Compiling the detectors takes a second, and an inspector keeps nothing between calls: all gateways share one."""
    inspector = build_inspector()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            compose, "build_inspector", lambda cache, custom: build_inspector(custom=custom) if custom else inspector
        )
        yield


@pytest.fixture(scope="session")
def counters_server() -> "Iterator[Server]":
    """One server for all tests; each takes keys of its own. Skips where there is no program for it."""
    from shared_parts import running_server  # costs a quarter of a second, which few tests need

    with running_server() as server:
        yield server


@pytest.fixture
def member(counters_server: "Server") -> "Iterator[Callable[..., Member]]":
    """Makes gateways' parts that share counters, those of one prefix together, and closes them."""
    from shared_parts import Member

    loop = asyncio.new_event_loop()
    made: list[Member] = []

    def make(prefix: str = "", *arguments: Any, **named: Any) -> Member:
        made.append(Member(counters_server, loop, prefix or f"t{secrets.token_hex(6)}", *arguments, **named))
        return made[-1]

    yield make
    for one in made:
        one.close()
    loop.close()
