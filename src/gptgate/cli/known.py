"""What a filter names and nothing has. Said only where nothing was found: older records have names of their own."""

import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from gptgate.cli.folder import CONFIG_NAME
from gptgate.cli.output import Format
from gptgate.cli.text import clean
from gptgate.config.problem import ConfigError, did_you_mean
from gptgate.core.classifier import PREFIX
from gptgate.core.snapshot import Snapshot
from gptgate.detectors.registry import KINDS
from gptgate.installed import read_config
from gptgate.storage.keys import KeyStore
from gptgate.storage.names import recent_names
from gptgate.telemetry.catalog import CODES

SHOWN = 20
"""Of known names, where none is near."""
PRIVATE = frozenset({"--user", "--key"})
"""What is not listed where no name is near: only whoever knows nearly all of it is told the rest."""


def say_none_fits(what: str, output: Format, data: Path, config: Path | None, stated: Mapping[str, str | None]) -> None:
    """Say on standard error that nothing was found, and which of the stated options name nothing that there is."""
    if output is Format.TABLE:
        print(f"no {what} fits", file=sys.stderr)
    for hint in unknown(data, config, stated):
        print(f"hint: {hint}", file=sys.stderr)


def unknown(data: Path, config: Path | None, stated: Mapping[str, str | None]) -> Iterator[str]:
    """A line for each option (``--app`` and its value) that names nothing. Raises StorageError.

    A value of None is not stated. Known is what the configuration has, and what the newest requests have.
    """
    snapshot = _snapshot(config or data / CONFIG_NAME)
    for option, value in stated.items():
        names = None if value is None else _names(option, data, snapshot)
        if value is None or names is None or value in names or value.startswith(f"{PREFIX}."):
            continue
        near = clean(did_you_mean(value, sorted(names)))
        if not near and option not in PRIVATE:
            near = clean(f"known are {', '.join(sorted(names)[:SHOWN]) or 'none'}")
        yield f"{option} {clean(value)} is nothing that {_owner(option, snapshot)}" + (f"; {near}" if near else "")


def _snapshot(config: Path) -> Snapshot | None:
    try:
        return read_config(config) if config.is_file() else None
    except ConfigError:
        # It names nothing then; the records, and the program's own kinds, are known all the same.
        return None


def _names(option: str, data: Path, snapshot: Snapshot | None) -> Collection[str] | None:
    """All that the option could name; None where nobody knows."""
    match option:
        case "--app":
            return recent_names(data, "app") | {*(snapshot.apps if snapshot is not None else ())}
        case "--team":
            return recent_names(data, "team") | {*(snapshot.teams if snapshot is not None else ())}
        case "--model":
            asked, sent = recent_names(data, "model"), recent_names(data, "upstream_model")
            return asked | sent | {*(snapshot.models if snapshot is not None else ())}
        case "--user":
            return recent_names(data, "end_user")
        case "--key":
            with KeyStore(data, read_only=True) as store:
                return {record.id for record in store.all()}
        case "--rule":
            return None if snapshot is None else {rule.id for rule in snapshot.rules}
        case "--finding":
            return {*KINDS, *(f"custom.{spec.name}" for spec in (snapshot.custom if snapshot is not None else ()))}
        case _:
            return CODES


def _owner(option: str, snapshot: Snapshot | None) -> str:
    match option:
        case "--code" | "--key":
            return "this gateway has"
        case "--user":
            return "the newest requests have"
        case _:
            return "the records have" if snapshot is None else "this configuration has"
