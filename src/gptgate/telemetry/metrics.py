"""Counts and histograms as plain integers, handed to Prometheus when it asks.

Events are many and scrapes are few: an event costs a few dictionary increments, and whole nano-dollars stay exact.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from gptgate.core.classifier import PREFIX
from gptgate.core.errors import StreamOutgrown
from gptgate.core.events import End, Intent, has_overrun, overrun_nano
from gptgate.core.facts import Usage
from gptgate.core.snapshot import Effect
from gptgate.telemetry import catalog
from gptgate.telemetry.catalog import (
    CODES,
    DURATION_BOUNDS_US,
    EFFECT_NAMES,
    ENDPOINTS,
    GUARD_LABELS,
    METRICS,
    NONE,
    OTHER,
    OVERHEAD_BOUNDS_US,
    RATIO_BOUNDS_MILLIONTHS,
    SOURCES,
    STATUS_CLASSES,
    UNLISTED,
)

Labels = tuple[str, ...]
Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class Histogram:
    """Millionths (of a second, or of a ratio) counted in buckets; `bounds` are the upper ends, inclusive."""

    def __init__(self, bounds: Sequence[int]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum_millionths = 0

    def add(self, millionths: int) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, millionths)] += 1
        self.sum_millionths += millionths

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper end in whole units, as Prometheus wants them."""
        total = 0
        rows: list[tuple[str, float]] = []
        ends = [str(bound / 1_000_000) for bound in self.bounds] + ["+Inf"]
        for end, count in zip(ends, self.counts, strict=True):
            total += count
            rows.append((end, total))
        return rows


def duration_us(intent: Intent, end: End) -> int:
    """How long the request took: the timing ``total`` where there is one, else from the two events' wall clocks."""
    total = end.timings_us.get("total")
    return max(0, (end.at_ms - intent.at_ms) * 1000) if total is None else total


def overhead_us(end: End) -> int | None:
    """What the gateway added: the timing ``overhead``, or ``total`` less ``upstream``; None when neither is known."""
    timings = end.timings_us
    known = timings.get("overhead")
    if known is None and "total" in timings and "upstream" in timings:
        known = max(0, timings["total"] - timings["upstream"])
    return known


def _series(found: dict[Labels, Histogram], labels: Labels, bounds: Sequence[int]) -> Histogram:
    histogram = found.get(labels)
    if histogram is None:
        histogram = found[labels] = Histogram(bounds)
    return histogram


