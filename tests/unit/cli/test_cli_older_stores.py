"""Commands on a store that an older gptgate wrote, and that no gateway of this version has opened yet."""

from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest

from audit_logs import SIGNER, Records, sequence
from gptgate.cli.main import command_names, execute
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import LATEST, MIGRATIONS, connect, version_of
from harness import write_config

CONFIG = """\
version: 1
providers: [{name: near, kind: simulator}]
models: [{name: small, provider: near}]
teams: [{name: shop}]
apps: [{name: desk, team: shop, budget: {monthly_usd: "5"}}]
"""
READS_NO_STORE = {
    "approvals approve",  # These ask a running gateway.
    "approvals reject",
    "audit key",
    "config apply",
    "config check",
    "policy check",
    "policy eval",
    "policy test",
    "prices check",
    "prices show",
    "quickstart",
    "serve",
    "simulator",
    "witness key",
    "witness serve",
}
WORDS = {
    "approvals list": "",
    "approvals show": "a1",
    "audit auditors list": "",
    "audit auditors add": "ada",
    "audit auditors remove": "ada",
    "audit consistency": "1 1 --key @KEY",
    "audit erase": "--app desk --yes",
    "audit events": "",
    "audit export": "",
    "audit index": "",
    "audit prove": "r1 --key @KEY",
    "audit rewrap": "--from env:OLD_CONTENT_KEY",
    "audit seal": "",
    "audit search": "",
    "audit show": "r1",
    "audit trace": "r1",
    "audit verify": "--key @KEY",
    "budget list": "",
    "budget reconcile": "r1 --unused",
    "budget set": "apps desk --amount 5",
    "budget show": "apps",
    "budget top-up": "apps desk --add 5",
    "keys create": "--app desk",
    "keys list": "",
    "keys revoke": "k1",
    "keys rotate": "k1",
    "policy explain": "r1",
    "policy replay": "",
    "usage": "",
}
"""Command → what it is given here."""


NEEDS_NO_ROWS = {"approvals list", "approvals show", "audit consistency", "audit export", "budget list"}
"""These read other files: what approvals there are, the log, the configuration."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a log with two entries. No schema ever changed their shape."""
    records = Records(tmp_path_factory.mktemp("records"))
    records.add(["r1"])
    sequence(records)
    return records.files.path


def older(folder: Path, version: int, log: Path) -> None:
    """A store of this version."""
    write_config(folder, CONFIG)
    with closing(connect(folder / DATABASE_NAME, busy_ms=1000)) as connection:
        for number, statements in enumerate(MIGRATIONS[:version], 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute("UPDATE schema_version SET version = ?", (number,))
        assert version_of(connection) == version
    copytree(log, folder / log.name)


def test_every_command_is_here() -> None:
    assert sorted({*WORDS, *READS_NO_STORE}) == command_names()


@pytest.mark.parametrize("version", range(1, LATEST))
def test_a_command_on_an_older_store_says_what_to_do(
    version: int, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLD_CONTENT_KEY", "k" * 40)
    older(tmp_path, version, log)
    told = {}
    for command, words in WORDS.items():
        given = words.replace("@KEY", str(SIGNER.key)).split()
        code = execute([*command.split(), *given, "--data", str(tmp_path)])
        told[command] = (code, capsys.readouterr().err)
    wanted = f"""\
the database has schema version {version}, this gptgate needs {LATEST}
hint: start the gateway once; it migrates the database
"""
    refused = {command for command, (code, said) in told.items() if code and said.endswith(wanted)}
    assert {command: told[command] for command in told.keys() - refused - NEEDS_NO_ROWS} == {}
    with closing(connect(tmp_path / DATABASE_NAME, busy_ms=1000, read_only=True)) as connection:
        assert version_of(connection) == version
