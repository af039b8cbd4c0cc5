"""Room for connections: whoever only connects must leave the gateway files to record, to answer and to operate it by.

Threat: somebody without a key opens connections until the process has no descriptor left. Then nobody is served, and
neither records nor the control plane can be reached.
"""

import resource
import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

WANTED = 65_536
KEPT = 64
"""Open files for the gateway itself: databases, logs, listeners, the control plane."""
QUIET_S = 10.0


def most_connections() -> int:
    """How many callers may be connected, 0 for any number: the limit of open files allows each one to a provider too.

    The limit is raised first as far as the system lets this process, up to `WANTED`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 0
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (ValueError, OSError):
            # The kernel has a bound of its own below the one that it names (macOS): what there is has to do.
            pass
    return max(1, (soft - KEPT) // 2)


class Crowded:
    """Tells the operator of connections that were refused, not more often than every `QUIET_S`."""

    def __init__(self, logger: FilteringBoundLogger, most: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._logger, self._most, self._now_s = logger, most, now_s
        self._refused = 0
        self._next_s = 0.0

    def __call__(self) -> None:
        """One more was refused."""
        self._refused += 1
        if self._now_s() >= self._next_s:
            self._next_s = self._now_s() + QUIET_S
            what = "connections were refused: there are as many as the limit of open files allows"
            self._logger.warning(what, refused=self._refused, connections=self._most)
            self._refused = 0
