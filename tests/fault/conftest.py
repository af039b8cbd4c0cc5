"""The provider client is tried on both event loops: the gateway runs on uvloop, whose transports differ."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvloop

from gptgate import compose
from gptgate.detectors import build_inspector


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """asyncio's own loop for every test of this folder, and uvloop too where transports matter most."""
    if item.path.name.startswith(("test_upstream_", "test_hang_ups")):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session", autouse=True)
def one_inspector_for_all() -> Iterator[None]:
    """Compiling the detectors takes a second, and an inspector keeps nothing between calls: all gateways share one."""
    inspector = build_inspector()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "build_inspector", lambda: inspector)
        yield
