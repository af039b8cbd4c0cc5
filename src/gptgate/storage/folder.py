"""The data folder: who may read it, what lies in it, and the lock that one gateway holds on it."""

import fcntl
import os
import secrets
import time
from pathlib import Path

from gptgate.storage.errors import StorageError

DATABASE_NAME = "gptgate.db"
LOCK_NAME = "gptgate.lock"
ADMIN_TOKEN_NAME = "admin.token"  # noqa: S105  the name of a file
REWRITING_SECRET_NAME = "rewriting.secret"  # noqa: S105  the name of a file
CONTENT_KEY_NAME = "content.key"
SHORTEST_SECRET = 32


def create_folder(folder: Path) -> Path:
    """Make the folder (mode 0700) and an empty database file (0600) when they are missing; the file's path.

    Existing ones keep their modes. Raises StorageError when the folder cannot be made or written.
    """
    path = folder / DATABASE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            create_file(path)
    except OSError as error:
        raise StorageError(
            f"cannot create {path}: {error.strerror}", hint="choose a folder that this user may write"
        ) from error
    return path


def create_file(path: Path) -> None:
    """An empty database file that only its owner can read, durably there; an existing one stays. Raises OSError."""
    # O_EXCL: an existing database is never opened here, because closing any descriptor of it would drop the POSIX
    # locks that SQLite holds in this process.
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    os.close(descriptor)
    # A power loss before this leaves no file or an empty one; both are started anew by the next open.
    for folder in (path.parent, path.parent.parent):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def admin_token(folder: Path) -> str:
    """The token of the control plane, made at the first start. Raises StorageError."""
    return own_secret(folder / ADMIN_TOKEN_NAME)


def rewriting_secret(folder: Path) -> bytes:
    """The key of hashes and pseudonyms, made at the first start. Raises StorageError.

    Without the file every value gets another hash and another pseudonym; nothing else is lost.
    """
    return own_secret(folder / REWRITING_SECRET_NAME).encode()


def content_secret(folder: Path) -> str:
    """The master key of kept texts where the configuration names none, made at the first start.

    It keeps copies of the database alone from being read, not copies of the whole folder. Without the file no text can
    be read any more. Raises StorageError.
    """
    return own_secret(folder / CONTENT_KEY_NAME)


def own_secret(path: Path) -> str:
    """The secret that this file holds, made (mode 0600) when there is none.

    Raises StorageError when it cannot be read or made, and when it is too short to be one: a crash may have cut it off.
    """
    try:
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(SHORTEST_SECRET) + "\n")
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot read or make the secret in {path}: {error}") from error
    if len(secret) < SHORTEST_SECRET:
        raise StorageError(f"the secret in {path} is too short", hint="remove the file; a new one is made")
    return secret


def file_identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at this path, None when there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


PATIENCE, PAUSE_S = 100, 0.01


class FolderLock:
    """The exclusive lock of one gateway on its folder. The kernel gives it back when the process dies.

    It is on a file, by which commands see that a gateway runs, and on the folder itself, which nobody can remove from
    under it: without the file a second gateway would abandon the requests of the first.
    """

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        """Take the lock. Raises StorageError when another process holds it.

        A `shared` one is for who only keeps a gateway from starting: several may hold it, and it is no gateway's.
        """
        path = folder / LOCK_NAME
        self._descriptors: list[int] = []
        try:
            self._descriptors.append(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._descriptors.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except OSError as error:
            self.release()
            raise StorageError(f"cannot open {path}: {error.strerror}") from error
        file = self._descriptors[0]
        try:
            for descriptor in self._descriptors:
                _take(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        except OSError as error:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise StorageError(
                f"another gateway (process {holder}) uses {folder}",
                hint="stop it, or give this one a folder of its own",
            ) from error
        if not shared:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Give the lock back. The file stays: commands look for it."""
        while self._descriptors:
            os.close(self._descriptors.pop())


def _take(descriptor: int, how: int) -> None:
    """Take the lock, or raise OSError. Commands hold it for a moment too: to ask whether a gateway runs, and to write
    down what the files are."""
    for _ in range(PATIENCE):
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_S)
        else:
            return
    fcntl.flock(descriptor, how | fcntl.LOCK_NB)
