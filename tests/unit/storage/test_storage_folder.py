import stat
from pathlib import Path

import pytest

from gptgate.cli.folder import is_running
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import FolderLock, create_folder, file_identity, own_secret


def test_an_existing_folder_and_file_keep_their_modes_and_contents(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    (tmp_path / "gptgate.db").write_bytes(b"mine")
    (tmp_path / "gptgate.db").chmod(0o640)
    assert create_folder(tmp_path) == tmp_path / "gptgate.db"
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "gptgate.db").stat().st_mode) == 0o640
    assert (tmp_path / "gptgate.db").read_bytes() == b"mine"


def test_the_identity_of_a_file_changes_when_it_is_replaced(tmp_path: Path) -> None:
    path = create_folder(tmp_path)
    before = file_identity(path)
    path.rename(tmp_path / "elsewhere")
    assert file_identity(path) is None
    assert create_folder(tmp_path) == path
    assert file_identity(path) not in (before, None)
    assert file_identity(tmp_path / "elsewhere") == before


def test_a_lock_is_exclusive_until_it_is_released(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(StorageError, match="another gateway") as refused:
        FolderLock(tmp_path)
    assert refused.value.hint
    lock.release()
    lock.release()
    FolderLock(tmp_path).release()


def test_a_lock_in_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot open"):
        FolderLock(tmp_path / "none")


def test_a_secret_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "some.secret"
    made = own_secret(path)
    assert len(made) >= 32
    assert own_secret(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_secret(tmp_path / "other.secret") != made


@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"\xff" * 40])
def test_a_secret_that_is_none_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.secret"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"some\.secret"):
        own_secret(path)
    assert path.read_bytes() == content


def test_a_secret_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read or make"):
        own_secret(tmp_path / "missing" / "some.secret")


def test_a_shared_lock_keeps_gateways_out_and_is_none_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.storage.folder.PATIENCE", 1)
    locks = [FolderLock(tmp_path, shared=True) for _ in range(2)]
    assert not is_running(tmp_path)
    with pytest.raises(StorageError, match="another gateway"):
        FolderLock(tmp_path)
    for lock in locks:
        lock.release()
    gateway = FolderLock(tmp_path)
    assert is_running(tmp_path)
    with pytest.raises(StorageError, match="another gateway"):
        FolderLock(tmp_path, shared=True)
    gateway.release()
