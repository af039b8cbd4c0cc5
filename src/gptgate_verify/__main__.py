"""Verify a log's folder, a proof, or the evidence of a request, without the gateway.

Prints what was proven. Exit code 3 and one line when it was not; 2 when it could not be looked at, which says nothing:
a file that cannot be read or is another thing, a key that is none.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gptgate_verify.evidence import verify_evidence
from gptgate_verify.log import CHECKPOINT, settled, verify_head
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import Checkpoint, Note, VerifierKey, open_checkpoint, parse_note
from gptgate_verify.proof import HEADER, parse_proof, verify_proof
from gptgate_verify.quorum import Quorum, require_quorum, witness_keys
from gptgate_verify.report import entry_lines, entry_value, evidence_lines, printable

UNCHECKED = 2
UNVERIFIED = 3

Head = tuple[Checkpoint, Note]


@dataclass(frozen=True, slots=True)
class _Proven:
    """What was proven: for people, for programs, and the heads that witnesses must have seen, a list for each thing."""

    lines: list[str]
    facts: dict[str, Any]
    heads: list[list[Head]]


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    path = Path(asked.path)
    if (asked.at_least or 0) > len(asked.witness):
        parser.error("--at-least asks for more witnesses than are named")
    if asked.checkpoint and not path.is_dir():
        parser.error("--checkpoint is held against a log's folder")
    try:
        key, witnesses = _keys(asked.key, asked.witness)
        if path.is_dir():
            proven = _verify_folder(path, key, [Path(name) for name in asked.checkpoint])
        else:
            proven = _verify_file(path, _read(path), key)
        for heads in proven.heads if witnesses else ():
            quorum = require_quorum(heads, witnesses, asked.at_least or len(witnesses))
            proven.lines.extend(_quorum_lines(quorum, len(witnesses), asked.at_least or len(witnesses)))
            proven.facts.setdefault("cosigned", []).append(_quorum_facts(quorum))
    except _Unchecked as error:
        print(f"could not check: {error}", file=sys.stderr)
        return UNCHECKED
    except VerificationError as error:
        print(f"not verified: {error}", file=sys.stderr)
        return UNVERIFIED
    # Nothing is called proven before all is that was asked for.
    return _tell([json.dumps(proven.facts, indent=2)] if asked.json else proven.lines)


class _Unchecked(Exception):
    """What was named cannot be looked at: nothing was found out."""


def _keys(log: str, witnesses: Sequence[str]) -> tuple[VerifierKey, tuple[VerifierKey, ...]]:
    """A key that is none says nothing of the log."""
    try:
        key = VerifierKey.parse(log)
    except VerificationError as error:
        raise _Unchecked(f"{error}: KEY is the line that `gptgate audit key` prints") from None
    try:
        return key, witness_keys(witnesses)
    except VerificationError as error:
        raise _Unchecked(f"--witness: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _Unchecked(f"{path} cannot be read: {error.strerror}") from None


def _read_log(path: Path) -> bytes:
    """A file that the log must have: where one is gone the log is not whole, or has grown meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _Unchecked(f"{path} cannot be read: {error.strerror}") from None


def _tell(lines: Sequence[str]) -> int:
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:
        # The reader (`| head`) has gone; what was to be said has been verified, and nothing is left to say at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"could not say what was verified: {error.strerror}", file=sys.stderr)
        return UNCHECKED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gptgate_verify", description=__doc__)
    parser.add_argument("key", metavar="KEY", help="the log's public key (name+id+key)")
    parser.add_argument("path", metavar="FILE-OR-FOLDER", help="a proof, the evidence of a request, or a log's folder")
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        action="append",
        default=[],
        help="a checkpoint that was kept elsewhere, which the log in the folder must still hold; may repeat",
    )
    parser.add_argument(
        "--witness", metavar="KEY", action="append", default=[], help="a witness that must have cosigned; may repeat"
    )
    parser.add_argument("--json", action="store_true", help="print what was proven as JSON, with all fields")
    parser.add_argument("--at-least", metavar="K", type=_positive, help="so many of the witnesses will do")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("a quorum of none")
    return number


def _verify_folder(path: Path, key: VerifierKey, kept: Sequence[Path]) -> _Proven:
    """A whole log, and that it holds the checkpoints that others and its witnesses have. Any of these heads may be the
    one that a witness has seen."""
    if not any((path / name).exists() for name in (CHECKPOINT, "tile")):
        raise _Unchecked(f"there is no log in {path}; that of a gateway is the folder log in its data folder")
    elsewhere = [_kept_head(one, key) for one in kept]
    checkpoint, read = settled(lambda name: _read_log(path / name))
    noted = [one for one in sorted((path / "witness").glob("*")) if one.suffix != ".tmp"]
    known = [*elsewhere, *[_head(_read(one), key) for one in noted]]
    roots = {head.size: head.root for head, _ in known}
    if any(roots[head.size] != head.root for head, _ in known):
        raise VerificationError("the log has forked: it signed two different heads of one size")
    own = verify_head(read, checkpoint, key, roots)
    return _Proven(
        [f"{own.origin}: {own.size} entries, as signed"],
        {"log": own.origin, "size": own.size},
        [[*known, (own, parse_note(checkpoint))]],
    )


def _head(data: bytes, key: VerifierKey) -> Head:
    return open_checkpoint(data, key), parse_note(data)


def _kept_head(path: Path, key: VerifierKey) -> Head:
    """What is no checkpoint of this log says nothing of it."""
    try:
        return _head(_read(path), key)
    except VerificationError as error:
        raise _Unchecked(f"{path} is no checkpoint of this log: {error}") from None


def _verify_file(path: Path, data: bytes, key: VerifierKey) -> _Proven:
    """A proof, or the evidence of a request. Each head that a proof leads to must have been seen for itself."""
    if data.startswith(b"{") and b'"proofs"' in data:
        proven = verify_evidence(data, key)
        first = proven.heads[0]
        facts = {"request": proven.request, "intent": proven.intent, "end": proven.end}
        return _Proven(
            list(evidence_lines(proven)),
            {"log": first.origin, "size": first.size, **facts, "configuration": proven.configuration},
            [[pair] for pair in zip(proven.heads, proven.notes, strict=True)],
        )
    if not data.startswith(HEADER.encode()):
        raise _Unchecked(f"{path} is no proof; `gptgate audit prove ID` makes one")
    proof = parse_proof(data)
    head, note = verify_proof(proof, key)
    return _Proven(
        [f"{head.origin}: entry {proof.index} of {head.size}, as signed:", *entry_lines(proof.entry)],
        {"log": head.origin, "size": head.size, "index": proof.index, "entry": entry_value(proof.entry)},
        [[(head, note)]],
    )


def _quorum_lines(quorum: Quorum, witnesses: int, least: int) -> Iterator[str]:
    yield f"cosigned by {len(quorum.words)} of {witnesses} witnesses; {least} of them saw {quorum.size} entries"
    for word in quorum.words:
        yield f"  {printable(word.witness.name)}: {word.head.size} entries, {_moment(word.at_s)}"


def _quorum_facts(quorum: Quorum) -> dict[str, Any]:
    """What each witness has seen, and how much so many of them as were asked for."""
    words = [{"witness": one.witness.name, "size": one.head.size, "at": _moment(one.at_s)} for one in quorum.words]
    return {"size": quorum.size, "witnesses": words}


def _moment(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%FT%TZ}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
