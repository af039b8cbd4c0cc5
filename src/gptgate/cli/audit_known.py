"""What others know of a log: checkpoints that they kept, and those that witnesses have cosigned."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from gptgate.cli.text import counted
from gptgate.cli.times import show_ms
from gptgate.storage.errors import Unreadable
from gptgate.storage.log_folder import LogFolder
from gptgate_verify import VerificationError
from gptgate_verify.log import ReadFile, settled
from gptgate_verify.note import (
    COSIGNATURE,
    Checkpoint,
    Note,
    VerifierKey,
    cosigned_at_s,
    open_checkpoint,
    parse_note,
)


class KnownHead(Struct, frozen=True):
    """A head that the log has signed. `place` is where it was found, for people; `kept_elsewhere` that it is not in the
    folder itself, whose owner could remove it."""

    place: str
    head: Checkpoint
    note: Note
    kept_elsewhere: bool


def unreadable(error: PermissionError) -> Unreadable:
    """What this user may not read says nothing of what is in it."""
    return Unreadable(f"{error.filename} cannot be read by this user", hint="run this as the gateway's user")


def settled_log(files: LogFolder) -> tuple[bytes, ReadFile]:
    """The log's checkpoint, and a way to read the files that belong to it. Raises VerificationError where one is not
    there, Unreadable where it is and this user may not read it."""

    def read(path: str) -> bytes:
        try:
            return files.read(path)
        except PermissionError as error:
            raise unreadable(error) from None

    try:
        if files.checkpoint() is None:
            raise VerificationError(f"there is no checkpoint in {files.path}")
    except PermissionError as error:
        raise unreadable(error) from None
    except OSError as error:
        raise VerificationError(f"{files.path} cannot be read: {error.strerror}") from None
    return settled(read)


def read_key(text: str) -> VerifierKey:
    """The public key of a witness. Raises VerificationError."""
    key = VerifierKey.parse(text)
    if key.kind != COSIGNATURE:
        raise VerificationError(f"{key.name} is the key of a log, not of a witness")
    return key


def known_head(place: str, data: bytes, key: VerifierKey, *, kept_elsewhere: bool = True) -> KnownHead:
    """A checkpoint of the log with this key. Raises VerificationError."""
    try:
        return KnownHead(place, open_checkpoint(data, key), parse_note(data), kept_elsewhere)
    except VerificationError as error:
        raise VerificationError(f"{place}: {error}") from None


def witnessed_heads(files: LogFolder, key: VerifierKey) -> list[KnownHead]:
    """What the gateway noted down of its witnesses. Raises VerificationError."""
    try:
        notes = files.witnessed()
    except PermissionError as error:
        raise unreadable(error) from None
    except OSError as error:
        raise VerificationError(f"{error.filename} cannot be read: {error.strerror}") from None
    return [known_head(f"witness {name}", note, key, kept_elsewhere=False) for name, note in notes.items()]


def roots_of(known: Iterable[KnownHead]) -> dict[int, bytes]:
    """The roots that the log must have had, by size. Raises VerificationError for two of one size that differ."""
    found: dict[int, KnownHead] = {}
    for one in known:
        other = found.setdefault(one.head.size, one)
        if other.head.root != one.head.root:
            raise VerificationError(
                f"the log has forked: it signed two different heads of {counted(one.head.size, 'entry', 'entries')}, "
                f"in {other.place} and in {one.place}"
            )
    return {size: one.head.root for size, one in found.items()}


def cosigned(known: Sequence[KnownHead], witness: VerifierKey) -> tuple[Checkpoint, int]:
    """The largest head that this witness has cosigned, and when (Unix seconds). Raises VerificationError."""
    heads = {
        (one.head.size, cosigned_at_s(one.note, witness)): one.head
        for one in known
        if any((line.name, line.key_id) == (witness.name, witness.key_id) for line in one.note.signatures)
    }
    if not heads:
        raise VerificationError(f"there is no checkpoint here that {witness.name} has cosigned")
    (_, at_s), head = max(heads.items(), key=lambda item: item[0])
    return head, at_s


def cosigned_line(witness: VerifierKey, head: Checkpoint, at_s: int) -> str:
    """What a cosignature says, for people."""
    return f"Cosigned by {witness.name}: the first {counted(head.size, 'entry', 'entries')}, at {show_ms(at_s * 1000)}."
