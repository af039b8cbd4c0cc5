"""Text → findings. Pure: no I/O, no clock, no randomness."""

from gptgate.detectors.custom import examine_custom
from gptgate.detectors.inspector import TextInspector, build_inspector, detectors_digest
from gptgate.detectors.registry import DETECTORS, KINDS, WHOLE_DETECTORS

__all__ = [
    "DETECTORS",
    "KINDS",
    "WHOLE_DETECTORS",
    "TextInspector",
    "build_inspector",
    "detectors_digest",
    "examine_custom",
]
