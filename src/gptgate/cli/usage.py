"""`gptgate usage`: tokens and money."""

import sys
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.options import DEFAULT_FOLDER, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import clean
from gptgate.cli.times import END_OF_TIME_MS, month_start_ms, past_ms, show_ms
from gptgate.core.money import format_usd
from gptgate.storage.queries import GROUPS, SqliteReader
from gptgate.storage.views import UsageRow

SUMS = (
    Column("requests", "requests", right=True),
    Column("refused", "refused", right=True),
    Column("input_tokens", "input tokens", right=True),
    Column("output_tokens", "output tokens", right=True),
    Column("cost_nano"),
    Column("cost_usd", "cost USD", right=True),
    Column("unknown_nano"),
    Column("unknown_usd", "of it unproven", right=True),
)


def usage(
    by: Annotated[str, typer.Option(help=f"What to group by, with commas between: {', '.join(GROUPS)}.")] = "app,model",
    since: Annotated[
        str | None, typer.Option(help="From this time on: 7d, 2026-11-01, RFC 3339. Default: the UTC month so far.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before this time. Default: no end.")] = None,
    app_name: Annotated[str | None, typer.Option("--app", help="Only this app.")] = None,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Tokens and money, exact to the nano-dollar, of all requests that have ended.

    Days and months are those of UTC. "Of it unproven" is money that stays spent although no provider's usage backs it:
    the reservations of requests whose end nobody knows. JSON and CSV have it as `unknown_nano` and `unknown_usd`.
    """
    group_by = _group_by(by)
    now_ms = time.time_ns() // 1_000_000
    since_ms = month_start_ms(now_ms) if since is None else past_ms("--since", since, now_ms)
    until_ms = END_OF_TIME_MS if until is None else past_ms("--until", until, now_ms)
    if since_ms >= until_ms:
        raise CommandError("--since is not before --until", exit_code=USAGE)
    with SqliteReader(data) as reader:
        rows = reader.usage(group_by, since_ms, until_ms, app_name)
    columns = [*(Column(name, name.replace("_", " "), fold=True) for name in group_by), *SUMS]
    total = _record(group_by, _total(group_by, rows)) if group_by else None
    print_records(output, columns, [_record(group_by, row) for row in rows], total=total)
    if output is Format.TABLE:
        end = "now" if until is None else show_ms(until_ms)
        print(f"requests from {show_ms(since_ms)} to {end}", file=sys.stderr)


def _group_by(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in GROUPS:
            raise CommandError(
                f"--by: usage cannot be grouped by {clean(name)!r}", hint=", ".join(GROUPS), exit_code=USAGE
            )
    return names


def _total(group_by: Sequence[str], rows: Sequence[UsageRow]) -> UsageRow:
    return UsageRow(
        group=("total", *("" for _ in group_by[1:])),
        requests=sum(row.requests for row in rows),
        refused=sum(row.refused for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        cost_nano=sum(row.cost_nano for row in rows),
        unknown_nano=sum(row.unknown_nano for row in rows),
    )


def _record(group_by: Sequence[str], row: UsageRow) -> dict[str, object]:
    return {
        **dict(zip(group_by, row.group, strict=True)),
        "requests": row.requests,
        "refused": row.refused,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost_nano": row.cost_nano,
        "cost_usd": format_usd(row.cost_nano),
        "unknown_nano": row.unknown_nano,
        "unknown_usd": format_usd(row.unknown_nano),
    }
