"""`gptgate audit`: search the records, and read one."""

import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from gptgate.cli.audit_erase import erase
from gptgate.cli.audit_export import export
from gptgate.cli.audit_index import index, told
from gptgate.cli.audit_prove import consistency, prove
from gptgate.cli.audit_texts import TokenFile, master_key, note_reading, require_auditor, rewrap, seal
from gptgate.cli.audit_texts import app as auditors
from gptgate.cli.audit_trace import trace
from gptgate.cli.audit_verify import show_key, verify
from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import require_database
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Column, Format, print_csv, print_json, print_records
from gptgate.cli.story import as_document, print_story, story
from gptgate.cli.text import clean
from gptgate.cli.times import past_ms, show_ms, to_seconds
from gptgate.core.money import format_usd
from gptgate.core.snapshot import Effect
from gptgate.storage.history import history
from gptgate.storage.queries import SqliteReader
from gptgate.storage.vault import MasterKey
from gptgate.storage.views import AuditRecord, AuditRow, SearchFilters


class State(StrEnum):
    """How a request ended; open while it has not."""

    COMPLETED = "completed"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    OPEN = "open"


COLUMNS = (
    Column("seq"),
    Column("id", "request"),
    Column("at_ms"),
    Column("at", "time", show=to_seconds),
    Column("team"),
    Column("app", "app"),
    Column("key_id", "key"),
    Column("end_user", "user", fold=True),
    Column("client"),
    Column("endpoint"),
    Column("stream"),
    Column("model", "model", fold=True),
    Column("provider"),
    Column("upstream_model"),
    Column("answered_model"),
    Column("effect", "effect"),
    Column("score", "score", right=True),
    Column("state", "state"),
    Column("status"),
    Column("code", "code", fold=True),
    Column("rules", "rules", fold=True),
    Column("kinds", "findings", fold=True),
    Column("input_tokens"),
    Column("output_tokens"),
    Column("cost_nano"),
    Column("cost_usd", "cost USD", right=True),
    Column("usage_source"),
)

app = typer.Typer(help="Search the records of requests, read them, and prove them.", no_args_is_help=True)
app.command("verify")(verify)
app.command("prove")(prove)
app.command("consistency")(consistency)
app.command("key")(show_key)
app.command("erase")(erase)
app.command("trace")(trace)
app.command("index")(index)
app.command("export")(export)
app.command("rewrap")(rewrap)
app.command("seal")(seal)
app.add_typer(auditors, name="auditors")


