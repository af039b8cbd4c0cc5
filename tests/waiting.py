"""How tests wait: for what shall happen, within a bound that only what is broken reaches."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 60.0
"""Says that a test hangs, and measures nothing: a machine that is busy stalls for seconds."""


async def eventually(happened: Callable[[], object]) -> None:
    """Wait until it has happened, in this event loop or elsewhere."""
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.002)
