"""What the simulator served, counted for tests and for ``GET /stats``."""

from collections import Counter
from typing import Any

from gptgate.simulator.rules import Run

MAX_TEXTS = 10_000


class Stats:
    """Counts since the start. Tokens are the true ones: what a provider would bill, whatever an answer reported.

    `requests` counts everything that arrived, refused and failed attempts too; `aborted` the callers that hung up
    before their answer was complete. `attempts` says how often each text that orders ``times=`` has arrived.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.by_path: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.attempts: Counter[str] = Counter()
        self.input_tokens = 0
        self.output_tokens = 0
        self.tool_uses: Counter[str] = Counter()
        self.aborted = 0

    def ran(self, run: Run | None) -> None:
        """Bill the uses of a tool, which come before the answer."""
        if run is not None:
            self.tool_uses[run.name] += run.uses

    def charge(self, input_tokens: int, output_tokens: int) -> None:
        """Bill an answer, or the part of it that was sent."""
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens

    def attempt(self, text: str) -> int:
        """Which attempt at this text this one is, from 1. Beyond `MAX_TEXTS` texts the oldest is forgotten."""
        if text not in self.attempts and len(self.attempts) >= MAX_TEXTS:
            del self.attempts[next(iter(self.attempts))]
        self.attempts[text] += 1
        return self.attempts[text]

    def document(self) -> dict[str, Any]:
        """All counts, ready for JSON."""
        return {
            "requests": self.requests,
            "by_path": dict(self.by_path),
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "attempts": dict(self.attempts),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "tool_uses": dict(self.tool_uses),
            "aborted": self.aborted,
        }
