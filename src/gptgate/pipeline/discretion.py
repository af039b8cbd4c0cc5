"""Records and log lines name things by texts that callers and providers chose. No secret gets into them that way."""

from msgspec.structs import replace

from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Origin, Segment
from gptgate.core.ports import Inspector

REDACTED = "[redacted]"
MAX_KNOWN = 4096
"""Names that are remembered as harmless."""


class Discretion:
    """Takes secrets out of names. Where the inspector cannot answer, or there is none, every name is taken out."""

    def __init__(self, inspector: Inspector | None) -> None:
        self._inspector = inspector
        self._harmless: set[str] = set()

    def name(self, text: str) -> str:
        """The name of an end user or a model, or `REDACTED` when a secret stands in it."""
        if not text or text in self._harmless:
            return text
        if self._holds(text, ("secret.",)):
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
        shown = {place: self._place(place) for place in {finding.place for finding in findings}}
        if all(place == text for place, text in shown.items()):
            return findings
        return tuple(replace(finding, place=shown[finding.place]) for finding in findings)

    def _place(self, place: str) -> str:
        if not self._holds(place, ("secret.", "pii.")):
            return place
        steps = place.split("/")
        return "/".join(REDACTED if self._holds(step, ("secret.", "pii.")) else step for step in steps)

    def _holds(self, text: str, kinds: tuple[str, ...]) -> bool:
        if self._inspector is None:
            return True
        try:
            found = self._inspector.inspect((Segment((), Origin.OTHER, text),))
        except GuardFailed:
            return True
        return any(finding.kind.startswith(kinds) for finding in found)


NOBODY = Discretion(None)
"""For records of a request on which a part of the gateway failed: it may be the inspector."""
