"""RecordStore in memory: the same contract but for what outlives the process. For tests and short-lived gateways."""

from msgspec.structs import replace

from gptgate.core.errors import AuditUnavailable
from gptgate.core.events import End, Intent
from gptgate.core.facts import LogIndex, Reservation, Usage
from gptgate.storage.extensions import NOT_EXTENDED
from gptgate.storage.views import AuditRecord


class MemoryStore:
    """`core.ports.RecordStore` in dicts. Grows with every request; nothing is ever thrown away."""

    def __init__(self) -> None:
        self.records: dict[str, AuditRecord] = {}
        """Request id → its record, oldest first."""
        self.extended: dict[str, Reservation] = {}
        self._closed = False

    async def begin(self, intent: Intent, content: bytes | None) -> LogIndex:
        return self._add(intent, None, content)

    async def refuse(self, intent: Intent, end: End, content: bytes | None) -> LogIndex:
        return self._add(intent, end, content)

    async def extend(self, reservation: Reservation, tokens: Usage) -> None:
        del tokens
        if self._closed:
            raise AuditUnavailable(NOT_EXTENDED, detail="the record store is closed")
        self.extended[reservation.id] = reservation

    def finish(self, end: End, content: bytes | None) -> None:
        record = self.records.get(end.id)
        if record is not None and record.end is None:
            self.records[end.id] = replace(record, end=end, answer_content=content)

    def healthy(self) -> list[str]:
        """What is wrong, one sentence each."""
        return ["the record store is closed"] if self._closed else []

    def show(self, request_id: str) -> AuditRecord | None:
        """Everything kept of one request."""
        return self.records.get(request_id)

    async def close(self, deadline_ms: int) -> None:
        """Refuse further requests."""
        self._closed = True

    def _add(self, intent: Intent, end: End | None, content: bytes | None) -> LogIndex:
        if self._closed:
            raise AuditUnavailable("The gateway cannot record this request.", detail="the record store is closed")
        if intent.id in self.records:
            raise AuditUnavailable(
                "The gateway cannot record this request.", detail=f"request {intent.id} has begun already"
            )
        record = AuditRecord(
            seq=len(self.records) + 1, intent=intent, end=end, request_content=content, answer_content=None
        )
        self.records[intent.id] = record
        return LogIndex(seq=record.seq)
