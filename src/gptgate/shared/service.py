"""The shared counters of a running gateway, put together."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from gptgate.core.beside import CountersSpec
from gptgate.core.budgets import BudgetSpec, Crossing
from gptgate.core.errors import CountersUnavailable
from gptgate.core.ports import Clock
from gptgate.shared.counters import SharedCounters
from gptgate.shared.ledger import OwnLedger
from gptgate.shared.link import Link
from gptgate.shared.membership import Membership
from gptgate.shared.settler import Settler


class SharedService:
    """Owns the connection and the tasks. `start` it in the event loop that serves; the caller must `close`."""

    def __init__(
        self,
        spec: CountersSpec,
        password: str,
        folder: Path,
        ledger: OwnLedger,
        clock: Clock,
        report: Callable[[Crossing], None],
        logger: FilteringBoundLogger,
        now_us: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`now_us` is the time that rates go by; None: the server's own."""
        self._link = Link(spec, password)
        self._membership = Membership(
            self._link, folder, ledger, logger, prefix=spec.prefix, timeout_ms=spec.timeout_ms
        )
        self._settler = Settler(self._membership, report)
        self.counters = SharedCounters(self._membership, ledger, self._settler, clock, now_us)
        self._tasks: list[asyncio.Task[None]] = []

    async def agree(self) -> None:
        """Ask the server once. Raises CountersUnavailable with a `hint` when it will not have this gateway as it is
        configured; one that does not answer is left to `start`."""
        try:
            await self._link.meet()
        except CountersUnavailable as error:
            if error.hint:
                raise
        finally:
            await self._link.close()

    def start(self, budgets: Sequence[BudgetSpec]) -> None:
        """Join, and keep trying until it succeeds; nothing is admitted before."""
        self._membership.budgets = budgets
        self._tasks = [asyncio.create_task(work) for work in (self._membership.run(), self._settler.run())]

    def change(self, budgets: Sequence[BudgetSpec], anew: bool) -> None:
        """Amounts go with each request. What accounts were topped up by, and what new ones have spent, is told to all,
        by joining again."""
        self._membership.budgets = budgets
        if anew:
            self._membership.doubt()

    def readiness(self) -> list[str]:
        """Why nothing can be admitted; empty when it can."""
        membership = self._membership
        if membership.fault:
            return [f"the shared counters cannot be asked: {membership.fault}"]
        why = []
        if not membership.joined:
            unaware = ", ".join(sorted(membership.unaware))
            heard = f": these gateways have not heard of this one yet (at most 15 s): {unaware}" if unaware else ""
            why.append(f"the shared counters are being joined{heard}")
        if membership.waited:
            why.append(f"the shared counters wait for these gateways: {', '.join(sorted(membership.waited))}")
        return why or [f"a task of the shared counters has ended: {task}" for task in self._tasks if task.done()]

    async def settled(self) -> None:
        """Wait until the counters know of every request that is over."""
        await self._settler.drained()

    async def close(self, deadline_ms: int) -> None:
        """Tell what is to be told, within the deadline and one call more; what is not is told by the next start."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_ms / 1000):
                await self._settler.drained()
        await self._end_tasks()
        await self._membership.leave()
        await self._link.close()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
