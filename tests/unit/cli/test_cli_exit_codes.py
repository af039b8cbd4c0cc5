"""The exit codes of `docs/reference/commands.md`, where what a command is about is not there."""

import shutil
from pathlib import Path

import pytest

from audit_logs import SIGNER, Records, sequence
from gptgate.cli.main import execute
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.log_folder import KEY_NAME

NO_DATA = (
    "audit auditors list", "audit erase --id r1 --yes", "audit events", "audit export", "audit index", "audit key",
    "audit prove r1", "audit search", "audit seal", "audit show r1", "audit trace r1", "approvals list", "budget list",
    "budget show apps", "config apply", "keys list", "policy explain r1", "policy replay", "prices check",
    "prices show", "serve", "usage",
)  # fmt: skip
NO_FILE = (
    "config check none.yaml", "policy check none.yaml", "policy test none.yaml", "policy replay --against none.yaml",
    "prices show --config none.yaml", "audit verify none.proof", "audit verify",
)  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run that name no folder."""
    monkeypatch.delenv("GPTGATE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("command", "code"), [(one, 1) for one in NO_DATA] + [(one, 2) for one in NO_FILE])
def test_what_is_not_there(empty: Path, command: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(command.split()) == code
    assert "gptgate: " in capsys.readouterr().err
    assert list(empty.iterdir()) == [], "asking makes nothing"


@pytest.fixture
def log(empty: Path) -> Path:
    """The folder of a log with a request, without the gateway's key."""
    records = Records(empty / "gptgate-data")
    records.add(["r1"])
    sequence(records)
    return records.path.parent


@pytest.mark.parametrize("command", ["audit show r2", "audit trace r2", "approvals show r2", "keys revoke k2"])
def test_an_id_that_nothing_has_is_refused(log: Path, command: str) -> None:
    assert execute(command.split()) == 1


def test_a_copy_without_its_key_could_not_be_looked_at(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["audit", "verify"]) == 2
    assert "hint: name the data folder of a gateway, or --key" in capsys.readouterr().err


def test_a_log_whose_records_are_gone_is_not_verified(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (log / DATABASE_NAME).unlink()
    assert execute(["audit", "verify", "--key", str(SIGNER.key)]) == 3
    assert "not verified: " in capsys.readouterr().err


@pytest.mark.parametrize("key", [[], ["--key", str(SIGNER.key)]])
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("verify README.md", "README.md is no proof"),
        ("verify package.json", "package.json is no proof"),
        ("verify kept", "kept is no proof"),
        ("verify --checkpoint README.md", "README.md is no checkpoint: "),
        ("consistency README.md", "README.md is no checkpoint: "),
        ("consistency kept README.md", "README.md is no checkpoint: "),
    ],
)
def test_a_file_that_is_another_thing_says_nothing_of_the_records(
    log: Path, key: list[str], command: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (log / KEY_NAME).write_bytes(b"\x07" * 32)
    Path("README.md").write_text("# A program\n\nWords.\n")
    Path("package.json").write_text('{"name": "x"}')
    shutil.copy(log / "log" / "checkpoint", "kept")
    assert execute(["audit", *command.split(), *key]) == 2
    assert capsys.readouterr().err.startswith(f"gptgate: {said}")


def test_consistency_that_cannot_be_looked_at(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(log / "log" / "checkpoint", "kept")
    assert execute(["audit", "consistency", "kept"]) == 2
    assert "the log's key cannot be read" in capsys.readouterr().err
    assert execute(["audit", "consistency", "kept", "--key", "nonsense"]) == 2
    assert "this is not the public key" in capsys.readouterr().err
    assert execute(["audit", "consistency", "kept", "--key", str(SIGNER.key)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "both are the same log of" in told.err
    assert "needs no proof" in told.err


@pytest.mark.parametrize(
    ("old", "hint"),
    [
        ("file:old.key", "a path from the root: file:{}/old.key"),
        ("old.key", "env:NAME, or file: and a path from the root, such as file:/etc/gptgate/old.key"),
    ],
)
def test_a_former_master_key_is_named_from_the_root(
    log: Path, old: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["audit", "rewrap", "--from", old]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("gptgate: --from: ")
    assert second == f"hint: {hint.format(Path.cwd())}"
