"""Sinks: places outside that get a copy of every entry of the audit log, in its order."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

ENTRY_KINDS: tuple[str, ...] = (
    "intent",
    "end",
    "gateway_started",
    "gateway_stopped",
    "config_applied",
    "content_erased",
    "content_read",
    "content_sealed",
    "content_keys_rewrapped",
    "auditor_added",
    "auditor_removed",
    "log_forked",
    "key_created",
    "key_revoked",
    "key_expiry_set",
    "budget_topped_up",
    "budget_set",
    "budget_unset",
    "budget_reconciled",
    "budget_threshold",
    "reservation_extended",
    "approval_given",
    "approval_rejected",
    "approvals_logged",
)
"""What an entry of the log can be."""


class LogLine(Struct, frozen=True):
    """One entry as it is given out. `index` is its place in the log, `data` one line of JSON without its end."""

    index: int
    at_ms: int
    kind: str
    data: bytes


class SinkFailed(Exception):
    """A sink did not take what it was given. The message holds neither its secret nor an entry."""


class SinkRefused(Exception):
    """The other side took what it was given but for `number` lines, which do not come again."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{number} entries were refused")
        self.number = number


class Sink(Protocol):
    """Takes lines in. Used by one thread; blocks, for a bounded time.

    - `deliver` returns once the lines are where they belong, as far as the sink can say so; it raises SinkFailed
      otherwise. The same lines come again then, so a line may arrive twice; none is left out. It raises SinkRefused
      where only the other side leaves some out, which is counted.
    - `resume` is asked before the first line, and again after a failure: the place of the first entry to send, where
      the sink knows better than `position`, which is what was known after the last delivery. Raises SinkFailed.
    """

    def resume(self, position: int) -> int: ...

    def deliver(self, lines: Sequence[LogLine]) -> None: ...

    def close(self) -> None: ...
