"""`gptgate config`: check a configuration file, and make the running gateway use it."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from gptgate.cli.budget_accounts import kept_amounts
from gptgate.cli.control import Answer, Untold, post
from gptgate.cli.failure import CommandError
from gptgate.cli.folder import CONFIG_NAME, is_running, load_config, named_file
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import clean, counted
from gptgate.config.coverage import Guard, Holds, Row, coverage
from gptgate.config.problem import ConfigError, Problem
from gptgate.core.errors import PriceUnknown
from gptgate.core.snapshot import Snapshot
from gptgate.extras import require_counters
from gptgate.installed import read_config
from gptgate.tokenizers import read_vocabularies

APPLY_TIMEOUT_S = 30.0
MARKS = {Holds.ON: "on", Holds.OFF: "OFF", Holds.NONE: "none"}

app = typer.Typer(help="Check the configuration and apply it.", no_args_is_help=True)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.")],
) -> None:
    """Say whether a configuration file is right, and what it guards where.

    Prints the digest that records will name, every route with the guards that hold on it, and what each of them does.
    OFF means that the gateway could but this file asks for nothing; none means that there is nothing to guard. A file
    with problems gives all of them, one a line, and exit code 1; a package or a tokenizer's vocabulary that a start on
    this machine would miss is one. What is right but leads to refusals is noted: a model without a price, a variable
    that is not set here. Nothing is changed and no gateway is needed.
    """
    try:
        snapshot = read_config(named_file(file))
        _require_installed(snapshot, file)
    except ConfigError as error:
        raise _rejected([str(problem) for problem in error.problems], f"{file} cannot be used") from None
    print(f"{clean(str(file))} is right.\ndigest  {snapshot.digest}\n")
    for line in (*_unset(snapshot), *_unpriced(snapshot)):
        print(f"note: {clean(line)}", file=sys.stderr)
    _print_coverage(snapshot)


def _require_installed(snapshot: Snapshot, file: Path) -> None:
    """Raises ConfigError for packages and vocabularies that a start would ask for and this machine does not have."""
    problems: list[Problem] = []
    for require in (require_counters, partial(read_vocabularies, file=str(file))):
        try:
            require(snapshot)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)


def _unset(snapshot: Snapshot) -> Iterator[str]:
    """The environment variables that the gateway needs and this command does not have. They are no fault of the file:
    the gateway may be given them."""
    named = [(f"provider {spec.name}", spec.credential) for spec in snapshot.providers.values()]
    named += [(f"classifier {spec.name}", spec.credential) for spec in snapshot.classifiers.values()]
    for who, ref in named:
        if ref is not None and ref.source == "env" and ref.name not in os.environ:
            yield f"{who} needs the environment variable {ref.name}, which is not set here"


def _unpriced(snapshot: Snapshot) -> Iterator[str]:
    """The models that nobody could use under this file. An app without a budget could not either: its spending would be
    on no record."""
    # Price lists take long to load, and `config apply` has no use for them.
    for message, hint in import_module("gptgate.cli.prices").unpriced(snapshot):
        refused = f"every request for it is refused as {PriceUnknown.code}, with or without a budget"
        yield f"{message}; {refused} (hint: {hint})"


@app.command("apply")
def apply(data: Data = DEFAULT_FOLDER, config: Config = None) -> None:
    """Make the running gateway use the configuration file as it is now.

    The file is checked first. The gateway then swaps it in at once: requests in flight end under the configuration
    they began with. A file that is not right changes nothing; its problems are printed and the exit code is 1.
    Addresses and a few other settings of `server` take effect at a restart only; the gateway says so. Accounts of
    budgets whose amount was set with `budget set` keep that until their window ends; a note names each.
    """
    path = config or data / CONFIG_NAME
    try:
        snapshot = load_config(data, config)
    except ConfigError as error:
        lines = [str(problem) for problem in error.problems]
        raise _rejected(lines, f"{path} is rejected; a running gateway keeps the configuration it has") from None
    if not is_running(data):
        raise CommandError(
            f"no gateway runs on {data}", hint=f"gptgate serve --data {data} reads the file when it starts"
        )
    try:
        answer = post(data, snapshot.server, "/admin/v1/config/apply", timeout_s=APPLY_TIMEOUT_S)
    except Untold as untold:
        raise CommandError(
            f"the gateway runs on {data} but could not be told: {untold}",
            hint="has server.control changed in the file? Then restart the gateway, or send it SIGHUP",
        ) from None
    _report(answer, snapshot.digest, path)
    for line in kept_amounts(data, snapshot.budgets, time.time_ns() // 1_000_000):
        print(f"note: {clean(line)}", file=sys.stderr)


def _report(answer: Answer, expected: str, path: Path) -> None:
    if answer.status == 422:
        raise _rejected(_problem_lines(answer), "the gateway rejected the configuration and keeps the one it has")
    if answer.status != 200:
        raise CommandError(f"the gateway refused: {answer.reason}", hint="its log says more")
    digest = str(answer.document.get("digest", ""))
    if digest != expected:
        raise CommandError(
            f"the gateway uses digest {digest}, but that of {path} is {expected}",
            hint="it has another file: name that with --config; or it is of another version of gptgate: restart it",
        )
    print("applied" if answer.document.get("changed") else "already in use")
    print(f"digest  {digest}")


def _problem_lines(answer: Answer) -> list[str]:
    problems = answer.document.get("problems")
    if not isinstance(problems, list) or not problems:
        return [str(answer.document.get("detail", ""))]
    lines = []
    for problem in problems:
        place = f"{problem['file']}:{problem['line']}" if problem.get("line") else problem.get("file", "")
        head = ": ".join(part for part in (place, problem.get("path", "")) if part)
        tail = f" (hint: {problem['hint']})" if problem.get("hint") else ""
        lines.append(f"{head}: {problem.get('message', '')}{tail}")
    return lines


def _rejected(lines: Sequence[str], verdict: str) -> CommandError:
    for line in lines:
        print(clean(line), file=sys.stderr)
    return CommandError(f"{verdict}: {counted(len(lines), 'problem')}", hint="mend the lines named above and try again")


def _print_coverage(snapshot: Snapshot) -> None:
    rows = coverage(snapshot)
    routes = [Column("path", "route"), Column("dialect", "dialect"), Column("stream", "stream")]
    guards = [Column(guard.value, guard.value, fold=True) for guard in Guard]
    records = [
        {
            "path": row.path,
            "dialect": row.dialect.value,
            "stream": row.stream,
            **{cell.guard.value: MARKS[cell.holds] for cell in row.cells},
        }
        for row in rows
    ]
    print_records(Format.TABLE, [*routes, *guards], records)
    print()
    details = [Column("guard", "guard"), Column("holds", "holds"), Column("text", "what"), Column("where", "where")]
    print_records(Format.TABLE, details, _details(rows))


def _details(rows: Sequence[Row]) -> list[dict[str, object]]:
    """What each mark means: one row for each different text, with the routes that it is true of."""
    places: dict[tuple[Guard, Holds, str], list[str]] = {}
    for guard in Guard:
        for row in rows:
            for cell in row.cells:
                if cell.guard is guard:
                    places.setdefault((guard, cell.holds, cell.text), []).append(_place(row))
    everywhere = len(rows)
    return [
        {
            "guard": guard.value,
            "holds": MARKS[holds],
            "text": text,
            "where": "everywhere" if len(where) == everywhere else ", ".join(dict.fromkeys(where)),
        }
        for (guard, holds, text), where in places.items()
    ]


def _place(row: Row) -> str:
    return f"{row.endpoint.value} stream" if row.stream == "yes" else row.endpoint.value
