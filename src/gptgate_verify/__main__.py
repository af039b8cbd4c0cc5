"""Verify a log's folder, a proof, or the evidence of a request, without the gateway.

Prints what was proven. Exit code 3 and one line when it was not; 2 when it could not be looked at, which says nothing.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gptgate_verify.evidence import verify_evidence
from gptgate_verify.log import settled, verify_head
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import Checkpoint, Note, VerifierKey, open_checkpoint, parse_note
from gptgate_verify.proof import parse_proof, verify_proof
from gptgate_verify.quorum import require_quorum, witness_keys

UNCHECKED = 2
UNVERIFIED = 3

Head = tuple[Checkpoint, Note]


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
        key = VerifierKey.parse(asked.key)
        witnesses = witness_keys(asked.witness)
        if path.is_dir():
            proven, lines = _verify_folder(path, key, [Path(name) for name in asked.checkpoint])
        else:
            proven, lines = _verify_file(_read(path), key)
        for heads in proven if witnesses else ():
            lines += _quorum_lines(heads, witnesses, asked.at_least or len(witnesses))
    except _Unreadable as error:
        print(f"could not check: {error}", file=sys.stderr)
        return UNCHECKED
    except (VerificationError, UnicodeDecodeError) as error:
        print(f"not verified: {error}", file=sys.stderr)
        return UNVERIFIED
    # Nothing is called proven before all is that was asked for.
    return _tell(lines)


class _Unreadable(Exception):
    """A file that was named cannot be read: nothing was found out."""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _Unreadable(f"{path} cannot be read: {error.strerror}") from None


def _read_log(path: Path) -> bytes:
    """A file that the log must have: where one is gone the log is not whole, or has grown meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _Unreadable(f"{path} cannot be read: {error.strerror}") from None


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
    parser.add_argument("--at-least", metavar="K", type=_positive, help="so many of the witnesses will do")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("a quorum of none")
    return number


def _verify_folder(path: Path, key: VerifierKey, kept: Sequence[Path]) -> tuple[list[list[Head]], list[str]]:
    """A whole log, and that it holds the checkpoints that others and its witnesses have. Any of these heads may be the
    one that a witness has seen."""
    checkpoint, read = settled(lambda name: _read_log(path / name))
    noted = [one for one in sorted((path / "witness").glob("*")) if one.suffix != ".tmp"]
    known = [_head(_read(one), key) for one in [*kept, *noted]]
    roots = {head.size: head.root for head, _ in known}
    if any(roots[head.size] != head.root for head, _ in known):
        raise VerificationError("the log has forked: it signed two different heads of one size")
    own = verify_head(read, checkpoint, key, roots)
    return [[*known, (own, parse_note(checkpoint))]], [f"{own.origin}: {own.size} entries, as signed"]


def _head(data: bytes, key: VerifierKey) -> Head:
    return open_checkpoint(data, key), parse_note(data)


def _verify_file(data: bytes, key: VerifierKey) -> tuple[list[list[Head]], list[str]]:
    """A proof, or the evidence of a request. Each head that a proof leads to must have been seen for itself."""
    if data.startswith(b"{"):
        proven = verify_evidence(data, key)
        facts = {"intent": proven.intent, "end": proven.end, "configuration": proven.configuration}
        said = [f"{proven.heads[0].origin}: request {proven.request}, as signed:", json.dumps(facts)]
        return [[pair] for pair in zip(proven.heads, proven.notes, strict=True)], said
    proof = parse_proof(data)
    head, note = verify_proof(proof, key)
    said = [f"{head.origin}: entry {proof.index} of {head.size}, as signed:", proof.entry.decode()]
    return [[(head, note)]], said


def _quorum_lines(heads: Sequence[Head], witnesses: Sequence[VerifierKey], least: int) -> Iterator[str]:
    quorum = require_quorum(heads, witnesses, least)
    yield f"cosigned by {len(quorum.words)} of {len(witnesses)} witnesses; {least} of them saw {quorum.size} entries"
    for word in quorum.words:
        yield f"  {word.witness.name}: {word.head.size} entries, {datetime.fromtimestamp(word.at_s, UTC):%FT%TZ}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
