"""Files of evidence that are none: each is refused, and none breaks the verifier."""

import json

import pytest

from gptgate.audit.signing import Signer
from gptgate_verify.evidence import verify_evidence
from gptgate_verify.merkle import VerificationError

KEY = Signer.of_installation(b"1" * 32).key
HEAD = "c2sp.org/tlog-proof@v1\nextra e30=\nindex 0\n\n"


@pytest.mark.parametrize("proof", ["\ud800", HEAD + "\ud800", HEAD + "a\n1\n\ud800\n\n— a b\n", HEAD + "a\n", {}, None])
def test_what_is_no_proof_is_refused(proof: object) -> None:
    with pytest.raises(VerificationError):
        verify_evidence(json.dumps({"v": 1, "request": "r", "proofs": [proof]}).encode(), KEY)


@pytest.mark.parametrize("data", [b"", b"[" * 100_000, b'{"v":' + b"1" * 5000 + b"}", b"\xff", b"[]", b"{}", b"{" * 9])
def test_what_is_no_file_of_evidence_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_evidence(data, KEY)
