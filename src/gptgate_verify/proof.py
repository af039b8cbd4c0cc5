"""One entry's proof in one file: c2sp.org/tlog-proof.

The file's extra data is, for gptgate, the entry itself: the file then needs nothing beside it but the log's public key.
Extra data is not authenticated by being there; it is by the proof that it is in the log.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from gptgate_verify.merkle import HASH_SIZE, VerificationError, leaf_hash, verify_inclusion
from gptgate_verify.note import (
    MAX_NOTE_BYTES,
    NUMBER,
    Checkpoint,
    Note,
    VerifierKey,
    decode_base64,
    open_checkpoint,
    parse_note,
)

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_HASHES = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """The parts of a proof file. `checkpoint` is the signed note, to the byte. Nothing of it is verified yet."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def format_proof(entry: bytes, index: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The file's bytes."""
    lines = [HEADER, f"extra {base64.b64encode(entry).decode()}", f"index {index}"]
    lines += [base64.b64encode(one).decode() for one in path]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint


def parse_proof(data: bytes) -> Proof:
    """Read a proof file. Raises VerificationError."""
    if len(data) > 2 * MAX_NOTE_BYTES:
        raise VerificationError("the proof file is too large")
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise VerificationError("the proof file is not text") from None
    if not gap or lines[0] != HEADER:
        raise VerificationError(f"this is not a proof file: its first line is not {HEADER}")
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise VerificationError("the proof file does not hold its entry and index")
    number = lines[2].removeprefix("index ")
    if not NUMBER.fullmatch(number):
        raise VerificationError("the proof's index is not a number")
    path = tuple(decode_base64(line, "a line of the proof") for line in lines[3:])
    if len(path) > MAX_PROOF_HASHES or any(len(one) != HASH_SIZE for one in path):
        raise VerificationError("the proof holds something that is not a hash, or too many")
    return Proof(decode_base64(lines[1].removeprefix("extra "), "the entry"), int(number), path, checkpoint)


def verify_proof(proof: Proof, log: VerifierKey) -> tuple[Checkpoint, Note]:
    """That the entry is in the log whose key this is. Raises VerificationError.

    The checkpoint's note is given back so that the caller can ask which witnesses have cosigned it.
    """
    checkpoint = open_checkpoint(proof.checkpoint, log)
    verify_inclusion(leaf_hash(proof.entry), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint, parse_note(proof.checkpoint)
