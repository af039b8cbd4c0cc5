"""Every metric, once. The collector and the reference derive from this table."""

from typing import NamedTuple

from gptgate.core.errors import GateError
from gptgate.core.events import EndState
from gptgate.core.snapshot import ENDPOINT_NAMES, Effect

OTHER = "other"
"""The label value of everything that is not configured: callers cannot make new series."""

NONE = "none"
"""The label value of a model where none was asked for or granted."""

UNLISTED = "unlisted"
"""The origin of findings beyond those that an event lists."""


class Metric(NamedTuple):
    """`name` is without the suffixes that Prometheus adds: ``_total`` to counters, ``_bucket`` … to histograms."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


REQUESTS = "gptgate_requests"
ERRORS = "gptgate_errors"
LIMITED = "gptgate_limit_refusals"
GUARDS = "gptgate_guard_failures"
EFFECTS = "gptgate_effects"
RULES = "gptgate_rules"
FINDINGS = "gptgate_findings"
OPINIONS = "gptgate_classifier_opinions"
TOKENS = "gptgate_tokens"
COST = "gptgate_cost_nano_usd"
RESERVED = "gptgate_reserved_nano_usd"
SETTLED = "gptgate_settled_nano_usd"
TIGHTNESS = "gptgate_reserved_to_settled_ratio"
OVERRUNS = "gptgate_ceiling_overruns"
OVERRUN_MONEY = "gptgate_ceiling_overrun_nano_usd"
TOOL_USES = "gptgate_provider_tool_uses"
OUTGROWN = "gptgate_streams_outgrown"
BUDGETS = "gptgate_budget_thresholds"
DURATION = "gptgate_request_duration_seconds"
OVERHEAD = "gptgate_overhead_seconds"
CHUNKS = "gptgate_stream_chunks"
AUTH_FAILURES = "gptgate_auth_failures"
LINES_LOST = "gptgate_log_lines_lost"
WITNESSED = "gptgate_witness_checkpoints"
WITNESS_BEHIND = "gptgate_witness_behind_entries"
LOG_ENTRIES = "gptgate_log_entries"
LOG_LAG = "gptgate_log_lag_entries"
LOG_LAG_SECONDS = "gptgate_log_lag_seconds"
IN_FLIGHT = "gptgate_requests_in_flight"
QUEUE_DEPTH = "gptgate_queue_depth"

SINK_LAG = "gptgate_sink_lag_entries"
SINK_FAILURES = "gptgate_sink_failures"
SINK_REFUSED = "gptgate_sink_refused_entries"

METRICS: tuple[Metric, ...] = (
    Metric(
        REQUESTS,
        "counter",
        ("endpoint", "model", "app", "status", "state"),
        "Requests that ended, by class of HTTP status (2xx, 4xx, 5xx) and by how they ended.",
    ),
    Metric(ERRORS, "counter", ("code", "state"), "Requests that ended with an error code of the gateway."),
    Metric(LIMITED, "counter", ("limit",), "Requests that a limit, a guard or a budget of the configuration refused."),
    Metric(
        GUARDS,
        "counter",
        ("guard",),
        "Requests refused because a guard could not answer: rule ID, classifier NAME, or what the guard does.",
    ),
    Metric(EFFECTS, "counter", ("effect",), "Requests by the strongest effect that the policy had on them."),
    Metric(RULES, "counter", ("rule",), "Requests on which a rule fired."),
    Metric(FINDINGS, "counter", ("kind", "origin"), "Findings in requests and answers, by whose words they stood in."),
    Metric(
        OPINIONS,
        "counter",
        ("classifier", "outcome"),
        "Questions to external classifiers: answered, failed, or allowed_on_failure where the request passed anyway.",
    ),
    Metric(
        TOKENS,
        "counter",
        ("model", "direction"),
        "Tokens that providers reported. cache_read and cache_write are counted in input too.",
    ),
    Metric(TOOL_USES, "counter", ("model", "tool"), "Uses of tools that providers ran, such as web_search."),
    Metric(COST, "counter", ("model", "app"), "Money spent, in billionths of a US dollar."),
    Metric(RESERVED, "counter", ("app",), "Money reserved before requests were sent, in billionths of a US dollar."),
    Metric(
        SETTLED,
        "counter",
        ("app", "source"),
        "Money that stayed spent, in billionths of a US dollar, by where the usage is known from.",
    ),
    Metric(
        TIGHTNESS,
        "histogram",
        ("model",),
        "What was reserved for a request, divided by what it cost. Only where the provider reported the usage.",
    ),
    Metric(OVERRUNS, "counter", ("model",), "Requests that took more than was reserved for them."),
    Metric(OVERRUN_MONEY, "counter", ("model",), "What they cost beyond it, in billionths of a US dollar."),
    Metric(
        OUTGROWN,
        "counter",
        ("model", "outcome"),
        "Streams that outgrew their reservation: extended, or ended (some of these after they had been extended).",
    ),
    Metric(
        BUDGETS, "counter", ("budget", "percent"), "Thresholds that accounts of budgets reached, each once in a window."
    ),
    Metric(DURATION, "histogram", ("endpoint", "stream"), "Time from a request's head to the end of its answer."),
    Metric(OVERHEAD, "histogram", ("endpoint",), "Time that the gateway itself added to a request."),
    Metric(CHUNKS, "counter", ("endpoint",), "Chunks of streamed answers that were given out."),
    Metric(AUTH_FAILURES, "counter", ("code",), "Requests refused before it was known who calls."),
    Metric(LINES_LOST, "counter", (), "Log lines that could not be written. The records themselves are not lost."),
    Metric(
        WITNESSED,
        "counter",
        ("witness", "outcome"),
        "Heads of the audit log that were shown to a witness: taken, failed, or forked where it has seen another log.",
    ),
    Metric(WITNESS_BEHIND, "gauge", ("witness",), "Entries of the audit log that a witness has not seen."),
    Metric(LOG_ENTRIES, "gauge", (), "Entries of the audit log that its checkpoint signs."),
    Metric(LOG_LAG, "gauge", (), "Records that are durable and have no place in the audit log yet."),
    Metric(LOG_LAG_SECONDS, "gauge", (), "How long the oldest of these has waited."),
    Metric(IN_FLIGHT, "gauge", (), "Requests that are being served."),
    Metric(SINK_LAG, "gauge", ("sink",), "Entries of the signed audit log that a sink has not had yet."),
    Metric(
        SINK_FAILURES, "counter", ("sink",), "Deliveries to a sink that failed. They are tried again; nothing is lost."
    ),
    Metric(SINK_REFUSED, "counter", ("sink",), "Entries that a sink was given and refused. They are not sent again."),
    Metric(QUEUE_DEPTH, "gauge", ("queue",), "Entries that wait in an internal queue."),
)

GUARD_LABELS = frozenset(
    {"approvals", "classifiers", "detectors", "inspection", "pattern engine", "policy", "rewriting", "score"}
)
"""Guards that have no name in a configuration."""
DIRECTIONS = ("input", "output", "cache_read", "cache_write")
TOOLS = frozenset({"web_search", "web_fetch", "code_execution", "mcp", "plugins"})
SOURCES = frozenset({"provider", "unused", "unknown", "estimated"})
EFFECT_NAMES = frozenset(effect.value for effect in Effect)
ENDPOINTS = frozenset(ENDPOINT_NAMES)
STATES = frozenset(state.value for state in EndState)
STATUS_CLASSES = {number: f"{number // 100}xx" for number in range(100, 600)}

DURATION_BOUNDS_US = tuple(
    int(seconds * 1_000_000)
    for seconds in (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)
)
RATIO_BOUNDS_MILLIONTHS = tuple(int(ratio * 1_000_000) for ratio in (1, 1.25, 1.5, 2, 3, 4, 6, 10, 20, 50, 100, 1000))
OVERHEAD_BOUNDS_US = (100, 200, 300, 400, 500, 750, 1000, 2000, 5000, 10_000, 25_000, 50_000, 100_000, 1_000_000)


def _codes(kind: type[GateError]) -> frozenset[str]:
    return frozenset({kind.code}).union(*(_codes(child) for child in kind.__subclasses__()))


CODES: frozenset[str] = _codes(GateError)
"""Every error code of the gateway."""
