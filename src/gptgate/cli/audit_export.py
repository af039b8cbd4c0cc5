"""`gptgate audit export`: the entries of the log, in its order, for other programs; it goes on where it ended."""

import csv
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import require_database
from gptgate.cli.options import DEFAULT_FOLDER, Data
from gptgate.cli.output import csv_cell
from gptgate.cli.text import clean_json, counted
from gptgate.cli.times import show_ms
from gptgate.core.lines import line_start
from gptgate.core.log import END, INTENT
from gptgate.core.sinks import LogLine
from gptgate.extras import how_to_install
from gptgate.sinks.file import HEAD, START
from gptgate.storage.durable import sync_folders, write_durably
from gptgate.storage.entries import LogEntries

FIELDS = (
    "id,team,app,key_id,end_user,client,endpoint,model,provider,effect,score,rules,config_digest,request_digest,"
    "sent_digest,reserved_nano,state,status,code,answered_model,cost_nano,usage_source,attempts,answer_digest"
).split(",")
"""Fields of the two events of a request that have a column of their own."""
COLUMNS = ("index", "at", "type", *FIELDS, "findings", "input_tokens", "output_tokens", "content", "details")


class ExportFormat(StrEnum):
    """JSON Lines: everything, to the byte. CSV: what a spreadsheet can use. Parquet: both, in typed columns."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def export(
    output: Annotated[
        ExportFormat, typer.Option("--format", help="JSON Lines, CSV, or a folder of Parquet files.")
    ] = ExportFormat.JSONL,
    start: Annotated[
        int | None, typer.Option("--from", min=0, help="Begin with this entry; default 0, or where --cursor says.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 1_000_000_000,
    out: Annotated[
        Path | None, typer.Option(help="Append to this file instead of printing; for Parquet a folder.")
    ] = None,
    cursor: Annotated[
        Path | None, typer.Option(help="A file that says where to begin, and is told where the next run begins.")
    ] = None,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Write the entries of the signed log in their order. Works while a gateway runs, and without one.

    With --cursor each run goes on where the one before ended. What was written is synced before the cursor moves, so
    after a crash entries may come twice, by their index, and none is missing. Parquet goes into a folder, each run in
    new files; their names say where the next run begins. On a terminal, characters of JSON Lines that could change what
    it shows are written as escapes, which say the same; a pipe or a file gets them as they are.
    """
    require_database(data)
    if output is ExportFormat.PARQUET:
        _export_parts(LogEntries(data), out, start, limit, cursor)
        return
    if start is not None and cursor is not None and cursor.exists():
        raise CommandError(f"{cursor} says where to begin", hint="leave --from out", exit_code=USAGE)
    first = start if start is not None else _begin(cursor)
    entries = LogEntries(data)
    _require_begun(entries, first, "--from is past them" if cursor is None else "the cursor is of another log")
    with ExitStack() as stack:
        try:
            target = sys.stdout.buffer if out is None else stack.enter_context(_behind_whole_lines(out, output))
            if out is not None and start is None and cursor is None:
                _require_empty(target, out)
            headed = first > 0 if out is None else target.tell() > 0
            shown = out is None and sys.stdout.isatty()
            following = _write(target, output, _lines(entries, first, limit), first, headed=headed, shown=shown)
            target.flush()
            if out is not None:
                os.fsync(target.fileno())
            if cursor is not None:
                # A crash before this returns leaves the old cursor: entries come again, none is left out.
                write_durably(cursor, f"{following}\n".encode())
                sync_folders([cursor.parent])
        except OSError as error:
            raise CommandError(f"cannot write {error.filename or out or 'the entries'}: {error.strerror}") from None
    _report(first, following)


def _export_parts(entries: LogEntries, out: Path | None, start: int | None, limit: int, cursor: Path | None) -> None:
    """Behind the parts that the folder has."""
    try:
        module = import_module("gptgate.cli.audit_parquet")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "pyarrow":
            raise
        message = "Parquet needs a package that is not installed"
        raise CommandError(message, hint=how_to_install("parquet")) from None
    if out is None or cursor is not None:
        message = "Parquet goes into a folder, which says itself where the next run begins"
        raise CommandError(message, hint="--out FOLDER, without --cursor", exit_code=USAGE)
    try:
        with module.part_folder(out) as behind:
            if start is not None and behind:
                raise CommandError(f"{out} says where to begin", hint="leave --from out", exit_code=USAGE)
            first = start or behind
            _require_begun(entries, first, "the parts are of another log")
            following = module.write_parts(out, _lines(entries, first, limit), first)
    except OSError as error:
        raise CommandError(f"cannot write {error.filename or out}: {error.strerror}") from None
    _report(first, following)


