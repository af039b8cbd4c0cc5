"""Records and log lines name things by texts that callers and providers chose. No secret gets into them that way."""

from collections.abc import Sequence

from msgspec.structs import replace

from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Origin, Segment
from gptgate.core.ports import Inspector

REDACTED = "[redacted]"
MAX_KNOWN = 4096
"""Names that are remembered as harmless."""
PRIVATE = ("secret.", "pii.")


class Discretion:
    """Takes secrets out of names. Where the inspector cannot answer, or there is none, every name is taken out."""

    def __init__(self, inspector: Inspector | None) -> None:
        self._inspector = inspector
        self._harmless: set[str] = set()

    def name(self, text: str) -> str:
        """The name of an end user or a model, or `REDACTED` when a secret stands in it."""
        if not text or text in self._harmless:
            return text
        if self._holding([text], ("secret.",)):
            return REDACTED
        if len(self._harmless) >= MAX_KNOWN:
            self._harmless.clear()
        self._harmless.add(text)
        return text

    def places(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """The findings, their places without keys that hold secrets or personal data: a place is made of keys, and keys
        of unknown fields are the caller's or the provider's own words."""
        if not findings:
            return findings
        places = list({finding.place: None for finding in findings})
        holding = self._holding(places, PRIVATE)
        if not holding:
            return findings
        shown = {places[index]: self._without_keys(places[index]) for index in holding}
        return tuple(
            replace(finding, place=shown[finding.place]) if finding.place in shown else finding for finding in findings
        )

    def _without_keys(self, place: str) -> str:
        steps = place.split("/")
        holding = self._holding(steps, PRIVATE)
        return "/".join(REDACTED if index in holding else step for index, step in enumerate(steps))

    def _holding(self, texts: Sequence[str], kinds: tuple[str, ...]) -> set[int]:
        """Which of the texts hold a finding of these kinds; all of them where nobody can say."""
        everything = {index for index, text in enumerate(texts) if text}
        if self._inspector is None:
            return everything
        try:
            found = self._inspector.inspect([Segment((), Origin.OTHER, text) for text in texts])
        except GuardFailed:
            return everything
        return {finding.segment for finding in found if finding.kind.startswith(kinds)}


NOBODY = Discretion(None)
"""For records of a request on which a part of the gateway failed: it may be the inspector."""
