"""`gptgate usage`: tokens and money."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.known import say_none_fits
from gptgate.cli.options import DEFAULT_FOLDER, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import clean
from gptgate.cli.times import END_OF_TIME_MS, month_end_ms, month_start_ms, past_ms, show_ms
from gptgate.config.problem import did_you_mean
from gptgate.core.money import format_usd
from gptgate.storage.queries import SqliteReader
from gptgate.storage.usage import DAY, GROUPS, MONTH, TAG
from gptgate.storage.views import UsageRow

FEES = Column("fees_usd", "of it tools", right=True)
"""Few apps pay fees for tools: a table in which none does does not show it."""
SUMS = (
    Column("requests", "requests", right=True),
    Column("refused", "refused", right=True),
    Column("input_tokens", "input tokens", right=True),
    Column("output_tokens", "output tokens", right=True),
    Column("cost_nano"),
    Column("cost_usd", "cost USD", right=True),
    Column("unknown_nano"),
    Column("unknown_usd", "of it unproven", right=True),
    Column("fees_nano"),
    FEES,
)
FORECAST = (Column("forecast_nano"), Column("forecast_usd", "at month's end", right=True))
HOUR_MS = 3_600_000
RECENT_MS = 7 * 24 * HOUR_MS
"""How much of the past a forecast looks at."""


def usage(
    by: Annotated[str, typer.Option(help=f"What to group by, with commas between: {', '.join(GROUPS)}.")] = "app,model",
    since: Annotated[
        str | None, typer.Option(help="From this time on: 7d, 2026-11-01, RFC 3339. Default: the UTC month so far.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before this time. Default: no end.")] = None,
    app_name: Annotated[str | None, typer.Option("--app", help="Only this app.")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team. Not by tag.")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Only so many rows, those that cost most first.")] = None,
    forecast: Annotated[bool, typer.Option("--forecast", help="Say what the month will have cost at its end.")] = False,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Tokens and money, exact to the nano-dollar, of all requests that have ended.

    Days and months are those of UTC. A request counts in the row of each of its tags. The forecast is what the month
    has cost so far, and for the rest of it as much a day as in the last seven days, or since the first request of all
    where that is more recent; less than an hour counts as one. "Of it unproven" is money that stays spent although no
    provider's usage backs it: the reservations of requests whose end nobody knows, and estimates. JSON and CSV have it
    as `unknown_nano` and `unknown_usd`. "Of it tools" are fees for tools that providers ran, by their usage: there
    `fees_nano` and `fees_usd`.
    """
    group_by = _group_by(by)
    now_ms = time.time_ns() // 1_000_000
    since_ms = month_start_ms(now_ms) if since is None else past_ms("--since", since, now_ms)
    until_ms = END_OF_TIME_MS if until is None else past_ms("--until", until, now_ms)
    if since_ms >= until_ms:
        raise CommandError("--since is not before --until", exit_code=USAGE)
    if forecast and (since is not None or until is not None or {DAY, MONTH}.intersection(group_by)):
        problem = "--forecast is about the month so far: not with --since, --until, or by day or month"
        raise CommandError(problem, exit_code=USAGE)
    with SqliteReader(data) as reader:
        try:
            rows = reader.usage(group_by, since_ms, until_ms, app_name, team)
        except ValueError as error:
            raise CommandError(f"--by: {error}", exit_code=USAGE) from None
        more = _forecasts(reader, group_by, app_name, team, now_ms) if forecast else {}
    columns = [*(Column(name, name.replace("_", " "), fold=True) for name in group_by), *SUMS]
    columns += FORECAST if forecast else ()
    if not any(row.fees_nano for row in rows):
        columns = [replace(column, title="") if column is FEES else column for column in columns]
    # A request stands in the row of each of its tags, so these rows have no sum.
    total = _record(group_by, _total(group_by, rows), sum(more.values())) if group_by and TAG not in group_by else None
    if top is not None:
        rows = sorted(rows, key=lambda row: -row.cost_nano)[:top]
    records = [_record(group_by, row, more.get(row.group, 0)) for row in rows]
    print_records(output, columns, records, total=total)
    if not any(row.requests for row in rows):
        say_none_fits("request", output, data, None, {"--app": app_name, "--team": team})
    if output is Format.TABLE:
        end = "now" if until is None else show_ms(until_ms)
        print(f"requests from {show_ms(since_ms)} to {end}", file=sys.stderr)


def _forecasts(
    reader: SqliteReader, group_by: Sequence[str], app: str | None, team: str | None, now_ms: int
) -> dict[tuple[str, ...], int]:
    """What each group will spend until the month ends, if it goes on as in the last days that are on record."""
    first_ms = reader.first_ms()
    if first_ms is None:
        return {}
    from_ms = max(first_ms, now_ms - RECENT_MS)
    span_ms, left_ms = max(now_ms - from_ms, HOUR_MS), month_end_ms(now_ms) - now_ms
    recent = reader.usage(group_by, from_ms, END_OF_TIME_MS, app, team)
    return {row.group: -(-row.cost_nano * left_ms // span_ms) for row in recent}


def _group_by(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in GROUPS:
            hint = did_you_mean(name, GROUPS) or ", ".join(GROUPS)
            raise CommandError(f"--by: usage cannot be grouped by {clean(name)!r}", hint=hint, exit_code=USAGE)
    return names


def _total(group_by: Sequence[str], rows: Sequence[UsageRow]) -> UsageRow:
    return UsageRow(
        group=("total", *("" for _ in group_by[1:])),
        requests=sum(row.requests for row in rows),
        refused=sum(row.refused for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        cost_nano=sum(row.cost_nano for row in rows),
        fees_nano=sum(row.fees_nano for row in rows),
        unknown_nano=sum(row.unknown_nano for row in rows),
    )


def _record(group_by: Sequence[str], row: UsageRow, more_nano: int = 0) -> dict[str, object]:
    return {
        **dict(zip(group_by, row.group, strict=True)),
        "requests": row.requests,
        "refused": row.refused,
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost_nano": row.cost_nano,
        "cost_usd": format_usd(row.cost_nano),
        "fees_nano": row.fees_nano,
        "fees_usd": format_usd(row.fees_nano),
        "unknown_nano": row.unknown_nano,
        "unknown_usd": format_usd(row.unknown_nano),
        "forecast_nano": row.cost_nano + more_nano,
        "forecast_usd": format_usd(row.cost_nano + more_nano),
    }
