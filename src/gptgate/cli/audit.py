"""`gptgate audit`: search the records, and read one."""

from pathlib import Path
from typing import Annotated

import typer

from gptgate.cli.audit_erase import erase
from gptgate.cli.audit_events import events
from gptgate.cli.audit_export import export
from gptgate.cli.audit_index import index
from gptgate.cli.audit_prove import consistency, prove
from gptgate.cli.audit_search import search
from gptgate.cli.audit_texts import TokenFile, master_key, note_reading, require_auditor, rewrap, seal
from gptgate.cli.audit_texts import app as auditors
from gptgate.cli.audit_trace import trace
from gptgate.cli.audit_verify import show_key, verify
from gptgate.cli.failure import CommandError
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Format, print_csv, print_json
from gptgate.cli.story import as_document, print_story, story
from gptgate.cli.text import clean
from gptgate.storage.history import history
from gptgate.storage.queries import SqliteReader
from gptgate.storage.vault import MasterKey
from gptgate.storage.views import AuditRecord

app = typer.Typer(help="Search the records of requests, read them, and prove them.", no_args_is_help=True)
app.command("search")(search)
app.command("events")(events)
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
    around = history(data, record)
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


def _record_of(data: Path, request_id: str, master: MasterKey | None = None) -> AuditRecord:
    with SqliteReader(data, master) as reader:
        record = reader.show(request_id)
    if record is None:
        raise CommandError(f"there is no request {clean(request_id)}", hint="gptgate audit search lists requests")
    return record
