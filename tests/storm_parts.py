"""Callers of a storm: all at once, to providers that fail, and some leave."""

import asyncio
import contextlib
import os
import random

from raw_client import CHAT, RawClient, post, prompt

STORMS = int(os.environ.get("GPTGATE_STORMS", "0"))
"""So often the storms are repeated; 0: a few small ones."""
REQUESTS = 1000 if STORMS else 200
AT_ONCE = 250
"""So many connections are open at a time; each place is taken again as soon as it is free."""
CEILING_TEXT = "echo: hello "
PROBE = f"fault: {'':<40}\n{CEILING_TEXT}"
FAULTS = (
    "",
    "",
    "latency={}ms",
    "latency={}ms status=500",
    "status=429 retry-after=1",
    "status=400",
    "malformed",
    "no-usage",
    "cut=2",
    "delay={}ms chunk=2",
)


def order(chance: random.Random) -> str:
    """A text whose fault line has one length, so that all requests have one ceiling."""
    fault = chance.choice(FAULTS).format(chance.randrange(1, 100))
    return f"fault: {fault:<40}\n{CEILING_TEXT}"


async def visit(base_url: str, key: str, chance: random.Random, early: float = 0, **fields: str) -> None:
    """One caller, who may leave at any moment. `fields` are more of its request's own. `early` is how likely it leaves
    without waiting for anything: such a request may never be read, and is then on no record."""
    stream = chance.random() < 0.5
    client = await RawClient.connect(base_url)
    try:
        await client.send(post(CHAT, key, prompt(order(chance), stream=stream, **fields)))
        if chance.random() < early:
            await asyncio.sleep(chance.random() / 10)
            client.reset()
        elif chance.random() < 0.25:
            await client.head()
            client.reset()
        else:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await client.answer()
    finally:
        await client.close()
