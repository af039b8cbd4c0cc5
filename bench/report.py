"""The table, the bars, and the JSON file beside them."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import MANY, Plan, Results
from bench.process import ROOT, Cores

TARGETS = ("direct", "bare", "gateway")
ROWS: tuple[tuple[str, str, str], ...] = (
    ("one_rps", "requests/s, 1 connection", "{:,.0f}"),
    ("many_rps", f"requests/s, {MANY} connections", "{:,.0f}"),
    ("one_p50_ms", "latency p50 ms, 1 connection", "{:.3f}"),
    ("one_p99_ms", "latency p99 ms, 1 connection", "{:.3f}"),
    ("many_p50_ms", f"latency p50 ms, {MANY} connections", "{:.2f}"),
    ("many_p99_ms", f"latency p99 ms, {MANY} connections", "{:.2f}"),
    ("first_word_p50_ms", "time to first word p50 ms, 1 stream", "{:.3f}"),
    ("first_word_p99_ms", "time to first word p99 ms, 1 stream", "{:.3f}"),
    ("crowd_first_word_p50_ms", f"time to first word p50 ms, {MANY} streams", "{:.2f}"),
    ("request_cpu_us", f"CPU µs a request, {MANY} connections", "{:.0f}"),
    ("chunk_cpu_us", f"CPU µs a streamed chunk, {MANY} streams", "{:.1f}"),
    ("chunks_per_cpu_s", "streamed chunks a CPU-second", "{:,.0f}"),
    ("tested_share", f"own core busy, {MANY} connections", "{:.0%}"),
    ("load_share", f"load generator + upstream busy, {MANY} connections", "{:.0%}"),
)
ADDED = tuple(name for name, _, _ in ROWS if name.endswith("_ms"))
RATIOS = ("one_rps", "many_rps", "request_cpu_us", "chunk_cpu_us", "chunks_per_cpu_s")
BUSY = 0.9
"""A core this busy is the limit; a process under test that is less busy waits for something else."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What must be reached. `at_least`: more is better. `void` says why reaching it proves nothing in this run."""

    name: str
    reached: float
    limit: float
    at_least: bool
    void: str = ""

    @property
    def reached_it(self) -> bool:
        return self.reached >= self.limit if self.at_least else self.reached <= self.limit

    @property
    def passed(self) -> bool:
        return self.reached_it and not self.void


def bars(results: Results) -> list[Bar]:
    """The bars, in the order of the issue that set them."""
    throughput, added = results.ratio("many_rps"), results.added("one_p50_ms", "direct")
    # Where the bare pass-through is held back by something else, it is no measure of anything.
    busy = results.median("bare", "tested_share")
    void = "" if busy >= BUSY else f"the bare pass-through had only {busy:.0%} of its core"
    return [
        Bar(f"throughput, times bare, {MANY} connections", throughput, 0.55, at_least=True, void=void),
        Bar("added latency to direct, p50 ms, 1 connection", added, 1.0, at_least=False),
        Bar("CPU of a streamed chunk, times bare", results.ratio("chunk_cpu_us"), 2.0, at_least=False),
        Bar("memory after load, MB", results.once["after_load_mb"], 150.0, at_least=False),
    ]


def warnings(results: Results, cores: Cores) -> list[str]:
    """What makes the figures less than they seem."""
    found = [f"{cores.note}."] if cores.tested & cores.load else []
    for name in ("bare", "gateway"):
        tested, load = results.median(name, "tested_share"), results.median(name, "load_share")
        if load > BUSY and cores.load == cores.upstream:
            found.append(f"{name}: load generator and upstream were the limit ({load:.0%} of their core).")
        elif tested < BUSY:
            found.append(f"{name}: its core was only {tested:.0%} busy; it waited for something (disk, other side).")
    if results.once["others_share"] > 0.1:
        found.append(f"Something else used {results.once['others_share']:.0%} of a core meanwhile.")
    return found


def document(results: Results, plan: Plan, cores: Cores, machine: dict[str, Any]) -> dict[str, Any]:
    """Everything, for the file."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine,
        "conditions": {"cores": cores.note, **asdict(plan), "connections": MANY, "warnings": warnings(results, cores)},
        "bars": [{**asdict(bar), "passed": bar.passed} for bar in bars(results)],
        "medians": {
            target: {name: results.median(target, name) for name in measures}
            for target, measures in results.rounds.items()
        },
        "ratios_to_bare": {name: results.ratio(name) for name in RATIOS},
        "added_to_direct": {name: results.added(name, "direct") for name in ADDED if name in results.rounds["direct"]},
        "added_to_bare": {name: results.added(name, "bare") for name in ADDED},
        "once": results.once,
        "records": results.records,
        "rounds": results.rounds,
    }


def write_json(path: Path | None, content: dict[str, Any]) -> Path:
    """Write it; where no path is given, to ``bench/results/<UTC time>.json``."""
    if path is None:
        path = ROOT / "bench" / "results" / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def show_conditions(console: Console, machine: dict[str, Any], cores: Cores) -> None:
    """On what it ran."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    console.print(f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, Python {machine['python']}")
    console.print(packages)
    console.print(f"Cores: {cores.note}. Load before: {', '.join(f'{load:.2f}' for load in machine['load_before'])}.")
    console.print(
        f"A sync of this disk: {machine['sync_overwrite_us']:.0f} µs in place, {machine['sync_append_us']:.0f} µs when "
        "the file grows. Every request waits for one before it is sent."
    )


def show(console: Console, results: Results, cores: Cores) -> None:
    """The table, what was seen once, and the bars."""
    table = Table(*("", *TARGETS, "to bare", "to direct"), box=None, pad_edge=False, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, label, form in ROWS:
        cells = [form.format(results.median(target, name)) if _has(results, target, name) else "" for target in TARGETS]
        table.add_row(label, *cells, _to(results, name, "bare"), _to(results, name, "direct"))
    console.print(table)
    once = results.once
    console.print(
        f"\nMemory MB: {once['idle_mb']:.0f} idle, {once['after_load_mb']:.0f} after load, {once['peak_mb']:.0f} at "
        f"its highest (bare: {once['bare_idle_mb']:.0f}, {once['bare_after_load_mb']:.0f}). Start until ready: "
        f"{once['first_start_ms']:.0f} ms in an empty folder, {once['start_ms']:.0f} ms, "
        f"{once['restart_ms']:.0f} ms with {results.records['requests']:,} requests on record."
    )
    console.print(
        f"All {results.records['requests'] - results.records['refused']:,} answers were 200 and complete; records, "
        "upstream and load generator agree to the token and the nano-dollar; an attack was refused, a card number "
        "cut out."
    )
    for line in warnings(results, cores):
        console.print(f"[yellow]Note: {line}[/yellow]")
    console.print()
    for bar in bars(results):
        colour, word = ("green", "PASS") if bar.passed else ("yellow", "VOID") if bar.reached_it else ("red", "FAIL")
        why = f"; {bar.void}" if word == "VOID" else ""
        sign = "≥" if bar.at_least else "≤"
        console.print(f"[{colour}]{word}[/{colour}]  {bar.name}: {bar.reached:.2f} ({sign} {bar.limit:g}){why}")


def _has(results: Results, target: str, name: str) -> bool:
    return name in results.rounds[target]


def _to(results: Results, name: str, base: str) -> str:
    """The gateway against a base: a difference for latencies, a ratio for the rest."""
    if not _has(results, base, name) or name.endswith("_share"):
        return ""
    if name in ADDED:
        return f"{results.added(name, base):+.3f}"
    return f"×{results.ratio(name, base=base):.2f}"
