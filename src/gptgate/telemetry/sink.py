"""One outcome → metrics and a line. The request only leaves its events here; the work is done between requests."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from gptgate.core.budgets import app_budget_name
from gptgate.core.classifier import kinds_of
from gptgate.core.events import End, Intent
from gptgate.core.limit import GUARD_NAMES
from gptgate.core.ports import Clock
from gptgate.core.snapshot import Snapshot
from gptgate.telemetry.catalog import CODES, OTHER
from gptgate.telemetry.log import LineWriter, UnauthenticatedLine, foreign, instant, request_line
from gptgate.telemetry.metrics import Metrics

CAPACITY = 100_000
FLUSH_INTERVAL_S = 0.1
FAREWELL_S = 1.0
SLICE = 32
"""Events that are worked off before the event loop gets its turn again: well under a millisecond."""

UNAUTHENTICATED_LINES_PER_SECOND = 10


class Telemetry:
    """The sink of all outcomes. All methods belong to the event loop's thread; none raises into the request path.

    Memory is bounded: when `capacity` events wait, `observe` works them off itself. Every event is counted in the
    metrics; lines are lost, and counted as such, only while the log cannot be written.
    """

    def __init__(
        self,
        *,
        metrics: Metrics,
        lines: LineWriter,
        clock: Clock,
        logger: FilteringBoundLogger,
        capacity: int = CAPACITY,
    ) -> None:
        self._metrics = metrics
        self._lines = lines
        self._clock = clock
        self._logger = logger
        self._capacity = capacity
        self._waiting: deque[tuple[Intent, End]] = deque()
        self._second = -1
        self._lines_this_second = 0
        self._suppressed = 0
        self._losing = False

    def configure(self, snapshot: Snapshot) -> None:
        """Take a configuration's names; only these become label values."""
        self._drain(len(self._waiting))
        self._metrics.configure(
            models=snapshot.models,
            apps=snapshot.apps,
            rules=[rule.id for rule in snapshot.rules],
            limits=[
                *GUARD_NAMES,
                *(spec.name for spec in snapshot.limits),
                *(app_budget_name(app) for app in snapshot.apps),
                *(budget.name for budget in snapshot.budgets),
            ],
            classifiers={name: kinds_of(name, spec.labels) for name, spec in snapshot.classifiers.items()},
            custom=[f"custom.{spec.name}" for spec in snapshot.custom],
        )

    def observe(self, intent: Intent, end: End) -> None:
        """Take the two events of a request that ended."""
        self._waiting.append((intent, end))
        # Lines count too: a scrape turns events into lines while a blocked pipe takes none.
        if len(self._waiting) + len(self._lines) >= self._capacity:
            self._drain(len(self._waiting))
            self._note_lost(self._lines.relieve())

    def unauthenticated(self, code: str, peer: str) -> None:
        """Count a caller who was refused before it was known who calls, and log it, a bounded number of times a
        second: a flood of bad keys must not become a flood of lines."""
        self._metrics.add_auth_failure(code)
        second = self._clock.monotonic_ns() // 1_000_000_000
        if second != self._second:
            self._second, self._lines_this_second = second, 0
        if self._lines_this_second >= UNAUTHENTICATED_LINES_PER_SECOND:
            self._suppressed += 1
            return
        self._lines_this_second += 1
        self._unauthenticated_line(code if code in CODES else OTHER, foreign(peer))

    def _unauthenticated_line(self, code: str, peer: str) -> None:
        at = instant(self._clock.wall_ms())
        self._lines.add(UnauthenticatedLine(at=at, code=code, client=peer, suppressed=self._suppressed))
        self._suppressed = 0

    def flush(self) -> None:
        """Work off everything now, in this thread: counts are complete and lines are written when it returns."""
        self._drain(len(self._waiting))
        self._note_lost(self._lines.flush())

    def scrape(self) -> bytes:
        """All metrics in Prometheus' text format, complete up to this moment."""
        self._drain(len(self._waiting))
        return self._metrics.render()

    async def run(self) -> None:
        """Work events off in small slices until cancelled; lines are written in a thread, for a pipe may block.

        The caller must `close` after cancelling it.
        """
        while True:
            await asyncio.sleep(FLUSH_INTERVAL_S)
            for _ in range(0, len(self._waiting), SLICE):
                self._drain(SLICE)
                await asyncio.sleep(0)
            if len(self._lines):
                self._note_lost(await _aside(self._lines.flush))

    def close(self) -> None:
        """Work off what is left, and say how many lines about unknown callers were held back.

        Waits `FAREWELL_S` at most for a log that takes no lines.
        """
        if self._suppressed:
            self._unauthenticated_line(OTHER, "")
        self._drain(len(self._waiting))
        last = threading.Thread(target=lambda: self._note_lost(self._lines.flush()), daemon=True)
        last.start()
        last.join(FAREWELL_S)
        if last.is_alive():
            self._logger.error("the log takes no lines; the records are in the audit store")

    def _drain(self, most: int) -> None:
        waiting, metrics = self._waiting, self._metrics
        for _ in range(min(most, len(waiting))):
            intent, end = waiting.popleft()
            metrics.add(intent, end)
            self._lines.add(request_line(intent, end, metrics.model_label(intent.model)))

    def _note_lost(self, lost: int) -> None:
        if lost:
            self._metrics.add_lines_lost(lost)
            if not self._losing:
                self._logger.error("log lines cannot be written; the records are in the audit store", lost=lost)
        self._losing = lost > 0


async def _aside(work: Callable[[], int]) -> int:
    """Do this in a thread of its own, which nobody waits for at the end: it may be stuck in a write for ever. The
    interpreter does wait for the threads of asyncio's pool."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[int] = loop.create_future()

    def settle(value: int) -> None:
        if not result.done():
            result.set_result(value)

    def run() -> None:
        value = work()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value)

    threading.Thread(target=run, name="gptgate-lines", daemon=True).start()
    return await result
