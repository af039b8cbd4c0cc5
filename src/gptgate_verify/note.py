"""Signed notes, checkpoints and cosignatures: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature.

Only what the gateway's logs and witnesses use is read: Ed25519 signatures (type 1) and timestamped Ed25519 cosignatures
(type 4). Signatures by unknown keys are ignored, as the specification asks; one by a known key that does not verify
makes the note worthless.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gptgate_verify.merkle import HASH_SIZE, VerificationError

ED25519 = 1
COSIGNATURE = 4
MAX_NOTE_BYTES = 256 * 1024
MAX_SIZE_DIGITS = 19
_NAME = re.compile(r"[^\s+]{1,255}")
NUMBER = re.compile(rf"0|[1-9][0-9]{{0,{MAX_SIZE_DIGITS - 1}}}")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name that it signs under. `kind` is ED25519 or COSIGNATURE."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """``name+id+key``: the form in which keys are handed around."""
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read what `str` wrote. Raises VerificationError."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        blob = decode_base64(encoded, "the key")
        if not _NAME.fullmatch(name) or len(blob) != 33 or blob[0] not in (ED25519, COSIGNATURE):
            raise VerificationError("this is not the public key of a log or a witness (name+id+key)")
        key = cls(name, blob[0], blob[1:])
        if key.key_id.hex() != key_id:
            raise VerificationError("the public key's id does not belong to its name and key")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text, with its last line's end, and the signatures under it. Nothing of it is true before it is verified."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its name, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def decode_base64(text: str, what: str) -> bytes:
    """Standard base64, strictly. Raises VerificationError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerificationError(f"{what} is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise VerificationError(f"{what} is not in the one form that base64 has for it")
    return data


def parse_note(data: bytes) -> Note:
    """Split a signed note. Raises VerificationError for anything that is not one."""
    if len(data) > MAX_NOTE_BYTES:
        raise VerificationError("the note is too large")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise VerificationError("the note is not UTF-8") from None
    if any(ord(char) < 0x20 and char != "\n" for char in whole):
        raise VerificationError("the note holds control characters")
    text, gap, below = whole.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise VerificationError("the note has no signatures")
    return Note(text + "\n", tuple(_signature(line) for line in below[:-1].split("\n")))


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    blob = decode_base64(encoded, "a signature")
    if dash != "\u2014" or not _NAME.fullmatch(name) or len(blob) < 5:
        raise VerificationError("a line below the note is not a signature")
    return Signature(name, blob[:4], blob[4:])


def format_signature(name: str, key_id: bytes, signature: bytes) -> str:
    """A signature line, with its end."""
    return f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"


def cosigned_message(text: str, at_s: int) -> bytes:
    """What a cosignature signs: a witness's word that it has seen this checkpoint at this time."""
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys that have signed the note.

    Raises VerificationError when a signature of a known key does not verify, or when none of these keys has signed.
    """
    known = {(key.name, key.key_id): key for key in keys}
    signed: dict[VerifierKey, None] = {}
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is not None:
            _verify(note.text, one, key)
            signed[key] = None
    if not signed:
        names = ", ".join(sorted({key.name for key in known.values()}))
        raise VerificationError(f"none of the expected keys has signed this ({names})")
    return tuple(signed)


def is_signed_by(data: bytes, key: VerifierKey) -> bool:
    """Whether a note carries a signature of this name and key, right or wrong: a key that was swapped signs none."""
    return any((one.name, one.key_id) == (key.name, key.key_id) for one in parse_note(data).signatures)


def cosigned_at_s(note: Note, key: VerifierKey) -> int:
    """When this witness has cosigned a verified note, in Unix seconds. Raises VerificationError when it has not."""
    for one in note.signatures:
        if (one.name, one.key_id) == (key.name, key.key_id) and key.kind == COSIGNATURE:
            _verify(note.text, one, key)
            return int.from_bytes(one.signature[:8])
    raise VerificationError(f"{key.name} has not cosigned this")


def _verify(text: str, one: Signature, key: VerifierKey) -> None:
    message, signature = text.encode(), one.signature
    if key.kind == COSIGNATURE:
        if len(signature) != 72:
            raise VerificationError(f"the cosignature of {key.name} has not the length of one")
        message, signature = cosigned_message(text, int.from_bytes(signature[:8])), signature[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise VerificationError(f"the signature of {key.name} does not belong to this text and key") from None


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text. Extension lines are allowed by the specification and mean nothing here."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise VerificationError("a checkpoint has three lines: the log's name, its size, its root")
    if not NUMBER.fullmatch(lines[1]):
        raise VerificationError("the checkpoint's size is not a number")
    root = decode_base64(lines[2], "the checkpoint's root")
    if len(root) != HASH_SIZE:
        raise VerificationError("the checkpoint's root is not a hash")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_checkpoint(data: bytes, key: VerifierKey) -> Checkpoint:
    """The checkpoint in a note that this log has signed. Raises VerificationError."""
    note = parse_note(data)
    verify_note(note, [key])
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != key.name:
        raise VerificationError(f"the checkpoint is of the log {checkpoint.origin!r}, the key of {key.name!r}")
    return checkpoint
