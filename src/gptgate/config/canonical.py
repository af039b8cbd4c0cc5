"""The canonical form of a Snapshot, and the digest that addresses it."""

import hashlib

import msgspec

from gptgate.core.snapshot import Snapshot

ENCODER = msgspec.json.Encoder(order="sorted")


def canonical_bytes(snapshot: Snapshot) -> bytes:
    """The Snapshot as JSON with sorted keys and without its digest: what the digest is computed over.

    Comments, layout, the order of keys, and the order of lists whose order means nothing are not in it.
    """
    fields: dict[str, object] = msgspec.to_builtins(snapshot)
    del fields["digest"]
    return ENCODER.encode(fields)


def digest_of(snapshot: Snapshot) -> str:
    """The sha256 of the canonical form, in hex."""
    return hashlib.sha256(canonical_bytes(snapshot)).hexdigest()
