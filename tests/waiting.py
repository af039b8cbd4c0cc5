"""How tests wait: for what shall happen, within a bound that only what is broken reaches."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

T = TypeVar("T")
PATIENCE_S = 120.0
"""Says that a test hangs, and measures nothing: a machine that is busy stalls for seconds."""


async def eventually(happened: Callable[[], object]) -> None:
    """Wait until it has happened, in this event loop or elsewhere."""
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.002)


def wait_until(happened: Callable[[], T]) -> T:
    """The same without an event loop. What it is then."""
    latest = time.monotonic() + PATIENCE_S
    while not (found := happened()):
        assert time.monotonic() < latest, "it has not happened"
        time.sleep(0.005)
    return found


class SteppedTime:
    """The time of the running event loop, which only the test moves on: no stall makes a deadline pass."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    async def step(self, seconds: float) -> None:
        """Let so much time pass, and everything happen that follows from it on this machine."""
        self.now_s += seconds
        for _ in range(50):
            await asyncio.sleep(0)

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until it has happened, without the loop's time."""
        latest = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < latest, "it has not happened"
            await asyncio.sleep(0)


@contextmanager
def stepped_time() -> Iterator[SteppedTime]:
    """Takes the place of the running loop's own time, where that is asyncio's loop."""
    loop = asyncio.get_running_loop()
    stepped = SteppedTime(loop.time())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: stepped.now_s)
        yield stepped
