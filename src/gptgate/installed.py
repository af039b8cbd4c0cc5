"""Configurations as this installation can honour them: bound to its detectors and to its engine of conditions."""

import hashlib
from pathlib import Path

import msgspec

from gptgate.config.load import load_file, load_text
from gptgate.core.snapshot import Snapshot
from gptgate.detectors import KINDS, detectors_digest, examine_custom
from gptgate.policy.cel import examine
from gptgate.policy.own import OWN_RULES


def read_config(path: Path) -> Snapshot:
    """As `config.load.load_file`."""
    return load_file(path, KINDS, conditions=examine, detectors=built_in_digest(), customs=examine_custom)


def read_config_text(text: str, name: str) -> Snapshot:
    """As `config.load.load_text`."""
    return load_text(text, name, KINDS, conditions=examine, detectors=built_in_digest(), customs=examine_custom)


def built_in_digest() -> str:
    """The sha256 (hex) over what decides and stands in no file: the detectors, and the rules that nobody writes."""
    return hashlib.sha256(msgspec.json.encode([detectors_digest(), OWN_RULES])).hexdigest()