class Metrics(Collector):
    """All metrics of one process, in a registry of their own. Not thread-safe: one thread counts and scrapes.

    Label values come from the configuration and from fixed sets; everything else is counted as ``other``.
    """

    def __init__(
        self,
        *,
        kinds: Collection[str],
        in_flight: Callable[[], int],
        queues: Mapping[str, Callable[[], int]],
        gauges: Mapping[str, Callable[[], Mapping[Labels, float]]] | None = None,
    ) -> None:
        """`gauges` give the values of the catalog's other gauges, and of what others count, by their labels."""
        self._kinds = frozenset(kinds)
        self._gauges = dict(gauges or {})
        self._in_flight = in_flight
        self._queues = dict(queues)
        self._models: frozenset[str] = frozenset()
        self._apps: frozenset[str] = frozenset()
        self._rules: frozenset[str] = frozenset()
        self._limits: frozenset[str] = frozenset()
        self._guards: frozenset[str] = GUARD_LABELS
        self._classifiers: frozenset[str] = frozenset()
        self._external: frozenset[str] = frozenset()
        self._counts: dict[str, defaultdict[Labels, int]] = {
            metric.name: defaultdict(int) for metric in METRICS if metric.type == "counter"
        }
        self._counts[catalog.LINES_LOST][()] = 0
        self._requests = self._counts[catalog.REQUESTS]
        self._errors = self._counts[catalog.ERRORS]
        self._effects = self._counts[catalog.EFFECTS]
        self._rules_fired = self._counts[catalog.RULES]
        self._findings = self._counts[catalog.FINDINGS]
        self._tokens = self._counts[catalog.TOKENS]
        self._cost = self._counts[catalog.COST]
        self._reserved = self._counts[catalog.RESERVED]
        self._settled = self._counts[catalog.SETTLED]
        self._durations: dict[Labels, Histogram] = {}
        self._overheads: dict[Labels, Histogram] = {}
        self._ratios: dict[Labels, Histogram] = {}
        self._histograms = {
            catalog.DURATION: self._durations,
            catalog.OVERHEAD: self._overheads,
            catalog.TIGHTNESS: self._ratios,
        }
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def configure(
        self,
        *,
        models: Collection[str],
        apps: Collection[str],
        rules: Collection[str],
        classifiers: Mapping[str, Collection[str]] | None = None,
        custom: Collection[str] = (),
        limits: Collection[str] = (),
    ) -> None:
        """Take the names of a new configuration as label values. Counts under earlier names stay.

        `classifiers` are the kinds of findings of each, `custom` those of the configured words and patterns.
        """
        classifiers = classifiers or {}
        self._models, self._apps, self._rules = frozenset(models), frozenset(apps), frozenset(rules)
        self._limits = frozenset(limits)
        self._guards = GUARD_LABELS | {f"rule {id}" for id in rules} | {f"classifier {name}" for name in classifiers}
        self._classifiers = frozenset(classifiers)
        self._external = frozenset(kind for kinds in (custom, *classifiers.values()) for kind in kinds)

    def model_label(self, model: str) -> str:
        """A model's name as it may be shown: a configured one, ``none`` where none was granted, else ``other``."""
        return model if model in self._models else OTHER if model else NONE

    def add(self, intent: Intent, end: End) -> None:
        """Count one request, from its two events."""
        model = self.model_label(intent.model)
        app = intent.app if intent.app in self._apps else OTHER
        endpoint = intent.endpoint if intent.endpoint in ENDPOINTS else OTHER
        self._requests[endpoint, model, app, STATUS_CLASSES.get(end.status, OTHER), end.state] += 1
        self._effects[(end.effect if end.effect in EFFECT_NAMES else OTHER,)] += 1
        if end.code:
            self._errors[end.code if end.code in CODES else OTHER, end.state] += 1
        if end.limit:
            self._counts[catalog.LIMITED][(end.limit if end.limit in self._limits else OTHER,)] += 1
        if end.failed_guard:
            guard = "detectors" if end.failed_guard.startswith("detector ") else end.failed_guard
            self._counts[catalog.GUARDS][(guard if guard in self._guards else OTHER,)] += 1
        rules = intent.rules + end.rules
        for rule in dict.fromkeys(rules) if rules else ():
            self._rules_fired[(rule if rule in self._rules else OTHER,)] += 1
        for event in (intent, end):
            if event.findings or event.finding_counts:
                self._add_findings(event)
            if event.opinions:
                self._add_opinions(event)
        self._add_spending(model, app, intent, end)
        if end.chunks:
            self._counts[catalog.CHUNKS][(endpoint,)] += end.chunks
        labels = (endpoint, "yes" if intent.stream else "no")
        _series(self._durations, labels, DURATION_BOUNDS_US).add(duration_us(intent, end))
        overhead = overhead_us(end)
        if overhead is not None:
            _series(self._overheads, (endpoint,), OVERHEAD_BOUNDS_US).add(overhead)

    def _add_findings(self, event: Intent | End) -> None:
        unlisted = Counter(dict(event.finding_counts))
        for finding in event.findings:
            self._findings[self._kind(finding.kind), finding.origin] += 1
            unlisted[finding.kind] -= 1
        # An event lists its first findings only; the rest are counted by kind, their origins are not known.
        for kind, number in unlisted.items():
            if number > 0:
                self._findings[self._kind(kind), UNLISTED] += number

    def _kind(self, kind: str) -> str:
        return kind if kind in self._kinds or kind in self._external else OTHER

    def _add_opinions(self, side: Intent | End) -> None:
        for opinion in side.opinions:
            outcome = "failed" if opinion.failure else "answered"
            if opinion.failure and f"{PREFIX}.{opinion.classifier}" in side.failures:
                outcome = Effect.ALLOWED_ON_FAILURE.value
            name = opinion.classifier if opinion.classifier in self._classifiers else OTHER
            self._counts[catalog.OPINIONS][name, outcome] += 1

    def _add_spending(self, model: str, app: str, intent: Intent, end: End) -> None:
        usage = end.usage if end.usage_source != "estimated" else Usage()
        if usage.input_tokens or usage.output_tokens:
            self._tokens[model, "input"] += usage.input_tokens
            self._tokens[model, "output"] += usage.output_tokens
        if usage.cache_read or usage.cache_write:
            self._tokens[model, "cache_read"] += usage.cache_read
            self._tokens[model, "cache_write"] += usage.cache_write
        for tool, uses in usage.tool_uses.items():
            self._counts[catalog.TOOL_USES][model, tool if tool in catalog.TOOLS else OTHER] += uses
        if intent.reserved_nano:
            self._reserved[(app,)] += intent.reserved_nano
        if end.cost_nano:
            self._cost[model, app] += end.cost_nano
            self._settled[app, end.usage_source if end.usage_source in SOURCES else OTHER] += end.cost_nano
        if end.usage_source == "provider" and end.cost_nano:
            ratio = intent.reserved_nano * 1_000_000 // end.cost_nano
            _series(self._ratios, (model,), RATIO_BOUNDS_MILLIONTHS).add(ratio)
        if has_overrun(intent, end):
            self._counts[catalog.OVERRUNS][(model,)] += 1
            self._counts[catalog.OVERRUN_MONEY][(model,)] += overrun_nano(intent, end)
        if end.extensions or end.code == StreamOutgrown.code:
            outcome = "ended" if end.code == StreamOutgrown.code else "extended"
            self._counts[catalog.OUTGROWN][model, outcome] += 1

    def add_auth_failure(self, code: str) -> None:
        """Count a caller who was refused before it was known who calls."""
        self._counts[catalog.AUTH_FAILURES][(code if code in CODES else OTHER,)] += 1

    def add_threshold(self, budget: str, percent: int) -> None:
        """Count an account of a configured budget that reached one of the budget's thresholds."""
        self._counts[catalog.BUDGETS][budget, str(percent)] += 1

    def add_witnessed(self, witness: str, outcome: str) -> None:
        """Count what became of a head that was shown to a configured witness."""
        self._counts[catalog.WITNESSED][witness, outcome] += 1

    def add_lines_lost(self, number: int) -> None:
        """Count log lines that could not be written."""
        self._counts[catalog.LINES_LOST][()] += number

    def collect(self) -> Iterator[Family]:
        """All metrics as Prometheus families; called by the registry."""
        for metric in METRICS:
            match metric.type:
                case "counter":
                    counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
                    elsewhere = self._gauges.get(metric.name)
                    counts = self._counts[metric.name] if elsewhere is None else elsewhere()
                    for labels, count in counts.items():
                        counter.add_metric(labels, count)
                    yield counter
                case "histogram":
                    histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
                    for labels, series in self._histograms[metric.name].items():
                        histogram.add_metric(labels, series.buckets(), series.sum_millionths / 1_000_000)
                    yield histogram
                case _:
                    yield self._gauge(metric)

    def _gauge(self, metric: catalog.Metric) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        if metric.name == catalog.IN_FLIGHT:
            gauge.add_metric((), self._in_flight())
        elif metric.name == catalog.QUEUE_DEPTH:
            for queue, depth in self._queues.items():
                gauge.add_metric((queue,), depth())
        elif metric.name in self._gauges:
            for labels, value in self._gauges[metric.name]().items():
                gauge.add_metric(labels, value)
        return gauge

    def render(self) -> bytes:
        """All metrics in Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry)
