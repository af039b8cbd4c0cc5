"""Rows as a table, as JSON or as CSV."""

import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from gptgate.cli.text import clean

Record = Mapping[str, object]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins so may be run as a formula when a spreadsheet opens the file; the last four are wide forms."""


class Format(StrEnum):
    """How a command prints what it found."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def plain(value: object) -> str:
    """A value in a cell: lists as words between spaces, what is not there as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record. `title` heads it in the table; a field without one is in JSON and CSV only.

    `right` aligns numbers, `fold` lets a narrow terminal break the cell into lines.
    """

    name: str
    title: str = ""
    right: bool = False
    fold: bool = False
    show: Callable[[object], str] = plain


def print_records(
    output: Format,
    columns: Sequence[Column],
    records: Sequence[Record],
    *,
    total: Record | None = None,
) -> None:
    """Print records to stdout. `total` is a last row of the table; JSON and CSV hold the records alone."""
    match output:
        case Format.JSON:
            print_json([{column.name: record[column.name] for column in columns} for record in records])
        case Format.CSV:
            names = [column.name for column in columns]
            print_csv(names, [[record[name] for name in names] for record in records])
        case Format.TABLE:
            shown = [column for column in columns if column.title]
            rows = [_cells(shown, record) for record in records]
            last = None if total is None else _cells(shown, total)
            if sys.stdout.isatty():
                _print_rich(shown, rows, last, sys.stdout)
            else:
                _print_plain(shown, [*rows, *([] if last is None else [last])], sys.stdout)


def print_json(document: object) -> None:
    """One JSON document. What is not ASCII is escaped, so that it is safe on any terminal and exact for any program."""
    print(json.dumps(document, indent=2).replace("\x7f", "\\u007f"))


def print_csv(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """CSV with a header line. Texts are cleaned, and none of them can be taken for a formula."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([csv_cell(value) for value in row] for row in rows)


def csv_cell(value: object) -> object:
    """A value in a cell of CSV: a number as it is, a text cleaned, and never one that could be run as a formula."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = plain(value)
    return ("'" if text.startswith(FORMULA_STARTS) else "") + clean(text)


def _cells(columns: Sequence[Column], record: Record) -> list[str]:
    return [clean(column.show(record[column.name])) or "-" for column in columns]


def _print_plain(columns: Sequence[Column], rows: Sequence[Sequence[str]], stream: TextIO) -> None:
    """Aligned text with nothing left out: the same on every machine, whatever the width."""
    lines = [[column.title.upper() for column in columns], *rows]
    widths = [max(cell_len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        padded = [_pad(cell, width, column.right) for cell, width, column in zip(line, widths, columns, strict=True)]
        print("  ".join(padded).rstrip(), file=stream)


def _pad(cell: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if right else cell + space


def _print_rich(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], last: Sequence[str] | None, stream: TextIO
) -> None:
    # Text objects: a cell is never read as markup.
    table = Table(box=box.SIMPLE_HEAD, show_footer=last is not None, show_edge=False, padding=(0, 1, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(
            Text(column.title),
            footer=Text("" if last is None else last[index]),
            justify="right" if column.right else "left",
            no_wrap=not column.fold,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(file=stream, highlight=False)
    # A terminal that is too narrow breaks the lines itself; rich would cut ids off.
    least = Measurement.get(console, console.options.update(width=10_000), table).minimum
    console.width = max(console.width, least)
    console.print(table)
