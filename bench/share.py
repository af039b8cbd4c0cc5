"""The trail's share of a request's CPU: the same gateway with it, with it but without texts, and without it.

The three serve the same load in turns, so that what else the machine does hits all of them alike. Counted is the CPU of
the trail's own threads, from before a load until the log has taken in what the load left. What the event loop does for
it is measured alone: in place the loop has less to do for what comes in groups, and more comes at once while other
threads have the core, so that a gateway without a trail may even take more.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.audit import Proofs, Rate, sample_end, sample_intent
from bench.gateway import Gateway, Sent, check_records
from bench.load import Round, run_load
from bench.measure import MANY, Run, start_upstream
from bench.process import Cores, Process, free_port, running
from bench.texts import Kind, Prompts
from gptgate.core.ports import RecordStore
from gptgate.storage.sqlite import SqliteStore
from gptgate.wiring import SystemClock, open_audit_log

BAR_US = 60.0
SETTLE_S = 1.6
"""The log takes in what there is once a second."""
DELAY_MS = 5.0
WITH_TEXTS, RECORDED, UNRECORDED = "with texts, sealed", "without texts", "nothing recorded"
VARIANTS: tuple[tuple[str, str, str], ...] = (
    (WITH_TEXTS, "redacted", "gptgate"),
    (RECORDED, "none", "gptgate"),
    (UNRECORDED, "none", "bench.unrecorded"),
)
"""Name, what is kept of texts, and the program."""
THREADS = ("event loop", "other threads")
ALONE = 8_000
"""Requests of the measurement of the event loop's part."""
Cpu = dict[str, float]
"""Microseconds a request: of the process, and of its threads."""


@dataclass(slots=True)
class Share:
    """One value a round for each variant; `loop_us` is what the event loop does for the trail."""

    loop_us: float
    rounds: dict[str, list[Cpu]] = field(default_factory=lambda: {name: [] for name, *_ in VARIANTS})

    def median(self, variant: str, name: str = "process") -> float:
        return statistics.median(cpu[name] for cpu in self.rounds[variant])

    def added(self, variant: str, base: str, name: str = "process") -> float:
        """Median of the differences within each round."""
        pairs = zip(self.rounds[variant], self.rounds[base], strict=True)
        return statistics.median(one[name] - other[name] for one, other in pairs)

    @property
    def threads_us(self) -> float:
        """What the trail's own threads take."""
        return self.added(RECORDED, UNRECORDED, THREADS[1])

    @property
    def trail_us(self) -> float:
        """What the bar is for."""
        return self.threads_us + self.loop_us


def measure_share(
    folder: Path, cores: Cores, run: Run, rounds: int, seconds: float, settle_s: float = SETTLE_S
) -> Share:
    """Raises LoadError where an answer, or in the end a record, is not what it must be."""
    share, upstream_port = Share(run(_loop_part(folder / "alone"))), free_port()
    with ExitStack() as stack:
        upstream = stack.enter_context(running(start_upstream(upstream_port, DELAY_MS, cores, folder)))
        upstream.wait_for_port(upstream_port)
        served: dict[str, tuple[Gateway, Process, Sent]] = {}
        for number, (name, content, program) in enumerate(VARIANTS):
            gateway = Gateway(folder / f"data-{number}", upstream_port, cores.tested, content=content)
            process, _ = gateway.start(program=program)
            served[name] = gateway, stack.enter_context(running(process)), Sent()
        for seed in range(rounds + 1):
            # The first round warms up: caches, the allocator, SQLite's pages.
            turn = seed % len(VARIANTS)
            for name, *_ in VARIANTS[turn:] + VARIANTS[:turn]:
                cpu = _round(*served[name], seed, run, seconds, settle_s)
                if seed:
                    share.rounds[name].append(cpu)
    for name in (WITH_TEXTS, RECORDED):
        gateway, _, sent = served[name]
        check_records(gateway.folder, sent)
    return share


async def _loop_part(folder: Path) -> float:
    """CPU of the event loop's thread, in microseconds a request: with the store, less that without one."""
    store = SqliteStore.open(folder, clock=SystemClock(), timeout_ms=60_000, open_log=open_audit_log)
    took = []
    for used in (store, None):
        numbers = iter(range(ALONE))
        began = time.thread_time_ns()
        async with asyncio.TaskGroup() as group:
            for _ in range(MANY):
                group.create_task(_caller(used, numbers))
        took.append((time.thread_time_ns() - began) / ALONE / 1e3)
    await store.close(60_000)
    return took[0] - took[1]


async def _caller(store: RecordStore | None, numbers: Iterator[int]) -> None:
    for number in numbers:
        asked, ended = sample_intent(number), sample_end(sample_intent(number))
        if store is not None:
            await store.begin(asked, None)
            store.finish(ended, None)


def _round(gateway: Gateway, process: Process, sent: Sent, seed: int, run: Run, seconds: float, settle_s: float) -> Cpu:
    before = _cpu(process)
    result: Round = run(run_load(gateway.target, Prompts(seed, Kind.PLAIN), MANY, seconds))
    time.sleep(settle_s)
    after = _cpu(process)
    sent.add(Kind.PLAIN, result.sent)
    return {name: (after[name] - before[name]) / result.sent / 1e3 for name in after}


def _cpu(process: Process) -> Cpu:
    return {"process": process.cpu_ns(), **process.threads_cpu_ns()}


def show_share(console: Console, share: Share) -> bool:
    """Print the table; whether the bar is met."""
    table = Table("CPU µs a request", *(name for name, *_ in VARIANTS), "the trail", "its texts", box=None)
    for name in ("process", *THREADS):
        table.add_row(
            name,
            *(f"{share.median(variant, name):,.0f}" for variant, *_ in VARIANTS),
            f"{share.added(RECORDED, UNRECORDED, name):,.1f}",
            f"{share.added(WITH_TEXTS, RECORDED, name):,.1f}",
        )
    console.print(table)
    met = share.trail_us <= BAR_US
    said = "met" if met else "MISSED"
    console.print(
        f"The trail's share of a request's CPU: {share.trail_us:.1f} µs (bar {BAR_US:.0f}, {said}): "
        f"{share.threads_us:.1f} in its own threads, {share.loop_us:.1f} in the event loop (measured alone), at {MANY} "
        "connections. Intent and end are made in all three: metrics and the log's lines come of them too."
    )
    return met


def audit_document(
    measured: tuple[Rate, Rate, Proofs] | None, share: Share, conditions: dict[str, Any]
) -> dict[str, Any]:
    """What goes into the JSON file."""
    parts = {
        "trail_us": share.trail_us,
        "threads_us": share.threads_us,
        "loop_us": share.loop_us,
        "texts_us": share.added(WITH_TEXTS, RECORDED),
    }
    document: dict[str, Any] = {"conditions": conditions, "share": {**parts, "rounds": share.rounds}}
    if measured is not None:
        appended, verified, proofs = measured
        document |= {"append": asdict(appended), "verify": asdict(verified), "proofs": asdict(proofs)}
    return document
