"""Configurations as this installation can honour them: bound to its detectors and to its engine of conditions."""

from pathlib import Path

from gptgate.config.load import load_file, load_text
from gptgate.core.snapshot import Snapshot
from gptgate.detectors import KINDS, detectors_digest, examine_custom
from gptgate.policy.cel import examine


def read_config(path: Path) -> Snapshot:
    """As `config.load.load_file`."""
    return load_file(path, KINDS, conditions=examine, detectors=detectors_digest(), customs=examine_custom)


def read_config_text(text: str, name: str) -> Snapshot:
    """As `config.load.load_text`."""
    return load_text(text, name, KINDS, conditions=examine, detectors=detectors_digest(), customs=examine_custom)
