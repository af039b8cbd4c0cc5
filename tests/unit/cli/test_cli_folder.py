"""Whether a gateway runs, and what is asked of a folder."""

from pathlib import Path

import pytest

from gptgate.cli.failure import CommandError
from gptgate.cli.folder import is_running, load_config, require_database
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
