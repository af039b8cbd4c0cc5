"""`gptgate audit verify` and `gptgate audit key`: what is on record, proven or not."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from gptgate.audit.signing import Signer
from gptgate.cli.audit_known import (
    KnownHead,
    cosigned,
    cosigned_line,
    known_head,
    read_key,
    roots_of,
    settled_log,
    witnessed_heads,
)
from gptgate.cli.audit_texts import present_master_key
from gptgate.cli.failure import REFUSED, UNVERIFIED, USAGE, CommandError
from gptgate.cli.options import DEFAULT_FOLDER, Data
from gptgate.cli.text import counted
from gptgate.storage.approvals import APPROVALS_NAME
from gptgate.storage.approvals_check import check_approvals
from gptgate.storage.errors import StorageError, Unreadable
from gptgate.storage.fingerprints import SECRETS, Comparison, FileCheck
from gptgate.storage.folder import ADMIN_TOKEN_NAME, CONTENT_KEY_NAME, DATABASE_NAME, REWRITING_SECRET_NAME
from gptgate.storage.log_check import LogCheck
from gptgate.storage.log_folder import KEY_NAME, LOG_FOLDER, LogFolder, read_seed
from gptgate.storage.schema import FINGERPRINTS_NAME
from gptgate.storage.vault import WrappedKeys
from gptgate_verify import VerificationError
from gptgate_verify.evidence import verify_evidence
from gptgate_verify.log import verify_log
from gptgate_verify.note import (
    Checkpoint,
    VerifierKey,
    is_signed_by,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
)
from gptgate_verify.proof import HEADER, parse_proof, verify_proof
from gptgate_verify.report import entry_lines, evidence_lines

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
    witness_key: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="A witness's public key: it must have cosigned what is verified. May repeat."),
    ] = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Prove that records are what was logged, that none is missing, and that the log is what was signed. Offline.

    A log that was cut off or rolled back is whole in itself: only a checkpoint from elsewhere, such as the one that a
    witness shows, tells. Exit code 3 when something is not so, with the first place that is wrong. Exit code 2
    when it could not be looked at, which says nothing; never 1.
    """
    if proof is None:
        _require_data(data)
    try:
        public = VerifierKey.parse(key) if key is not None else own_key(data, exit_code=USAGE)
        witnesses = [read_key(text) for text in witness_key or []]
        kept = [known_head(str(path), read_checkpoint(path), public) for path in checkpoint or []]
    except VerificationError as error:
        raise CommandError(str(error), exit_code=USAGE) from None
    try:
        if proof is None:
            # Whoever brings the key may have a copy without the gateway's secrets. One that lacks some only is none.
            is_copy = key is not None and not any((data / name).exists() for name in SECRETS)
            _verify_folder(data, public, kept, witnesses, is_copy=is_copy)
        else:
            _verify_proof(proof, public, witnesses)
    except Unreadable as error:
        raise CommandError(f"could not check: {error}", hint=error.hint, exit_code=USAGE) from None
    except (VerificationError, StorageError) as error:
        hint = error.hint if isinstance(error, StorageError) else ""
        raise CommandError(f"not verified: {error}", hint=hint, exit_code=UNVERIFIED) from None
    if key is None:
        print("The key came from the same folder: whoever could change the log could change the key. Use --key.")


def _require_data(data: Path) -> None:
    """A mistyped name must not look like a log that was removed. Raises CommandError where nothing is a gateway's."""
    if not data.is_dir():
        raise CommandError(f"there is no folder {data}", hint="name the data folder with --data", exit_code=USAGE)
    if not any((data / name).exists() for name in (DATABASE_NAME, LOG_FOLDER)):
        raise CommandError(
            f"there is neither {DATABASE_NAME} nor {LOG_FOLDER} in {data}",
            hint="name the data folder with --data",
            exit_code=USAGE,
        )


def own_key(data: Path, *, exit_code: int = REFUSED) -> VerifierKey:
    """The public key of the folder's log. Raises CommandError where there is none."""
    try:
        return Signer.of_installation(read_seed(data)).key
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandError(
            f"the log's key cannot be read in {data}: {reason}",
            hint="name the data folder of a gateway, or --key",
            exit_code=exit_code,
        ) from None


