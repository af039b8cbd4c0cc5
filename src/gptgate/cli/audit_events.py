"""`gptgate audit events`: what people and the gateway did besides requests."""

import json
import sys
import time
from typing import Annotated

import typer

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import require_database
from gptgate.cli.known import say_none_fits
from gptgate.cli.options import DEFAULT_FOLDER, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.story import shown_place
from gptgate.cli.text import clean
from gptgate.cli.times import END_OF_TIME_MS, past_ms, show_ms, to_seconds
from gptgate.config.problem import did_you_mean
from gptgate.core.budgets import Unit
from gptgate.core.money import format_usd
from gptgate.cost.amounts import shown
from gptgate.storage.acts import Act, ActFilters, acts
from gptgate.storage.events import BUDGET_SET, BUDGET_TOPPED_UP, BUDGET_UNSET, RESERVATION_EXTENDED, TYPES
from gptgate.storage.names import is_recorded

COLUMNS = (
    Column("seq", "no", right=True),
    Column("at", "time", show=to_seconds),
    Column("type", "event"),
    Column("by", "by", fold=True),
    Column("user", "user", fold=True),
    Column("said", "what", fold=True),
    Column("entry", "entry of the log", right=True),
    Column("event"),
)
LONG = frozenset({"configuration", "texts", "hash_digest"})
"""Fields that would fill the table: JSON and CSV have them."""

AMOUNTS = frozenset({"amount", "set_to", "spent"})
"""Fields that are counted in the event's `unit`."""

CHANGES = frozenset({BUDGET_TOPPED_UP, BUDGET_SET, BUDGET_UNSET})
"""Types whose `amount` is how much more it is than before, or less."""


def events(
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Of this type, such as key_created. May repeat.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Done by this person or user.")] = None,
    about: Annotated[
        str | None,
        typer.Option(
            help="About this request, approval, key, auditor, budget, end user, app, or configuration's digest."
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help="From this time on: 2h, 7d, 2026-11-01, RFC 3339.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Older than the event of this number, to page.")] = None,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """List what was done besides requests, newest first: by people, and by the gateway. All conditions must hold.

    Starts and configurations, keys, decisions on approvals, auditors, readings and erasures of texts, budgets. What a
    stream took beyond its reservation is left out unless --type asks for it. The table shows money in dollars and
    moments as times; JSON and CSV have both as the log has them, in nano-dollars and in milliseconds since 1970.
    """
    require_database(data)
    for name in kind or ():
        if name not in TYPES:
            begun = [known for known in TYPES if known.startswith(f"{name}_")]
            hint = did_you_mean(name, TYPES) or f"there are: {', '.join(begun or TYPES)}"
            raise CommandError(f"--type: there are no events of type {clean(name)}", hint=hint, exit_code=USAGE)
    now_ms = time.time_ns() // 1_000_000
    filters = ActFilters(
        types=kind or [name for name in TYPES if name != RESERVATION_EXTENDED],
        by=by,
        about=about,
        since_ms=None if since is None else past_ms("--since", since, now_ms),
        until_ms=None if until is None else past_ms("--until", until, now_ms),
    )
    # One more than asked for, to know whether there is more.
    found = acts(data, filters, limit + 1, before)
    print_records(output, COLUMNS, [_row(one, output) for one in found[:limit]])
    if len(found) > limit:
        print(f"there are older ones: --before {found[limit - 1].seq}", file=sys.stderr)
    elif not found and about is not None and is_recorded(data, "request_id", about):
        print(f"no event fits; {clean(about)} is a request, and nobody has done anything about it", file=sys.stderr)
        print(f"hint: gptgate audit trace {clean(about)} tells what happened to it", file=sys.stderr)
    elif not found:
        say_none_fits("event", output, data, None, {"--by": by, "--about": about})


def _row(act: Act, output: Format) -> dict[str, object]:
    said = {name: value for name, value in act.fields.items() if name not in {"at_ms", "by", "user", *LONG}}
    if output is Format.TABLE:
        said = dict(_for_people(act, name, value) for name, value in said.items())
    return {
        "seq": act.seq,
        "at": show_ms(act.at_ms),
        "type": act.kind,
        "by": act.fields.get("by"),
        "user": act.fields.get("user"),
        "said": ", ".join(f"{name} {_shown(value)}" for name, value in said.items() if value not in ("", None, [])),
        "entry": shown_place(act.place),
        "event": json.dumps(act.fields) if output is Format.CSV else act.fields,
    }


def _for_people(act: Act, name: str, value: object) -> tuple[str, object]:
    """A field of an event as the table tells it: money in dollars, moments as times. JSON and CSV have it as it is."""
    unit = act.fields.get("unit")
    if not isinstance(value, int) or isinstance(value, bool):
        return name, value
    if name == "nano" or name.endswith("_nano"):
        return name.removesuffix("nano").removesuffix("_") or "amount", f"{format_usd(value)} USD"
    if name.endswith("_ms") and 0 <= value < END_OF_TIME_MS:
        # No expiry is the only moment that is written as 0.
        return name.removesuffix("_ms"), to_seconds(show_ms(value)) if value else "never"
    if name in AMOUNTS and isinstance(unit, str) and unit in {*Unit}:
        return "change" if name == "amount" and act.kind in CHANGES else name, shown(Unit(unit), value)
    return name, value


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
