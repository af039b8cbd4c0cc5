"""`gptgate witness serve` as a process of its own: its command line, and what it remembers after `kill -9`."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_logs import SIGNER
from gptgate.audit.witness import cosignature_in, format_submission
from gptgate_verify.note import VerifierKey
from waiting import PATIENCE_S


@contextmanager
def witness(folder: Path, *arguments: str) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """A witness's key, address and process."""
    command = [sys.executable, "-m", "gptgate", "witness", "serve", "--data", str(folder), "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def post(url: str, body: bytes) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"{url}/add-checkpoint", data=body, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_witness_that_is_killed_remembers(tmp_path: Path) -> None:
    head = SIGNER.checkpoint(3, b"\x01" * 32)
    with witness(tmp_path, "--log", str(SIGNER.key)) as (key, url, process):
        status, line = post(url, format_submission(0, [], head))
        process.kill()
        assert status == 200
        assert cosignature_in(head, line, VerifierKey.parse(key))
    with witness(tmp_path, "--log", str(SIGNER.key)) as (again, url, process):
        assert again == key
        assert post(url, format_submission(0, [], head)) == (409, b"3\n")
        assert post(url, format_submission(3, [], SIGNER.checkpoint(3, b"\x02" * 32))) == (409, b"3\n")
        assert post(url, format_submission(3, [], head))[0] == 200
        process.terminate()
        _, told = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    assert "signed 3 entries with root 0202" in told


def test_a_witness_takes_the_keys_of_logs_only(tmp_path: Path) -> None:
    with witness(tmp_path, "--log", "nonsense") as (_, _, process):
        assert process.wait(PATIENCE_S) == 2
