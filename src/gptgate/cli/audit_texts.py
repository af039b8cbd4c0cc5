"""Who may read kept texts, and under which master key they lie."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, cast

import typer

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import CONFIG_NAME, load_config, require_database, writing
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Column, Format, print_records
from gptgate.cli.text import counted
from gptgate.cli.times import show_ms, to_seconds
from gptgate.cli.who import system_user
from gptgate.config.problem import ConfigError
from gptgate.config.secrets import resolve
from gptgate.config.types import SECRET, Wrong
from gptgate.core.snapshot import SecretRef
from gptgate.storage.auditors import add_auditor, auditor_of, auditors, changing, remove_auditor
from gptgate.storage.errors import StorageError
from gptgate.storage.events import CONTENT_KEYS_REWRAPPED, CONTENT_READ, insert_event, record_event
from gptgate.storage.folder import CONTENT_KEY_NAME, content_secret
from gptgate.storage.late_sealing import seal_texts
from gptgate.storage.vault import MasterKey, Vault
from gptgate.storage.vault import rewrap as rewrap_keys

TOKEN_VARIABLE = "GPTGATE_AUDITOR_TOKEN"  # noqa: S105  the name of a variable

TokenFile = Annotated[
    Path | None,
    typer.Option("--token-file", help=f"A file with the auditor's token; default the variable {TOKEN_VARIABLE}."),
]
COLUMNS = (Column("name", "name", fold=True), Column("created", "created", show=to_seconds))

app = typer.Typer(help="Say who may read kept texts.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Who it is; stands in the record of everything that is read.")
    ],
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Print a token with which its owner may read kept texts. It is shown once and stored nowhere."""
    require_database(data)
    if not name.isprintable() or not 0 < len(name) <= 100:
        raise CommandError("a name is one line of 1 to 100 printable characters", exit_code=USAGE)
    with writing(data):
        token = add_auditor(data, name, _now_ms(), system_user())
    print(token)
    print(f"Put it into the variable {TOKEN_VARIABLE}, or into a file for --token-file.", file=sys.stderr)


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose token ends.")],
    data: Data = DEFAULT_FOLDER,
) -> None:
    """End an auditor's token at once."""
    require_database(data)
    with writing(data):
        remove_auditor(data, name, _now_ms(), system_user())


@app.command("list")
def show(output: Output = Format.TABLE, data: Data = DEFAULT_FOLDER) -> None:
    """List who may read kept texts."""
    require_database(data)
    found = [{"name": one.name, "created": show_ms(one.created_ms)} for one in auditors(data)]
    print_records(output, COLUMNS, found)


def rewrap(
    old: Annotated[str, typer.Option("--from", metavar="env:NAME|file:/PATH", help="Where the old master key is.")],
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Wrap the keys of kept texts with the master key of the configuration. The texts and the log stay as they are.

    First name the new master key in `texts.master_key` and restart the gateway, then run this; keep the old key until
    it is done.
    """
    require_database(data)
    try:
        reference = cast(SecretRef, SECRET.parse(old, ""))
    except Wrong as wrong:
        hint = "env:NAME, or file: and a path from the root, such as file:/etc/gptgate/old.key"
        if old.startswith("file:") and not old.startswith("file:/"):
            hint = f"a path from the root: file:{Path(old.removeprefix('file:')).absolute()}"
        raise CommandError(f"--from: {wrong.message}", hint=hint, exit_code=USAGE) from None
    former, new = MasterKey(resolve(reference)), master_key(data, config)
    with writing(data), changing(data, "wrap the keys of texts") as connection:
        number = rewrap_keys(connection, former, new)
        fields = {"from": former.fingerprint, "to": new.fingerprint, "keys": number, "by": system_user()}
        insert_event(connection, _now_ms(), CONTENT_KEYS_REWRAPPED, fields)
    keys = counted(number, "key of texts is", "keys of texts are")
    print(f"{keys} wrapped with master key {new.fingerprint}")


def seal(data: Data = DEFAULT_FOLDER, config: Config = None) -> None:
    """Seal texts that a gateway kept before texts were sealed, and remove what lies of them in clear from every file.

    The log stays verifiable: it commits to these texts as before, and to what they are sealed as. Texts that have no
    place in the log yet are left; they get theirs within a second. Works while a gateway runs.
    """
    require_database(data)
    vault = Vault(master_key(data, config))
    with writing(data):
        number = seal_texts(data, vault, _now_ms(), system_user())
    print(f"{counted(number, 'text')} sealed")


def master_key(data: Path, config: Path | None) -> MasterKey:
    """The master key that the configuration names, or the folder's own. Raises StorageError, ConfigError."""
    reference: SecretRef | None = None
    if config is not None or (data / CONFIG_NAME).is_file():
        reference = load_config(data, config).texts.master_key
    return MasterKey(resolve(reference) if reference is not None else content_secret(data))


def present_master_key(data: Path) -> MasterKey | None:
    """The same, for who only looks: None where it is not here, and no file is made."""
    path = data / CONTENT_KEY_NAME
    try:
        if (data / CONFIG_NAME).is_file():
            reference = load_config(data, None).texts.master_key
            if reference is not None:
                return MasterKey(resolve(reference))
        return MasterKey(content_secret(data)) if path.is_file() else None
    except (ConfigError, StorageError):
        return None


def require_auditor(data: Path, token_file: Path | None) -> str:
    """Who reads. Raises CommandError for somebody who is no auditor."""
    if token_file is not None:
        try:
            token = token_file.read_text("utf-8", "replace").strip()
        except OSError as error:
            raise CommandError(f"{token_file} cannot be read: {error.strerror}", exit_code=USAGE) from None
    else:
        token = os.environ.get(TOKEN_VARIABLE, "")
    name = auditor_of(data, token) if token else None
    if name is None:
        raise CommandError(
            "kept texts are for auditors" + ("; this token is nobody's" if token else ""),
            hint=f"put your token into {TOKEN_VARIABLE} or --token-file; gptgate audit auditors add NAME makes one",
        )
    return name


def note_reading(data: Path, by: str, what: Mapping[str, object]) -> None:
    """Put on record that texts are read, durably, before they are. Raises StorageError."""
    with writing(data):
        record_event(data, _now_ms(), CONTENT_READ, {**what, "by": by})


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
