"""How the gateway shows its log to a witness: one class for each kind."""

import asyncio
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from gptgate.audit.growth import Prover
from gptgate.audit.witness import PATH, cosignature_in, format_submission
from gptgate.core.log import ReadFile
from gptgate.core.ports import Clock
from gptgate.core.snapshot import WitnessKind, WitnessSpec
from gptgate.storage.copies import Copies
from gptgate.upstream.mailbox import Mailbox, Undelivered
from gptgate.upstream.signature import signature_headers
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import NUMBER, Checkpoint, VerifierKey, open_checkpoint

TEXT = (("content-type", "text/plain; charset=utf-8"),)
ATTEMPTS = 3
"""Requests for one offer: the witness may have to say first what it has seen."""


class Failed(Exception):
    """The witness has not taken the checkpoint; why is the text."""


class Forked(Exception):
    """The witness has seen a head that is not in the log here; the text says which."""


class Offer(Struct, frozen=True):
    """The log's head now, the signed note of it, and the files that belong to it."""

    head: Checkpoint
    note: bytes
    read: ReadFile

    def holds(self, other: Checkpoint) -> bool:
        """Whether the log begins with all of another head. Blocks; raises OSError or VerificationError."""
        return other.size <= self.head.size and Prover(self.head.size, self.read).root(other.size) == other.root

    def proof(self, old: int) -> bytes:
        """The submission to a witness that has seen `old` entries. Blocks; raises OSError or VerificationError."""
        path = Prover(self.head.size, self.read).consistency(old, self.head.size)
        return format_submission(old, path, self.note)


class Sender(Protocol):
    """The way to one witness. The caller must `close`."""

    async def offer(self, offer: Offer, seen: int) -> bytes:
        """Show the head to the witness, which is thought to have seen `seen` entries; the note as the witness took it.

        Raises Failed or Forked; OSError or VerificationError when the log's own files cannot be read.
        """
        ...

    async def close(self) -> None: ...


class FileSender:
    """Copies into a folder. The newest copy there must be in the log: an operator who rolls the log back, and not the
    copies, is found out."""

    def __init__(self, spec: WitnessSpec, log: VerifierKey) -> None:
        self._copies = Copies(Path(spec.path), log.name)
        self._log = log

    async def offer(self, offer: Offer, seen: int) -> bytes:
        return await asyncio.to_thread(self._offer, offer)

    def _offer(self, offer: Offer) -> bytes:
        try:
            newest = self._copies.newest()
        except OSError as error:
            raise Failed(f"its copies cannot be read: {error}") from None
        if newest is not None:
            path, data = newest
            try:
                other = open_checkpoint(data, self._log)
            except VerificationError as error:
                raise Failed(f"{path} is no checkpoint of this log: {error}") from None
            if not offer.holds(other):
                raise Forked(f"{path} has a head of {other.size} entries that is not in the log")
        try:
            self._copies.keep(offer.head.size, offer.note)
        except OSError as error:
            raise Failed(f"the copy cannot be written: {error}") from None
        return offer.note

    async def close(self) -> None:
        """Nothing is open."""


class WebhookSender:
    """A signed message with the checkpoint. What the receiver compares it with is its own affair."""

    def __init__(self, spec: WitnessSpec, secret: str, clock: Clock) -> None:
        self._mailbox = Mailbox(spec.url, spec.timeout_ms)
        self._secret = secret
        self._clock = clock

    async def offer(self, offer: Offer, seen: int) -> bytes:
        headers = signature_headers(offer.note, self._secret, self._clock.wall_ms() // 1000)
        status, _ = await _post(self._mailbox, "", (*TEXT, *headers), offer.note)
        if not 200 <= status < 300:
            raise Failed(f"it answered with status {status}")
        return offer.note

    async def close(self) -> None:
        await self._mailbox.close()


class TlogSender:
    """The client of c2sp.org/tlog-witness."""

    def __init__(self, spec: WitnessSpec) -> None:
        self._mailbox = Mailbox(spec.url, spec.timeout_ms)
        self._key = VerifierKey.parse(spec.key)

    async def offer(self, offer: Offer, seen: int) -> bytes:
        for _ in range(ATTEMPTS):
            if seen > offer.head.size:
                raise Forked(f"it has seen {seen} entries, the log here has {offer.head.size}")
            body = await asyncio.to_thread(offer.proof, seen)
            status, answer = await _post(self._mailbox, PATH, TEXT, body)
            if status == 200:
                return offer.note + self._cosignature(offer, answer).encode()
            if status == 422:
                raise Forked(f"what it has cosigned of {seen} entries is not in the log here")
            if status != 409:
                raise Failed(f"it answered with status {status}")
            known = _size(answer)
            if known == seen:
                # It compares roots only where nothing was added.
                raise Forked(f"it has cosigned another head of {seen} entries")
            seen = known
        raise Failed("it says another size each time")

    def _cosignature(self, offer: Offer, answer: bytes) -> str:
        try:
            return cosignature_in(offer.note, answer, self._key)
        except VerificationError as error:
            raise Failed(f"its answer is no cosignature: {error}") from None

    async def close(self) -> None:
        await self._mailbox.close()


async def _post(mailbox: Mailbox, path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> tuple[int, bytes]:
    try:
        return await mailbox.post(path, headers, body)
    except Undelivered as error:
        raise Failed(str(error)) from None


def _size(answer: bytes) -> int:
    text = answer.decode("ascii", "replace").removesuffix("\n")
    if not NUMBER.fullmatch(text):
        raise Failed("it does not say which size it has seen")
    return int(text)


def make_sender(spec: WitnessSpec, secret: str, log: VerifierKey, clock: Clock) -> Sender:
    """The sender of a witness's kind. `secret` is empty where its kind has none."""
    match spec.kind:
        case WitnessKind.FILE:
            return FileSender(spec, log)
        case WitnessKind.WEBHOOK:
            return WebhookSender(spec, secret, clock)
        case WitnessKind.TLOG:
            return TlogSender(spec)
