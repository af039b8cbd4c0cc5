"""``python -m bench.unrecorded``: the gateway without its trail, to measure what the trail costs. It records nothing.

All else is the same program: intents and ends are made, metrics and log lines come of them. A request waits as long as
for a batch of records, and goes on together with those of its batch: without that the event loop would have other work,
since it is cheaper for what comes in groups.
"""

import asyncio
from pathlib import Path

from gptgate import compose
from gptgate.cli.main import run
from gptgate.core.events import End, Intent
from gptgate.core.facts import LogIndex, Reservation, Usage
from gptgate.core.snapshot import Snapshot
from gptgate.storage.log_folder import LogFolder
from gptgate.storage.sqlite import StoreStats
from gptgate.wiring import SystemClock, open_audit_log

BATCH_S = 0.004
"""What a batch takes under load: its wait for others, and its sync."""


class Nothing:
    """A store that takes all and keeps nothing."""

    recovered = 0
    max_log_lag_ns = 0

    def __init__(self) -> None:
        self._batch: asyncio.Future[LogIndex] | None = None

    async def begin(self, intent: Intent, content: bytes | None) -> LogIndex:
        if self._batch is None:
            loop = asyncio.get_running_loop()
            self._batch = loop.create_future()
            loop.call_later(BATCH_S, self._commit)
        return await asyncio.shield(self._batch)

    async def refuse(self, intent: Intent, end: End, content: bytes | None) -> LogIndex:
        return await self.begin(intent, content)

    def _commit(self) -> None:
        if self._batch is not None:
            self._batch.set_result(LogIndex(seq=1))
            self._batch = None

    async def extend(self, reservation: Reservation, tokens: Usage) -> None:
        """Gone."""

    def finish(self, end: End, content: bytes | None) -> None:
        """Gone."""

    def healthy(self) -> list[str]:
        return []

    def stats(self) -> StoreStats:
        fields = "pending_rows pending_bytes waiting_ends open_requests batches failures replaced_ends"
        return StoreStats(**dict.fromkeys([*fields.split(), "log_size", "log_lag_rows", "log_lag_ns"], 0))

    async def close(self, deadline_ms: int) -> None:
        """Nothing waits."""


def open_nothing(folder: Path, clock: SystemClock, snapshot: Snapshot) -> Nothing:
    open_audit_log(LogFolder(folder))  # makes the key that other parts ask for
    return Nothing()


if __name__ == "__main__":
    vars(compose)["open_store"] = open_nothing
    run()
