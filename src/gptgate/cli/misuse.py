"""How a command was called wrongly, in words of our own: the library's sentences are of its inside."""

from collections.abc import Iterator
from typing import Any

import typer

from gptgate.config.problem import did_you_mean, shown


def wrong_value(error: typer.TyperException) -> tuple[str, str]:
    """What is wrong with the value of an option, and a hint; both empty where the error is about something else."""
    param: Any = getattr(error, "param", None)
    # The library validates with another one, whose error says what was typed.
    errors = getattr(error.__cause__, "errors", None)
    if param is None or errors is None:
        return "", ""
    typed = str(errors()[0]["input"])
    what = f"{param.opts[-1]}: {shown(typed)}"
    choices = [str(choice) for choice in param.type_descriptor.choices or ()]
    if choices:
        return f"{what} is not one of: {', '.join(choices)}", did_you_mean(typed, choices)
    if param.type_descriptor.annotation is int:
        return f"{what} is not a whole number{_range(param.min, param.max)}", ""
    return f"{what} is no value that this takes", ""


def elsewhere(group: Any, path: str, word: str) -> str:
    """A hint where a word stands behind a group of commands that is none of them; empty where none is known."""
    if not hasattr(group, "commands"):
        return ""
    below = list(_below(group, path))
    option = word.partition("=")[0]
    if option.startswith("-"):
        known = any(option in param.opts for _, command in below for param in command.params)
        return f"options stand behind the whole command: {path} COMMAND {option}" if known else ""
    return ", ".join(found for found, _ in below if found.endswith(f" {word}"))


def _below(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command below this one, behind how it is typed."""
    for name, child in getattr(command, "commands", {}).items():
        yield f"{path} {name}", child
        yield from _below(child, f"{path} {name}")


def _range(least: int | None, most: int | None) -> str:
    if most is None:
        return "" if least is None else f" of at least {least}"
    return f" of at most {most}" if least is None else f" from {least} to {most}"
