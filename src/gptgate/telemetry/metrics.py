"""Counts and histograms as plain integers, handed to Prometheus when it asks.

Events are many and scrapes are few: an event costs a few dictionary increments, and whole nano-dollars stay exact.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from gptgate.core.events import End, Intent
from gptgate.telemetry import catalog
from gptgate.telemetry.catalog import METRICS, OTHER, STATUS_CLASSES

Labels = tuple[str, ...]
Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class Histogram:
    """Durations in microseconds, counted in buckets; `bounds` are the upper ends, inclusive."""

    def __init__(self, bounds: Sequence[int]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum_us = 0

    def add(self, microseconds: int) -> None:
        """Count one duration."""
        self.counts[bisect_left(self.bounds, microseconds)] += 1
        self.sum_us += microseconds

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper end in seconds, as Prometheus wants them."""
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
    ) -> None:
        self._kinds = frozenset(kinds)
        self._in_flight = in_flight
        self._queues = dict(queues)
        self._models: frozenset[str] = frozenset()
        self._apps: frozenset[str] = frozenset()
        self._rules: frozenset[str] = frozenset()
        self._counts: dict[str, defaultdict[Labels, int]] = {
            metric.name: defaultdict(int) for metric in METRICS if metric.type == "counter"
        }
        self._counts[catalog.LINES_LOST][()] = 0
        self._requests = self._counts[catalog.REQUESTS]
        self._findings = self._counts[catalog.FINDINGS]
        self._tokens = self._counts[catalog.TOKENS]
        self._histograms: dict[str, dict[Labels, Histogram]] = {catalog.DURATION: {}, catalog.OVERHEAD: {}}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def configure(self, *, models: Collection[str], apps: Collection[str], rules: Collection[str]) -> None:
        """Take the names of a new configuration as label values. Counts under earlier names stay."""
        self._models, self._apps, self._rules = frozenset(models), frozenset(apps), frozenset(rules)

    def add(self, intent: Intent, end: End) -> None:
        """Count one request, from its two events."""
        model = intent.model if intent.model in self._models else OTHER
        app = intent.app if intent.app in self._apps else OTHER
        endpoint = intent.endpoint if intent.endpoint in catalog.ENDPOINTS else OTHER
        counts = self._counts
        self._requests[endpoint, model, app, STATUS_CLASSES.get(end.status, OTHER), end.state.value] += 1
        counts[catalog.EFFECTS][(end.effect if end.effect in catalog.EFFECT_NAMES else OTHER,)] += 1
        if end.code:
            counts[catalog.ERRORS][end.code if end.code in catalog.CODES else OTHER, end.state.value] += 1
        for rule in dict.fromkeys(intent.rules + end.rules):
            counts[catalog.RULES][(rule if rule in self._rules else OTHER,)] += 1
        for finding in intent.findings + end.findings:
            kind = finding.kind if finding.kind in self._kinds else OTHER
            self._findings[kind, finding.origin.value] += 1
        self._add_spending(model, app, intent, end)
        self._observe(catalog.DURATION, (endpoint, "yes" if intent.stream else "no"), duration_us(intent, end))
        overhead = overhead_us(end)
        if overhead is not None:
            self._observe(catalog.OVERHEAD, (endpoint,), overhead)

    def _add_spending(self, model: str, app: str, intent: Intent, end: End) -> None:
        usage, counts = end.usage, self._counts
        if usage.input_tokens or usage.output_tokens:
            self._tokens[model, "input"] += usage.input_tokens
            self._tokens[model, "output"] += usage.output_tokens
            self._tokens[model, "cache_read"] += usage.cache_read
            self._tokens[model, "cache_write"] += usage.cache_write
        if intent.reserved_nano:
            counts[catalog.RESERVED][(app,)] += intent.reserved_nano
        if end.cost_nano:
            counts[catalog.COST][model, app] += end.cost_nano
            source = end.usage_source if end.usage_source in catalog.SOURCES else OTHER
            counts[catalog.SETTLED][app, source] += end.cost_nano

    def _observe(self, name: str, labels: Labels, microseconds: int) -> None:
        series = self._histograms[name]
        found = series.get(labels)
        if found is None:
            bounds = catalog.DURATION_BOUNDS_US if name == catalog.DURATION else catalog.OVERHEAD_BOUNDS_US
            found = series[labels] = Histogram(bounds)
        found.add(microseconds)

    def add_chunks(self, endpoint: str, number: int) -> None:
        """Count streamed chunks."""
        self._counts[catalog.CHUNKS][(endpoint if endpoint in catalog.ENDPOINTS else OTHER,)] += number

    def add_auth_failure(self, code: str) -> None:
        """Count a caller who was refused before it was known who calls."""
        self._counts[catalog.AUTH_FAILURES][(code if code in catalog.CODES else OTHER,)] += 1

    def add_lines_lost(self, number: int) -> None:
        """Count log lines that could not be written."""
        self._counts[catalog.LINES_LOST][()] += number

    def collect(self) -> Iterator[Family]:
        """All metrics as Prometheus families; called by the registry."""
        for metric in METRICS:
            match metric.type:
                case "counter":
                    counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
                    for labels, count in self._counts[metric.name].items():
                        counter.add_metric(labels, count)
                    yield counter
                case "histogram":
                    histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
                    for labels, series in self._histograms[metric.name].items():
                        histogram.add_metric(labels, series.buckets(), series.sum_us / 1_000_000)
                    yield histogram
                case _:
                    yield self._gauge(metric)

    def _gauge(self, metric: catalog.Metric) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        if metric.name == catalog.IN_FLIGHT:
            gauge.add_metric((), self._in_flight())
        else:
            for queue, depth in self._queues.items():
                gauge.add_metric((queue,), depth())
        return gauge

    def render(self) -> bytes:
        """All metrics in Prometheus' text format, version 0.0.4."""
        return generate_latest(self._registry)
