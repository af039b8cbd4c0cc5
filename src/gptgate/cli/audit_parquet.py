"""`gptgate audit export --format parquet`: the log as a folder of Parquet files, for tools that read tables.

Needs pyarrow, the extra `parquet`; nothing else imports this. Each part is a whole file, never written again; its
name says which entries it holds, so the folder itself says where the next run begins.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from gptgate.cli.audit_export import FIELDS, facts_of
from gptgate.cli.failure import CommandError
from gptgate.core.sinks import LogLine
from gptgate.storage.durable import sync_folders

PART_ROWS = 100_000
GROUP_ROWS = 10_000
"""Rows that are in memory at a time, and that a reader can skip together."""
TEMPORARY = "part.tmp"
PART = re.compile(r"part-([0-9]{12})-([0-9]{12})\.parquet")
NUMBERS = frozenset({"score", "reserved_nano", "status", "cost_nano", "attempts"})
SCHEMA = pa.schema(
    [
        pa.field("index", pa.int64(), nullable=False),
        pa.field("at", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        *(pa.field(name, pa.int64() if name in NUMBERS else pa.string()) for name in FIELDS if name != "rules"),
        pa.field("rules", pa.list_(pa.string())),
        pa.field("findings", pa.map_(pa.string(), pa.int64())),
        pa.field("input_tokens", pa.int64()),
        pa.field("output_tokens", pa.int64()),
        pa.field("content", pa.string()),
        pa.field("line", pa.string(), nullable=False),
    ]
)
"""`line` is the whole line of the export as JSON Lines, to the byte; the others are what of it is asked for most. Null:
the event has no such field."""


@contextmanager
def part_folder(folder: Path) -> Iterator[int]:
    """Make the folder where it is missing, keep others from writing to it; the entry behind its last part.

    Raises CommandError when another export writes to it, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"another export writes to {folder}") from None
        parts = (PART.fullmatch(path.name) for path in folder.iterdir())
        yield max((int(part[2]) for part in parts if part is not None), default=0)
    finally:
        os.close(descriptor)


def write_parts(folder: Path, lines: Iterator[LogLine], first: int) -> int:
    """Write the lines as parts, each durable before the next begins; the index after the last. Raises OSError.

    A crash leaves whole parts, and perhaps a temporary file, which the next run writes anew.
    """
    while (following := _write_part(folder / TEMPORARY, islice(lines, PART_ROWS), first)) > first:
        (folder / TEMPORARY).rename(folder / f"part-{first:012}-{following:012}.parquet")
        sync_folders([folder])
        first = following
    (folder / TEMPORARY).unlink()
    return first


def _write_part(path: Path, lines: Iterator[LogLine], first: int) -> int:
    following = first
    with path.open("wb") as file:
        with parquet.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
            while group := list(islice(lines, GROUP_ROWS)):
                writer.write_table(pa.Table.from_pylist([_row(line) for line in group], SCHEMA))
                following = group[-1].index + 1
        file.flush()
        os.fsync(file.fileno())
    return following


def _row(line: LogLine) -> dict[str, Any]:
    content, body, of_request = facts_of(line)
    row: dict[str, Any] = {
        "index": line.index,
        "at": line.at_ms,
        "type": line.kind,
        "content": content,
        "line": line.data.decode(),
    }
    if of_request:
        row |= {name: body.get(name) for name in FIELDS}
        row["findings"] = [tuple(pair) for pair in body.get("finding_counts", ())]
        row |= {name: number for name, number in (body.get("usage") or {}).items() if name in SCHEMA.names}
    return row
