"""The tree of RFC 6962, by the vectors that its reference implementation publishes, and proofs that lie."""

import pytest

from gptgate_verify.merkle import (
    EMPTY_ROOT,
    Frontier,
    VerificationError,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
ROOT = bytes.fromhex(ROOTS[8])
PROOF_OF_0 = [
    bytes.fromhex("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
    bytes.fromhex("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"),
    bytes.fromhex("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"),
]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_a_tree_goes_on_from_its_peaks() -> None:
    tree = Frontier()
    for leaf in LEAVES[:5]:
        tree.add(leaf)
    again = Frontier(5, tree.peaks)
    for leaf in LEAVES[5:]:
        again.add(leaf)
    assert again.root() == ROOT
    with pytest.raises(ValueError, match="one peak for each bit"):
        Frontier(5, tree.peaks[1:])


def test_a_published_inclusion_proof_verifies() -> None:
    verify_inclusion(LEAVES[0], 0, 8, PROOF_OF_0, ROOT)


@pytest.mark.parametrize(
    ("leaf", "index", "size", "proof", "root"),
    [
        (LEAVES[1], 0, 8, PROOF_OF_0, ROOT),
        (LEAVES[0], 1, 8, PROOF_OF_0, ROOT),
        (LEAVES[0], 8, 8, PROOF_OF_0, ROOT),
        (LEAVES[0], -1, 8, PROOF_OF_0, ROOT),
        (LEAVES[0], 0, 16, PROOF_OF_0, ROOT),
        (LEAVES[0], 0, 8, PROOF_OF_0[:2], ROOT),
        (LEAVES[0], 0, 8, [*PROOF_OF_0, ROOT], ROOT),
        (LEAVES[0], 0, 8, PROOF_OF_0[::-1], ROOT),
        (LEAVES[0], 0, 8, PROOF_OF_0, EMPTY_ROOT),
        (LEAVES[0], 0, 8, [PROOF_OF_0[0][:31], *PROOF_OF_0[1:]], ROOT),
    ],
    ids=["leaf", "index", "outside", "negative", "size", "short", "long", "order", "root", "no hash"],
)
def test_an_inclusion_proof_of_something_else_is_refused(
    leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes
) -> None:
    with pytest.raises(VerificationError):
        verify_inclusion(leaf, index, size, proof, root)


def test_two_roots_of_one_size_are_a_fork() -> None:
    verify_consistency(8, ROOT, 8, ROOT, [])
    with pytest.raises(VerificationError, match="forked"):
        verify_consistency(8, ROOT, 8, EMPTY_ROOT, [])


@pytest.mark.parametrize(
    ("old", "old_root", "new", "proof"),
    [
        (0, EMPTY_ROOT, 8, [ROOT]),
        (0, ROOT, 8, []),
        (9, ROOT, 8, []),
        (3, bytes.fromhex(ROOTS[3]), 8, []),
        (4, bytes.fromhex(ROOTS[3]), 8, [PROOF_OF_0[2]]),
        (4, bytes.fromhex(ROOTS[4]), 8, [PROOF_OF_0[1]]),
        (4, bytes.fromhex(ROOTS[4]), 8, [PROOF_OF_0[2], ROOT]),
        (4, bytes.fromhex(ROOTS[4]), 9, [PROOF_OF_0[2]]),
    ],
)
def test_a_consistency_proof_of_something_else_is_refused(
    old: int, old_root: bytes, new: int, proof: list[bytes]
) -> None:
    with pytest.raises(VerificationError):
        verify_consistency(old, old_root, new, ROOT, proof)


def test_a_tree_follows_its_own_half() -> None:
    verify_consistency(4, bytes.fromhex(ROOTS[4]), 8, ROOT, [PROOF_OF_0[2]])
    verify_consistency(0, EMPTY_ROOT, 8, ROOT, [])
