"""The layout of c2sp.org/tlog-tiles, by the specification's own examples."""

import pytest

from gptgate_verify.merkle import VerificationError
from gptgate_verify.tiles import bundle_path, levels_of, pack_bundle, tile_path, tiles_of, unpack_bundle, unpack_tile


def test_paths() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert bundle_path(273, 112) == "tile/entries/273.p/112"


def test_tiles_of_the_specifications_example() -> None:
    assert levels_of(70_000) == 3
    lowest = list(tiles_of(70_000, 0))
    assert (len(lowest), lowest[-1]) == (274, (273, 112))
    assert list(tiles_of(70_000, 1)) == [(0, 256), (1, 17)]
    assert list(tiles_of(70_000, 2)) == [(0, 1)]
    assert (list(tiles_of(256, 0)), list(tiles_of(256, 1))) == ([(0, 256)], [(0, 1)])
    assert levels_of(0) == 0


def test_bundles() -> None:
    entries = [b"", b"a", b"b" * 65_535]
    assert unpack_bundle(pack_bundle(entries), 3) == entries
    with pytest.raises(ValueError, match="larger"):
        pack_bundle([b"b" * 65_536])


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00", b"\x00\x01a\x00\x01b"])
def test_a_bundle_that_is_cut_or_of_another_width_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        unpack_bundle(data, 1)


def test_a_tile_of_another_width_is_refused() -> None:
    assert unpack_tile(b"\x01" * 64, 2) == [b"\x01" * 32] * 2
    with pytest.raises(VerificationError):
        unpack_tile(b"\x01" * 63, 2)