def read_file(path: Path) -> bytes:
    """A file that the caller named. Raises CommandError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", exit_code=USAGE) from None


def read_checkpoint(path: Path) -> bytes:
    """A checkpoint that the caller named, with nothing verified. Raises CommandError for a file that is none."""
    data = read_file(path)
    try:
        parse_checkpoint(parse_note(data).text)
    except VerificationError as error:
        raise CommandError(
            f"{path} is no checkpoint: {error}", hint="the file checkpoint of a log's folder is one", exit_code=USAGE
        ) from None
    return data


def _require_proof(path: Path, data: bytes) -> None:
    """Raises CommandError for a file that is another thing than a proof, which says nothing of any record."""
    is_evidence = data.startswith(b"{") and b'"proofs"' in data
    if not is_evidence and not data.startswith(HEADER.encode()):
        raise CommandError(
            f"{path} is no proof",
            hint="gptgate audit prove ID makes one; --checkpoint takes a checkpoint",
            exit_code=USAGE,
        )


def _verify_proof(path: Path, key: VerifierKey, witnesses: Sequence[VerifierKey]) -> None:
    data = read_file(path)
    _require_proof(path, data)
    if data.startswith(b"{"):
        proven = verify_evidence(data, key)
        lines = list(evidence_lines(proven))
        known = [KnownHead(str(path), *pair, True) for pair in zip(proven.heads, proven.notes, strict=True)]
    else:
        proof = parse_proof(data)
        head, note = verify_proof(proof, key)
        known = [KnownHead(str(path), head, note, True)]
        lines = [
            f"Verified: entry {proof.index} of {head.size} in the log {head.origin}:",
            *entry_lines(proof.entry),
        ]
    # Nothing is called verified before all is that was asked for.
    lines += [cosigned_line(witness, *cosigned([one], witness)) for witness in witnesses for one in known]
    print("\n".join(lines))


def _verify_folder(
    data: Path, key: VerifierKey, kept: Sequence[KnownHead], witnesses: Sequence[VerifierKey], *, is_copy: bool
) -> None:
    files = LogFolder(data)
    signed, read = settled_log(files)
    _require_own_key(data, signed, key)
    head = open_checkpoint(signed, key)
    known = [*kept, *witnessed_heads(files, key)]
    roots = roots_of([*known, known_head("checkpoint", signed, key)])
    cosignatures = [cosigned_line(witness, *cosigned(known, witness)) for witness in witnesses]
    # What SQLite does alone is done beside the rest.
    with FileCheck(data) as prints, LogCheck(data) as check, LogCheck(data) as aside, ThreadPoolExecutor(1) as pool:
        damage, access = pool.submit(aside.integrity), pool.submit(aside.access)
        sums, unsought = pool.submit(aside.money), pool.submit(aside.unsought)
        untouched, wrapped = pool.submit(prints.compare), pool.submit(aside.data_keys, present_master_key(data))
        decisions = pool.submit(check_approvals, data, time.time_ns() // 1_000_000)
        try:
            erased = _compare(verify_log(read, signed, key, roots), check, head)
            beyond, free = check.beyond(head.size), check.free_bytes()
            wrong = access.result().wrong or sums.result() or unsought.result() or wrapped.result().wrong
            wrong = wrong or decisions.result().wrong
        except (VerificationError, StorageError):
            _require_sound(damage.result())
            raise
        _require_sound(damage.result())
    if beyond < 0:
        raise VerificationError(f"{counted(-beyond, 'row is', 'rows are')} missing that the log has")
    if wrong := wrong or untouched.result().wrong or ("" if is_copy else _lacking(untouched.result().gone)):
        raise VerificationError(wrong)
    print(f"Verified: {counted(head.size, 'entry', 'entries')} in the log {head.origin}; the records say the same.")
    if kept:
        print(f"Checkpoints from elsewhere that the log still holds: {len(kept)}.")
    for line in cosignatures:
        print(line)
    if erased:
        print(f"Texts that were erased since: {erased}.")
    if unbound := access.result().unbound:
        print(f"Keys and auditors of which the log does not tell which secret they have: {unbound}, made long ago.")
    if unlogged := decisions.result().unlogged:
        print(f"Approvals that were decided on before decisions left events: {unlogged}.")
    if unseen := decisions.result().unseen:
        print(f"Approvals that the log has decisions on, not compared because {APPROVALS_NAME} has them not: {unseen}.")
    if beyond:
        print(f"Not in the log yet: {counted(beyond, 'row')}, written after its last checkpoint.")
    if untried := wrapped.result().untried:
        print(f"Keys of texts that were not tried, because their master key is not here: {untried}.")
    for line in _file_lines(untouched.result(), _unheld(data, wrapped.result()), free):
        print(line)


def _lacking(gone: Sequence[str]) -> str:
    if not gone:
        return ""
    return f"{gone[0]} is gone: {FINGERPRINTS_NAME} names it. A copy without any secret is verified with --key"


def _unheld(data: Path, wrapped: WrappedKeys) -> list[str]:
    """The secrets that nothing but their fingerprints would hold to what they were."""
    names = [ADMIN_TOKEN_NAME, REWRITING_SECRET_NAME, *([] if wrapped.tried else [CONTENT_KEY_NAME])]
    return [name for name in names if (data / name).exists()]


def _file_lines(found: Comparison, unheld: Sequence[str], free: int) -> Iterator[str]:
    """Which bytes of the files were compared with what they were, and which nobody vouches for."""
    if not found.taken:
        secrets = f", and for {', '.join(unheld)}" if unheld else ""
        yield (
            f"Not vouched for: space of the databases that no row uses ({free} bytes of {DATABASE_NAME} in free pages, "
            f"and what is free within pages){secrets}. A gateway runs, has not stopped in order, or something was "
            "written since."
        )
        return
    apart = {"they cannot be read": found.unread, "they are not in this copy": found.gone}
    for why, names in apart.items():
        if names:
            listed = ", ".join(names)
            yield f"Not compared with what they were when {FINGERPRINTS_NAME} was written, because {why}: {listed}."
    if found.whole:
        yield f"Every byte of the files is what it was when {FINGERPRINTS_NAME} was written."


def _require_sound(damage: Sequence[str]) -> None:
    """Of all that is wrong, a damaged database is said first: it may be the reason for the rest."""
    for line in damage:
        raise VerificationError(f"the database is damaged: {line}")


def _require_own_key(data: Path, signed: bytes, key: VerifierKey) -> None:
    """The key that the gateway will sign with next must be the one that has signed. An auditor's copy has none."""
    if not is_signed_by(signed, key):
        return
    try:
        own = Signer.of_installation(read_seed(data)).key.public
    except FileNotFoundError:
        return
    except PermissionError:
        print(f"{data / KEY_NAME} cannot be read by this user: whether it is still the log's key was not looked at.")
        return
    except (OSError, ValueError) as error:
        raise VerificationError(f"{KEY_NAME} cannot be read: {error}") from None
    if own != key.public:
        raise VerificationError(f"{KEY_NAME} is not the key that has signed the log: it was swapped")


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
