"""Where a request's time goes: the stages by the gateway's own records, and the CPU by thread."""

import sqlite3
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.gateway import Gateway, Sent, check_guards, check_records
from bench.load import LoadError, Round, run_load
from bench.measure import MANY, Plan, Run, percentile, start_upstream
from bench.process import Cores, free_port, running
from bench.texts import STREAM_EVENTS, Kind, Prompts
from gptgate.core.events import End
from gptgate.storage.folder import DATABASE_NAME

END = msgspec.json.Decoder(End)
STAGES = "admit inspect decide wait record upstream answer inspect_answer stream overhead total".split()
PHASES: tuple[tuple[str, Kind, int], ...] = (
    ("1 connection", Kind.PLAIN, 1),
    (f"{MANY} connections", Kind.PLAIN, MANY),
    (f"{MANY} streams", Kind.STREAM, MANY),
)


@dataclass(frozen=True, slots=True)
class Phase:
    """One kind of load. CPU in microseconds a request; `stages_us` are medians of wall time."""

    name: str
    requests: int
    p50_us: float
    cpu_us: float
    threads_us: dict[str, float]
    stages_us: dict[str, float]
    chunks: int


def break_down(plan: Plan, cores: Cores, folder: Path, run: Run, profile: Path | None) -> list[Phase]:
    """Load the gateway alone, one kind after the other. With `profile`, under cProfile: its figures only compare."""
    upstream_port = free_port()
    sent = Sent()
    seen: list[tuple[str, Kind, Round, int, int, dict[str, int], int]] = []
    with running(start_upstream(upstream_port, plan.delay_ms, cores, folder)) as upstream:
        upstream.wait_for_port(upstream_port)
        gateway = Gateway(folder / "data", upstream_port, cores.tested)
        process, _ = gateway.start(profile=profile)
        with running(process):
            check_guards(gateway.target, sent)
            warm: Round = run(run_load(gateway.target, Prompts(1, Kind.PLAIN), MANY, plan.warm_up))
            sent.add(Kind.PLAIN, warm.sent)
            for seed, (name, kind, connections) in enumerate(PHASES, 2):
                time.sleep(0.05)
                begin_ms, cpu_ns, threads = time.time_ns() // 1_000_000, process.cpu_ns(), process.threads_cpu_ns()
                result: Round = run(run_load(gateway.target, Prompts(seed, kind), connections, plan.many))
                cpu_ns = process.cpu_ns() - cpu_ns
                used = {thread: ns - threads[thread] for thread, ns in process.threads_cpu_ns().items()}
                sent.add(kind, result.sent)
                seen.append((name, kind, result, begin_ms, time.time_ns() // 1_000_000, used, cpu_ns))
    check_records(gateway.folder, sent)
    phases = []
    for name, kind, result, begin_ms, end_ms, used, cpu_ns in seen:
        phases.append(
            Phase(
                name=name,
                requests=result.sent,
                p50_us=percentile(result.latencies_ns, 50) / 1e3,
                cpu_us=cpu_ns / result.sent / 1e3,
                threads_us={thread: ns / result.sent / 1e3 for thread, ns in used.items()},
                stages_us=_stages(gateway.folder / DATABASE_NAME, begin_ms, end_ms),
                chunks=STREAM_EVENTS if kind is Kind.STREAM else 0,
            )
        )
    return phases


def show_breakdown(console: Console, phases: list[Phase]) -> None:
    """One column for each kind of load."""
    table = Table("µs a request, wall time, medians", *(phase.name for phase in phases), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for stage in STAGES:
        table.add_row(stage, *(f"{p.stages_us[stage]:,.0f}" if stage in p.stages_us else "" for p in phases))
    table.add_row("seen by the client", *(f"{phase.p50_us:,.0f}" for phase in phases))
    table.add_row("")
    table.add_row("CPU µs a request", *(f"{phase.cpu_us:,.0f}" for phase in phases))
    for thread in dict.fromkeys(thread for phase in phases for thread in phase.threads_us):
        table.add_row(f"  {thread}", *(f"{phase.threads_us[thread]:,.0f}" for phase in phases))
    table.add_row("CPU µs a chunk", *(f"{p.cpu_us / p.chunks:,.1f}" if p.chunks else "" for p in phases))
    table.add_row("requests", *(f"{phase.requests:,}" for phase in phases))
    console.print(table)
    console.print(
        "\nadmit: body, key, parse, authorize, limits; decide: rules and the body to send; record: the budget and the "
        "durable intent (waits for the disk); upstream: until the answer's head, its wait for the other core included. "
        "With many connections every stage also waits for its turn."
    )


def _stages(database: Path, begin_ms: int, end_ms: int) -> dict[str, float]:
    """Median of each stage over the requests that ended in this time. Raises LoadError for a stage it does not know."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        rows: list[Any] = connection.execute(
            "SELECT body FROM ends WHERE at_ms BETWEEN ? AND ? AND state = 'completed'", (begin_ms, end_ms)
        ).fetchall()
    finally:
        connection.close()
    taken: dict[str, list[int]] = {}
    for (body,) in rows:
        for stage, micros in END.decode(body).timings_us.items():
            taken.setdefault(stage, []).append(micros)
    if not taken.keys() <= set(STAGES):
        raise LoadError(f"the records have stages that the bench does not show: {sorted(taken.keys() - set(STAGES))}")
    return {stage: statistics.median(values) for stage, values in taken.items()}
