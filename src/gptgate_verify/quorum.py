"""How many of some witnesses vouch for how much of a log: each has cosigned a head of it (c2sp.org/tlog-cosignature).

A log's own signature proves that it said so. That it says the same to everybody, only others can: two of three
witnesses that belong to different people have to agree before a log can show two histories.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import COSIGNATURE, Checkpoint, Note, VerifierKey, cosigned_at_s


@dataclass(frozen=True, slots=True)
class Word:
    """A witness's newest word: the head that it has cosigned, and when (Unix seconds)."""

    witness: VerifierKey
    head: Checkpoint
    at_s: int


@dataclass(frozen=True, slots=True)
class Quorum:
    """Enough witnesses. `size` is how many of the log's entries that many of them have seen; `words` are all there are,
    the largest heads first."""

    size: int
    words: tuple[Word, ...]


def witness_keys(texts: Sequence[str]) -> tuple[VerifierKey, ...]:
    """The public keys of witnesses. Raises VerificationError; also for one key under two names, which is one voice."""
    keys = tuple(VerifierKey.parse(text) for text in texts)
    for key in keys:
        if key.kind != COSIGNATURE:
            raise VerificationError(f"{key.name} is the key of a log, not of a witness")
    if len({key.public for key in keys}) != len(keys):
        raise VerificationError("a witness is named twice")
    return keys


def require_quorum(heads: Sequence[tuple[Checkpoint, Note]], witnesses: Sequence[VerifierKey], least: int) -> Quorum:
    """That `least` of these witnesses have cosigned one of these heads each. Raises VerificationError.

    The heads must be verified, and belong to one log.
    """
    newest = {key: word for key in witnesses if (word := _newest(heads, key)) is not None}
    words = sorted(newest.values(), key=lambda word: -word.head.size)
    if len(words) < least:
        missing = ", ".join(key.name for key in witnesses if key not in newest)
        raise VerificationError(
            f"{len(words)} of {len(witnesses)} witnesses have cosigned, {least} must: not {missing}"
        )
    return Quorum(words[least - 1].head.size, tuple(words))


def _newest(heads: Sequence[tuple[Checkpoint, Note]], key: VerifierKey) -> Word | None:
    words = [
        Word(key, head, cosigned_at_s(note, key))
        for head, note in heads
        if any((line.name, line.key_id) == (key.name, key.key_id) for line in note.signatures)
    ]
    return max(words, key=lambda word: (word.head.size, word.at_s), default=None)
