"""`gptgate audit verify` and `gptgate audit key`: what is on record, proven or not."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from gptgate.audit.signing import Signer
from gptgate.cli.failure import UNVERIFIED, USAGE, CommandError
from gptgate.cli.options import DEFAULT_FOLDER, Data
from gptgate.cli.text import clean
from gptgate.storage.errors import StorageError
from gptgate.storage.log_check import LogCheck
from gptgate.storage.log_folder import LogFolder, read_seed
from gptgate_verify import VerificationError
from gptgate_verify.evidence import Evidence, verify_evidence
from gptgate_verify.log import verify_log
from gptgate_verify.note import Checkpoint, VerifierKey, open_checkpoint
from gptgate_verify.proof import parse_proof, verify_proof

Key = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="The log's public key, as `gptgate audit key` printed it; better from elsewhere than from this folder.",
    ),
]


def show_key(data: Data = DEFAULT_FOLDER) -> None:
    """Print the public key of this folder's audit log. Give it to whoever is to verify."""
    print(own_key(data))


def verify(
    proof: Annotated[
        Path | None, typer.Argument(metavar="[PROOF]", help="A proof file; without one, the whole data folder.")
    ] = None,
    key: Key = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint of this log that was kept elsewhere: the log must still hold it. May repeat."),
    ] = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Prove that records are what was logged, that none is missing, and that the log is what was signed. Offline.

    Exit code 3 when it is not so, with the first place that is wrong.
    """
    try:
        public = VerifierKey.parse(key) if key is not None else own_key(data)
        others = dict(_kept(path, public) for path in checkpoint or [])
    except VerificationError as error:
        raise CommandError(str(error), exit_code=USAGE) from None
    try:
        if proof is None:
            _verify_folder(data, public, others)
        else:
            _verify_proof(proof, public)
    except (VerificationError, StorageError) as error:
        raise CommandError(f"not verified: {error}", exit_code=UNVERIFIED) from None
    if key is None:
        print("The key came from the same folder: whoever could change the log could change the key. Use --key.")


def own_key(data: Path) -> VerifierKey:
    """The public key of the folder's log. Raises CommandError where there is none."""
    try:
        return Signer.of_installation(read_seed(data)).key
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandError(
            f"the log's key cannot be read in {data}: {reason}", hint="name the data folder of a gateway, or --key"
        ) from None


def _kept(path: Path, key: VerifierKey) -> tuple[int, bytes]:
    head = open_checkpoint(read_file(path), key)
    return head.size, head.root


def read_file(path: Path) -> bytes:
    """A file that the caller named. Raises CommandError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", exit_code=USAGE) from None


def _verify_proof(path: Path, key: VerifierKey) -> None:
    data = read_file(path)
    if data.startswith(b"{"):
        _show_evidence(verify_evidence(data, key))
        return
    proof = parse_proof(data)
    head, _ = verify_proof(proof, key)
    print(f"Verified: entry {proof.index} of {head.size} in the log {head.origin}:")
    print(proof.entry.decode("utf-8", "replace"))


def _show_evidence(proven: Evidence) -> None:
    """The answers to an auditor's questions, each out of a proven entry."""
    asked, ended = proven.intent, proven.end or {}
    head = proven.heads[0]
    print(f"Verified: request {clean(proven.request)} in the log {head.origin} of {head.size} entries.")
    lines = {
        "who": f"team {asked.get('team')}, app {asked.get('app')}, key {asked.get('key_id')}, "
        f"end user {asked.get('end_user') or '-'}, from {asked.get('client')}",
        "asked": f"{asked.get('model')} at {asked.get('provider')}, request digest {asked.get('request_digest')}",
        "answered": f"{ended.get('answered_model') or '-'}, {ended.get('state', 'open')}, status {ended.get('status')}",
        "found": ", ".join(f"{kind} x{count}" for kind, count in asked.get("finding_counts", [])) or "nothing",
        "decided": f"{asked.get('effect')} by {', '.join(asked.get('rules', [])) or 'no rule'}, "
        f"configuration {asked.get('config_digest')}" + (" (proven)" if proven.configuration else " (not in the file)"),
    }
    for name, line in lines.items():
        print(f"  {name:9} {clean(line)}")


def _verify_folder(data: Path, key: VerifierKey, others: dict[int, bytes]) -> None:
    files = LogFolder(data)
    try:
        signed = files.checkpoint()
    except OSError as error:
        raise VerificationError(f"{files.path} cannot be read: {error.strerror}") from None
    if signed is None:
        raise VerificationError(f"there is no checkpoint in {files.path}")
    head = open_checkpoint(signed, key)
    with LogCheck(data) as check:
        for line in check.integrity():
            raise VerificationError(f"the database is damaged: {line}")
        erased = _compare(verify_log(files.read, signed, key, others), check, head)
        beyond = check.beyond(head.size)
    if beyond < 0:
        raise VerificationError(f"{-beyond} rows are missing that the log has")
    print(f"Verified: {head.size} entries in the log {head.origin}; the records say the same.")
    if others:
        print(f"Checkpoints from elsewhere that the log still holds: {len(others)}.")
    if erased:
        print(f"Texts that were erased since: {erased}.")
    if beyond:
        print(f"Not in the log yet: {beyond} rows, written after its last checkpoint.")


def _compare(entries: Iterator[bytes], check: LogCheck, head: Checkpoint) -> int:
    """Every entry beside its row; how many texts are gone. Raises VerificationError at the first that differs."""
    erased = 0
    with closing(check.rows(head.size)) as rows:
        for index, entry in enumerate(entries):
            row = next(rows, None)
            if row is None:
                raise VerificationError(f"entry {index} has no row in the records")
            wrong = row.wrong or row.difference(entry)
            if wrong:
                raise VerificationError(f"entry {index}, {row.place}: {wrong}")
            erased += row.committed is None and b',"content":null,' not in entry[-200:]
        for row in rows:
            raise VerificationError(f"{row.place} is a row too many")
    return erased
