"""`gptgate audit prove` and `gptgate audit consistency`: proofs for people who do not have the data folder."""

import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gptgate.audit.growth import Prover
from gptgate.cli.audit_known import settled_log
from gptgate.cli.audit_verify import Key, own_key, read_checkpoint
from gptgate.cli.failure import UNVERIFIED, USAGE, CommandError
from gptgate.cli.options import DEFAULT_FOLDER, Data
from gptgate.cli.text import clean, counted
from gptgate.storage.errors import Unreadable
from gptgate.storage.log_folder import KEY_NAME, LogFolder
from gptgate.storage.proofs import places_of
from gptgate_verify import VerificationError
from gptgate_verify.evidence import format_evidence
from gptgate_verify.log import ReadFile
from gptgate_verify.merkle import verify_consistency
from gptgate_verify.note import Checkpoint, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from gptgate_verify.proof import format_proof
from gptgate_verify.tiles import WIDTH, bundle_path, unpack_bundle

Open = Callable[[bytes], Checkpoint]
"""Reads a signed checkpoint. Raises VerificationError."""


def prove(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id, as in x-request-id.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; default ID.proof.")] = None,
    key: Key = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Write one file that proves a request: its intent, its end, the configuration that decided, each with its proof.

    The proofs lead to the newest checkpoint that a witness has cosigned, where one covers the request.
    `gptgate audit verify FILE --key KEY` verifies it anywhere, without this folder.
    No private key is needed: on a copy without one the checkpoint that is stored there is checked with --key.
    """
    files = LogFolder(data)
    opened = _opener(data, key)
    places = places_of(data, request_id)
    if not files.path.exists():
        raise CommandError("the audit log has no checkpoint yet", hint="start the gateway once")
    try:
        newest, read = settled_log(files)
        whole = opened(newest).size
        last = max(index for _, index in places)
        if last >= whole:
            raise CommandError("the request is not in the signed log yet", hint="it will be in a moment; try again")
        prover = Prover(whole, read)
        checkpoint, head = _witnessed(files, opened, prover, last) or (newest, whole)
        proofs = []
        for _, index in places:
            entry = _entry(read, whole, index)
            proofs.append(format_proof(entry, index, prover.inclusion(index, head), checkpoint))
    except (VerificationError, OSError) as error:
        raise CommandError(
            f"the audit log is damaged: {error}", hint="gptgate audit verify", exit_code=UNVERIFIED
        ) from None
    path = out or Path(f"{clean(request_id)}.proof")
    try:
        path.write_bytes(format_evidence(request_id, proofs))
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
    kinds = ", ".join(f"{kind} ({index})" for kind, index in places)
    size = counted(head, "entry", "entries")
    print(f"{path}: {kinds}; a log of {size}. Verify it with `gptgate audit verify {path} --key KEY`.")


def _opener(data: Path, key: str | None) -> Open:
    """How checkpoints are read: with the key that was given, else with the folder's own. Where there is neither, as in
    an auditor's copy, they are read as they stand, and that is said: whoever verifies the proof has a key.
    """
    if key is not None:
        try:
            public = VerifierKey.parse(key)
        except VerificationError as error:
            raise CommandError(str(error), exit_code=USAGE) from None
    elif (data / KEY_NAME).exists():
        public = own_key(data)
    else:
        print(
            f"gptgate: there is no {KEY_NAME} in {data}: the signature of its checkpoint was not checked. "
            "With --key it is; whoever verifies the proof checks it in any case.",
            file=sys.stderr,
        )
        return lambda note: parse_checkpoint(parse_note(note).text)
    return lambda note: open_checkpoint(note, public)


def _witnessed(files: LogFolder, opened: Open, prover: Prover, last: int) -> tuple[bytes, int] | None:
    """The newest checkpoint that a witness has cosigned and that covers the entry `last`, with its size: what it proves
    is not only the operator's word. None when there is none."""
    found = []
    for witness, note in files.witnessed().items():
        try:
            head = opened(note)
        except VerificationError as error:
            print(f"gptgate: the note of witness {witness} is damaged and left out: {error}", file=sys.stderr)
            continue
        if len(parse_note(note).signatures) > 1 and head.size > last and prover.root(head.size) == head.root:
            found.append((head.size, note))
    return max(found)[::-1] if found else None


def _entry(read: ReadFile, size: int, index: int) -> bytes:
    number = index // WIDTH
    width = min(WIDTH, size - number * WIDTH)
    path = bundle_path(number, width)
    return unpack_bundle(read(path), width, path)[index % WIDTH]


def consistency(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="An older checkpoint of this log.")],
    new: Annotated[
        Path | None, typer.Argument(metavar="[NEW]", help="A newer checkpoint; without one, the folder's own.")
    ] = None,
    key: Key = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Prove that the log of one checkpoint begins with all of that of another, unchanged. Prints the proof.

    The proof is a line for each hash, in base64; between checkpoints of the same size there is none to print, because
    their roots are compared themselves. Exit code 3 when it does not, 2 when it could not be looked at.
    """
    files = LogFolder(data)
    try:
        public = VerifierKey.parse(key) if key is not None else own_key(data, exit_code=USAGE)
    except VerificationError as error:
        raise CommandError(str(error), exit_code=USAGE) from None
    older, newer = read_checkpoint(old), None if new is None else read_checkpoint(new)
    try:
        signed, read = settled_log(files)
        mine = open_checkpoint(signed, public)
        first = open_checkpoint(older, public)
        second = mine if newer is None else open_checkpoint(newer, public)
        if max(first.size, second.size) > mine.size:
            raise VerificationError(f"the log here has {counted(mine.size, 'entry', 'entries')} only")
        prover = Prover(mine.size, read)
        path = prover.consistency(first.size, second.size) if first.size <= second.size else []
        verify_consistency(first.size, first.root, second.size, second.root, path)
    except Unreadable as error:
        raise CommandError(f"could not check: {error}", hint=error.hint, exit_code=USAGE) from None
    except (VerificationError, OSError) as error:
        raise CommandError(f"not verified: {error}", exit_code=UNVERIFIED) from None
    size = counted(second.size, "entry", "entries")
    if first.size == second.size:
        told = f"Verified: both are the same log of {size}, with the same root. That needs no proof."
    else:
        told = f"Verified: the log of {size} holds all {first.size} of the other."
    print(told, file=sys.stderr)
    for one in path:
        print(base64.b64encode(one).decode())
