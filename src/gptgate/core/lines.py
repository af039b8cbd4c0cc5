"""Finds lines at the end of a file, however long they are."""

from typing import BinaryIO

STEP = 1 << 16
"""How much is looked at in one go."""


def line_start(file: BinaryIO, end: int) -> int:
    """Where the line begins that `end` is in: behind the last end of a line before that place, or 0. Raises OSError."""
    while end > 0:
        start = max(0, end - STEP)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
