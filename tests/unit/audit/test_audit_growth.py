"""A growing log: its files after any batches are those of its size, and every proof out of them verifies."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptgate.audit.growth import GrowingLog, Prover, files_of
from gptgate.core.log import Growth
from gptgate_verify.merkle import VerificationError, leaf_hash, root_of, verify_consistency, verify_inclusion


class Folder:
    """The layout's files in memory, written and tidied as a store does it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def take(self, growth: Growth) -> None:
        for file in growth.files:
            self.files[file.path] = file.data
        for path in growth.stale:
            del self.files[path]

    def read(self, path: str) -> bytes:
        return self.files[path]


def entries(first: int, count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(first, first + count)]


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(st.sampled_from([0, 1, 2, 3, 100, 255, 256, 257, 600]), max_size=6), restarts=st.booleans())
def test_any_batches_leave_the_files_of_the_size(batches: list[int], restarts: bool) -> None:
    folder, log, size = Folder(), GrowingLog(), 0
    for count in batches:
        if restarts:
            log = GrowingLog.resume(size, folder.read)
        folder.take(log.append(entries(size, count)))
        size += count
        assert log.size == size
    assert sorted(folder.files) == sorted(files_of(size))
    assert log.root() == root_of(leaf_hash(entry) for entry in entries(0, size))


@pytest.fixture(scope="module")
def big() -> tuple[Folder, int]:
    """More than one full tile of level 1, so that there is a level 2."""
    folder, log = Folder(), GrowingLog()
    size = 66_000
    for start in range(0, size, 6_600):
        folder.take(log.append(entries(start, 6_600)))
    return folder, size


def test_proofs_out_of_tiles_verify(big: tuple[Folder, int]) -> None:
    folder, size = big
    prover = Prover(size, folder.read)
    choose = random.Random(5)
    sizes = [1, 2, 255, 256, 257, 65_535, 65_536, 65_537, size, *(choose.randint(1, size) for _ in range(20))]
    roots = {one: prover.root(one) for one in sizes}
    assert roots[size] == GrowingLog.resume(size, folder.read).root()
    for one in sizes:
        for index in {0, one - 1, choose.randrange(one)}:
            leaf = leaf_hash(b"entry %d" % index)
            verify_inclusion(leaf, index, one, prover.inclusion(index, one), roots[one])
    for old, new in zip(sorted(sizes), sorted(sizes)[1:], strict=False):
        verify_consistency(old, roots[old], new, roots[new], prover.consistency(old, new))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), size=st.integers(1, 70))
def test_a_proof_with_one_change_verifies_nothing(data: st.DataObject, size: int) -> None:
    folder, log = Folder(), GrowingLog()
    folder.take(log.append(entries(0, size)))
    prover = Prover(size, folder.read)
    index = data.draw(st.integers(0, size - 1))
    path = prover.inclusion(index, size)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        path[at] = bytes([path[at][0] ^ 1]) + path[at][1:]
        with pytest.raises(VerificationError):
            verify_inclusion(leaf_hash(b"entry %d" % index), index, size, path, log.root())
    old = data.draw(st.integers(1, size))
    proof = prover.consistency(old, size)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        with pytest.raises(VerificationError):
            verify_consistency(old, prover.root(old), size, log.root(), proof)


def test_an_entry_that_is_too_large_changes_nothing() -> None:
    log = GrowingLog()
    with pytest.raises(ValueError, match="larger"):
        log.append([b"fine", b"x" * 65_536])
    assert log.size == 0
    assert log.append([]) == Growth((), ())


def test_a_log_resumes_from_files_of_its_size_only() -> None:
    folder, log = Folder(), GrowingLog()
    folder.take(log.append(entries(0, 300)))
    path = "tile/entries/001.p/44"
    folder.files[path] = folder.files[path][:-1]
    with pytest.raises(VerificationError, match=r"tile/entries/001\.p/44"):
        GrowingLog.resume(300, folder.read)


def test_what_is_not_in_the_log_has_no_proof() -> None:
    prover = Prover(2, Folder().read)
    for index, size in ((2, 2), (0, 3), (-1, 1)):
        with pytest.raises(ValueError, match="no entry"):
            prover.inclusion(index, size)
    with pytest.raises(ValueError, match="no proof"):
        prover.consistency(2, 3)
