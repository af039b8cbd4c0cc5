"""Rounds of load on each target in turn, and what they come to.

The machine is noisy, so no figure is compared over time: every round measures all targets one after the other, ratios
are taken within a round, and what counts is the median over the rounds.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.gateway import Gateway, Sent, check_guards, check_records, upstream_stats
from bench.load import LoadError, Round, Target, ask, run_load
from bench.process import Cores, Process, busy_cpu_ns, free_port, running
from bench.texts import STREAM_EVENTS, Kind, Prompts, plain_text, render_answers, stream_text

MANY = 32
CHECKED = 6
"""Answers of each kind that are compared to the letter before anything is measured."""

Values = dict[str, float]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure what, in seconds a round, and how fast the upstream speaks."""

    rounds: int = 7
    one: float = 2.0
    many: float = 3.0
    streams: float = 3.5
    first: float = 1.5
    warm_up: float = 1.0
    delay_ms: float = 5.0


QUICK = Plan(rounds=2, one=0.5, many=0.8, streams=0.6, first=0.4, warm_up=0.3)


@dataclass(slots=True)
class Results:
    """`rounds`: target → measure → one value a round."""

    rounds: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    once: Values = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)

    def add(self, target: str, values: Values) -> None:
        for name, value in values.items():
            self.rounds[target][name].append(value)

    def median(self, target: str, name: str) -> float:
        return statistics.median(self.rounds[target][name])

    def ratio(self, name: str, target: str = "gateway", base: str = "bare") -> float:
        """Median of the ratios within each round."""
        pairs = zip(self.rounds[target][name], self.rounds[base][name], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def added(self, name: str, base: str, target: str = "gateway") -> float:
        """Median of the differences within each round."""
        pairs = zip(self.rounds[target][name], self.rounds[base][name], strict=True)
        return statistics.median(one - other for one, other in pairs)


class Bench:
    """The processes, while they run."""

    def __init__(self, plan: Plan, cores: Cores, folder: Path, run: Run) -> None:
        self.plan = plan
        self.results = Results()
        self._cores = cores
        self._folder = folder
        self._run = run
        self._seed = 0
        self._sent: dict[str, Sent] = defaultdict(Sent)
        self._processes: dict[str, Process] = {}

    def measure(self) -> Results:
        """Everything, start to end. Raises LoadError when an answer or a record is not what it must be."""
        upstream_port, bare_port = free_port(), free_port()
        with running(start_upstream(upstream_port, self.plan.delay_ms, self._cores, self._folder)) as upstream:
            upstream.wait_for_port(upstream_port)
            arguments = [
                "-m",
                "bench.bare",
                "--port",
                str(bare_port),
                "--upstream",
                f"http://127.0.0.1:{upstream_port}",
            ]
            with running(Process(arguments, self._cores.tested, self._folder / "bare.log")) as bare:
                bare.wait_for_port(bare_port)
                gateway = Gateway(self._folder / "data", upstream_port, self._cores.tested)
                self.results.once["first_start_ms"] = self._serve_once(gateway)
                process, self.results.once["start_ms"] = gateway.start()
                with running(process):
                    self._processes = {"upstream": upstream, "bare": bare, "gateway": process}
                    targets = [Target("direct", upstream_port), Target("bare", bare_port), gateway.target]
                    self._load(targets, gateway)
            self._check_records(gateway, upstream_port)
            self.results.once["restart_ms"] = self._serve_once(gateway)
        return self.results

    def _serve_once(self, gateway: Gateway) -> float:
        process, ready_ms = gateway.start()
        code = process.stop()
        if code:
            raise LoadError(f"the gateway's orderly end gave the exit code {code}")
        return ready_ms

    def _load(self, targets: list[Target], gateway: Gateway) -> None:
        results, processes = self.results, self._processes
        results.once["idle_mb"] = processes["gateway"].memory_mb()["rss"]
        results.once["bare_idle_mb"] = processes["bare"].memory_mb()["rss"]
        check_guards(gateway.target, self._sent["gateway"])
        for target in targets:
            self._check_answers(target)
            self._go(target, Kind.PLAIN, MANY, self.plan.warm_up)
        began_ns, busy_ns, ours_ns = time.perf_counter_ns(), busy_cpu_ns(), self._our_cpu_ns()
        for number in range(self.plan.rounds):
            for target in targets[number % 3 :] + targets[: number % 3]:
                results.add(target.name, self._round(target))
            results.add("gateway", {"rss_mb": processes["gateway"].memory_mb()["rss"]})
        others_ns = busy_cpu_ns() - busy_ns - (self._our_cpu_ns() - ours_ns)
        results.once["others_share"] = others_ns / (time.perf_counter_ns() - began_ns)
        time.sleep(1)
        memory = processes["gateway"].memory_mb()
        results.once["after_load_mb"], results.once["peak_mb"] = memory["rss"], memory["peak"]
        results.once["bare_after_load_mb"] = processes["bare"].memory_mb()["rss"]

    def _our_cpu_ns(self) -> int:
        return time.process_time_ns() + sum(process.cpu_ns() for process in self._processes.values())

    def _round(self, target: Target) -> Values:
        """One target, everything once."""
        plan = self.plan
        one = self._go(target, Kind.PLAIN, 1, plan.one)
        values = {"one_rps": one.in_time / one.elapsed_ns * 1e9, **_percentiles("one", one.latencies_ns)}
        values |= self._many(target)
        first = self._go(target, Kind.SHORT_STREAM, 1, plan.first)
        values |= _percentiles("first_word", first.first_ns)
        if target.name in self._processes:
            cpu_ns = self._processes[target.name].cpu_ns()
            streams = self._go(target, Kind.STREAM, MANY, plan.streams)
            cpu_ns = self._processes[target.name].cpu_ns() - cpu_ns
            values["chunk_cpu_us"] = cpu_ns / (streams.sent * STREAM_EVENTS) / 1e3
            values["chunks_per_cpu_s"] = streams.sent * STREAM_EVENTS / (cpu_ns / 1e9)
            values |= _percentiles("crowd_first_word", streams.first_ns)
        return values

    def _many(self, target: Target) -> Values:
        """Plain requests on many connections, and how busy the cores were with it."""
        tested = self._processes.get(target.name)
        upstream = self._processes["upstream"]
        begin_ns, load_ns = time.perf_counter_ns(), time.process_time_ns() + upstream.cpu_ns()
        tested_ns = tested.cpu_ns() if tested else 0
        many = self._go(target, Kind.PLAIN, MANY, self.plan.many)
        took_ns = time.perf_counter_ns() - begin_ns
        values = {"many_rps": many.in_time / many.elapsed_ns * 1e9, **_percentiles("many", many.latencies_ns)}
        values["load_share"] = (time.process_time_ns() + upstream.cpu_ns() - load_ns) / took_ns
        if tested:
            tested_ns = tested.cpu_ns() - tested_ns
            values["request_cpu_us"] = tested_ns / many.sent / 1e3
            values["tested_share"] = tested_ns / took_ns
        return values

    def _go(self, target: Target, kind: Kind, connections: int, seconds: float) -> Round:
        self._seed += 1
        result: Round = self._run(run_load(target, Prompts(self._seed, kind), connections, seconds))
        self._sent[target.name].add(kind, result.sent)
        return result

    def _check_answers(self, target: Target) -> None:
        """What comes through is what the upstream said, to the letter."""
        answers = render_answers()
        for kind in Kind:
            self._seed += 1
            prompts = Prompts(self._seed, kind)
            read = plain_text if kind is Kind.PLAIN else stream_text
            bodies = self._run(ask(target, [prompts.next() for _ in range(CHECKED)]))
            for body in bodies:
                if read(body) not in answers.texts[kind]:
                    raise LoadError(f"{target.name} changed an answer ({kind}): {body[:500]!r}")
            self._sent[target.name].add(kind, CHECKED)

    def _check_records(self, gateway: Gateway, upstream_port: int) -> None:
        """The records, the upstream and the load generator agree, and no card number has left the gateway."""
        self.results.records = check_records(gateway.folder, self._sent["gateway"])
        stats = upstream_stats(upstream_port)
        for kind in Kind:
            sent = sum(one.of(kind) for one in self._sent.values())
            if stats.get(kind, 0) != sent:
                raise LoadError(f"the upstream served {stats.get(kind, 0)} requests ({kind}), {sent} were sent")
        if "card numbers" in stats:
            raise LoadError("a card number reached the upstream")


def start_upstream(port: int, delay_ms: float, cores: Cores, folder: Path) -> Process:
    """The bench's own upstream."""
    arguments = ["-m", "bench.upstream", "--port", str(port), "--delay-ms", str(delay_ms)]
    return Process(arguments, cores.upstream, folder / "upstream.log")


def percentile(values: list[int], percent: float) -> float:
    """Nearest rank; raises LoadError where there are no values."""
    if not values:
        raise LoadError("nothing was answered in a round: it was too short for this machine")
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))])


def _percentiles(name: str, nanoseconds: list[int]) -> Values:
    return {f"{name}_p{percent}_ms": percentile(nanoseconds, percent) / 1e6 for percent in (50, 99)}
