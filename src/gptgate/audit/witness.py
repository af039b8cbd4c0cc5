"""The witness protocol (c2sp.org/tlog-witness), both sides of it. Pure.

A witness cosigns a log's checkpoint when it has seen proof that the log still begins with all of the last one that it
cosigned. A log that was rolled back, or that shows others something else, gets no cosignature.
"""

import base64
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from gptgate_verify.merkle import EMPTY_ROOT, HASH_SIZE, VerificationError, verify_consistency
from gptgate_verify.note import (
    NUMBER,
    Checkpoint,
    Note,
    VerifierKey,
    cosigned_at_s,
    decode_base64,
    format_signature,
    parse_checkpoint,
    parse_note,
    verify_note,
)

PATH = "/add-checkpoint"
SHOW_PATH = "/checkpoint/"
"""With a log's origin behind it: the last head that was cosigned, signed by its log. Not in the specification."""
SIZE_TYPE = "text/x.tlog.size"
MAX_HASHES = 63
MAX_SUBMISSION_BYTES = 320 * 1024
"""More than a note of the largest size and the longest proof."""


class Submission(Struct, frozen=True):
    """A checkpoint with the proof that its log begins with the `old` entries that the witness has seen."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: bytes


class Accepted(Struct, frozen=True):
    """What a witness may cosign: the head, the text that is signed, and the note with the log's signature alone."""

    head: Checkpoint
    text: str
    note: bytes


class Refused(Exception):
    """No cosignature. `body` is the answer's, of the type `media_type`.

    `suspect` is a head that the log has signed and that was not shown to follow the one that is known, or that has
    fewer entries.
    """

    def __init__(
        self, status: int, body: str, media_type: str = "text/plain", *, suspect: Checkpoint | None = None
    ) -> None:
        super().__init__(body)
        self.status = status
        self.body = body
        self.media_type = media_type
        self.suspect = suspect


def format_submission(old: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of a request to a witness."""
    lines = [f"old {old}", *(base64.b64encode(one).decode() for one in path)]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint


def parse_submission(data: bytes) -> Submission:
    """Read a request's body. Raises VerificationError for anything that is not one."""
    if len(data) > MAX_SUBMISSION_BYTES:
        raise VerificationError("the request is too large")
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        first, *rest = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise VerificationError("the request is not text") from None
    number = first.removeprefix("old ")
    if not gap or number == first or not NUMBER.fullmatch(number):
        raise VerificationError("the request's first line does not say the old size")
    path = tuple(decode_base64(line, "a line of the proof") for line in rest)
    if len(path) > MAX_HASHES or any(len(one) != HASH_SIZE for one in path):
        raise VerificationError("the proof holds something that is not a hash, or too many")
    return Submission(int(number), path, checkpoint)


def judge(data: bytes, logs: Mapping[str, VerifierKey], last: Callable[[str], Checkpoint | None]) -> Accepted:
    """What a witness does with a request. Raises Refused.

    `logs` are the keys of the logs that it knows, by name; `last` gives the head of a log that it cosigned last. The
    caller must make the new one durable, and nobody may ask for another judgement meanwhile, before it cosigns.
    """
    try:
        asked = parse_submission(data)
        note = parse_note(asked.checkpoint)
        head = parse_checkpoint(note.text)
    except VerificationError as error:
        raise Refused(400, f"{error}\n") from None
    log = logs.get(head.origin)
    if log is None:
        raise Refused(404, "this witness does not know the log\n")
    try:
        verify_note(note, [log])
    except VerificationError as error:
        raise Refused(403, f"{error}\n") from None
    if asked.old > head.size:
        raise Refused(400, "the old size is larger than the checkpoint's\n")
    known = last(head.origin) or Checkpoint(head.origin, 0, EMPTY_ROOT)
    if asked.old != known.size:
        # A log forgets no entry. One that asks for less than was cosigned may only have lost what it knew of this
        # witness; one whose signed head is smaller has lost entries, or somebody sent an old head once more.
        smaller = head if head.size < known.size else None
        raise Refused(409, f"{known.size}\n", SIZE_TYPE, suspect=smaller)
    if asked.old == head.size and head.root != known.root:
        raise Refused(409, f"{known.size}\n", SIZE_TYPE, suspect=head)
    try:
        verify_consistency(known.size, known.root, head.size, head.root, asked.path)
    except VerificationError as error:
        # Anybody can send a good head with a wrong proof, so this alone convicts nobody.
        raise Refused(422, f"{error}\n", suspect=None if head == known else head) from None
    line = _line_of(note, log)
    return Accepted(head, note.text, f"{note.text}\n{line}".encode())


def _line_of(note: Note, key: VerifierKey) -> str:
    """The line by which a key has signed a verified note."""
    return next(
        format_signature(one.name, one.key_id, one.signature)
        for one in note.signatures
        if (one.name, one.key_id) == (key.name, key.key_id)
    )


def cosignature_in(checkpoint: bytes, answer: bytes, witness: VerifierKey) -> str:
    """The line in a witness's answer by which this key cosigns the checkpoint. Raises VerificationError."""
    note = parse_note(checkpoint + answer)
    cosigned_at_s(note, witness)
    return _line_of(note, witness)
