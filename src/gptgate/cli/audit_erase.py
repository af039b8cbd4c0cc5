"""`gptgate audit erase`: texts that were kept go; that they were there, and that they went, stays on record."""

import time
from pathlib import Path
from typing import Annotated

import typer

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import require_database, writing
from gptgate.cli.options import DEFAULT_FOLDER, Data
from gptgate.cli.text import clean, counted
from gptgate.cli.times import past_ms
from gptgate.cli.who import system_user
from gptgate.config.problem import did_you_mean
from gptgate.storage.erasure import Erasure, count_texts
from gptgate.storage.erasure import erase as erase_texts
from gptgate.storage.names import is_recorded, recent_names


def erase(
    end_user: Annotated[str | None, typer.Option("--user", "--end-user", help="Texts of this end user.")] = None,
    app_name: Annotated[str | None, typer.Option("--app", help="Texts of this app.")] = None,
    request_id: Annotated[str | None, typer.Option("--id", help="Texts of this request.")] = None,
    before: Annotated[str | None, typer.Option(help="Texts older than this: 90d, 2026-11-01, RFC 3339.")] = None,
    compact: Annotated[
        bool,
        typer.Option("--compact", help="Write the whole database anew, so that no unused space holds sealed pieces."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Erase what was kept of prompts and answers, for good. All conditions must hold. The audit log stays verifiable.

    Who asked for what, when, and what was found and decided stays on record; so does the erasure. With --compact a
    running gateway's requests wait until it is done: some seconds for each gigabyte. A user, an app or an id that no
    request has is refused: exit code 1.
    """
    now_ms = time.time_ns() // 1_000_000
    before_ms = None if before is None else past_ms("--before", before, now_ms)
    wanted = Erasure(end_user=end_user, app=app_name, request_id=request_id, before_ms=before_ms)
    if wanted == Erasure():
        raise CommandError("say whose texts: --user, --app, --id or --before", exit_code=USAGE)
    require_database(data)
    _require_recorded(data, wanted)
    if not yes and not _confirmed(count_texts(data, wanted)):
        raise CommandError("nothing was erased", hint="--yes does not ask")
    with writing(data):
        erased = erase_texts(data, wanted, now_ms, system_user(), compact=compact)
    print(f"texts of {counted(erased, 'request')} erased" if erased else "nothing matched: no kept text fits")


def _require_recorded(data: Path, wanted: Erasure) -> None:
    """Raises CommandError for a name that no request has: a mistyped one must not look like texts that are gone."""
    named = (
        ("--user", "end_user", wanted.end_user),
        ("--app", "app", wanted.app),
        ("--id", "request_id", wanted.request_id),
    )
    for option, what, name in named:
        if name is not None and not is_recorded(data, what, name):
            hint = did_you_mean(name, sorted(recent_names(data, what))) or "gptgate audit search lists requests"
            raise CommandError(f"nothing matched: {option} {clean(name)} is nothing that any request has", hint=hint)


def _confirmed(requests: int) -> bool:
    """Whether somebody there says yes; nobody there is a no."""
    try:
        return typer.confirm(f"Erase the texts of {counted(requests, 'request')} for good?")
    except typer.Abort:
        return False
