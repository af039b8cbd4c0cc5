"""The test vectors of the audit log, `docs/reference/log-vectors.json`, as the gateway's own code makes them.

Types, bodies and commitments of the entries stand in the file itself, written once; `python -m docs.vectors`, in the
folder `tests`, writes what follows from them. They may grow at the end; one that is published never changes, for the
bytes of entries that are in somebody's log do not either.
"""

import json
from pathlib import Path
from typing import Any

from docs.pages import DOCS
from gptgate.audit.growth import GrowingLog, Prover
from gptgate.audit.signing import Signer
from gptgate.core.events import ENCODER
from gptgate.core.log import commitment, log_entry
from gptgate_verify.merkle import leaf_hash
from gptgate_verify.note import COSIGNATURE, parse_note
from gptgate_verify.proof import format_proof

PATH = DOCS / "reference" / "log-vectors.json"
SEED, WITNESS_SEED = bytes(range(32)), bytes(range(32, 64))
SALT, TEXT = bytes(range(16)), 'a text: "ü"\n'.encode()
COSIGNED_AT_S = 1_700_000_000
FILLER = {"filler": "65,536 times the letter x"}


def build() -> dict[str, Any]:
    """The document."""
    entries = [_entry(one) for one in json.loads(PATH.read_text())["entries"]]
    signer, witness = Signer("log.example/vectors", SEED), Signer("witness.example/vectors", WITNESS_SEED, COSIGNATURE)
    log = GrowingLog()
    files = {file.path: file.data for file in log.append([one["entry"].encode() for one in entries]).files}
    checkpoint = signer.checkpoint(log.size, log.root())
    prover = Prover(log.size, files.__getitem__)
    proofs = [
        format_proof(one["entry"].encode(), index, prover.inclusion(index, log.size), checkpoint).decode()
        for index, one in enumerate(entries)
    ]
    return {
        "entries": entries,
        "commitment": {"salt": SALT.hex(), "text": TEXT.hex(), "sha256": commitment(SALT, TEXT)},
        "roots": {str(size): prover.root(size).hex() for size in range(1, log.size + 1)},
        "key": {"seed": SEED.hex(), "public": str(signer.key)},
        "checkpoint": checkpoint.decode(),
        "proofs": proofs,
        "witness": {
            "seed": WITNESS_SEED.hex(),
            "public": str(witness.key),
            "at_s": COSIGNED_AT_S,
            "line": witness.cosignature(parse_note(checkpoint).text, COSIGNED_AT_S),
        },
    }


def _entry(written: dict[str, Any]) -> dict[str, Any]:
    """One with the bytes and the hash that follow from what stands there."""
    kind, committed = written["type"], written["content"]
    entry = log_entry(kind, ENCODER.encode(whole(written["body"])), committed)
    return {
        "type": kind,
        "content": committed,
        "body": written["body"],
        "entry": entry.decode(),
        "leaf_hash": leaf_hash(entry).hex(),
    }


def whole(body: dict[str, Any]) -> dict[str, Any]:
    """A body that would fill pages is written short."""
    return {**body, "configuration": {"filler": "x" * 65_536}} if body.get("configuration") == FILLER else body


def render() -> str:
    return json.dumps(build(), indent=1) + "\n"


def main(path: Path = PATH) -> None:
    path.write_text(render())


if __name__ == "__main__":
    main()
