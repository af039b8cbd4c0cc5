"""What makes the store's file unwritable for a while, and is over when its context ends."""

import os
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No file of this process may grow past the size that the write-ahead log has now."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = os.stat(folder / "gptgate.db-wal").st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@contextmanager
def held_by_another(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "gptgate.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def removed(folder: Path) -> Iterator[None]:
    os.rename(folder / "gptgate.db", folder / "elsewhere")
    yield
    os.rename(folder / "elsewhere", folder / "gptgate.db")


FAULTS: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "full disk": full_disk,
    "held by another": held_by_another,
    "removed": removed,
}
