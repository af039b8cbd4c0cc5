"""The same facts give the same decision in every process, byte for byte."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
COUNT = 10_000


def digest(python: str, seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS)}
    command = [python, str(TESTS / "policy_decisions.py"), str(COUNT)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.slow
def test_ten_thousand_decisions_are_the_same_under_every_hash_seed() -> None:
    found = {digest(sys.executable, seed) for seed in ("0", "1", "4294967295")}
    assert len(found) == 1
    assert len(next(iter(found))) == 64


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_that_has_the_packages_decides_alike(version: str) -> None:
    python = shutil.which(f"python{version}")
    if python is None or f"{sys.version_info[0]}.{sys.version_info[1]}" == version:
        pytest.skip(f"no other Python {version} here")
    probe = subprocess.run([python, "-c", "import gptgate.installed"], capture_output=True)
    if probe.returncode:
        pytest.skip(f"Python {version} has not the packages")
    assert digest(python, "0") == digest(sys.executable, "0")
