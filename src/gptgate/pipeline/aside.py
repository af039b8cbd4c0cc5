"""Long work beside the event loop, so that one large request does not hold up all others."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from gptgate.core.errors import GuardFailed
from gptgate.pipeline.turns import Pulse, Turns

T = TypeVar("T")
LARGE = 1 << 18
"""Bytes from which on the work is long. Below them a thread costs more than it spares."""
DEADLINE_S = 60.0
"""The longest that is waited for a place and the work: ten times what the worst ten megabytes take."""


class Beside:
    """Threads for work of one kind, which must be safe in them: a few pieces of it at a time.

    A caller who hangs up frees his place only when his work is over: otherwise a few of them could take every thread
    there is.
    """

    def __init__(self, places: int, deadline_s: float = DEADLINE_S) -> None:
        self._places = asyncio.Semaphore(places)
        self._deadline_s = deadline_s

    async def run(self, work: Callable[[], T]) -> T:
        """What the work gives or raises. Raises TimeoutError past the deadline. Nothing can end a thread: work that
        hangs keeps its place."""
        async with asyncio.timeout(self._deadline_s):
            await self._places.acquire()
            running = asyncio.get_running_loop().run_in_executor(None, work)
            running.add_done_callback(self._over)
            return await asyncio.shield(running)

    def _over(self, done: "asyncio.Future[T]") -> None:
        self._places.release()
        if not done.cancelled():
            done.exception()  # asked for here: nobody else does where the caller has hung up


class Aside:
    """Runs work of one kind: what is long a few pieces at a time in threads, in which it must be safe.

    Threat: a body of ten megabytes, made to be slow to inspect, keeps a processor busy for many seconds. In the event
    loop it would keep every other caller waiting for as long.
    """

    def __init__(self, places: int, turns: Turns, pulse: Pulse, deadline_s: float = DEADLINE_S) -> None:
        """`turns` are taken before and after what is done at once, and `pulse` tells of it."""
        self._beside = Beside(places, deadline_s)
        self._turns = turns
        self._pulse = pulse

    async def run(self, size: int, work: Callable[[], T]) -> T:
        """What the work gives or raises. It is done at once where its input is small.

        Raises GuardFailed past the deadline. What hangs in the event loop is ended by `gptgate.watchdog`.
        """
        if size < LARGE:
            await self._turns
            self._pulse.beats += 1
            done = work()
            await self._turns
            return done
        try:
            return await self._beside.run(work)
        except TimeoutError:
            raise GuardFailed("Looking at this took too long.", guard="inspection", why="it took too long") from None
