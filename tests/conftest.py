"""What all tests share."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from gptgate import compose
from gptgate.detectors import build_inspector

if TYPE_CHECKING:
    from shared_parts import Member, Server


# How long an example takes says how busy the machine is. What fails here fails everywhere, and again;
# `--hypothesis-profile=explore` looks at other examples each time.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", settings.get_profile("explore"), derandomize=True)
# For `make mutation`, which wants to know whether a test fails, and not on which smallest example.
settings.register_profile(
    "mutation", settings.get_profile("repeatable"), max_examples=50, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("repeatable")

shared_inspector = cache(build_inspector)


@pytest.fixture(scope="session", autouse=True)
def one_inspector_for_all() -> Iterator[None]:
    """Compiling the detectors takes a second, and an inspector keeps nothing between calls: all gateways share one.

    It is there before any test, so that none waits for it; only where few tests want one, it comes when it is asked.
    """
    if settings.get_current_profile_name() != "mutation":
        shared_inspector()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            compose,
            "build_inspector",
            lambda cache, custom: build_inspector(custom=custom) if custom else shared_inspector(),
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
