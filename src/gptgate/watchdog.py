"""Notices when the event loop stands still, and ends the guard in which it does, so that its request is refused.

Small texts are inspected in the event loop itself, and decided on there: a thread would cost each request more than the
work. So a guard that hangs would hold up every caller. Patterns and conditions work in time linear in the text, by
engines that cannot hang; this is for the Python around them.

It costs a request nothing: a thread looks once a second whether the loop still turns. When it does not, it sends the
loop's own thread a signal. The handler runs in the midst of whatever that thread is doing and sees on the stack whether
that is a guard's work. Only then it raises, and the path of a request does the rest, as for every guard that fails.

It cannot end work inside of C that neither returns nor looks for signals. Then nothing is answered, ``/livez`` neither,
which is the sign for whoever watches the process.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType

from structlog.typing import FilteringBoundLogger

from gptgate.core.errors import GuardFailed

TICK_S = 1.0
DEADLINE_TICKS = 10
"""Ticks without a turn of the loop, after which its work is ended: fifty times what the slowest small text takes. Ticks
are counted and not time, so that a process that was stopped for a while does not take itself for one that hangs."""
GUARDS = ("gptgate.detectors.", "gptgate.policy.", "gptgate.pipeline.judge", "gptgate.pipeline.answer_guard")
"""Modules that only work out what is in a text or to be done with it: they can be left at any point."""


class Watchdog:
    """Watches the event loop that runs `run`, which must be that of the main thread: signals are handled there."""

    def __init__(
        self,
        logger: FilteringBoundLogger,
        beats: Callable[[], int],
        tick_s: float = TICK_S,
        deadline_ticks: int = DEADLINE_TICKS,
    ) -> None:
        """`beats` counts the pieces of work that were begun: one turn of the loop may do those of many requests."""
        self._logger = logger
        self._beats = beats
        self._tick_s = tick_s
        self._deadline_ticks = deadline_ticks
        self._turns = 0
        self._stuck_at = (-1, -1)
        """The turn and the piece of work in which the loop was found to stand still."""
        self._over = threading.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        thread = threading.Thread(target=self._watch, args=(threading.get_ident(),), name="watchdog", daemon=True)
        before = signal.signal(signal.SIGALRM, self._bark)
        thread.start()
        try:
            while True:
                self._turns += 1
                await asyncio.sleep(self._tick_s)
        finally:
            self._over.set()
            thread.join()
            signal.signal(signal.SIGALRM, before)

    def _watch(self, watched: int) -> None:
        seen, still = (-1, -1), 0
        while not self._over.wait(self._tick_s):
            now = (self._turns, self._beats())
            still = still + 1 if now == seen else 0
            seen = now
            if still < self._deadline_ticks:
                continue
            still = 0
            where = next(_places(sys._current_frames().get(watched)), "")
            self._logger.error("the event loop stands still", ticks=self._deadline_ticks, where=where)
            self._stuck_at = now
            with suppress(ProcessLookupError):  # the watched thread has ended
                signal.pthread_kill(watched, signal.SIGALRM)

    def _bark(self, _: int, frame: FrameType | None) -> None:
        """Raises GuardFailed in the midst of a guard, where the loop has not gone on since it was found still."""
        if self._stuck_at != (self._turns, self._beats()):
            return
        for place in _places(frame):
            if place.startswith(GUARDS):
                raise GuardFailed("Looking at this took too long.", guard="inspection", why=f"ended in {place}")


def _places(frame: FrameType | None) -> Iterator[str]:
    """The functions on a stack, the innermost first."""
    while frame is not None:
        yield f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}"
        frame = frame.f_back
