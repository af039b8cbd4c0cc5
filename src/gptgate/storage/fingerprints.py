"""What an orderly stop leaves, byte by byte: the sha256 of each file that the log alone does not prove to the last bit.

A database has space that no table uses, with old bytes in it that SQLite left there; what should stand in it nobody
knows but by a digest of the whole file. The gateway takes one when it has stopped; whatever opens a database to write
takes it away again. So there is one only while nothing writes, and then every bit of the files has to be as it was.
A command that writes looks whether it still is, and takes a new one when it is done.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Self

from msgspec import Struct

from gptgate.storage.approvals import APPROVALS_NAME
from gptgate.storage.durable import remove, sync_folders, write_durably
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import (
    ADMIN_TOKEN_NAME,
    CONTENT_KEY_NAME,
    DATABASE_NAME,
    REWRITING_SECRET_NAME,
    FolderLock,
    file_identity,
)
from gptgate.storage.log_folder import CHECKPOINT, KEY_NAME, LOG_FOLDER, WITNESSED
from gptgate.storage.schema import FINGERPRINTS_NAME, connect, storage_errors

DATABASES = (DATABASE_NAME, APPROVALS_NAME)
SECRETS = (KEY_NAME, ADMIN_TOKEN_NAME, REWRITING_SECRET_NAME, CONTENT_KEY_NAME)
SINGLE = (*DATABASES, *SECRETS, f"{LOG_FOLDER}/{CHECKPOINT}")
"""The log's tiles are proven by its root, the configuration may be edited at any time."""
TAKE_S = 10.0
"""A stop waits no longer for it; at 1.9 GB/s, the speed of sha256 here, it is enough for a database of 19 GB."""
RENEW_S = 0.5
"""A command waits no longer, each time: before it writes and after; enough for about a gigabyte."""
PIECE_BYTES = 1 << 20
NOTHING: Mapping[str, str] = MappingProxyType({})
LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")


class Comparison(Struct, frozen=True):
    """`wrong` names the first file that differs or is gone, ``""`` when none is. `taken` is False where no fingerprints
    are, or they were taken away or anew while files were compared with them, as gptgate does when it writes. `unread`
    are files that this user cannot read, `gone` are secrets that are not there, as in a copy that an auditor has."""

    wrong: str = ""
    taken: bool = True
    unread: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every file is there, and as it was."""
        return self.taken and not (self.wrong or self.unread or self.gone)


def take_fingerprints(
    folder: Path, deadline_s: float = TAKE_S, *, shared: bool = False, gone: Mapping[str, str] = NOTHING
) -> None:
    """Write down what the files are now. Raises StorageError when another process uses them, or it takes too long.

    `shared` is for commands: whoever asks meanwhile whether a gateway runs is told that none does. `gone` are the
    digests of files that should be there, and stay written down.
    """
    with storage_errors("take the files' fingerprints"), closing(_Lock(folder, shared=shared)):
        for name in DATABASES:
            _fold_log(folder / name)
        before = _state(folder)
        until = time.monotonic() + deadline_s
        lines = "".join(f"{_digest_of(folder / name, until)}  {name}\n" for name in _names(folder))
        lines += "".join(f"{digest}  {name}\n" for name, digest in gone.items() if not (folder / name).exists())
        write_durably(folder / FINGERPRINTS_NAME, lines.encode())
        # Who opens a database to write takes the file away once it has a write-ahead log. So a change is seen here, or
        # comes after the file and removes it.
        if _state(folder) != before:
            remove(folder / FINGERPRINTS_NAME)
            raise StorageError("the files were changed while their fingerprints were taken")
        sync_folders([folder])


@contextmanager
def renewing(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Around what a command writes: fingerprints that were there, and still right, are taken anew at its end.

    What was damaged before it, or is gone, is said, and never taken for right. Without fingerprints, as while a gateway
    runs, this does nothing. No connection to a database may be open before or after it in this process.
    """
    right, gone = False, NOTHING
    try:
        with FileCheck(folder) as check:
            found, gone = check.compare(RENEW_S), check.gone
    except StorageError as error:
        say(f"whether the files are as they were was not looked at: {error}")
    else:
        right = found.taken and not (found.wrong or found.unread)
        if found.wrong:
            say(f"{found.wrong}. gptgate audit verify looks at what is in them")
        for name in found.gone:
            say(_gone(name))
        if found.unread:
            say(f"what the files are is not written down any more: not read could be {', '.join(found.unread)}")
    try:
        yield
    finally:
        if right and not (folder / FINGERPRINTS_NAME).exists():
            try:
                take_fingerprints(folder, RENEW_S, shared=True, gone=gone)
            except StorageError as error:
                say(f"what the files are now was not written down: {error}")


