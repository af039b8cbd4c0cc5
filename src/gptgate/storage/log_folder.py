"""The audit log's files in the data folder: ``log/`` in the layout of c2sp.org/tlog-tiles, and the key that signs."""

import os
from pathlib import Path

from gptgate.core.log import Growth
from gptgate.storage.durable import remove, sync_folders, write_durably

LOG_FOLDER = "log"
CHECKPOINT = "checkpoint"
WITNESSED = "witness"
KEY_NAME = "log.key"
SEED_BYTES = 32


class LogFolder:
    """Reads and writes the layout. One writer at a time; readers may come at any time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOG_FOLDER

    def read(self, path: str) -> bytes:
        """A file of the layout. Raises OSError."""
        return (self.path / path).read_bytes()

    def checkpoint(self) -> bytes | None:
        """The last signed checkpoint, None before there is one. Raises OSError."""
        try:
            return self.read(CHECKPOINT)
        except FileNotFoundError:
            return None

    def witnessed(self) -> dict[str, bytes]:
        """The last checkpoint that each witness has taken, by its name, with its cosignature if it gives any.

        Raises OSError.
        """
        folder = self.path / WITNESSED
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*")) if path.suffix != ".tmp"}

    def keep_witnessed(self, name: str, note: bytes) -> None:
        """Remember what a witness has taken. Raises OSError."""
        folder = self.path / WITNESSED
        made = _make_folders(folder)
        # A crash before this returns leaves the old one or the new one; the witness itself knows better.
        write_durably(folder / name, note)
        sync_folders({folder, *made})

    def write(self, growth: Growth, checkpoint: bytes) -> None:
        """Make a batch durable, then the checkpoint that tells of it, then tidy up. Raises OSError."""
        folders = set()
        for file in growth.files:
            path = self.path / file.path
            folders |= _make_folders(path.parent)
            # A crash here leaves files that no checkpoint tells of; the next start writes the same ones again.
            write_durably(path, file.data)
            folders.add(path.parent)
        sync_folders(folders)
        _make_folders(self.path)
        # A crash before this returns leaves the old checkpoint or the new one, and the files of both.
        write_durably(self.path / CHECKPOINT, checkpoint)
        sync_folders([self.path, self.path.parent])
        for stale in growth.stale:
            # A crash here leaves a partial tile too many, which nobody asks for.
            remove(self.path / stale)


def _make_folders(folder: Path) -> set[Path]:
    """Make the folder; the folders in which a new name stands."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700)
    return {one.parent for one in missing}


def load_or_make_seed(folder: Path, name: str = KEY_NAME) -> bytes:
    """A private key (32 bytes, mode 0600), made at the first start. Raises OSError; ValueError when damaged."""
    try:
        return read_seed(folder, name)
    except FileNotFoundError:
        seed = os.urandom(SEED_BYTES)
        write_durably(folder / name, seed)
        sync_folders([folder])
        return seed


def read_seed(folder: Path, name: str = KEY_NAME) -> bytes:
    """A private key. Raises OSError; ValueError when damaged."""
    path = folder / name
    seed = path.read_bytes()
    if len(seed) != SEED_BYTES:
        raise ValueError(f"{path} does not hold a key of {SEED_BYTES} bytes")
    return seed
