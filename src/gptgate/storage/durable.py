"""Files that survive the loss of power: written beside, synced, renamed, and the folder synced too."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def write_durably(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace or make the file whole. A crash at any point leaves the old file or the new one, and perhaps a temporary
    file beside it, which the next write of this path replaces. Raises OSError."""
    temporary = path.with_name(path.name + ".tmp")
    descriptor = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        # Without this the rename could become durable before the data: an empty file under the final name.
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)


def sync_folders(folders: Iterable[Path]) -> None:
    """Make renames, and new and removed names, in these folders durable. Raises OSError."""
    for folder in sorted(set(folders)):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file that may be gone already. Raises OSError."""
    with suppress(FileNotFoundError):
        path.unlink()
