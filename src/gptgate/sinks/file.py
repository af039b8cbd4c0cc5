"""A file that grows by a line for each entry. It may be renamed at any time; the next line makes a new one."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from gptgate.core.beside import SinkSpec
from gptgate.core.lines import line_start
from gptgate.core.sinks import LogLine, SinkFailed

START = b'{"index":'
HEAD = 32
"""How much of a line is read for its index."""


class FileSink:
    """Each entry exactly once, also across crashes: the file itself says which one was the last."""

    def __init__(self, spec: SinkSpec, secret: str) -> None:
        self._path = Path(spec.to)

    def resume(self, position: int) -> int:
        """After the file's last whole line; half a line, which a crash left, is cut off."""
        try:
            with self._path.open("r+b") as file:
                size = file.seek(0, os.SEEK_END)
                whole = line_start(file, size)
                following = self._following(file, whole) if size else 0
                file.truncate(whole)
                # A process that died may not have come to this; the lines count as delivered from here on.
                os.fsync(file.fileno())
        except FileNotFoundError:
            return position
        except OSError as error:
            raise SinkFailed(f"{self._path} cannot be read: {error.strerror}") from None
        return max(position, following)

    def _following(self, file: BinaryIO, whole: int) -> int:
        """The entry behind the one in the last line of those that end here; 0 where half a line is all there is."""
        file.seek(line_start(file, whole - 1))
        head = file.read(HEAD)
        if whole == 0 and START.startswith(head[: len(START)]):
            return 0
        number = re.match(re.escape(START) + rb"([0-9]{1,19}),", head)
        if whole == 0 or number is None:
            raise SinkFailed(f"{self._path} does not end in lines of this gateway")
        return int(number[1]) + 1

    def deliver(self, lines: Sequence[LogLine]) -> None:
        """Append and sync. Where that fails, the file is as long as it was before."""
        data = b"".join(line.data + b"\n" for line in lines)
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._append(descriptor, data)
            finally:
                os.close(descriptor)
            self._sync_folder()
        except OSError as error:
            raise SinkFailed(f"{self._path} cannot be written: {error.strerror}") from None

    def _sync_folder(self) -> None:
        """Each time: the file may be new, by a rotation too, and a name that is not on disk is lost with its lines."""
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

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