def _require_begun(entries: LogEntries, first: int, hint: str) -> None:
    size = entries.size()
    if first > size:
        raise CommandError(f"the log has {counted(size, 'entry', 'entries')} only", hint=hint)


def _report(first: int, following: int) -> None:
    print(f"{counted(following - first, 'entry', 'entries')}; the next run begins with {following}", file=sys.stderr)


def _begin(cursor: Path | None) -> int:
    if cursor is None or not cursor.exists():
        return 0
    try:
        return max(0, int(cursor.read_text()))
    except (OSError, ValueError):
        raise CommandError(f"{cursor} does not hold the number of an entry", exit_code=USAGE) from None


def _lines(entries: LogEntries, first: int, limit: int) -> Iterator[LogLine]:
    while limit > 0 and (found := entries.read(first)):
        yield from found[:limit]
        limit -= len(found)
        first += len(found)


def _behind_whole_lines(out: Path, output: ExportFormat) -> BinaryIO:
    """The file, to append to. Half a line, which a run that was cut short left, is cut off."""
    file = out.open("a+b")
    file.seek(0)
    begun = file.read(HEAD)
    if begun and not _is_of_export(begun.partition(b"\n")[0], output):
        file.close()
        message = f"{out} does not begin like an export as {output.value}"
        raise CommandError(message, hint="name another file with --out, or another --format", exit_code=USAGE)
    whole = line_start(file, file.seek(0, os.SEEK_END))
    file.seek(whole)
    torn = file.read(HEAD)
    if torn and not _is_of_export(torn, output):
        file.close()
        raise CommandError(f"{out} ends in half a line that is not of an export", hint="name another file with --out")
    file.truncate(whole)
    file.seek(whole)
    return file


def _require_empty(target: BinaryIO, out: Path) -> None:
    """Where nothing says where to begin, a second run would write every entry again."""
    if target.tell():
        raise CommandError(
            f"{out} has entries already, and nothing says where to go on",
            hint="name a --cursor, which each run moves, or --from N, or another file",
            exit_code=USAGE,
        )


def _is_of_export(torn: bytes, output: ExportFormat) -> bool:
    """Whether a line of an export can begin so."""
    if output is ExportFormat.JSONL:
        return START.startswith(torn[: len(START)])
    return _csv(COLUMNS).startswith(torn) or re.match(rb"[0-9]+(,|\Z)", torn) is not None


def _write(
    target: BinaryIO, output: ExportFormat, lines: Iterator[LogLine], first: int, *, headed: bool, shown: bool
) -> int:
    """Write the lines, below a header where a format has one; the index after the last. To a terminal (`shown`) nothing
    is written that could change what it shows; programs and files get the log's own bytes."""
    following = first
    if output is ExportFormat.CSV and not headed:
        target.write(_csv(COLUMNS))
    for line in lines:
        if output is ExportFormat.CSV:
            target.write(_csv(_row(line)))
        else:
            target.write((clean_json(line.data) if shown else line.data) + b"\n")
        following = line.index + 1
    return following


def facts_of(line: LogLine) -> tuple[str | None, dict[str, Any], bool]:
    """What an entry commits to of a text, its event's body, and whether it is the event of a request."""
    document: dict[str, Any] = msgspec.json.decode(line.data)
    entry = document["entry"]
    return entry["content"], entry.get("body") or document["body"], line.kind in (INTENT, END)


def _row(line: LogLine) -> list[object]:
    content, body, of_request = facts_of(line)
    usage = body.get("usage") or {}
    return [
        line.index,
        show_ms(line.at_ms),
        line.kind,
        *(body.get(name, "") if of_request else "" for name in FIELDS),
        [f"{kind}:{count}" for kind, count in body.get("finding_counts", ())] if of_request else "",
        usage.get("input_tokens", ""),
        usage.get("output_tokens", ""),
        content or "",
        "" if of_request else msgspec.json.encode(body, order="sorted").decode(),
    ]


def _csv(cells: list[object] | tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([csv_cell(cell) for cell in cells])
    return text.getvalue().encode()
