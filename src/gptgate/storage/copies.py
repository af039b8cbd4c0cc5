"""Copies of checkpoints in a folder elsewhere: a mount of an archive, of a bucket, of another machine.

Each is a file of its own, ``LOG/SIZE``, made once and never opened for writing again, so that a store that takes
new files only will do.
"""

import os
from pathlib import Path

from gptgate.storage.durable import sync_folders

DIGITS = 20


class Copies:
    """The copies of one log's checkpoints. Methods block and raise OSError."""

    def __init__(self, folder: Path, log: str) -> None:
        self._folder = folder / log.replace("/", "_")

    def newest(self) -> tuple[Path, bytes] | None:
        """The copy of the largest size; None when there is none. What a crash left empty is none."""
        if not self._folder.is_dir():
            return None
        names = sorted((entry.name for entry in os.scandir(self._folder) if entry.name.isdecimal()), reverse=True)
        for name in names:
            path = self._folder / name
            data = path.read_bytes()
            if data:
                return path, data
        return None

    def keep(self, size: int, checkpoint: bytes) -> None:
        """Add the copy of a size of which there is none, durably when this returns.

        A crash before leaves no copy, or an empty file, which the next call fills.
        """
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        path = self._folder / f"{size:0{DIGITS}}"
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            if os.fstat(descriptor).st_size == 0 and os.write(descriptor, checkpoint) != len(checkpoint):
                raise OSError(f"{path} was written in part; remove it")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folders([self._folder, self._folder.parent])
