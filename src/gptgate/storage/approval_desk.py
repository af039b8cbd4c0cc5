"""The port `Approvals` over the approvals' file: the disk is waited for in threads, its errors refuse the request."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gptgate.core.approvals import Approval, Subject
from gptgate.core.errors import GuardFailed
from gptgate.storage.approvals import ApprovalStore
from gptgate.storage.errors import StorageError

T = TypeVar("T")


class ApprovalDesk:
    """`gptgate.core.ports.Approvals`. The file is opened by the first request that needs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store: ApprovalStore | None = None
        self._opening = threading.Lock()

    def close(self) -> None:
        """Nobody claims any more."""
        with self._opening:
            if self._store is not None:
                self._store.close()
                self._store = None

    async def claim(self, subject: Subject, request_id: str, now_ms: int) -> Approval | None:
        return await self._aside(lambda store: store.claim(subject, request_id, now_ms))

    async def ask(self, asked: Approval, now_ms: int) -> Approval | None:
        return await self._aside(lambda store: store.ask(asked, now_ms))

    async def give_back(self, approval_id: str, request_id: str) -> None:
        await self._aside(lambda store: store.give_back(approval_id, request_id))

    async def _aside(self, work: Callable[[ApprovalStore], T]) -> T:
        try:
            return await asyncio.to_thread(lambda: work(self._opened()))
        except StorageError as error:
            raise GuardFailed(
                "Approvals cannot be looked up.",
                guard="approvals",
                why="their file cannot be used",
                detail=error.message,
            ) from None

    def _opened(self) -> ApprovalStore:
        with self._opening:
            if self._store is None:
                self._store = ApprovalStore(self._folder)
            return self._store
