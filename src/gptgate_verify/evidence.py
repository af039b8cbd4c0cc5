"""All that proves one request, in one file: its intent, its end, the configuration that decided, each with its proof.

The file is JSON: ``{"proofs": ["…", …], "request": "…", "v": 1}``; each proof is a file of c2sp.org/tlog-proof, which
any other implementation can verify by itself. What is verified here beyond that: that they belong together.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import Checkpoint, Note, VerifierKey
from gptgate_verify.proof import parse_proof, verify_proof

MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was proven: the bodies of the entries, and the heads of the log that their proofs lead to, with
    the notes that carry them, so that the caller can ask which witnesses have cosigned.

    `end` is None when the request had none yet; `configuration` when it was not asked for.
    """

    request: str
    intent: dict[str, Any]
    end: dict[str, Any] | None
    configuration: dict[str, Any] | None
    heads: tuple[Checkpoint, ...]
    notes: tuple[Note, ...]


def format_evidence(request: str, proofs: Sequence[bytes]) -> bytes:
    """The file's bytes."""
    document = {"v": 1, "request": request, "proofs": [proof.decode() for proof in proofs]}
    return json.dumps(document, sort_keys=True, indent=1).encode() + b"\n"


def verify_evidence(data: bytes, key: VerifierKey) -> Evidence:
    """Raises VerificationError when anything in the file is not proven, or belongs to something else."""
    document = _object(data, "the file")
    request, proofs = document.get("request"), document.get("proofs")
    if document.get("v") != 1 or type(request) is not str or type(proofs) is not list:
        raise VerificationError("this is not a file of evidence")
    bodies: dict[str, dict[str, Any]] = {}
    heads: dict[Checkpoint, Note] = {}
    for text in proofs:
        if type(text) is not str:
            raise VerificationError("a proof is not text")
        # Half a character is no proof either, and parsing says so.
        proof = parse_proof(text.encode("utf-8", "surrogatepass"))
        head, note = verify_proof(proof, key)
        heads.setdefault(head, note)
        entry = _object(proof.entry, f"entry {proof.index}")
        kind, body = entry.get("type"), entry.get("body")
        if type(kind) is not str or type(body) is not dict or kind in bodies:
            raise VerificationError(f"entry {proof.index} is not of a kind that was expected, or there twice")
        bodies[kind] = body
    intent, end, applied = bodies.pop("intent", None), bodies.pop("end", None), bodies.pop("config_applied", None)
    if intent is None or bodies:
        raise VerificationError("there is no intent, or there is something else beside it")
    for body in (intent, end):
        if body is not None and body.get("id") != request:
            raise VerificationError("an entry is of another request")
    return Evidence(request, intent, end, _configuration(intent, applied), tuple(heads), tuple(heads.values()))


def _configuration(intent: dict[str, Any], applied: dict[str, Any] | None) -> dict[str, Any] | None:
    """The configuration under which the request was decided on, by its digest."""
    if applied is None:
        return None
    configuration = applied.get("configuration")
    canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    digest = sha256(canonical).hexdigest()
    if type(configuration) is not dict or digest != applied.get("digest") or digest != intent.get("config_digest"):
        raise VerificationError("the configuration is not the one that decided on this request")
    return configuration


def _object(data: bytes, what: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise VerificationError(f"{what} is too large")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise VerificationError(f"{what} is not JSON") from None
    if type(document) is not dict:
        raise VerificationError(f"{what} is not a JSON object")
    return document
