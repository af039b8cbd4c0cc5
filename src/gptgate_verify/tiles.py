"""Where a log's hashes and entries stand: c2sp.org/tlog-tiles.

A tile holds up to 256 consecutive hashes of one level; the levels are eight apart in the tree. Level 0 has the leaf
hashes, each higher one the roots of full tiles below. Entries stand in bundles, each behind its length in two bytes.
"""

from collections.abc import Iterable, Iterator

from gptgate_verify.merkle import HASH_SIZE, VerificationError

WIDTH = 256
"""Hashes in a full tile."""
HEIGHT = 8
MAX_ENTRY_BYTES = 0xFFFF


def tile_path(level: int, number: int, width: int = WIDTH) -> str:
    """The path of a hash tile; `width` below 256 is a partial one."""
    return f"tile/{level}/{_number(number)}{_partial(width)}"


def bundle_path(number: int, width: int = WIDTH) -> str:
    """The path of an entry bundle."""
    return f"tile/entries/{_number(number)}{_partial(width)}"


def _number(number: int) -> str:
    steps = [f"{number % 1000:03}"]
    while number := number // 1000:
        steps.append(f"x{number % 1000:03}")
    return "/".join(reversed(steps))


def _partial(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def tiles_of(size: int, level: int) -> Iterator[tuple[int, int]]:
    """(number, width) of every tile of a level in a tree of `size` leaves, the partial one last."""
    hashes = size >> HEIGHT * level
    yield from ((number, WIDTH) for number in range(hashes // WIDTH))
    if hashes % WIDTH:
        yield hashes // WIDTH, hashes % WIDTH


def levels_of(size: int) -> int:
    """How many levels of tiles a tree of `size` leaves has."""
    levels = 0
    while size >> HEIGHT * levels:
        levels += 1
    return levels


def partial_files(size: int) -> list[str]:
    """The paths of the partial tiles and the partial bundle of a tree of `size` leaves: its right edge."""
    widths = [(level, size >> HEIGHT * level) for level in range(levels_of(size))]
    paths = [tile_path(level, hashes // WIDTH, hashes % WIDTH) for level, hashes in widths if hashes % WIDTH]
    return [*paths, bundle_path(size // WIDTH, size % WIDTH)] if size % WIDTH else paths


def pack_bundle(entries: Iterable[bytes]) -> bytes:
    """A bundle's bytes. Raises ValueError for an entry that does not fit."""
    packed = bytearray()
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes is larger than a log holds")
        packed += len(entry).to_bytes(2) + entry
    return bytes(packed)


def unpack_bundle(data: bytes, width: int, what: str = "the bundle") -> list[bytes]:
    """The entries of a bundle that holds exactly `width`. Raises VerificationError."""
    entries = []
    at, size = 0, len(data)
    while at + 2 <= size:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        entries.append(data[start:at])
    if at != size:
        raise VerificationError(f"{what} is cut off")
    if len(entries) != width:
        raise VerificationError(f"{what} holds {len(entries)} entries and should hold {width}")
    return entries


def unpack_tile(data: bytes, width: int, what: str = "the tile") -> list[bytes]:
    """The hashes of a tile that holds exactly `width`. Raises VerificationError."""
    if len(data) != width * HASH_SIZE:
        raise VerificationError(f"{what} has {len(data)} bytes and should have {width * HASH_SIZE}")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]
