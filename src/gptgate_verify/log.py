"""A whole log, offline: entries against leaf hashes, tiles against those below, the root against the signature.

Reads the layout of c2sp.org/tlog-tiles through a function, so that it works on a folder, an archive or a URL.
"""

from collections.abc import Callable, Iterator, Mapping

from gptgate_verify.merkle import Frontier, VerificationError, leaf_hash, perfect_root
from gptgate_verify.note import Checkpoint, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from gptgate_verify.tiles import (
    HEIGHT,
    WIDTH,
    bundle_path,
    partial_files,
    tile_path,
    tiles_of,
    unpack_bundle,
    unpack_tile,
)

CHECKPOINT = "checkpoint"
ATTEMPTS = 100
ReadFile = Callable[[str], bytes]
"""A path of the layout → the file's bytes. Raises OSError when there is none."""


def verify_log(
    read: ReadFile, checkpoint: bytes, key: VerifierKey, others: Mapping[int, bytes] | None = None
) -> Iterator[bytes]:
    """Give every entry, in order, once it fits its leaf hash. Raises VerificationError at the first that does not, and
    at the end when the whole is not what the checkpoint signs. **Read it to its end**: before that nothing is proven.

    `others` are roots by size that must have been this log's: of checkpoints that were kept elsewhere.
    """
    head = open_checkpoint(checkpoint, key)
    wanted = dict(others or {})
    if any(size > head.size for size in wanted):
        raise VerificationError(f"the log has {head.size} entries; a checkpoint of it with {max(wanted)} is known")
    tree = Frontier()
    _compare(tree, wanted)
    edges: list[list[bytes]] = []
    for number, width in tiles_of(head.size, 0):
        entries = unpack_bundle(_read(read, bundle_path(number, width)), width, f"the bundle {number}")
        leaves = unpack_tile(_read(read, tile_path(0, number, width)), width, f"the tile {number}")
        for at, (entry, leaf) in enumerate(zip(entries, leaves, strict=True)):
            if leaf_hash(entry) != leaf:
                raise VerificationError(f"entry {number * WIDTH + at} is not the one that was logged")
            yield entry
        if width < WIDTH or any(tree.size < size <= tree.size + width for size in wanted):
            for leaf in leaves:
                tree.add(leaf)
                _compare(tree, wanted)
        if width == WIDTH:
            root = perfect_root(leaves)
            if tree.size == number * WIDTH:
                tree.add_perfect(root, HEIGHT)
            _check_above(read, edges, 0, root, number)
    for level, edge in enumerate(edges, 1):
        if edge:
            _check_tile(read, level, (head.size >> HEIGHT * level) // WIDTH, edge)
    if tree.root() != head.root:
        raise VerificationError(f"the {head.size} entries do not have the root that the checkpoint signs")


def _compare(tree: Frontier, wanted: dict[int, bytes]) -> None:
    root = wanted.pop(tree.size, None)
    if root is not None and root != tree.root():
        raise VerificationError(
            f"the first {tree.size} entries are not those of a checkpoint that was signed before: the log has forked"
        )


def _check_above(read: ReadFile, edges: list[list[bytes]], level: int, root: bytes, number: int) -> None:
    """The root of the full tile `number` of a level stands in the tile above it."""
    if level == len(edges):
        edges.append([])
    edge = edges[level]
    edge.append(root)
    if len(edge) == WIDTH:
        edges[level] = []
        above = number // WIDTH
        _check_tile(read, level + 1, above, edge)
        _check_above(read, edges, level + 1, perfect_root(edge), above)


def _check_tile(read: ReadFile, level: int, number: int, hashes: list[bytes]) -> None:
    path = tile_path(level, number, len(hashes))
    if unpack_tile(_read(read, path), len(hashes), path) != hashes:
        raise VerificationError(f"{path} is not the roots of the tiles below it")


def _read(read: ReadFile, path: str) -> bytes:
    try:
        return read(path)
    except OSError as error:
        raise VerificationError(f"{path} cannot be read: {error.strerror or error}") from error


def settled(read: ReadFile) -> tuple[bytes, ReadFile]:
    """The checkpoint of a log that may be growing, and a way to read the files that belong to it.

    Only partial tiles and bundles go when the log grows; these are read at once. Raises VerificationError.
    """
    for _ in range(ATTEMPTS):
        checkpoint = _read(read, CHECKPOINT)
        size = parse_checkpoint(parse_note(checkpoint).text).size
        edge = {}
        try:
            for path in partial_files(size):
                edge[path] = read(path)
        except FileNotFoundError:
            if _read(read, CHECKPOINT) != checkpoint:
                # It has grown in between.
                continue
        except OSError:
            # Whoever verifies the file meets the same error, and says what it is.
            pass
        return checkpoint, lambda path, edge=edge: edge[path] if path in edge else read(path)
    raise VerificationError("the log grows faster than it can be read")


def verify_head(
    read: ReadFile, checkpoint: bytes, key: VerifierKey, others: Mapping[int, bytes] | None = None
) -> Checkpoint:
    """As `verify_log`, with nothing but the log's head as the result. Raises VerificationError."""
    for _ in verify_log(read, checkpoint, key, others):
        pass
    return open_checkpoint(checkpoint, key)
