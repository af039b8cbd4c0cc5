"""What commands need of a data folder that a gateway may be using."""

import fcntl
import os
import shlex
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from gptgate.cli.failure import REFUSED, USAGE, CommandError
from gptgate.cli.text import clean
from gptgate.core.snapshot import Snapshot
from gptgate.installed import read_config
from gptgate.storage.fingerprints import renewing
from gptgate.storage.folder import DATABASE_NAME, LOCK_NAME

# The same name as in `compose`, which would load the whole gateway; a test holds them together.
CONFIG_NAME = "gptgate.yaml"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def load_config(data: Path, config: Path | None) -> Snapshot:
    """The configuration of a folder. Raises CommandError when there is none, ConfigError when it is broken."""
    path = config or data / CONFIG_NAME
    if not path.is_file():
        raise CommandError(
            f"there is no configuration at {path}",
            hint="name the folder with --data or the file with --config; gptgate quickstart makes a first one",
            exit_code=REFUSED if config is None else USAGE,
        )
    return read_config(path)


def named_file(path: Path) -> Path:
    """A file that the command line names. Raises CommandError where there is none."""
    if not path.is_file():
        raise CommandError(f"there is no file {path}", hint="name the configuration file", exit_code=USAGE)
    return path


def require_database(data: Path) -> None:
    """Raises CommandError when the folder has no database, so that no command makes one by asking."""
    if not (data / DATABASE_NAME).is_file():
        raise CommandError(f"there is no gateway data in {data}", hint="name the data folder with --data")


def warn_of_mode(data: Path, logger: FilteringBoundLogger) -> None:
    """Say where others than its owner may look into a folder; one that the gateway makes is closed to them."""
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & OTHERS:
        hint = f"chmod go= {shlex.quote(str(data))}"
        logger.warning("others than its owner may look into the data folder", mode=f"{mode:04o}", hint=hint)


@contextmanager
def writing(data: Path) -> Iterator[None]:
    """Around what a command writes to the folder's databases, so that the fingerprints of its files outlive it."""
    with renewing(data, _say):
        yield


def _say(line: str) -> None:
    print(f"gptgate: {clean(line)}", file=sys.stderr)


def is_running(data: Path) -> bool:
    """Whether a gateway runs on the folder: whether somebody holds its lock. Raises CommandError when nobody can say.

    Asking takes a shared lock for an instant, because the kernel has no other way to ask.
    """
    path = data / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CommandError(f"cannot open {path}: {error.strerror}", hint="run this as the gateway's user") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
