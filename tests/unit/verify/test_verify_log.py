"""A log's files, verified whole: every tile of every level, and a log that grows meanwhile."""

import pytest

from gptgate.audit.growth import GrowingLog, Prover
from gptgate.audit.signing import Signer
from gptgate_verify.log import settled, verify_head, verify_log
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import Checkpoint

SIGNER = Signer("log.example/test", b"\x07" * 32)
SIZE = 256 * 256 + 300
"""Three levels of tiles."""


class Files(dict[str, bytes]):
    """A log's files in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.log = GrowingLog()

    def grow(self, count: int) -> None:
        growth = self.log.append([b"entry %d" % number for number in range(self.log.size, self.log.size + count)])
        self.update({file.path: file.data for file in growth.files})
        for path in growth.stale:
            del self[path]
        self["checkpoint"] = SIGNER.checkpoint(self.log.size, self.log.root())

    def read(self, path: str) -> bytes:
        if path not in self:
            raise FileNotFoundError(2, "No such file", path)
        return self[path]


@pytest.fixture(scope="module")
def files() -> Files:
    made = Files()
    made.grow(SIZE)
    return made


def test_a_log_of_three_levels_is_verified(files: Files) -> None:
    assert verify_head(files.read, files["checkpoint"], SIGNER.key) == Checkpoint(
        SIGNER.key.name, SIZE, files.log.root()
    )


@pytest.mark.parametrize("path", ["tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1", "tile/0/100", "tile/0/257.p/44"])
def test_a_tile_that_is_not_that_of_the_entries_is_named(files: Files, path: str) -> None:
    changed = {**files, path: files[path][:-1] + bytes([files[path][-1] ^ 1])}
    with pytest.raises(VerificationError, match=r"tile/|entry "):
        verify_head(changed.__getitem__, files["checkpoint"], SIGNER.key)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65535, 65536, SIZE - 1, SIZE])
def test_every_head_that_the_log_had_is_still_in_it(files: Files, size: int) -> None:
    root = Prover(SIZE, files.read).root(size)
    for _ in verify_log(files.read, files["checkpoint"], SIGNER.key, {size: root, 3: Prover(SIZE, files.read).root(3)}):
        pass
    with pytest.raises(VerificationError, match=f"the first {size} entries are not those"):
        for _ in verify_log(files.read, files["checkpoint"], SIGNER.key, {size: b"\x01" * 32}):
            pass


def test_a_log_that_grows_is_read_at_one_size() -> None:
    files = Files()
    files.grow(300)
    checkpoint, read = settled(files.read)
    files.grow(1000)
    assert "tile/entries/001.p/44" not in files
    assert verify_head(read, checkpoint, SIGNER.key).size == 300


def test_a_log_that_grows_between_two_reads_is_looked_at_again() -> None:
    files = Files()
    files.grow(300)
    grown = False

    def growing(path: str) -> bytes:
        nonlocal grown
        if path != "checkpoint" and not grown:
            grown = True
            files.grow(1000)
        return files.read(path)

    checkpoint, read = settled(growing)
    assert verify_head(read, checkpoint, SIGNER.key).size == 1300


def test_a_file_that_is_missing_is_missed() -> None:
    files = Files()
    files.grow(300)
    del files["tile/0/001.p/44"]
    checkpoint, read = settled(files.read)
    with pytest.raises(VerificationError, match=r"tile/0/001\.p/44 cannot be read"):
        verify_head(read, checkpoint, SIGNER.key)
