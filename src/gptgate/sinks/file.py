"""A file that grows by a line for each entry. It may be renamed at any time; the next line makes a new one."""

import os
from collections.abc import Sequence
from pathlib import Path

from gptgate.core.sinks import LogLine, SinkFailed
from gptgate.core.snapshot import SinkSpec

TAIL = 1 << 20
"""How much of a file's end is looked at for its last line; a line is shorter."""
START = b'{"index":'


class FileSink:
    """Each entry exactly once, also across crashes: the file itself says which one was the last."""

    def __init__(self, spec: SinkSpec, secret: str) -> None:
        self._path = Path(spec.to)

    def resume(self, position: int) -> int:
        """After the file's last whole line; half a line, which a crash left, is cut off."""
        try:
            with self._path.open("r+b") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - TAIL))
                tail = file.read()
                whole = tail.rfind(b"\n") + 1
                if whole == 0 and size:
                    raise SinkFailed(f"{self._path} does not end in lines of this gateway")
                file.truncate(size - len(tail) + whole)
                # A process that died may not have come to this; the lines count as delivered from here on.
                os.fsync(file.fileno())
        except FileNotFoundError:
            return position
        except OSError as error:
            raise SinkFailed(f"{self._path} cannot be read: {error.strerror}") from None
        last = tail[:whole].rstrip(b"\n").rpartition(b"\n")[2]
        if not last:
            return position
        number = last.removeprefix(START).partition(b",")[0]
        if not last.startswith(START) or not number.isdigit():
            raise SinkFailed(f"{self._path} does not end in lines of this gateway")
        return max(position, int(number) + 1)

    def deliver(self, lines: Sequence[LogLine]) -> None:
        """Append and sync. Where that fails, the file is as long as it was before."""
        data = b"".join(line.data + b"\n" for line in lines)
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._append(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SinkFailed(f"{self._path} cannot be written: {error.strerror}") from None

    @staticmethod
    def _append(descriptor: int, data: bytes) -> None:
        size = os.fstat(descriptor).st_size
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError:
            # The lines come again: they must find neither half a line nor lines that may never reach the disk.
            os.ftruncate(descriptor, size)
            raise

    def close(self) -> None:
        """Nothing is held."""
