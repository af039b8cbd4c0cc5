"""Whether a gateway runs, and what is asked of a folder."""

import subprocess
from pathlib import Path

import pytest
import structlog

from gptgate.cli.failure import CommandError
from gptgate.cli.folder import is_running, load_config, require_database, warn_of_mode
from gptgate.storage.folder import FolderLock, create_folder


def test_a_gateway_runs_while_it_holds_the_lock(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    assert not list(tmp_path.iterdir())
    lock = FolderLock(tmp_path)
    assert is_running(tmp_path)
    assert is_running(tmp_path)
    lock.release()
    assert not is_running(tmp_path)


def test_asking_leaves_the_lock_free_for_the_next_gateway(tmp_path: Path) -> None:
    FolderLock(tmp_path).release()
    for _ in range(3):
        assert not is_running(tmp_path)
        FolderLock(tmp_path).release()


def test_asking_makes_no_folder_and_no_database(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert not is_running(missing)
    with pytest.raises(CommandError, match="no gateway data"):
        require_database(missing)
    with pytest.raises(CommandError, match="no configuration"):
        load_config(missing, None)
    assert not missing.exists()
    create_folder(missing)
    require_database(missing)


@pytest.mark.parametrize(
    ("mode", "warned"), [(0o700, False), (0o500, False), (0o710, True), (0o755, True), (0o701, True)]
)
def test_a_folder_that_lets_others_in_is_warned_of_with_the_command(tmp_path: Path, mode: int, warned: bool) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    folder.chmod(mode)
    with structlog.testing.capture_logs() as lines:
        warn_of_mode(folder, structlog.get_logger())
    said = {
        "event": "others than its owner may look into the data folder",
        "log_level": "warning",
        "mode": f"{mode:04o}",
        "hint": f"chmod go= '{folder}'",
    }
    assert lines == ([said] if warned else [])
    if warned:
        subprocess.run(said["hint"], shell=True, check=True)
        with structlog.testing.capture_logs() as lines:
            warn_of_mode(folder, structlog.get_logger())
        assert lines == []
