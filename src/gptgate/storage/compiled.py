"""Compiled pattern databases kept between starts. Whatever cannot be read is compiled anew: nothing is lost with it."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

FOLDER = "compiled"
_KEPT = 64
"""Files that are kept: a gateway has thirteen and those of its own patterns; so has a version that is tried out."""


class CompiledPatterns:
    """A cache in the data folder, for this user's eyes only.

    Never raises: a folder that cannot be written costs time at each start and nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def get(self, key: str) -> bytes | None:
        """What was put under this key, whole and unchanged; None when that cannot be said."""
        try:
            stored = (self._folder / key).read_bytes()
        except OSError:
            return None
        digest, data = stored[:32], stored[32:]
        return data if hashlib.sha256(key.encode() + data).digest() == digest else None

    def put(self, key: str, data: bytes) -> None:
        """Keep this, and forget the oldest of what is too much."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            # mkstemp makes a file of mode 0600 with a name of its own; the rename is atomic.
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(hashlib.sha256(key.encode() + data).digest() + data)
                Path(name).replace(self._folder / key)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
            files = sorted(self._folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
            for old in files[:-_KEPT]:
                old.unlink(missing_ok=True)
