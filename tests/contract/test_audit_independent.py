"""Our proofs by somebody else's verifier: Go's own transparency log library, which shares nothing with ours."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from audit_logs import SIGNER, Records
from gptgate.audit.growth import Prover
from gptgate_verify.proof import format_proof

PROGRAM = Path(__file__).parents[2] / "tools" / "verify-with-go"
OFFLINE = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built. What it needs was fetched beforehand, or the tests are skipped."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go toolchain here")
    known = subprocess.run([go, "list", "-deps", "."], cwd=PROGRAM, env=OFFLINE, capture_output=True, text=True)
    if known.returncode:
        pytest.skip(f"golang.org/x/mod is not here (go mod download in {PROGRAM.name})")
    program = tmp_path_factory.mktemp("go") / "verify"
    subprocess.run([go, "build", "-o", str(program), "."], cwd=PROGRAM, env=OFFLINE, check=True)
    return program


def test_every_proof_verifies_and_none_of_another_entry(verifier: Path, tmp_path: Path) -> None:
    records = Records(tmp_path / "data")
    records.add([f"r{number}" for number in range(150)])
    sequencer = records.sequencer()
    sequencer.start()
    assert sequencer.stop(10)
    entries, checkpoint = records.entries(), records.files.checkpoint()
    assert checkpoint is not None
    prover = Prover(300, records.files.read)
    for index in (0, 1, 149, 255, 256, 299):
        path = prover.inclusion(index, 300)
        good, bad = tmp_path / "good", tmp_path / "bad"
        good.write_bytes(format_proof(entries[index], index, path, checkpoint))
        bad.write_bytes(format_proof(entries[index - 1], index, path, checkpoint))
        told = subprocess.run([verifier, str(SIGNER.key), good], capture_output=True, check=True)
        assert told.stdout.rstrip(b"\n") == entries[index]
        assert subprocess.run([verifier, str(SIGNER.key), bad], capture_output=True).returncode == 3
