"""A log that grows: entries in, files out, in the layout of c2sp.org/tlog-tiles.

The order in which files are made durable is what makes a crash harmless: first bundles and tiles, which nobody looks at
before a checkpoint says that they exist, then the checkpoint. A full tile or bundle never changes again; a partial one
is replaced by a wider one of the same number.
"""

from collections.abc import Sequence

from gptgate.core.log import Growth, LogFile, ReadFile
from gptgate_verify.merkle import Frontier, leaf_hash, node_hash, perfect_root
from gptgate_verify.tiles import (
    HEIGHT,
    MAX_ENTRY_BYTES,
    WIDTH,
    bundle_path,
    levels_of,
    pack_bundle,
    partial_files,
    tile_path,
    tiles_of,
    unpack_bundle,
    unpack_tile,
)


class GrowingLog:
    """The right edge of a log in memory: at most 255 hashes a level and 255 entries. One writer at a time."""

    def __init__(self) -> None:
        """An empty log. Use `resume` for one that has entries."""
        self.size = 0
        """How many entries there are."""
        self._edges: list[list[bytes]] = []
        self._entries: list[bytes] = []

    @classmethod
    def resume(cls, size: int, read: ReadFile) -> "GrowingLog":
        """A log of `size` entries whose partial tiles and bundle `read` gives.

        Raises VerificationError when they do not fit; whether they are the right ones is for the caller to say, by
        comparing `root` with a checkpoint.
        """
        log = cls()
        log.size = size
        for level in range(levels_of(size)):
            number, width = size >> HEIGHT * (level + 1), (size >> HEIGHT * level) % WIDTH
            path = tile_path(level, number, width)
            log._edges.append(unpack_tile(read(path), width, path) if width else [])
        if size % WIDTH:
            path = bundle_path(size // WIDTH, size % WIDTH)
            log._entries = unpack_bundle(read(path), size % WIDTH, path)
        return log

    def root(self) -> bytes:
        """The root over all entries."""
        return Frontier(self.size, [peak for edge in reversed(self._edges) for peak in _peaks(edge)]).root()

    def append(self, entries: Sequence[bytes]) -> Growth:
        """Take entries in, in this order. Its files must be durable before a checkpoint may tell of them.

        Raises ValueError for an entry that is too large for a bundle. Nothing is changed when this raises anything.
        """
        for entry in entries:
            if len(entry) > MAX_ENTRY_BYTES:
                raise ValueError(f"an entry of {len(entry)} bytes is larger than a log holds")
        if not entries:
            return Growth((), ())
        size, rest, edges = self.size + len(entries), self._entries, list(self._edges)
        files: list[LogFile] = []
        for number, bundle in _cut(self.size // WIDTH, [*rest, *entries]):
            files.append(LogFile(bundle_path(number, len(bundle)), pack_bundle(bundle)))
            rest = bundle if len(bundle) < WIDTH else []
        level, added = 0, [leaf_hash(entry) for entry in entries]
        while added:
            if level == len(edges):
                edges.append([])
            tiles = _cut(self.size >> HEIGHT * (level + 1), edges[level] + added)
            added = []
            for number, tile in tiles:
                files.append(LogFile(tile_path(level, number, len(tile)), b"".join(tile)))
                edges[level] = tile if len(tile) < WIDTH else []
                if len(tile) == WIDTH:
                    added.append(perfect_root(tile))
            level += 1
        after = set(partial_files(size))
        growth = Growth(tuple(files), tuple(sorted(path for path in partial_files(self.size) if path not in after)))
        self.size, self._entries, self._edges = size, rest, edges
        return growth


def _cut(first: int, values: list[bytes]) -> list[tuple[int, list[bytes]]]:
    """The values in numbered pieces of `WIDTH`, the last of which may be shorter."""
    return [(first + at // WIDTH, values[at : at + WIDTH]) for at in range(0, len(values), WIDTH)]


def _peaks(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the perfect subtrees that this many hashes of one level fall into, the largest first."""
    peaks = []
    at = 0
    for bit in reversed(range(HEIGHT)):
        if len(hashes) >> bit & 1:
            peaks.append(perfect_root(hashes[at : at + (1 << bit)]))
            at += 1 << bit
    return peaks


class Prover:
    """Proofs out of a log's tiles, for any tree up to `size` entries. Remembers the tiles that it has read."""

    def __init__(self, size: int, read: ReadFile) -> None:
        self._size = size
        self._read = read
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def root(self, size: int) -> bytes:
        """The root of the first `size` entries."""
        return self._range(0, size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that entry `index` is in the tree of `size` (RFC 9162, section 2.1.3.1). Raises ValueError."""
        if not 0 <= index < size <= self._size:
            raise ValueError(f"no entry {index} in a tree of {size}; the log has {self._size}")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `new` begins with that of `old` (RFC 9162, section 2.1.4.1). Raises ValueError."""
        if not 0 <= old <= new <= self._size:
            raise ValueError(f"no proof from a tree of {old} to one of {new}; the log has {self._size}")
        if old in (0, new):
            return []
        path: list[bytes] = []
        start, end, whole = 0, new, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range(start, end))
        return path[::-1]

    def _range(self, start: int, end: int) -> bytes:
        """The root over entries ``[start, end)``; `start` is where a subtree of that extent can begin."""
        if start == end:
            return Frontier().root()
        size = end - start
        if size & (size - 1) == 0:
            return self._perfect(size.bit_length() - 1, start)
        middle = start + _split(size)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _perfect(self, height: int, start: int) -> bytes:
        level, bits = divmod(height, HEIGHT)
        first = start >> HEIGHT * level
        tile = self._tile(level, first // WIDTH)
        at = first % WIDTH
        return perfect_root(tile[at : at + (1 << bits)])

    def _tile(self, level: int, number: int) -> list[bytes]:
        tile = self._tiles.get((level, number))
        if tile is None:
            hashes = self._size >> HEIGHT * level
            width = min(WIDTH, hashes - number * WIDTH)
            path = tile_path(level, number, width)
            tile = self._tiles[level, number] = unpack_tile(self._read(path), width, path)
        return tile


def _split(size: int) -> int:
    """The largest power of two that is smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def files_of(size: int) -> list[str]:
    """Every path that a log of `size` entries consists of, but for its checkpoint."""
    paths: list[str] = []
    for level in range(levels_of(size)):
        for number, width in tiles_of(size, level):
            paths.append(tile_path(level, number, width))
            if level == 0:
                paths.append(bundle_path(number, width))
    return paths
