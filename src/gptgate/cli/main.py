"""The entry point: a registry of commands, and the one place where their errors become lines and exit codes."""

import sys

import typer

from gptgate.cli import quickstart, serve
from gptgate.cli.failure import REFUSED, CommandError
from gptgate.config.problem import ConfigError
from gptgate.storage.errors import StorageError

app = typer.Typer(
    name="gptgate",
    help="The one door between your applications and the models they call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("quickstart")(quickstart.quickstart)
app.command("serve")(serve.serve)


def run() -> None:
    """Run the command line. Known errors end in one line and a hint, without a stack trace."""
    try:
        app()
    except CommandError as error:
        _fail(error.message, error.hint, error.exit_code)
    except ConfigError as error:
        _fail(str(error), "check the file with: gptgate config check FILE", REFUSED)
    except StorageError as error:
        _fail(str(error), error.hint, REFUSED)


def _fail(message: str, hint: str, exit_code: int) -> None:
    print(f"gptgate: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    sys.exit(exit_code)
