"""Brings the audit log's entries to the configured sinks: one thread each, off the path of requests.

A courier reads from the signed log on disk, so nothing waits in memory but one batch, and nothing is lost when a sink
is slow or away: it lags behind, says so, and goes on. How far it came is noted in `sinks/NAME` in the data folder after
each delivery. A crash between a delivery and its note has the same entries delivered again.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct, structs

from gptgate.core.beside import SinkKind, SinkSpec
from gptgate.core.sinks import LogLine, Sink, SinkFailed, SinkRefused
from gptgate.storage.durable import sync_folders, write_durably
from gptgate.storage.entries import LogEntries
from gptgate.storage.errors import StorageError
from gptgate.storage.schema import storage_errors

FOLDER = "sinks"
LOOK_S = 1.0
"""Between two looks for new entries."""
MOST_BYTES = 1 << 20
"""Of one delivery; an entry that is larger goes alone."""
BACKOFF_FIRST_S = 1.0
BACKOFF_MOST_S = 60.0

MakeSink = Callable[[SinkSpec, str], Sink]


class SinkStats(Struct, frozen=True):
    """`lag` is how many entries of the signed log were not delivered yet; `fault` says why, ``""`` when all is well.
    `refused` entries were delivered, and the other side did not take them."""

    position: int
    lag: int
    failures: int
    refused: int
    fault: str


class Courier:
    """One sink. `fault`, `position`, `failures` and `refused` may be read from every thread."""

    def __init__(self, folder: Path, spec: SinkSpec, sink: Sink, turn: threading.Lock) -> None:
        """`turn` is held while the courier works: one of the same name must have ended before."""
        self.spec = spec
        self.position = 0
        self.failures = 0
        self.refused = 0
        self.fault = ""
        self._note = folder / FOLDER / spec.name
        self._entries = LogEntries(folder)
        self._sink = sink
        self._turn = turn
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"gptgate-sink-{spec.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Let it end after the delivery that is under way. Does not wait."""
        self._ending.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end. A delivery that takes longer is not noted, and comes again."""
        self._thread.join(timeout_s)

    def stats(self, log_size: int) -> SinkStats:
        """How it stands, where the signed log has so many entries."""
        return SinkStats(self.position, max(0, log_size - self.position), self.failures, self.refused, self.fault)

    def _run(self) -> None:
        with self._turn:
            try:
                self._work()
            finally:
                self._sink.close()
                self.fault = "it has ended"

    def _work(self) -> None:
        wait_s, begun, resumed = 0.0, False, False
        while not self._ending.wait(wait_s):
            try:
                if not begun:
                    self.position = self._noted()
                    begun = True
                if not resumed:
                    self.position = self._sink.resume(self.position)
                    resumed = True
                wait_s = 0.0 if self._bring() else LOOK_S
                self.fault = ""
            except (SinkFailed, StorageError) as error:
                # A sink that knows what it has may have taken a part.
                resumed = False
                self.failures += 1
                self.fault = str(error)
                wait_s = min(max(BACKOFF_FIRST_S, wait_s * 2), BACKOFF_MOST_S)

    def _bring(self) -> bool:
        """Deliver what fits into one batch and note it; whether there was anything."""
        size = self._entries.size()
        if self.position > size:
            raise StorageError(f"sink {self.spec.name} has had {self.position} entries, the log has {size}")
        lines = self._entries.read(self.position)
        only = self.spec.only
        for batch in batches(line for line in lines if not only or line.kind in only):
            if self._ending.is_set():
                return True
            try:
                self._sink.deliver(batch)
            except SinkRefused as refused:
                self.refused += refused.number
            self.position = batch[-1].index + 1
            self._keep()
        if lines and self.position <= lines[-1].index:
            # The last of them were for others.
            self.position = lines[-1].index + 1
            self._keep()
        return bool(lines)

    def _noted(self) -> int:
        with storage_errors(f"read {self._note}"):
            if not self._note.exists():
                return 0
            text = self._note.read_text("ascii", "replace").strip()
        if not text.isdecimal():
            raise StorageError(f"{self._note} does not hold the number of an entry")
        return int(text)

    def _keep(self) -> None:
        with storage_errors(f"write {self._note}"):
            self._note.parent.mkdir(mode=0o700, exist_ok=True)
            # A crash before this returns leaves the older note: the batch is delivered again.
            write_durably(self._note, f"{self.position}\n".encode())
            sync_folders([self._note.parent])


def batches(lines: Iterable[LogLine]) -> Iterable[list[LogLine]]:
    """The lines in pieces of MOST_BYTES at most."""
    batch: list[LogLine] = []
    size = 0
    for line in lines:
        if batch and size + len(line.data) > MOST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.data)
    if batch:
        yield batch


class Couriers:
    """The couriers of the configuration in force. Belongs to the event loop's thread; the caller must `close`."""

    def __init__(self, folder: Path, makers: Mapping[SinkKind, MakeSink]) -> None:
        self._folder = folder
        self._makers = makers
        self._working: dict[str, tuple[Courier, str]] = {}
        self._ending: list[Courier] = []
        self._turns: dict[str, threading.Lock] = {}

    def change(self, specs: Iterable[SinkSpec], secrets: Mapping[str, str]) -> None:
        """Take over a new configuration: what did not change works on, the rest ends and begins. Does not wait."""
        wanted = {spec.name: (spec, secrets.get(spec.name, "")) for spec in specs}
        for name, (courier, secret) in list(self._working.items()):
            if wanted.get(name) != (courier.spec, secret):
                courier.end()
                self._ending.append(courier)
                del self._working[name]
        for name, (spec, secret) in wanted.items():
            if name not in self._working:
                turn = self._turns.setdefault(name, threading.Lock())
                courier = Courier(self._folder, spec, self._makers[spec.kind](spec, secret), turn)
                self._working[name] = courier, secret
                courier.start()

    def stats(self, log_size: int) -> dict[str, SinkStats]:
        """How each sink stands, where the signed log has so many entries."""
        return {name: courier.stats(log_size) for name, (courier, _) in self._working.items()}

    def status(self, log_size: int) -> dict[str, object]:
        """The same, for an operator."""
        return {name: structs.asdict(stats) for name, stats in self.stats(log_size).items()}

    def lags(self, log_size: int) -> dict[tuple[str, ...], int]:
        """The lag of each sink."""
        return {(name,): stats.lag for name, stats in self.stats(log_size).items()}

    def failures(self) -> dict[tuple[str, ...], int]:
        """How often deliveries to each sink failed."""
        return {(name,): courier.failures for name, (courier, _) in self._working.items()}

    def refused(self) -> dict[tuple[str, ...], int]:
        """How many entries each sink was given and did not take."""
        return {(name,): courier.refused for name, (courier, _) in self._working.items()}

    def close(self, timeout_s: float) -> None:
        """End all of them. Blocks: a delivery that is under way is waited for so long, and comes again otherwise."""
        ending = [*self._ending, *(courier for courier, _ in self._working.values())]
        for courier in ending:
            courier.end()
        for courier in ending:
            courier.join(timeout_s)
