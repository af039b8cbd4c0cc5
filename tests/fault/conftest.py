"""The provider client is tried on both event loops: the gateway runs on uvloop, whose transports differ."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """asyncio's own loop for every test of this folder, and uvloop too where transports matter most."""
    if item.path.name.startswith(("test_upstream_", "test_hang_ups")):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}
