"""What a filter names and nothing has. Said only where nothing was found: older records have names of their own."""

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from gptgate.cli.folder import CONFIG_NAME
from gptgate.cli.output import Format
from gptgate.cli.text import clean
from gptgate.config.kind_names import near_kind
from gptgate.config.problem import ConfigError, did_you_mean
from gptgate.core.classifier import PREFIX
from gptgate.core.snapshot import Snapshot
from gptgate.detectors.registry import KINDS
from gptgate.installed import read_config
from gptgate.storage.events import CONFIG_APPLIED
from gptgate.storage.keys import KeyStore
from gptgate.storage.names import DOERS, SUBJECTS, event_names, is_recorded, recent_names
from gptgate.telemetry.catalog import CODES

SHOWN = 20
"""Of known names, where none is near."""
BY_BEGINNING = "--config-digest"
"""Takes the beginning of what it names."""
SUCH_AS = 3
"""Of names that begin like what was stated."""
SHORT_DIGEST = 12
PRIVATE = frozenset({"--user", "--key", "--about", "--id"})
"""What is not listed where no name is near: only whoever knows nearly all of it is told the rest."""
_COUNTED_UP = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}")
"""Ids and digests, of which any is as near as another: none of them is a guess at what was meant."""


def say_none_fits(what: str, output: Format, data: Path, config: Path | None, stated: Mapping[str, str | None]) -> None:
    """Say on standard error that nothing was found, and which of the stated options name nothing that there is."""
    if output is Format.TABLE:
        print(f"no {what} fits", file=sys.stderr)
    for hint in unknown(data, config, stated):
        print(f"hint: {hint}", file=sys.stderr)


def unknown(data: Path, config: Path | None, stated: Mapping[str, str | None]) -> Iterator[str]:
    """A line for each option (``--app`` and its value) that names nothing. Raises StorageError.

    A value of None is not stated. Known is what the configuration has, and what the newest requests and events have.
    """
    snapshot = _snapshot(config or data / CONFIG_NAME)
    for option, value in stated.items():
        names = None if value is None else _names(option, value, data, snapshot)
        if value is None or names is None or value in names:
            continue
        if option == BY_BEGINNING:
            if not any(name.startswith(value) for name in names):
                yield clean(f"{option} {value} is not how a digest begins that the records have; {_listed(names)}")
            continue
        if option == "--finding" and "*" not in value and value.startswith(f"{PREFIX}."):
            continue
        near = _near(option, value, sorted(names))
        yield clean(f"{option} {value} is nothing that {_owner(option, snapshot)}" + (f"; {near}" if near else ""))


def _near(option: str, value: str, names: Sequence[str]) -> str:
    """What may have been meant; empty where it is not known, or not told."""
    head, star, _ = value.partition("*")
    begun = [name for name in names if name.startswith(head if star else f"{value}.") and option not in PRIVATE]
    if begun and (head or star):
        return f"only a whole name is understood here, such as {', '.join(begun[:SUCH_AS])}"
    if star:
        return "only a whole name is understood here, no pattern"
    if option == "--finding":
        return near_kind(value, names) or _listed(names)
    near = did_you_mean(value, [name for name in names if not _COUNTED_UP.fullmatch(name)])
    return near or ("" if option in PRIVATE else _listed(names))


def _listed(names: Collection[str]) -> str:
    shown = [name[:SHORT_DIGEST] if _COUNTED_UP.fullmatch(name) else name for name in sorted(names)]
    return f"known are {', '.join(shown[:SHOWN]) or 'none'}"


def _snapshot(config: Path) -> Snapshot | None:
    try:
        return read_config(config) if config.is_file() else None
    except ConfigError:
        # It names nothing then; the records, and the program's own kinds, are known all the same.
        return None


def _names(option: str, value: str, data: Path, snapshot: Snapshot | None) -> Collection[str] | None:
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
        case "--id":
            # The records are asked for all of them: an id is not guessed at.
            return {value} if is_recorded(data, "request_id", value) else ()
        case "--by":
            return event_names(data, DOERS)
        case "--about":
            return event_names(data, SUBJECTS)
        case _ if option == BY_BEGINNING:
            own = () if snapshot is None else (snapshot.digest,)
            return {*own, *event_names(data, ("about",), CONFIG_APPLIED)}
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
        case "--id":
            return "any request has"
        case "--by" | "--about":
            return "the newest events have"
        case _:
            return "the records have" if snapshot is None else "this configuration has"
