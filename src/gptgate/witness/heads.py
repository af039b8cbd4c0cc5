"""What a witness must not forget: its key, and the last head of each log that it has cosigned."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Self

from gptgate.audit.signing import Signer
from gptgate.storage.durable import sync_folders, write_durably
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import FolderLock
from gptgate.storage.log_folder import load_or_make_seed
from gptgate.storage.schema import storage_errors
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import COSIGNATURE, Checkpoint, VerifierKey, open_checkpoint

KEY_NAME = "witness.key"
HEADS, EVIDENCE = "heads", "evidence"
MAX_EVIDENCE = 1000
"""Contradictions kept of each log, of any kind: a log that signs more of them proves nothing new."""


def witness_signer(folder: Path) -> Signer:
    """The witness's key, made at the first start; its name comes from its public key. Raises StorageError."""
    with storage_errors(f"read or make the witness's key in {folder}"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            seed = load_or_make_seed(folder, KEY_NAME)
        except ValueError as error:
            raise StorageError(str(error), hint="restore it: with a new key it would be another witness") from None
    public = Signer("any", seed).key.public
    return Signer(f"gptgate-witness.local/{sha256(public).hexdigest()[:16]}", seed, COSIGNATURE)


class Heads:
    """The last cosigned head of each log, on disk. One process at a time on a folder; the caller must `close`."""

    def __init__(self, folder: Path, logs: Mapping[str, VerifierKey]) -> None:
        """Raises StorageError when a head that was kept cannot be read: without it the witness would cosign a fork."""
        self._folder = folder
        self._logs = logs
        self._notes: dict[str, bytes] = {}
        self._heads: dict[str, Checkpoint] = {}
        self._lock = FolderLock(folder)
        try:
            with storage_errors(f"read what was cosigned in {folder}"):
                for name in (HEADS, EVIDENCE):
                    (folder / name).mkdir(mode=0o700, exist_ok=True)
                sync_folders([folder])
                self._read(logs.values())
        except StorageError:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._lock.release()

    def _read(self, logs: Iterable[VerifierKey]) -> None:
        for log in logs:
            path = self._path(log.name)
            try:
                note = path.read_bytes()
            except FileNotFoundError:
                continue
            try:
                self._heads[log.name] = open_checkpoint(note, log)
            except VerificationError as error:
                raise StorageError(f"{path} is damaged: {error}", hint="restore the file") from None
            self._notes[log.name] = note

    def last(self, origin: str) -> Checkpoint | None:
        """The head of a log that was cosigned last."""
        return self._heads.get(origin)

    def note(self, origin: str) -> bytes | None:
        """The same, signed and cosigned."""
        return self._notes.get(origin)

    def keep(self, head: Checkpoint, note: bytes) -> None:
        """Remember a head, durably when this returns. Raises OSError.

        A crash before that leaves the old one or the new one. The caller has not answered yet: a log that asks again
        is told the size that is known, and gets its cosignature then.
        """
        path = self._path(head.origin)
        write_durably(path, note)
        sync_folders([path.parent])
        self._heads[head.origin], self._notes[head.origin] = head, note

    def keep_evidence(self, head: Checkpoint, submitted: bytes) -> None:
        """Keep what contradicts the head that is known, or has fewer entries, beside that head. Raises OSError."""
        folder = self._folder / EVIDENCE
        prefix = self._path(head.origin).name[:16]
        known = self._heads.get(head.origin)
        # Two heads of one size convict the log by themselves. All else may be a good head that somebody sent with a
        # wrong proof, and shall not take the place of what convicts.
        convicts = known is not None and known.size == head.size
        if convicts:
            prefix += "-fork"
        elif known is not None and known.size > head.size:
            # Anybody can send old heads: they get no room of the others either.
            prefix += "-smaller"
        if sum(1 for _ in folder.glob(f"{prefix}-*")) < MAX_EVIDENCE:
            write_durably(folder / f"{prefix}-{head.size}-{head.root.hex()[:16]}", submitted)
            sync_folders([folder])

    def _path(self, origin: str) -> Path:
        # A log's name may hold anything but white space.
        return self._folder / HEADS / sha256(origin.encode()).hexdigest()
