"""The Merkle tree of RFC 6962, section 2.1, with SHA-256: hashes and verification.

RFC 9162 has the same tree and describes the algorithms. A proof is a list of hashes, as these texts order them. Every
function that verifies raises VerificationError and returns nothing: there is no result that could be forgotten.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""


class VerificationError(Exception):
    """What was given does not prove what it claims. The message says what and where."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry. The prefix keeps a node from passing for an entry (RFC 9162, section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows at its right edge: the roots of its perfect subtrees, from the largest to the smallest.

    That is all that is needed for the root, and it is at most one hash for each bit of the size.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """Raises ValueError when the number of peaks does not fit the size."""
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError("a tree has one peak for each bit of its size that is set")

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        self.add_perfect(leaf, 0)

    def add_perfect(self, root: bytes, height: int) -> None:
        """Append ``2**height`` leaves by the root over them; the size must be a multiple of that."""
        rest = self.size >> height
        while rest & 1:
            root = node_hash(self.peaks.pop(), root)
            rest >>= 1
        self.peaks.append(root)
        self.size += 1 << height

    def root(self) -> bytes:
        """The root of what was added so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root of a perfect subtree over these hashes; their number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    tree = Frontier()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """That `leaf` (a leaf hash) is number `index`, from 0, of the tree of `size` leaves with this root.

    RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise VerificationError(f"there is no entry {index} in a tree of {size}")
    at, last, known = index, size - 1, leaf
    for other in _hashes(proof):
        if last == 0:
            raise VerificationError("the inclusion proof is too long")
        if at & 1 or at == last:
            known = node_hash(other, known)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            known = node_hash(known, other)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise VerificationError("the inclusion proof is too short")
    if known != root:
        raise VerificationError(f"entry {index} is not in the tree with this root")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """That the new tree begins with all of the old one, unchanged. RFC 9162, section 2.1.4.2."""
    if not 0 <= old_size <= new_size:
        raise VerificationError(f"a tree of {new_size} cannot follow one of {old_size}")
    if old_size in (0, new_size):
        if proof:
            raise VerificationError("the consistency proof must be empty here")
        if old_size == 0 and old_root != EMPTY_ROOT:
            raise VerificationError("the old tree is empty and its root is not the empty tree's")
        if old_size == new_size and old_root != new_root:
            raise VerificationError(f"two trees of {old_size} entries have different roots: the log has forked")
        return
    path = list(_hashes(proof))
    if not path:
        raise VerificationError("the consistency proof is empty")
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            raise VerificationError("the consistency proof is too long")
        if at & 1 or at == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, other)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise VerificationError("the consistency proof is too short")
    if old != old_root:
        raise VerificationError(f"the consistency proof does not begin at the old tree of {old_size}")
    if new != new_root:
        raise VerificationError(f"the tree of {new_size} does not hold the old tree of {old_size} unchanged")


def _hashes(proof: Sequence[bytes]) -> Sequence[bytes]:
    if any(len(one) != HASH_SIZE for one in proof):
        raise VerificationError("a proof holds something that is not a hash")
    return proof
