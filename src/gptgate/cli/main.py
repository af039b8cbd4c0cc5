"""The entry point: a registry of commands, and the one place where their errors become lines and exit codes."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from rich.markup import escape

from gptgate import __version__
from gptgate.cli.failure import REFUSED, USAGE, CommandError
from gptgate.cli.misuse import elsewhere, wrong_value
from gptgate.cli.text import clean
from gptgate.config.problem import ConfigError
from gptgate.storage.errors import StorageError

COMMANDS: dict[str, str] = {
    "quickstart": "gptgate.cli.quickstart:quickstart",
    "serve": "gptgate.cli.serve:serve",
    "config": "gptgate.cli.config:app",
    "keys": "gptgate.cli.keys:app",
    "approvals": "gptgate.cli.approvals:app",
    "budget": "gptgate.cli.budget:app",
    "policy": "gptgate.cli.policy:app",
    "audit": "gptgate.cli.audit:app",
    "witness": "gptgate.cli.witness:app",
    "usage": "gptgate.cli.usage:usage",
    "prices": "gptgate.cli.prices:app",
    "simulator": "gptgate.cli.simulator:simulator",
}
"""Command → ``module:name`` of its function, or of the typer app of a group.

Entries are names because a run needs one command's module: `keys list` does not load an HTTP client, two servers and a
price list (0.7 s of imports) to read a table.
"""


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"gptgate {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """The one door between your applications and the models they call."""


def build(names: Iterable[str] = tuple(COMMANDS)) -> typer.Typer:
    """The command line with these commands of the registry."""
    app = typer.Typer(name="gptgate", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_root)
    for name in names:
        module, _, attribute = COMMANDS[name].partition(":")
        command: Any = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def literal(command: Any) -> Any:
    """The command, whose help says brackets as they are: whoever prints it would take them for markup."""
    command.help = escape(command.help or "")
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = escape(parameter.help)
    for child in getattr(command, "commands", {}).values():
        literal(child)
    return command


def command_names() -> list[str]:
    """Every command as it is typed, such as ``keys create``, in the order of the alphabet."""
    return sorted(_walk(typer.main.get_command(build()), ""))


def _walk(command: Any, name: str) -> list[str]:
    below: Mapping[str, Any] | None = getattr(command, "commands", None)
    if below is None:
        return [name]
    return [path for part, child in below.items() for path in _walk(child, f"{name} {part}".strip())]


def run() -> None:
    """Run the command line. Known errors end in one line and a hint, without a stack trace."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character gets its escape instead of a crash.
            stream.reconfigure(errors="backslashreplace")
    code = execute(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`| head`) has gone; nothing is left to say to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or REFUSED
    sys.exit(code)


def execute(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    command: Any = literal(typer.main.get_command(build(_needed(arguments))))
    try:
        result = command(list(arguments), prog_name="gptgate", standalone_mode=False)
    except typer.TyperException as error:
        return _usage(error, command, arguments)
    except CommandError as error:
        return _fail(error.message, error.hint, error.exit_code)
    except ConfigError as error:
        in_file = any(problem.line for problem in error.problems)
        return _fail(str(error), "check the file with: gptgate config check FILE" if in_file else "", REFUSED)
    except StorageError as error:
        return _fail(str(error), error.hint, REFUSED)
    except PermissionError as error:
        return _fail(f"{error.filename}: {error.strerror}", "run it as the user that owns the data folder", REFUSED)
    return result if isinstance(result, int) else 0


def _needed(arguments: Sequence[str]) -> Iterable[str]:
    first = arguments[0] if arguments else ""
    if first == "--version":
        return ()
    return (first,) if first in COMMANDS else tuple(COMMANDS)


def _usage(error: typer.TyperException, command: Any, arguments: Sequence[str]) -> int:
    """Wrong usage; an empty message is that of a command without arguments, whose help is printed already.

    The hint names the command, and says what an option is that was named in a wrong way.
    """
    message, near = wrong_value(error)
    if near:
        return _fail(message, near, error.exit_code)
    message = message or " ".join(error.format_message().split())
    if not message:
        return USAGE
    path = "gptgate"
    for word in arguments:
        below = getattr(command, "commands", {}).get(word)
        if below is None:
            near = elsewhere(command, path, word)
            break
        command, path = below, f"{path} {word}"
    if near:
        return _fail(message, near, error.exit_code)
    option = getattr(error, "option_name", None)
    about = [f" ({option}: {each.help})" for each in command.params if option in each.opts and each.help]
    return _fail(message, "".join([f"{path} --help", *about]), error.exit_code)


def _fail(message: str, hint: str, exit_code: int) -> int:
    print(f"gptgate: {clean(message, lines=True)}", file=sys.stderr)
    if hint:
        print(f"hint: {clean(hint)}", file=sys.stderr)
    return exit_code
