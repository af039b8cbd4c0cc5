"""`gptgate audit search`: find requests by what their records say, and by words in kept texts."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from gptgate.cli.audit_index import told
from gptgate.cli.audit_texts import TokenFile, master_key, note_reading, require_auditor
from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import require_database
from gptgate.cli.known import say_none_fits
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import clean, counted
from gptgate.cli.times import past_ms, show_ms, to_seconds
from gptgate.core.money import format_usd
from gptgate.core.snapshot import Effect
from gptgate.storage.entries import LogEntries
from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import AuditRow, SearchFilters


class State(StrEnum):
    """How a request ended; open while it has not."""

    COMPLETED = "completed"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    OPEN = "open"


CORRECTED = Column("corrected_usd", "corrected to", right=True)
"""Few requests have it: a table in which none has does not show it."""
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
    Column("corrected_nano"),
    CORRECTED,
    Column("usage_source"),
    Column("session"),
    Column("tags"),
    Column("limit"),
)


App = Annotated[str | None, typer.Option("--app", help="Of this app.")]
Team = Annotated[str | None, typer.Option(help="Of this team.")]
Key = Annotated[str | None, typer.Option(help="With the key of this id.")]
User = Annotated[str | None, typer.Option("--user", "--end-user", help="On behalf of this end user.")]
Session = Annotated[str | None, typer.Option(help="Of this session, by the caller's own name for it.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="With this tag. May repeat: all must be there.")
]
Model = Annotated[str | None, typer.Option(help="That asked for this model, or went to it.")]
Rule = Annotated[str | None, typer.Option(help="On which this rule fired, on either side.")]
WithEffect = Annotated[Effect | None, typer.Option(help="With this final effect.")]
InState = Annotated[State | None, typer.Option(help="That ended so, or have not ended.")]
Code = Annotated[str | None, typer.Option(help="Answered with this error code, such as policy_denied.")]
Finding = Annotated[str | None, typer.Option(help="With a finding of this kind, such as pii.email.")]
MinScore = Annotated[int | None, typer.Option(min=0, max=100, help="With this risk score or more.")]
MaxScore = Annotated[int | None, typer.Option(min=0, max=100, help="With this risk score or less.")]
Digest = Annotated[
    str | None, typer.Option(metavar="DIGEST", help="Decided by the configuration whose digest begins so.")
]
Since = Annotated[str | None, typer.Option(help="From this time on: 2h, 7d, 2026-11-01, RFC 3339.")]
Until = Annotated[str | None, typer.Option(help="Before this time.")]
RequestId = Annotated[str | None, typer.Option("--id", help="With this request id.")]
Unproven = Annotated[
    bool, typer.Option("--unproven", help="Of which an entry is not in the signed log yet: it is the operator's word.")
]
Overrun = Annotated[bool, typer.Option("--overrun", help="That took more than was reserved for it.")]
Contains = Annotated[str | None, typer.Option(help="Whose kept texts hold these words. Needs an auditor's token.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")]
Before = Annotated[int | None, typer.Option(min=1, help="Older than the request of this number (`seq`), to page.")]


def search(
    app_name: App = None,
    team: Team = None,
    key: Key = None,
    user: User = None,
    session: Session = None,
    tag: Tags = None,
    model: Model = None,
    rule: Rule = None,
    effect: WithEffect = None,
    state: InState = None,
    code: Code = None,
    finding: Finding = None,
    min_score: MinScore = None,
    max_score: MaxScore = None,
    config_digest: Digest = None,
    since: Since = None,
    until: Until = None,
    request_id: RequestId = None,
    unproven: Unproven = False,
    overrun: Overrun = False,
    contains: Contains = None,
    token_file: TokenFile = None,
    limit: Limit = 50,
    before: Before = None,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Find requests, newest first. All conditions must hold. Works while a gateway runs, and without one.

    With --contains every text that the other conditions leave is opened; that an auditor did so is put on record.
    Requests whose texts were not kept, or were erased, are not found by it; how many there were is said. The cost is
    that of the record; where `budget reconcile` corrected it, "corrected to" says what counts now.
    """
    filters = SearchFilters(
        app=app_name,
        team=team,
        key_id=key,
        end_user=user,
        session=session,
        tags=_tags(tag),
        model=model,
        rule=rule,
        effect=effect and effect.value,
        state=state and state.value,
        code=code,
        kind=finding,
        config=config_digest,
        min_score=min_score,
        max_score=max_score,
        **_times(since, until),
        request_id=request_id,
        beyond=LogEntries(data).size() if unproven else None,
        overrun=overrun or None,
    )
    more = limit + 1  # to know whether there are more than asked for
    if contains is None:
        found = _search_records(data, filters, more, before)
    else:
        found = _search_texts(data, config, token_file, filters, contains, more, before)
    _print_found(output, found, limit)
    if not found:
        say_none_fits("request", output, data, config, _named(filters))


