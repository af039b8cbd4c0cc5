"""The published test vectors: the gateway makes them, and who knows nothing of the gateway comes to the same."""

import base64
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from docs.vectors import PATH, render, whole
from gptgate_verify.note import VerifierKey, cosigned_at_s, parse_note
from gptgate_verify.proof import parse_proof, verify_proof

VECTORS: dict[str, Any] = json.loads(PATH.read_text())


def test_they_are_what_the_gateway_writes() -> None:
    assert PATH.read_text() == render(), (
        "run `python -m docs.vectors` in the folder tests, and never for what is published"
    )


@pytest.mark.parametrize("one", VECTORS["entries"], ids=[one["type"] for one in VECTORS["entries"]])
def test_entries_are_canonical_json_by_the_standard_library_too(one: dict[str, Any]) -> None:
    body = whole(one["body"])
    large = body is not one["body"]
    said: dict[str, Any] = {"content": one["content"], "type": one["type"], "v": 1}
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    said |= {"body_sha256": sha256(canonical).hexdigest()} if large else {"body": body}
    entry = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert entry == one["entry"]
    assert sha256(b"\x00" + entry.encode()).hexdigest() == one["leaf_hash"]


def test_the_commitment_is_a_plain_hash() -> None:
    said = VECTORS["commitment"]
    assert sha256(bytes.fromhex(said["salt"]) + bytes.fromhex(said["text"])).hexdigest() == said["sha256"]
    assert VECTORS["entries"][0]["content"] == said["sha256"]


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, to the letter."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def test_roots_are_those_of_the_rfc() -> None:
    leaves = [bytes.fromhex(one["leaf_hash"]) for one in VECTORS["entries"]]
    assert {str(size): root_of(leaves[:size]).hex() for size in range(1, len(leaves) + 1)} == VECTORS["roots"]


def test_the_checkpoint_is_signed_over_its_text() -> None:
    text, _, signature = VECTORS["checkpoint"].partition("\n\n")
    origin, size, root = text.split("\n")
    name, key_hash, encoded = VECTORS["key"]["public"].split("+", 2)
    assert (origin, size) == (name, str(len(VECTORS["entries"])))
    assert base64.b64decode(root).hex() == VECTORS["roots"][size]
    key = base64.b64decode(encoded)
    assert sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_hash
    raw = base64.b64decode(signature.strip().split(" ")[2])
    assert raw[:4].hex() == key_hash
    # Raises when it is not.
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], text.encode() + b"\n")


def test_proofs_and_the_witness_s_line_verify() -> None:
    key = VerifierKey.parse(VECTORS["key"]["public"])
    for index, (text, one) in enumerate(zip(VECTORS["proofs"], VECTORS["entries"], strict=True)):
        proof = parse_proof(text.encode())
        verify_proof(proof, key)
        assert (proof.index, proof.entry) == (index, one["entry"].encode())
    said = VECTORS["witness"]
    note = parse_note((VECTORS["checkpoint"] + said["line"]).encode())
    assert cosigned_at_s(note, VerifierKey.parse(said["public"])) == said["at_s"]
