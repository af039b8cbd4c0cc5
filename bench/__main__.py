"""``python -m bench``: measure, print the table and the bars, write the JSON file."""

import argparse
import asyncio
import gc
import os
import pstats
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import uvloop
from rich.console import Console
from rich.markup import escape

from bench.audit import measure_audit, show_audit
from bench.breakdown import break_down, show_breakdown
from bench.cost import BAR_US, ROUNDS, measure_cost, show_cost
from bench.load import LoadError
from bench.measure import QUICK, Bench, Plan, Run
from bench.policy import measure_policy, show_policy
from bench.process import Cores, machine, share_cores
from bench.report import bars, document, show, show_conditions, write_json
from bench.share import SETTLE_S, audit_document, measure_share, show_share

PROFILE_LINES = 30
SHARE_ROUNDS, SHARE_S = 9, 2.0
QUICK_SHARE = (1, 0.3, 0.1)


def main() -> int:
    """0; 1 when something answered or recorded what it must not, or a bar was missed under ``--strict``."""
    asked = _arguments()
    plan = QUICK if asked.quick else Plan()
    if asked.rounds:
        plan = replace(plan, rounds=asked.rounds)
    if asked.policy:
        return _policy(asked.strict)
    if asked.audit:
        return _audit(asked)
    if asked.cost:
        return _cost(asked)
    console = Console(width=max(110, Console().width), highlight=False)
    cores = share_cores()
    os.sched_setaffinity(0, cores.load)
    gc.disable()
    with (
        tempfile.TemporaryDirectory(prefix="gptgate-bench-", dir=asked.data) as name,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        try:
            if asked.breakdown or asked.profile:
                _break_down(console, plan, cores, Path(name), runner.run, asked.profile)
                return 0
            return _measure(console, plan, cores, Path(name), runner.run, asked)
        except (LoadError, RuntimeError) as error:
            console.print(f"[red]The measurement is worth nothing:[/red] {escape(str(error))}")
            return 1


def _measure(console: Console, plan: Plan, cores: Cores, folder: Path, run: Run, asked: argparse.Namespace) -> int:
    conditions = machine(folder)
    show_conditions(console, conditions, cores)
    console.print()
    results = Bench(plan, cores, folder, run).measure()
    show(console, results, cores)
    path = write_json(asked.json, document(results, plan, cores, conditions))
    console.print(f"\nWritten to {path}")
    return 1 if asked.strict and not all(bar.passed for bar in bars(results)) else 0


def _break_down(console: Console, plan: Plan, cores: Cores, folder: Path, run: Run, profile: Path | None) -> None:
    show_conditions(console, machine(folder), cores)
    console.print()
    show_breakdown(console, break_down(plan, cores, folder, run, profile))
    if profile:
        console.print(f"\nUnder cProfile, which slows everything down; the profile of the event loop is in {profile}\n")
        pstats.Stats(str(profile)).sort_stats("tottime").print_stats(PROFILE_LINES)


def _policy(strict: bool) -> int:
    costs, chunk_us = measure_policy()
    return int(not show_policy(Console(highlight=False), costs, chunk_us) and strict)


def _audit(asked: argparse.Namespace) -> int:
    console = Console(width=max(110, Console().width), highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="gptgate-bench-", dir=asked.data) as name,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        folder, cores = Path(name), share_cores()
        measured = None if asked.quick else measure_audit(folder)
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores.load)
        try:
            how = QUICK_SHARE if asked.quick else (asked.rounds or SHARE_ROUNDS, SHARE_S, SETTLE_S)
            share = measure_share(folder, cores, runner.run, *how)
        except (LoadError, RuntimeError) as error:
            console.print(f"[red]The measurement is worth nothing:[/red] {escape(str(error))}")
            return 1
        finally:
            os.sched_setaffinity(0, own)
        met = [show_share(console, share), *([show_audit(console, measured)] if measured else [])]
        if asked.json:
            write_json(asked.json, audit_document(measured, share, machine(folder)))
    return int(asked.strict and not all(met))


def _cost(asked: argparse.Namespace) -> int:
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="gptgate-bench-", dir=asked.data) as name:
        conditions = machine(Path(name))
        found = asyncio.run(measure_cost(Path(name), asked.rounds or ROUNDS))
    show_cost(console, found)
    content = {"machine": conditions, "bar_us": BAR_US, "passed": found.passed, **asdict(found)}
    console.print(f"\nWritten to {write_json(asked.json, content)}")
    return int(not found.passed and asked.strict)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of half a minute; its figures mean little")
    parser.add_argument("--policy", action="store_true", help="only what inspection and decision cost, by size of text")
    parser.add_argument(
        "--audit",
        action="store_true",
        help="only what the audit log costs: append, verify, prove, and its share of a request",
    )
    parser.add_argument("--cost", action="store_true", help="only what limits, budgets and usage add to a request")
    parser.add_argument("--rounds", type=int, default=0, help="how many rounds")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a bar is missed")
    parser.add_argument("--json", type=Path, help="where the results go; default bench/results/<UTC time>.json")
    parser.add_argument(
        "--data", type=Path, help="the folder, so the disk, for the gateway's data; default the system's"
    )
    parser.add_argument(
        "--breakdown", action="store_true", help="time by stage and CPU by thread, of the gateway alone"
    )
    parser.add_argument(
        "--profile",
        type=lambda name: Path(name).resolve(),
        help="the same under cProfile; the file that takes the profile",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
