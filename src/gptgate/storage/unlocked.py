"""A database that is read without locks, because no file can be made beside it to hold them."""

import os
import sqlite3
from pathlib import Path

from gptgate.storage.errors import Unreadable

UNLOCKED = "mode=ro&immutable=1"


class UnlockedConnection(sqlite3.Connection):
    """To read a database in a folder that this user cannot write to, or on a read-only file system.

    SQLite takes the file as one that never changes. But somebody else may write to the folder, or to what is mounted
    read-only here. So `close` raises Unreadable when that has happened: what was read until then may be anything,
    an error of SQLite's too.
    """

    def __init__(self, path: Path) -> None:
        # Before it is opened: a change after this is seen at the end.
        self._path, self._before = path, _state(path)
        super().__init__(
            f"{path.resolve().as_uri()}?{UNLOCKED}", uri=True, isolation_level=None, check_same_thread=False
        )

    def close(self) -> None:
        """Raises Unreadable when the database is not what it was when it was opened, or cannot be looked at again."""
        super().close()
        try:
            now = _state(self._path)
        except OSError as error:
            raise Unreadable(f"{self._path} cannot be looked at again: {error.strerror}") from error
        if now != self._before:
            raise Unreadable(f"{self._path.name} was changed while it was read", hint="try again")


def _state(path: Path) -> tuple[tuple[int, ...] | None, int]:
    """What changes when something writes to the database: its file, or the size of its write-ahead log."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None, 0
    try:
        logged = os.stat(path.with_name(path.name + "-wal")).st_size
    except FileNotFoundError:
        logged = 0
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns), logged
