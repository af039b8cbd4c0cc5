"""What the audit log costs: appends a second with all their syncs, verification, and proofs out of a large log."""

import asyncio
import contextlib
import hashlib
import io
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from gptgate.audit.growth import Prover
from gptgate.audit.signing import Signer
from gptgate.cli.audit_verify import verify
from gptgate.core.events import Circumstances, End, EndState, Intent
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.storage.log_folder import read_seed
from gptgate.storage.sqlite import SqliteStore
from gptgate.wiring import SystemClock, open_audit_log
from gptgate_verify.merkle import leaf_hash, perfect_root, verify_inclusion
from gptgate_verify.note import open_checkpoint
from gptgate_verify.proof import format_proof, parse_proof, verify_proof
from gptgate_verify.tiles import HEIGHT, WIDTH, levels_of, tile_path

REQUESTS = 50_000
CALLERS = 512
"""Requests in flight, so that a sync is shared by many, as it is under load."""
PROOFS = 300
LEAVES = 10_000_000
APPEND_BAR, VERIFY_BAR, PROOF_BAR_MS = 10_000, 100_000, 10.0
LINKS = 30_000
"""Names of one file, below what file systems allow."""
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Rate:
    """So many events in so much time of the clock and of the processor."""

    events: int
    wall_s: float
    cpu_s: float

    @property
    def a_second(self) -> float:
        return self.events / self.wall_s

    @property
    def a_cpu_second(self) -> float:
        return self.events / self.cpu_s


@dataclass(frozen=True, slots=True)
class Proofs:
    """Times of proofs, each from files that were not read before, and what the log and a proof weigh."""

    median_ms: float
    slowest_ms: float
    proof_bytes: int
    hashes: int
    tile_files: int
    tile_mib: float


def measure_audit(folder: Path) -> tuple[Rate, Rate, Proofs]:
    """Appends, verification of what was appended, proofs at LEAVES leaves."""
    data = folder / "data"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        appended = runner.run(_append(data))
    verified = _timed(2 * REQUESTS, lambda: _verify(data))
    return appended, verified, _prove(folder / "large")


async def _append(folder: Path) -> Rate:
    """Requests through the store, each durable before it goes on, until the last one has its place in the log."""
    store = SqliteStore.open(folder, clock=SystemClock(), timeout_ms=60_000, open_log=open_audit_log)
    numbers = iter(range(REQUESTS))

    async def caller() -> None:
        for number in numbers:
            asked = sample_intent(number)
            await store.begin(asked, None)
            store.finish(sample_end(asked), None)

    wall, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
    await store.close(60_000)
    return Rate(2 * REQUESTS, time.perf_counter() - wall, time.process_time() - cpu)


def _timed(events: int, work: Callable[[], None]) -> Rate:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Rate(events, time.perf_counter() - wall, time.process_time() - cpu)


