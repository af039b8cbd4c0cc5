"""The audit trail of a gateway that runs: proven by its commands, by the verifier alone, and by nobody else's key."""

import base64
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gptgate.audit.signing import Signer
from gptgate_verify.note import COSIGNATURE
from live_gateway import SIMULATED, Live
from waiting import PATIENCE_S


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    gateway = Live(tmp_path_factory.mktemp("data"), "", SIMULATED)
    gateway.start()
    yield gateway
    assert gateway.terminate() == 0


def until_logged(live: Live, *command: str) -> subprocess.CompletedProcess[str]:
    """The command, once the log has caught up: it does so within a second or two."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        done = live.gptgate(*command)
        if done.returncode == 0 or time.monotonic() > deadline:
            return done


@pytest.fixture(scope="module")
def key(live: Live) -> str:
    return live.gptgate("audit", "key").stdout.strip()


@pytest.fixture(scope="module")
def proof(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evidence of a request in which something was found."""
    assert live.call(live.new_key(), "echo: write to ada@example.com", user="grace") == 200
    (row,) = live.rows("--user", "grace")
    path = tmp_path_factory.mktemp("proof") / "request.proof"
    done = until_logged(live, "audit", "prove", str(row["id"]), "--out", str(path))
    assert done.returncode == 0, done.stderr
    return path


def test_a_request_is_proven_in_one_file(live: Live, key: str, proof: Path) -> None:
    done = live.gptgate("audit", "verify", str(proof), "--key", key)
    assert done.returncode == 0, done.stderr
    for words in ("app demo", "end user grace", "pii.email", "redact", "(proven)", "completed"):
        assert words in done.stdout, done.stdout


def test_nothing_is_called_verified_before_the_witness_is(live: Live, key: str, proof: Path) -> None:
    other = str(Signer("w.example/w", b"\x02" * 32, COSIGNATURE).key)
    done = live.gptgate("audit", "verify", str(proof), "--key", key, "--witness-key", other)
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no checkpoint here that w.example/w has cosigned" in done.stderr


def test_a_copy_without_the_private_key_proves_a_request(live: Live, key: str, proof: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(live.folder, copy, ignore=shutil.ignore_patterns("log.key", "gptgate.lock"))
    request = json.loads(proof.read_text())["request"]
    unchecked, out = copy / "unchecked.proof", copy / "request.proof"
    done = live.gptgate("audit", "prove", request, "--out", str(out), "--data", str(copy), "--key", key)
    assert (done.returncode, done.stderr) == (0, "")
    done = live.gptgate("audit", "prove", request, "--out", str(unchecked), "--data", str(copy))
    assert done.returncode == 0
    assert "the signature of its checkpoint was not checked" in done.stderr
    for path in (out, unchecked):
        assert live.gptgate("audit", "verify", str(path), "--key", key).returncode == 0


def test_no_other_key_proves_it(live: Live, proof: Path) -> None:
    done = live.gptgate("audit", "verify", str(proof), "--key", str(Signer("gptgate.local/x", b"\x01" * 32).key))
    assert done.returncode == 3
    assert "none of the expected keys" in done.stderr


def test_evidence_that_was_changed_is_not_verified(live: Live, key: str, proof: Path, tmp_path: Path) -> None:
    document = json.loads(proof.read_text())
    intent, end, configuration = document["proofs"]
    other = {
        "another request": {**document, "request": "other"},
        "no intent": {**document, "proofs": [end, configuration]},
        "an entry twice": {**document, "proofs": [intent, intent]},
        "another version": {**document, "v": 2},
        "an entry that is changed": {**document, "proofs": [_changed(intent), end]},
        "no proofs": {**document, "proofs": "none"},
    }
    for name, forged in other.items():
        path = tmp_path / "forged.proof"
        path.write_text(json.dumps(forged))
        assert live.gptgate("audit", "verify", str(path), "--key", key).returncode == 3, name


def _changed(proof: str) -> str:
    lines = proof.split("\n")
    entry = base64.b64decode(lines[1].removeprefix("extra ")).replace(b"grace", b"heidi")
    lines[1] = "extra " + base64.b64encode(entry).decode()
    return "\n".join(lines)


def test_the_folder_is_verified_while_the_gateway_runs(live: Live, key: str, proof: Path) -> None:
    done = live.gptgate("audit", "verify", "--key", key)
    assert done.returncode == 0, done.stderr
    assert "the records say the same" in done.stdout


def test_the_verifier_alone_needs_no_gateway(live: Live, key: str, proof: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gptgate_verify", key, str(live.folder / "log")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "entries, as signed" in done.stdout
    done = subprocess.run([sys.executable, "-m", "gptgate_verify", key, str(proof)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "end user grace" in done.stdout
    alone, ours = done.stdout, live.gptgate("audit", "verify", str(proof), "--key", key)
    assert alone == ours.stdout
    done = subprocess.run(
        [sys.executable, "-m", "gptgate_verify", key, str(proof), "--json"], capture_output=True, text=True
    )
    assert json.loads(done.stdout)["intent"]["end_user"] == "grace"


def test_the_log_goes_on_from_every_head(live: Live, key: str, proof: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes((live.folder / "log" / "checkpoint").read_bytes())
    live.new_key()
    assert live.call(live.new_key()) == 200
    done = until_logged(live, "audit", "consistency", str(kept), "--key", key)
    assert done.returncode == 0
    assert "holds all" in done.stderr
    done = live.gptgate("audit", "verify", "--key", key, "--checkpoint", str(kept))
    assert done.returncode == 0
    assert "still holds: 1" in done.stdout


def test_what_operators_do_is_in_the_log(live: Live, proof: Path) -> None:
    bundles = (live.folder / "log" / "tile" / "entries").rglob("*")
    entries = b"".join(path.read_bytes() for path in bundles if path.is_file())
    for kind in (b"gateway_started", b"config_applied", b"key_created", b"intent", b"end"):
        assert b'"type":"' + kind + b'"' in entries


def test_without_a_log_there_is_nothing_to_prove(live: Live, tmp_path: Path) -> None:
    assert live.gptgate("audit", "prove", "no-such-request").returncode == 1
    assert live.gptgate("audit", "key", "--data", str(tmp_path)).returncode == 1
    assert live.gptgate("audit", "verify", str(tmp_path / "none"), "--key", "nonsense").returncode == 2
