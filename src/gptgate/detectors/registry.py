"""Which detectors there are. A new one is a file in `library` and a line here."""

from collections.abc import Mapping

from gptgate.detectors.library import api_secrets, email, injection, payment_card, private_key
from gptgate.detectors.pattern import Detector
from gptgate.detectors.whole import WholeDetector

DETECTORS: Mapping[str, Detector] = {
    "email": email.DETECTOR,
    "payment_card": payment_card.DETECTOR,
    "api_secrets": api_secrets.DETECTOR,
    "private_key": private_key.DETECTOR,
    "injection": injection.DETECTOR,
}

WHOLE_DETECTORS: Mapping[str, WholeDetector] = {}

_DECLARED: tuple[Mapping[str, str], ...] = (
    *(detector.kinds for detector in DETECTORS.values()),
    *(detector.kinds for detector in WHOLE_DETECTORS.values()),
)

KINDS: Mapping[str, str] = {kind: line for kinds in _DECLARED for kind, line in kinds.items()}
"""Every kind that a finding of these detectors can have, with one line that says what it is."""