@app.command("search")
def search(
    app_name: Annotated[str | None, typer.Option("--app", help="Of this app.")] = None,
    team: Annotated[str | None, typer.Option(help="Of this team.")] = None,
    key: Annotated[str | None, typer.Option(help="With the key of this id.")] = None,
    user: Annotated[str | None, typer.Option(help="On behalf of this end user.")] = None,
    model: Annotated[str | None, typer.Option(help="That asked for this model, or went to it.")] = None,
    rule: Annotated[str | None, typer.Option(help="On which this rule fired, on either side.")] = None,
    effect: Annotated[Effect | None, typer.Option(help="With this final effect.")] = None,
    state: Annotated[State | None, typer.Option(help="That ended so, or have not ended.")] = None,
    code: Annotated[str | None, typer.Option(help="Answered with this error code, such as policy_denied.")] = None,
    finding: Annotated[str | None, typer.Option(help="With a finding of this kind, such as pii.email.")] = None,
    min_score: Annotated[int | None, typer.Option(min=0, max=100, help="With this risk score or more.")] = None,
    max_score: Annotated[int | None, typer.Option(min=0, max=100, help="With this risk score or less.")] = None,
    config_digest: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Decided by the configuration whose digest begins so.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="From this time on: 2h, 7d, 2026-11-01, RFC 3339.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    request_id: Annotated[str | None, typer.Option("--id", help="With this request id.")] = None,
    contains: Annotated[
        str | None, typer.Option(help="Whose kept texts hold these words. Needs an auditor's token.")
    ] = None,
    token_file: TokenFile = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    before: Annotated[
        int | None, typer.Option(min=1, help="Older than the request of this number (`seq`), to page.")
    ] = None,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Find requests, newest first. All conditions must hold. Works while a gateway runs, and without one.

    With --contains every text that the other conditions leave is opened; that an auditor did so is put on record.
    """
    now_ms = time.time_ns() // 1_000_000
    filters = SearchFilters(
        app=app_name,
        team=team,
        key_id=key,
        end_user=user,
        model=model,
        rule=rule,
        effect=None if effect is None else effect.value,
        state=None if state is None else state.value,
        code=code,
        kind=finding,
        config=config_digest,
        min_score=min_score,
        max_score=max_score,
        since_ms=None if since is None else past_ms("--since", since, now_ms),
        until_ms=None if until is None else past_ms("--until", until, now_ms),
        request_id=request_id,
    )
    if filters.since_ms is not None and filters.until_ms is not None and filters.since_ms >= filters.until_ms:
        raise CommandError("--since is not before --until", exit_code=USAGE)
    # One more than asked for, to know whether there is more.
    if contains is None:
        with SqliteReader(data) as reader:
            found = reader.search(filters, limit + 1, before, told)
    else:
        found = _search_texts(data, config, token_file, filters, contains, limit + 1, before)
    _print_found(output, found, limit)


@app.command("show")
def show(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id, as in x-request-id.")],
    content: Annotated[
        bool, typer.Option("--content", help="Print what was kept of the texts, too. Needs an auditor's token.")
    ] = False,
    token_file: TokenFile = None,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Tell the story of one request: who asked for what, what was found, what was decided, what it cost.

    That an auditor reads the texts is put on record before they are shown.
    """
    record = _record_of(data, request_id)
    around = history(data, request_id, record.intent.config_digest)
    if content:
        auditor, master = require_auditor(data, token_file), master_key(data, config)
        note_reading(data, auditor, {"request_id": request_id})
        record = _record_of(data, request_id, master)
    match output:
        case Format.JSON:
            print_json(as_document(record, around, content=content))
        case Format.CSV:
            lines = [(section.title, *row) for section in story(record, around, content) for row in section.rows]
            print_csv(("section", "name", "value"), lines)
        case Format.TABLE:
            print_story(story(record, around, content))


def _search_texts(
    data: Path,
    config: Path | None,
    token_file: Path | None,
    filters: SearchFilters,
    words: str,
    limit: int,
    before: int | None,
) -> list[AuditRow]:
    if not words:
        raise CommandError("--contains needs words", exit_code=USAGE)
    require_database(data)
    auditor, master = require_auditor(data, token_file), master_key(data, config)
    with SqliteReader(data, master) as reader:
        found, opened = reader.search_texts(filters, words, limit, before)
    # The words themselves stay off the record: they may be somebody's name, and no entry can be taken back.
    note_reading(data, auditor, {"searched_texts": opened, "found": len(found)})
    return found


def _print_found(output: Format, found: Sequence[AuditRow], limit: int) -> None:
    """The first `limit` of what was found; whether there is more is said on standard error."""
    rows = found[:limit]
    print_records(output, COLUMNS, [_record(row) for row in rows])
    if len(found) > limit:
        print(f"there are older ones: --before {rows[-1].seq}", file=sys.stderr)
    elif not rows and output is Format.TABLE:
        print("no request fits", file=sys.stderr)


def _record_of(data: Path, request_id: str, master: MasterKey | None = None) -> AuditRecord:
    with SqliteReader(data, master) as reader:
        record = reader.show(request_id)
    if record is None:
        raise CommandError(f"there is no request {clean(request_id)}", hint="gptgate audit search lists requests")
    return record


def _record(row: AuditRow) -> dict[str, object]:
    return {
        **structs.asdict(row),
        "at": show_ms(row.at_ms),
        "rules": list(row.rules),
        "kinds": list(row.kinds),
        "cost_usd": format_usd(row.cost_nano),
    }
