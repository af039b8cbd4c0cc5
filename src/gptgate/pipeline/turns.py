"""Requests that are under way together go through a stage together.

A stage that follows all the others of one request finds nothing of its own in the processor's caches any more: it takes
two to three times as long as where it has just run. So a request lets those that are ready come up to it before it goes
on. The event loop takes them in turn, and runs the same stage for one after the other.
"""

import asyncio
from collections.abc import Callable, Generator

CROWD = 8
"""With fewer requests under way a turn costs more than it spares."""


class Pulse:
    """Counts the pieces of work that were begun in the event loop: whoever watches it sees that it goes on, also while
    one turn of the loop does the work of many requests.
    """

    __slots__ = ("beats",)

    def __init__(self) -> None:
        self.beats = 0


class Turns:
    """Await it between two stages. The request goes on at once where few are under way.

    It ends no request: a cancellation that comes meanwhile takes effect at the next wait, as if there were no turn.
    Otherwise a caller who hangs up in time would leave a request on record that nobody has looked at.
    """

    __slots__ = ("_under_way",)

    def __init__(self, under_way: Callable[[], int]) -> None:
        self._under_way = under_way

    def __await__(self) -> Generator[None, None, None]:
        if self._under_way() < CROWD:
            return
        try:
            yield
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is None:
                raise
            task.uncancel()
            task.cancel(*cancelled.args)
