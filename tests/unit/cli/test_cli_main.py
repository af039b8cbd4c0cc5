"""The registry, and how errors become lines and exit codes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from gptgate import __version__
from gptgate.cli import folder, main
from gptgate.cli.failure import REFUSED, USAGE, CommandError
from gptgate.compose import CONFIG_NAME
from gptgate.storage.errors import StorageError
from waiting import PATIENCE_S


def test_every_registered_command_loads_and_is_named() -> None:
    names = main.command_names()
    assert {name.split()[0] for name in names} == set(main.COMMANDS)
    assert {"config check", "config apply", "keys create", "keys list", "keys rotate", "keys revoke"} <= set(names)
    assert {"audit search", "audit show", "usage", "simulator", "serve", "quickstart"} <= set(names)
    assert names == sorted(names)


@pytest.mark.parametrize("name", main.command_names())
def test_every_command_has_a_help_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.execute([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"gptgate {name}" in shown
    assert len(shown.split()) > 20


def test_names_of_files_are_those_of_the_gateway() -> None:
    assert folder.CONFIG_NAME == CONFIG_NAME


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.execute(["--version"]) == 0
    assert capsys.readouterr().out == f"gptgate {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["kyes"],
        ["--nope"],
        ["keys", "create"],
        ["keys", "list", "--format", "xml"],
        ["audit", "search", "--limit", "0"],
    ],
)
def test_wrong_usage_is_one_line_and_a_hint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.execute(arguments) == USAGE
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == ""
    assert len(lines) == 2
    assert lines[0].startswith("gptgate: ")
    assert lines[1].startswith("hint: gptgate")


EFFECTS = "allow, flag, allowed_on_failure, pseudonymise, mask, hash, redact, route, require_approval, deny"


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        ("audit search --effect dney", f'--effect: "dney" is not one of: {EFFECTS}', 'did you mean "deny"?'),
        ("audit search --effect 77", f'--effect: "77" is not one of: {EFFECTS}', "gptgate audit search --help"),
        ("audit search --min-score x", '--min-score: "x" is not a whole number from 0 to 100', "gptgate audit search"),
        ("audit search --max-score 101", '--max-score: "101" is not a whole number from 0 to 100', "gptgate audit"),
        ("audit search --before 0", '--before: "0" is not a whole number of at least 1', "gptgate audit search --help"),
        ("keys create --app a --endpoint chats", '--endpoint: "chats" is not one of: ', 'did you mean "chat"?'),
        ("audit search --format --json", '--format: "--json" is not one of: table, json, csv', 'did you mean "json"?'),
        ("audit search --limit " + "x" * 99, "--limit: a value of 99 characters is not a whole", "gptgate audit"),
    ],
)
def test_a_value_that_cannot_be_is_named_in_our_own_words(
    arguments: str, said: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.execute(arguments.split()) == USAGE
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"gptgate: {said}")
    assert second.startswith(f"hint: {hint}")
    assert not any(word in first for word in ("Value error", "Input should", "Invalid"))


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("search", "gptgate audit search"),
        ("show", "gptgate approvals show, gptgate budget show, gptgate audit show, gptgate prices show"),
        ("--data x audit search", "options stand behind the whole command: gptgate COMMAND --data"),
        ("audit --data=x search", "options stand behind the whole command: gptgate audit COMMAND --data"),
        ("zzz", "gptgate --help"),
        ("audit search --zzz", "gptgate audit search --help"),
    ],
)
def test_what_stands_at_a_wrong_place_is_told_where_it_belongs(
    arguments: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.execute(arguments.split()) == USAGE
    assert capsys.readouterr().err.splitlines()[-1] == f"hint: {hint}"


@pytest.mark.parametrize("arguments", [[], ["keys"]])
def test_no_command_shows_the_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.execute(arguments) == USAGE
    shown = capsys.readouterr()
    assert "Usage: " in shown.out + shown.err


def broken() -> None:
    """Fail as the test says."""
    raise FAILURES[-1]


FAILURES: list[Exception] = []


@pytest.mark.parametrize(
    ("failure", "code", "lines"),
    [
        (CommandError("no\x1b[31m", hint="do"), REFUSED, ["gptgate: no\\x1b[31m", "hint: do"]),
        (CommandError("no", exit_code=3), 3, ["gptgate: no"]),
        (StorageError("full", hint="make room"), REFUSED, ["gptgate: full", "hint: make room"]),
        (
            PermissionError(13, "Permission denied", "/data"),
            REFUSED,
            ["gptgate: /data: Permission denied", "hint: run it as the user that owns the data folder"],
        ),
    ],
)
def test_known_errors_are_lines_without_a_stack(
    failure: Exception,
    code: int,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(main.COMMANDS, "broken", f"{__name__}:broken")
    monkeypatch.setattr(sys.modules[__name__], "FAILURES", [failure])
    assert main.execute(["broken"]) == code
    assert capsys.readouterr().err.splitlines() == lines


def test_a_reader_that_leaves_early_ends_the_command_quietly() -> None:
    command = f"{sys.executable} -m gptgate --help | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["keys", "audit", "usage", "config"])
def test_a_command_loads_no_server_and_no_provider_client(command: str, tmp_path: Path) -> None:
    """Start-up time: the modules that cost most are left to the commands that serve."""
    program = (
        f"import sys; from gptgate.cli.main import build; build([{command!r}]); "
        "print(*(sys.modules.keys() & {'aiohttp', 'uvicorn', 'starlette', 'genai_prices', 'gptgate.compose'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["", *main.command_names()])
def test_a_help_page_says_all_that_its_command_says_of_itself(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "999")
    command: Any = typer.main.get_command(main.build())
    for part in name.split():
        command = command.commands[part]
    assert main.execute([*name.split(), "--help"]) == 0
    shown = _letters(capsys.readouterr().out)
    for text in (command.help or "").split("\n\n"):
        assert _letters(text) in shown
    for parameter in command.params:
        assert _letters(getattr(parameter, "help", None) or "") in shown


def _letters(text: str) -> str:
    """The text without white space and frames, which depend on the width of a terminal."""
    return "".join(char for char in text if not char.isspace() and char not in "│╭╮╰╯─")
