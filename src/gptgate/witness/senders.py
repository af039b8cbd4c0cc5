"""How the gateway shows its log to a witness: one class for each kind."""

import asyncio
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol
from urllib.parse import quote

from msgspec import Struct

from gptgate.audit.growth import Prover
from gptgate.audit.witness import PATH, SHOW_PATH, cosignature_in, format_submission
from gptgate.core.beside import WitnessKind, WitnessSpec
from gptgate.core.log import ReadFile
from gptgate.core.ports import Clock
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
    """The witness has seen a head that is signed by the log and not in the log here; the text says which."""


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
        self._timeout_s = spec.timeout_ms / 1000
        self._busy: asyncio.Future[bytes] | None = None

    async def offer(self, offer: Offer, seen: int) -> bytes:
        # A folder of another machine can hang for ever. So it gets a thread of its own, one at a time, which nothing
        # waits for: not the threads that inspect large requests, and not the end of the process.
        if self._busy is not None and not self._busy.done():
            raise Failed("its folder still hangs")
        loop = asyncio.get_running_loop()
        self._busy = loop.create_future()
        # Read here too: nobody waits for one that comes late.
        self._busy.add_done_callback(lambda done: done.cancelled() or done.exception())
        threading.Thread(target=self._work, args=(offer, loop, self._busy), name="gptgate-copies", daemon=True).start()
        try:
            return await asyncio.wait_for(asyncio.shield(self._busy), self._timeout_s)
        except TimeoutError:
            raise Failed("its folder did not answer in time") from None

    def _work(self, offer: Offer, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[bytes]") -> None:
        try:
            note = self._offer(offer)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is raised where the answer is awaited
            outcome = partial(_fail, done, error)
        else:
            outcome = partial(_finish, done, note)
        with suppress(RuntimeError):
            # The loop has ended meanwhile, and nobody waits.
            loop.call_soon_threadsafe(outcome)

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

    def __init__(self, spec: WitnessSpec, log: VerifierKey) -> None:
        self._mailbox = Mailbox(spec.url, spec.timeout_ms)
        self._key = VerifierKey.parse(spec.key)
        self._log = log

    async def offer(self, offer: Offer, seen: int) -> bytes:
        for _ in range(ATTEMPTS):
            if seen > offer.head.size:
                await self._contradicted(offer, f"it has seen {seen} entries, the log here has {offer.head.size}")
            body = await asyncio.to_thread(offer.proof, seen)
            status, answer = await _post(self._mailbox, PATH, TEXT, body)
            if status == 200:
                return offer.note + self._cosignature(offer, answer).encode()
            if status == 422:
                await self._contradicted(offer, f"what it has cosigned of {seen} entries is not in the log here")
            if status != 409:
                raise Failed(f"it answered with status {status}")
            known = _size(answer)
            if known == seen:
                # It compares roots only where nothing was added.
                await self._contradicted(offer, f"it has cosigned another head of {seen} entries")
            seen = known
        raise Failed("it says another size each time")

    async def _contradicted(self, offer: Offer, claim: str) -> NoReturn:
        """A status is no proof: a witness may lie, and so may whoever stands on the way to it. What proves a fork is a
        head with the signature of the log itself."""
        origin = quote(offer.head.origin, safe="/")
        status, note = await _post(self._mailbox, SHOW_PATH + origin, TEXT, b"")
        if status != 200:
            raise Failed(f"{claim}; it shows no signed head that would prove it (status {status})")
        try:
            shown = open_checkpoint(note, self._log)
        except VerificationError as error:
            raise Failed(f"{claim}; the head that it shows proves nothing: {error}") from None
        if await asyncio.to_thread(offer.holds, shown):
            raise Failed(f"{claim}; the head of {shown.size} entries that it shows is in the log here")
        raise Forked(claim)

    def _cosignature(self, offer: Offer, answer: bytes) -> str:
        try:
            return cosignature_in(offer.note, answer, self._key)
        except VerificationError as error:
            raise Failed(f"its answer is no cosignature: {error}") from None

    async def close(self) -> None:
        await self._mailbox.close()


def _finish(done: "asyncio.Future[bytes]", note: bytes) -> None:
    if not done.done():
        done.set_result(note)


def _fail(done: "asyncio.Future[bytes]", error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)


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
            return TlogSender(spec, log)