def _times(since: str | None, until: str | None) -> dict[str, int | None]:
    """The bounds as `SearchFilters` names them. Raises CommandError."""
    now_ms = time.time_ns() // 1_000_000
    since_ms = None if since is None else past_ms("--since", since, now_ms)
    until_ms = None if until is None else past_ms("--until", until, now_ms)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise CommandError("--since is not before --until", exit_code=USAGE)
    return {"since_ms": since_ms, "until_ms": until_ms}


def _tags(stated: Sequence[str] | None) -> dict[str, str] | None:
    tags: dict[str, str] = {}
    for one in stated or ():
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise CommandError(
                f"--tag: {clean(one)} is not NAME=VALUE", hint="such as --tag feature=search", exit_code=USAGE
            )
        if tags.get(name, value) != value:
            raise CommandError(f"--tag: {clean(name)} cannot have two values", exit_code=USAGE)
        tags[name] = value
    return tags or None


def _search_records(data: Path, filters: SearchFilters, limit: int, before: int | None) -> list[AuditRow]:
    with SqliteReader(data) as reader:
        return reader.search(filters, limit, before, told)


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
        found = reader.search_texts(filters, words, limit, before)
    # The words themselves stay off the record: they may be somebody's name, and no entry can be taken back.
    note_reading(data, auditor, {"searched_texts": found.opened, "found": len(found.rows)})
    if found.without:
        have = "has" if found.without == 1 else "have"
        print(f"{counted(found.without, 'request')} {have} no text to look into: not kept, or erased", file=sys.stderr)
    return found.rows


def _print_found(output: Format, found: Sequence[AuditRow], limit: int) -> None:
    """The first `limit` of what was found; whether there is more is said on standard error."""
    rows = found[:limit]
    unused = [] if any(row.corrected_nano is not None for row in rows) else [CORRECTED]
    print_records(
        output,
        [replace(column, title="") if column in unused else column for column in COLUMNS],
        [_record(row) for row in rows],
    )
    if len(found) > limit:
        print(f"there are older ones: --before {rows[-1].seq}", file=sys.stderr)


def _named(filters: SearchFilters) -> dict[str, str | None]:
    """What may be misspelt."""
    return {
        "--id": filters.request_id,
        "--config-digest": filters.config,
        "--finding": filters.kind,
        "--code": filters.code,
        "--rule": filters.rule,
        "--model": filters.model,
        "--app": filters.app,
        "--team": filters.team,
        "--key": filters.key_id,
        "--user": filters.end_user,
    }


def _record(row: AuditRow) -> dict[str, object]:
    return {
        **structs.asdict(row),
        "at": show_ms(row.at_ms),
        "rules": list(row.rules),
        "kinds": list(row.kinds),
        "cost_usd": format_usd(row.cost_nano),
        "corrected_usd": None if row.corrected_nano is None else format_usd(row.corrected_nano),
    }
