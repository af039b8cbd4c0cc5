"""The audit log's entries, as bytes that are defined exactly, and the files that the log consists of.

An entry is JSON in the form of RFC 8785 (JSON Canonicalization Scheme), with nothing but integers for numbers:

``{"body":{…},"content":"…","type":"intent","v":1}``

`body` is the event. `content` is null, or the sha256 (hex) over a random salt and the text that was kept: without the
salt it says nothing about the text, so that a text can be erased, with its salt, and the log still holds.
"""

from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

ENTRY_VERSION = 1
MAX_ENTRY_BYTES = 0xFFFF
"""What an entry bundle of c2sp.org/tlog-tiles can hold."""

INTENT, END = "intent", "end"
"""The types of a request's two entries. All others are the names of what the gateway or its operator did."""

ReadFile = Callable[[str], bytes]
"""A path of the log's layout → the file's bytes. Raises OSError."""


class LogFile(Struct, frozen=True):
    """A file to write, whole."""

    path: str
    data: bytes


class Growth(Struct, frozen=True):
    """What a batch of entries does to the layout: `files` to write first, then `stale` partial ones, which may be
    deleted once a checkpoint over the new size is durable."""

    files: tuple[LogFile, ...]
    stale: tuple[str, ...]


def commitment(salt: bytes, content: bytes) -> str:
    """What an entry says of a text."""
    return sha256(salt + content).hexdigest()


def log_entry(kind: str, body: bytes, committed: str | None) -> bytes:
    """The entry of an event whose canonical JSON is `body`.

    An event too large for the log is there by its digest: ``"body_sha256":"…"`` in the place of ``"body":{…}``.
    """
    content = "null" if committed is None else f'"{committed}"'
    rest = f',"content":{content},"type":"{kind}","v":{ENTRY_VERSION}}}'.encode()
    entry = b'{"body":' + body + rest
    if len(entry) <= MAX_ENTRY_BYTES:
        return entry
    return b'{"body_sha256":"' + sha256(body).hexdigest().encode() + b'"' + rest