def _verify(folder: Path) -> None:
    """`gptgate audit verify`: database, records, columns, entries, hashes, sums. Raises when anything is wrong."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        verify(None, str(Signer.of_installation(read_seed(folder)).key), None, None, folder)
    if f"Verified: {2 * REQUESTS} entries" not in printed.getvalue():
        raise RuntimeError(f"the log does not hold what was appended: {printed.getvalue()}")


def _prove(folder: Path) -> Proofs:
    """Proofs of entries all over a log of LEAVES equal entries: its tiles are real files, most of them the same one."""
    entry = b"x" * 1000
    signer = Signer("log.example/large", b"\x07" * 32)
    tiles, size = _make_tiles(folder, leaf_hash(entry))

    def read(path: str) -> bytes:
        return (folder / path).read_bytes()

    checkpoint = signer.checkpoint(LEAVES, Prover(LEAVES, read).root(LEAVES))
    dice = random.Random(1)
    times, weights, hashes = [], [], 0
    for index in [0, LEAVES - 1, *(dice.randrange(LEAVES) for _ in range(PROOFS))]:
        began = time.perf_counter_ns()
        head = open_checkpoint(checkpoint, signer.key)
        path = Prover(head.size, read).inclusion(index, head.size)
        proof = format_proof(entry, index, path, checkpoint)
        times.append((time.perf_counter_ns() - began) / 1e6)
        verify_proof(parse_proof(proof), signer.key)
        verify_inclusion(leaf_hash(entry), index, LEAVES, path, head.root)
        weights.append(len(proof) - len(entry) * 4 // 3)
        hashes = max(hashes, len(path))
    return Proofs(statistics.median(times), max(times), max(weights), hashes, tiles, size / MIB)


def _make_tiles(folder: Path, leaf: bytes) -> tuple[int, int]:
    """The hash tiles of a log of LEAVES entries with this hash; how many there are, and their bytes."""
    full, files, total = leaf, 0, 0
    for level in range(levels_of(LEAVES)):
        hashes = LEAVES >> HEIGHT * level
        tile = [full] * WIDTH
        source = folder
        for number in range(hashes // WIDTH):
            if number % LINKS == 0:
                source = _write(folder / tile_path(level, number), b"".join(tile))
            else:
                path = folder / tile_path(level, number)
                path.parent.mkdir(parents=True, exist_ok=True)
                os.link(source, path)
        files += hashes // WIDTH
        total += hashes // WIDTH * len(tile) * len(leaf)
        if hashes % WIDTH:
            _write(folder / tile_path(level, hashes // WIDTH, hashes % WIDTH), b"".join([full] * (hashes % WIDTH)))
            files, total = files + 1, total + hashes % WIDTH * len(leaf)
        full = perfect_root(tile)
    return files, total


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def sample_intent(number: int) -> Intent:
    """An ordinary request: its event is as large as those of a gateway in use."""
    return Intent(
        id=f"01999999-0000-7000-8000-{number:012x}",
        at_ms=1_795_392_000_000 + number,
        team="research",
        app="assistant",
        key_id="4f6c1a2b",
        end_user=f"user-{number % 1000}",
        client="10.1.2.3",
        endpoint="chat",
        stream=True,
        model="gpt-5-mini",
        provider="openai",
        upstream_model="gpt-5-mini-2026-08-01",
        effect="allow",
        score=12,
        parts=(("pii", 12),),
        rules=("redact-personal-data",),
        findings=(Finding("pii.email", Origin.USER, "/messages/1/content", 10, 30, "email", 12),),
        config_digest=_digest(0),
        request_digest=_digest(number),
        sent_digest=_digest(number + 1),
        window="2026-11",
        reserved_nano=5_000_000,
        price_version="2026-11-01",
        traceparent="",
        finding_counts=(("pii.email", 1),),
        circumstances=Circumstances(
            dialect="openai",
            location="cloud",
            max_output_tokens=1024,
            choices=1,
            media=0,
            tools=("search", "open_page"),
            session=f"session-{number % 5000}",
            spent_nano=17_000_000,
            budget_nano=0,
        ),
        session=f"session-{number % 5000}",
        reserved_tokens=4000,
    )


def sample_end(asked: Intent) -> End:
    return End(
        id=asked.id,
        at_ms=asked.at_ms + 900,
        app=asked.app,
        window=asked.window,
        state=EndState.COMPLETED,
        status=200,
        code="",
        effect="allow",
        rules=(),
        findings=(),
        score=0,
        answered_model=asked.upstream_model,
        provider_request_id="req_0123456789abcdef",
        usage=Usage(input_tokens=700, output_tokens=300),
        usage_source="provider",
        cost_nano=1_200_000,
        attempts=1,
        answer_digest=asked.sent_digest,
        timings_us={"parse": 40, "inspect": 300, "record": 900, "upstream": 850_000, "total": 853_000},
        chunks=120,
    )


def show_audit(console: Console, results: tuple[Rate, Rate, Proofs]) -> bool:
    """Print the table; whether every bar is met."""
    appended, verified, proofs = results
    bars = (
        (f"append, {CALLERS} at a time, events/s", appended.a_second, APPEND_BAR, appended.a_second >= APPEND_BAR),
        ("verify records and log, events/s", verified.a_second, VERIFY_BAR, verified.a_second >= VERIFY_BAR),
        (f"prove at {LEAVES:,} leaves, ms, median", proofs.median_ms, PROOF_BAR_MS, proofs.median_ms < PROOF_BAR_MS),
    )
    table = Table("", "Reached", "Bar", "", title="The audit log")
    for name, reached, bar, met in bars:
        table.add_row(name, f"{reached:,.2f}", f"{bar:,.0f}", "met" if met else "MISSED")
    console.print(table)
    console.print(
        f"Append: {appended.a_cpu_second:,.0f} events a second of processor time, all threads. "
        f"Verify: {verified.a_cpu_second:,.0f}.\n"
        f"Proof: the slowest of {PROOFS} {proofs.slowest_ms:.2f} ms; at most {proofs.hashes} hashes, "
        f"{proofs.proof_bytes} bytes beside its entry. Hash tiles: {proofs.tile_files:,} files, "
        f"{proofs.tile_mib:,.0f} MiB."
    )
    return all(met for *_, met in bars)