class FileCheck:
    """Compares the files with their fingerprints. Raises StorageError.

    Open it before a connection to the database, and close it after: closing any descriptor of the file would take
    SQLite's locks from this process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[str, BinaryIO]] = {}
        self._unread: list[str] = []
        self.gone: dict[str, str] = {}
        """Files that are not there → the digests that they had."""
        self._wrong = ""
        with storage_errors("read the files' fingerprints"):
            self._lines = _lines(folder)
            if self._lines is not None:
                self._open(self._lines.decode("ascii", "replace"))

    def close(self) -> None:
        for _, file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def compare(self, deadline_s: float | None = None) -> Comparison:
        """Whether every file is what it was when they were taken. Raises StorageError where it takes too long."""
        until = None if deadline_s is None else time.monotonic() + deadline_s
        with storage_errors("compare the files' fingerprints"):
            for name, (expected, file) in self._files.items():
                if not self._wrong and _digest(file, until) != expected:
                    self._wrong = _changed(name)
            # What opens a database to write takes them away before it changes a byte: they say nothing about it then.
            if self._lines is None or (self._wrong and _lines(self._folder) != self._lines):
                return Comparison(taken=False)
        return Comparison(self._wrong, unread=tuple(self._unread), gone=tuple(self.gone))

    def _open(self, text: str) -> None:
        lines = LINE.findall(text)
        names = [name for _, name in lines]
        whole = text == "".join(f"{digest}  {name}\n" for digest, name in lines)
        if not whole or DATABASE_NAME not in names or not all(map(_is_ours, names)):
            self._wrong = f"{FINGERPRINTS_NAME} is damaged"
            return
        for name in DATABASES:
            if _log_bytes(self._folder / name):
                writer = "something else than gptgate, or an older gptgate,"
                self._wrong = f"{writer} has written to {name} since {FINGERPRINTS_NAME} was written"
        for expected, name in lines:
            try:
                self._files[name] = expected, (self._folder / name).open("rb", buffering=0)
            except PermissionError:
                self._unread.append(name)
            except FileNotFoundError:
                self.gone[name] = expected
        self._wrong = self._wrong or next((_gone(name) for name in self.gone if name not in SECRETS), "")


class _Lock(FolderLock):
    """Given back by `close`."""

    close = FolderLock.release


def _names(folder: Path) -> Iterator[str]:
    for name in SINGLE:
        if (folder / name).is_file():
            yield name
    for path in sorted((folder / LOG_FOLDER / WITNESSED).glob("*")):
        yield str(path.relative_to(folder))


def _lines(folder: Path) -> bytes | None:
    """The fingerprints as they stand there now, None where there are none."""
    try:
        return (folder / FINGERPRINTS_NAME).read_bytes()
    except FileNotFoundError:
        return None


def _gone(name: str) -> str:
    return f"{name} is gone: {FINGERPRINTS_NAME} names it"


def _changed(name: str) -> str:
    """Older versions do not know that they have to take the fingerprints away."""
    older = ", or an older gptgate wrote to it" if name in DATABASES or name.startswith(LOG_FOLDER + "/") else ""
    return f"{name} is not what it was when {FINGERPRINTS_NAME} was written: some of its bytes were changed{older}"


def _is_ours(name: str) -> bool:
    return name in SINGLE or name.startswith(f"{LOG_FOLDER}/{WITNESSED}/")


def _state(folder: Path) -> list[object]:
    """What changes when something writes to a database. Raises StorageError while one is open."""
    found: list[object] = []
    for path in (folder / name for name in DATABASES):
        if _log_bytes(path) is not None:
            raise StorageError(f"{path.name} is in use")
        found += [file_identity(path), path.stat().st_mtime_ns if path.exists() else 0]
    return found


def _fold_log(path: Path) -> None:
    """Let SQLite take a write-ahead log away that a reader, or a crash, has left and nobody uses any more."""
    if _log_bytes(path) is not None and path.exists():
        connect(path, busy_ms=0).close()


def _log_bytes(path: Path) -> int | None:
    """The size of a database's write-ahead log, None without one. It is there while a connection is."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return None


def _digest(file: BinaryIO, until: float | None = None) -> str:
    hasher = sha256()
    while piece := file.read(PIECE_BYTES):
        if until is not None and time.monotonic() > until:
            raise StorageError("the files are too large to read them all in that time")
        hasher.update(piece)
    return hasher.hexdigest()


def _digest_of(path: Path, until: float) -> str:
    with path.open("rb", buffering=0) as file:
        return _digest(file, until)
