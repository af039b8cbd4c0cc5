"""`gptgate audit index`: what searches would have to take in first, taken in ahead of them."""

import sys
from contextlib import closing

from gptgate.cli.failure import CommandError
from gptgate.cli.folder import require_database
from gptgate.cli.options import DEFAULT_FOLDER, Data
from gptgate.cli.text import counted
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.search_index import BUSY_MS, NAME, bring_up


def index(data: Data = DEFAULT_FOLDER) -> None:
    """Bring the search index up to the records. Searches do so themselves; this keeps them from waiting for it.

    For cron, where many requests come in and somebody searches rarely.
    """
    require_database(data)
    rows = 0

    def taken_in(so_far: int) -> None:
        nonlocal rows
        rows = so_far
        told(so_far)

    records = data / DATABASE_NAME
    with storage_errors("bring the search index up"):
        with closing(connect(records, busy_ms=BUSY_MS, read_only=True)) as connection:
            require_latest(connection)
        path = bring_up(data, records, taken_in)
    if path is None:
        raise CommandError(f"{data / NAME} cannot be written", hint="run it as the user that owns the data folder")
    print(f"{counted(rows, 'row')} taken in")


def told(rows: int) -> None:
    """Say on standard error how far it is."""
    print(f"the search index takes in what is new: {counted(rows, 'row')}", file=sys.stderr)
