"""Shows the audit log to its witnesses, beside the requests: none of them waits for it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from gptgate.audit.signing import Signer
from gptgate.core.beside import WitnessSpec
from gptgate.core.ports import Clock
from gptgate.storage.errors import StorageError
from gptgate.storage.events import LOG_FORKED, record_event
from gptgate.storage.log_folder import LogFolder, read_seed
from gptgate.storage.schema import storage_errors
from gptgate.telemetry.metrics import Metrics
from gptgate.witness.senders import Failed, Forked, Offer, Sender, make_sender
from gptgate_verify.log import settled
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import Checkpoint, open_checkpoint

TAKEN, FAILED, FORKED = "taken", "failed", "forked"
EARLY_S = 1.0
"""How often to look for the first checkpoint of a new log."""
AGAIN_S = 30.0
"""After a failure, at most this long until the next try."""


@dataclass(slots=True, eq=False)
class Standing:
    """How it stands with one witness. `fork` says that it has seen another log, `problem` why it has not taken the last
    offer; both are empty where all is well."""

    spec: WitnessSpec
    secret: str
    sender: Sender
    taken: Checkpoint | None = None
    taken_ms: int = 0
    failures: int = 0
    problem: str = ""
    fork: str = ""
    reported: str = ""
    """The fork that is on record."""
    task: asyncio.Task[None] | None = None


class Witnessing:
    """Owns the ways to the witnesses. Belongs to the event loop's thread; the caller must `close`.

    Each witness is shown the log's head when it has grown, at most each `every_ms`, and once at the start: a log that
    was rolled back is found out before long, whether it grows or not. A witness that fails is tried again and harms
    nobody. A fork is a line, a count, an event and a reason not to be ready, until the witness takes the head again.
    """

    def __init__(self, folder: Path, clock: Clock, metrics: Metrics, logger: FilteringBoundLogger) -> None:
        """`folder` is that of an open store with a log. Raises StorageError."""
        self._folder, self._clock, self._metrics, self._logger = folder, clock, metrics, logger
        self._files = LogFolder(folder)
        with storage_errors("read the log's key"):
            self._key = Signer.of_installation(read_seed(folder)).key
        self._standings: dict[str, Standing] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def change(self, specs: Sequence[WitnessSpec], secrets: Mapping[str, str]) -> None:
        """Take over a configuration's witnesses. One that stays as it was goes on undisturbed."""
        wanted = {spec.name: (spec, secrets.get(spec.name, "")) for spec in specs}
        for name, standing in list(self._standings.items()):
            if wanted.get(name) != (standing.spec, standing.secret):
                self._leave(self._standings.pop(name))
        for name, (spec, secret) in wanted.items():
            if name not in self._standings:
                standing = Standing(spec, secret, make_sender(spec, secret, self._key, self._clock))
                standing.task = asyncio.get_running_loop().create_task(self._watch(standing))
                standing.task.add_done_callback(partial(self._ended, standing))
                self._standings[name] = standing

    async def close(self) -> None:
        """Stop asking. What a witness is doing meanwhile is its own affair."""
        for standing in self._standings.values():
            self._leave(standing)
        self._standings.clear()
        await asyncio.gather(*self._leaving)

    def forks(self) -> list[str]:
        """Which witnesses have seen another log, one sentence each. For the readiness check."""
        return [
            f"the audit log has forked, says witness {name}: {standing.fork}"
            for name, standing in self._standings.items()
            if standing.fork
        ]

    def behind(self, log_size: int) -> dict[tuple[str, ...], float]:
        """How many entries of the log each witness has not seen."""
        return {
            (name,): log_size - (0 if standing.taken is None else standing.taken.size)
            for name, standing in self._standings.items()
        }

    def status(self) -> list[dict[str, object]]:
        """What an operator asks, for each witness."""
        return [
            {
                "name": name,
                "kind": standing.spec.kind,
                "taken_entries": None if standing.taken is None else standing.taken.size,
                "taken_ms": standing.taken_ms,
                "failures": standing.failures,
                "problem": standing.fork or standing.problem,
            }
            for name, standing in self._standings.items()
        ]

    def _leave(self, standing: Standing) -> None:
        if standing.task is not None:
            standing.task.cancel()
        task = asyncio.get_running_loop().create_task(standing.sender.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _ended(self, standing: Standing, task: asyncio.Task[None]) -> None:
        """A watch ends by being cancelled. Any other end is a defect, which must not look like a witness at work."""
        if not task.cancelled() and task.exception() is not None:
            standing.problem = f"no longer asked, by a defect: {task.exception()!r}"
            self._logger.error("a witness is no longer asked", witness=standing.spec.name, problem=standing.problem)

    async def _watch(self, standing: Standing) -> None:
        while True:
            wait_s = await self._once(standing)
            await asyncio.sleep(wait_s)

    async def _once(self, standing: Standing) -> float:
        """Show the log to a witness, if there is anything new; seconds until the next time."""
        every_s = standing.spec.every_ms / 1000
        try:
            offer = await asyncio.to_thread(self._offer)
            if offer is None:
                return min(EARLY_S, every_s)
            if standing.taken != offer.head or standing.fork:
                await self._show(standing, offer)
        except (Failed, VerificationError, OSError) as error:
            self._fail(standing, str(error))
        return min(AGAIN_S, every_s) if standing.problem or standing.fork else every_s

    async def _show(self, standing: Standing, offer: Offer) -> None:
        """Raises Failed; OSError or VerificationError when the log's own files cannot be read or written."""
        try:
            known = await asyncio.to_thread(self._known, standing, offer)
            note = await standing.sender.offer(offer, 0 if known is None else known.size)
        except Forked as error:
            await self._fork(standing, offer, str(error))
            return
        await asyncio.to_thread(self._files.keep_witnessed, standing.spec.name, note)
        if standing.problem or standing.fork:
            self._logger.info("a witness takes the log again", witness=standing.spec.name, entries=offer.head.size)
        standing.taken, standing.taken_ms = offer.head, self._clock.wall_ms()
        standing.problem = standing.fork = standing.reported = ""
        self._metrics.add_witnessed(standing.spec.name, TAKEN)

    def _offer(self) -> Offer | None:
        """The log's head now. Blocks; raises OSError or VerificationError."""
        if self._files.checkpoint() is None:
            return None
        note, read = settled(self._files.read)
        return Offer(open_checkpoint(note, self._key), note, read)

    def _known(self, standing: Standing, offer: Offer) -> Checkpoint | None:
        """What the witness took last, as it was noted down here. Blocks; raises Forked when it is not in the log."""
        note = self._files.witnessed().get(standing.spec.name)
        if note is None:
            return None
        known = open_checkpoint(note, self._key)
        if not offer.holds(known):
            raise Forked(f"it took a head of {known.size} entries that is not in the log here")
        return known

    def _fail(self, standing: Standing, problem: str) -> None:
        standing.failures += 1
        self._metrics.add_witnessed(standing.spec.name, FAILED)
        if problem != standing.problem:
            self._logger.warning("a witness has not taken the log's head", witness=standing.spec.name, problem=problem)
        standing.problem = problem

    async def _fork(self, standing: Standing, offer: Offer, problem: str) -> None:
        """Shout: a log, or a copy of its folder, was rolled back or rewritten, or somebody else signs with its key."""
        standing.fork = problem
        self._metrics.add_witnessed(standing.spec.name, FORKED)
        if standing.reported == problem:
            return
        head = offer.head
        name = standing.spec.name
        self._logger.critical("the audit log has forked", witness=name, problem=problem, entries=head.size)
        fields = {"witness": name, "problem": problem, "size": head.size, "root": head.root.hex()}
        try:
            await asyncio.to_thread(record_event, self._folder, self._clock.wall_ms(), LOG_FORKED, fields)
        except StorageError as error:
            self._logger.error("the event of a fork is not on record", problem=error.message)
        else:
            standing.reported = problem
