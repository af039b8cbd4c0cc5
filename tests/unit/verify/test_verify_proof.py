"""Proof files: whole, and wrong in every part."""

import pytest

from gptgate.audit.signing import Signer
from gptgate_verify.merkle import VerificationError, leaf_hash, node_hash
from gptgate_verify.proof import format_proof, parse_proof, verify_proof

LOG = Signer("log.example/audit", b"\x01" * 32)
ENTRY, OTHER = b'{"id":"1"}', leaf_hash(b"other")
FILE = format_proof(ENTRY, 0, [OTHER], LOG.checkpoint(2, node_hash(leaf_hash(ENTRY), OTHER)))


def test_a_proof_file_needs_nothing_but_the_key() -> None:
    proof = parse_proof(FILE)
    assert proof.entry == ENTRY
    checkpoint, _ = verify_proof(proof, LOG.key)
    assert checkpoint.size == 2


def test_a_log_of_one_entry_proves_it_without_a_path() -> None:
    proof = parse_proof(format_proof(ENTRY, 0, [], LOG.checkpoint(1, leaf_hash(ENTRY))))
    assert verify_proof(proof, LOG.key)[0].root == leaf_hash(ENTRY)


def test_no_bit_can_be_turned() -> None:
    for at in range(len(FILE)):
        for bit in (0, 3, 5):
            turned = bytearray(FILE)
            turned[at] ^= 1 << bit
            with pytest.raises(VerificationError):
                verify_proof(parse_proof(bytes(turned)), LOG.key)


@pytest.mark.parametrize("size", range(0, len(FILE), 7))
def test_a_file_that_is_cut_is_refused(size: int) -> None:
    with pytest.raises(VerificationError):
        verify_proof(parse_proof(FILE[:size]), LOG.key)
