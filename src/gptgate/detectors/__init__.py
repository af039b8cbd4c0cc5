"""Text → findings. Pure: no I/O, no clock, no randomness."""

from gptgate.detectors.inspector import TextInspector, build_inspector
from gptgate.detectors.registry import DETECTORS, KINDS

__all__ = ["DETECTORS", "KINDS", "TextInspector", "build_inspector"]
