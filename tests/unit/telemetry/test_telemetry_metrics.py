"""Counts come from the two events; labels are bounded; the catalog is what is exposed."""

from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gptgate.core.classifier import Opinion
from gptgate.core.errors import BudgetExceeded, UpstreamOverloaded
from gptgate.core.events import End, EndState, Intent
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.telemetry import METRICS, catalog
from gptgate.telemetry.catalog import CODES
from gptgate.telemetry.metrics import Histogram, Metrics, duration_us, overhead_us

OPINION = Opinion(classifier="judge", failure="")


def intent(**changes: Any) -> Intent:
    fields: dict[str, Any] = {
        "id": "i1",
        "at_ms": 1_700_000_000_000,
        "team": "t",
        "app": "web",
        "key_id": "k1",
        "end_user": "u",
        "client": "10.0.0.1",
        "endpoint": "chat",
        "stream": False,
        "model": "gpt",
        "provider": "p",
        "upstream_model": "gpt-up",
        "effect": "allow",
        "score": 0,
        "parts": (),
        "rules": (),
        "findings": (),
        "config_digest": "d" * 64,
        "request_digest": "",
        "sent_digest": "",
        "window": "2026-11",
        "reserved_nano": 0,
        "price_version": "",
        "traceparent": "",
    }
    return Intent(**(fields | changes))


def end(**changes: Any) -> End:
    fields: dict[str, Any] = {
        "id": "i1",
        "at_ms": 1_700_000_000_250,
        "app": "web",
        "window": "2026-11",
        "state": EndState.COMPLETED,
        "status": 200,
        "code": "",
        "effect": "allow",
        "rules": (),
        "findings": (),
        "score": 0,
        "answered_model": "gpt-up",
        "provider_request_id": "",
        "usage": Usage(),
        "usage_source": "provider",
        "cost_nano": 0,
        "attempts": 1,
        "answer_digest": "",
        "timings_us": {"total": 2400, "upstream": 2000},
    }
    return End(**(fields | changes))


def finding(kind: str, origin: Origin = Origin.USER) -> Finding:
    return Finding(kind, origin, "/messages/0/content", 0, 5, "d", 10)


def metrics() -> Metrics:
    made = Metrics(
        kinds={"pii.email"},
        in_flight=lambda: 7,
        queues={"records": lambda: 3},
        gauges={
            catalog.LOG_ENTRIES: lambda: {(): 5},
            catalog.LOG_LAG: lambda: {(): 1},
            catalog.LOG_LAG_SECONDS: lambda: {(): 0.5},
            catalog.WITNESS_BEHIND: lambda: {("w",): 2},
            catalog.SINK_LAG: lambda: {("siem",): 3},
            catalog.SINK_FAILURES: lambda: {("siem",): 2},
            catalog.SINK_REFUSED: lambda: {("siem",): 1},
        },
    )
    made.configure(models={"gpt"}, apps={"web"}, rules={"r1", "r2"}, limits={"agents"})
    return made


GUARD_FAILURES = "gptgate_guard_failures_total"


def samples(made: Metrics) -> Mapping[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(made.render().decode())
        for sample in family.samples
    }


def value(made: Metrics, name: str, **labels: str) -> float:
    return samples(made)[name, tuple(sorted(labels.items()))]


def test_a_request_is_counted_once_in_every_metric() -> None:
    made = metrics()
    made.add(
        intent(rules=("r1",), findings=(finding("pii.email"),), reserved_nano=900, effect="redact"),
        end(
            effect="redact",
            rules=("r1", "r2"),
            findings=(finding("pii.email", Origin.ASSISTANT),),
            usage=Usage(input_tokens=100, output_tokens=20, cache_read=60, cache_write=5),
            cost_nano=700,
        ),
    )
    assert value(
        made, "gptgate_requests_total", endpoint="chat", model="gpt", app="web", status="2xx", state="completed"
    )
    assert value(made, "gptgate_effects_total", effect="redact") == 1
    assert value(made, "gptgate_rules_total", rule="r1") == 1
    assert value(made, "gptgate_rules_total", rule="r2") == 1
    assert value(made, "gptgate_findings_total", kind="pii.email", origin="user") == 1
    assert value(made, "gptgate_findings_total", kind="pii.email", origin="assistant") == 1
    for direction, tokens in (("input", 100), ("output", 20), ("cache_read", 60), ("cache_write", 5)):
        assert value(made, "gptgate_tokens_total", model="gpt", direction=direction) == tokens
    assert value(made, "gptgate_cost_nano_usd_total", model="gpt", app="web") == 700
    assert value(made, "gptgate_reserved_nano_usd_total", app="web") == 900
    assert value(made, "gptgate_settled_nano_usd_total", app="web", source="provider") == 700
    assert value(made, "gptgate_request_duration_seconds_sum", endpoint="chat", stream="no") == pytest.approx(0.0024)
    assert value(made, "gptgate_overhead_seconds_sum", endpoint="chat") == pytest.approx(0.0004)
    assert value(made, "gptgate_requests_in_flight") == 7
    assert value(made, "gptgate_queue_depth", queue="records") == 3
    assert not any(name == "gptgate_errors_total" for name, _ in samples(made))


def test_refusals_are_counted_by_code() -> None:
    made = metrics()
    for error in (BudgetExceeded, UpstreamOverloaded):
        made.add(intent(), end(state=EndState.REFUSED, status=error.status, code=error.code))
    assert value(made, "gptgate_errors_total", code="budget_exceeded", state="refused") == 1
    assert value(made, "gptgate_errors_total", code="upstream_overloaded", state="refused") == 1
    labels = {"endpoint": "chat", "model": "gpt", "app": "web", "state": "refused"}
    assert value(made, "gptgate_requests_total", status="4xx", **labels) == 1
    assert value(made, "gptgate_requests_total", status="5xx", **labels) == 1


def test_refusals_of_limits_are_counted_by_configured_names() -> None:
    made = metrics()
    for limit in ("agents", "agents", "gone", ""):
        made.add(intent(), end(code="rate_limited", limit=limit))
    counted = {labels: n for (name, labels), n in samples(made).items() if name == "gptgate_limit_refusals_total"}
    assert counted == {(("limit", "agents"),): 2, (("limit", "other"),): 1}


def test_labels_are_bounded_whatever_callers_and_providers_write() -> None:
    made = metrics()
    for number in range(500):
        made.add(
            intent(
                model=f"m{number}",
                app=f"a{number}",
                endpoint=f"e{number}",
                rules=(f"r{number}x",),
                findings=(finding(f"k{number}"),),
                reserved_nano=1,
            ),
            end(
                status=1000 + number,
                code=f"c{number}",
                effect=f"f{number}",
                usage_source=f"s{number}",
                usage=Usage(input_tokens=1),
                cost_nano=1,
                chunks=2,
                failed_guard=f"rule g{number}",
            ),
        )
        made.add_auth_failure(f"c{number}")
    found = samples(made)
    assert len(found) < 60
    assert all(
        label in {"other", "no", "user", "input", "output", "completed", "records", "w", "siem"}
        for name, labels in found
        for key, label in labels
        if key != "le"
    )
    assert value(made, "gptgate_stream_chunks_total", endpoint="other") == 1000
    assert value(made, "gptgate_auth_failures_total", code="other") == 500


def test_a_request_without_a_model_says_none() -> None:
    made = metrics()
    made.add(intent(model="", endpoint="models"), end())
    labels = {"endpoint": "models", "model": "none", "app": "web", "status": "2xx", "state": "completed"}
    assert value(made, "gptgate_requests_total", **labels) == 1


def test_findings_beyond_those_an_event_lists_are_counted_too() -> None:
    made = metrics()
    counts = (("pii.email", 5), ("secret.x", 2))
    made.add(intent(findings=(finding("pii.email"), finding("pii.email")), finding_counts=counts), end())
    assert value(made, "gptgate_findings_total", kind="pii.email", origin="user") == 2
    assert value(made, "gptgate_findings_total", kind="pii.email", origin="unlisted") == 3
    assert value(made, "gptgate_findings_total", kind="other", origin="unlisted") == 2


def test_counts_of_an_earlier_configuration_stay() -> None:
    made = metrics()
    made.add(intent(), end())
    made.configure(models={"new"}, apps={"web"}, rules=())
    made.add(intent(), end())
    labels = {"endpoint": "chat", "app": "web", "status": "2xx", "state": "completed"}
    assert value(made, "gptgate_requests_total", model="gpt", **labels) == 1
    assert value(made, "gptgate_requests_total", model="other", **labels) == 1


def test_money_is_summed_without_rounding() -> None:
    made = metrics()
    for _ in range(10):
        made.add(intent(), end(cost_nano=100_000_000_000_001))
    assert value(made, "gptgate_cost_nano_usd_total", model="gpt", app="web") == 1_000_000_000_000_010


def test_the_exposition_has_the_families_of_the_catalog_and_no_others() -> None:
    found = {family.name: family for family in text_string_to_metric_families(metrics().render().decode())}
    assert set(found) == {metric.name for metric in METRICS}
    for metric in METRICS:
        assert found[metric.name].type == metric.type
        assert found[metric.name].documentation == metric.help
        assert metric.name.startswith("gptgate_")
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_labels_are_those_of_the_catalog() -> None:
    made = metrics()
    made.add(
        intent(rules=("r1",), findings=(finding("pii.email"),), reserved_nano=1, opinions=(OPINION,)),
        end(
            code="budget_exceeded",
            usage=Usage(input_tokens=1, tool_uses={"web_search": 1}),
            cost_nano=2,
            chunks=1,
            limit="agents",
            failed_guard="rule r1",
            extensions=1,
        ),
    )
    made.add_auth_failure("invalid_api_key")
    made.add_threshold("team", 50)
    made.add_witnessed("w", "taken")
    for family in text_string_to_metric_families(made.render().decode()):
        (metric,) = [each for each in METRICS if each.name == family.name]
        assert family.samples
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)


def test_guards_that_fail_are_counted_by_name() -> None:
    made = metrics()
    made.configure(models=(), apps=(), rules=("r1",), classifiers={"judge": ()})
    for guard in ("rule r1", "rule r1", "classifier judge", "detector email", "approvals", "rule no-such", ""):
        made.add(intent(), end(code="guard_failed", failed_guard=guard))
    counted = {labels[0][1]: count for (name, labels), count in samples(made).items() if name == GUARD_FAILURES}
    assert counted == {"rule r1": 2, "classifier judge": 1, "detectors": 1, "approvals": 1, "other": 1}


def test_the_known_codes_are_those_of_the_error_tree() -> None:
    assert {"internal_error", "missing_api_key", "upstream_overloaded", "client_disconnected", "guard_failed"} <= CODES


def test_a_histogram_counts_each_duration_in_the_first_bucket_that_holds_it() -> None:
    made = Histogram((10, 20))
    for microseconds in (0, 10, 11, 20, 21, 5_000_000):
        made.add(microseconds)
    assert made.buckets() == [("1e-05", 2), ("2e-05", 4), ("+Inf", 6)]
    assert made.sum_millionths == 5_000_062


def test_durations() -> None:
    assert duration_us(intent(), end(timings_us={"total": 5})) == 5
    assert duration_us(intent(), end(timings_us={})) == 250_000
    assert duration_us(intent(), end(timings_us={}, at_ms=0)) == 0
    assert overhead_us(end(timings_us={"overhead": 3, "total": 9, "upstream": 1})) == 3
    assert overhead_us(end(timings_us={"total": 9, "upstream": 1})) == 8
    assert overhead_us(end(timings_us={"total": 9})) is None


def test_opinions_are_counted_by_configured_names_and_by_what_became_of_the_request() -> None:
    made = metrics()
    made.configure(models=[], apps=[], rules=[], classifiers={"judge": ("external.judge.hate",)})
    failed = Opinion(classifier="judge", failure="timeout")
    made.add(intent(opinions=(OPINION,), findings=(finding("external.judge.hate"),)), end())
    made.add(intent(opinions=(failed,)), end())
    made.add(intent(opinions=(failed,), failures=("external.judge",)), end())
    made.add(intent(opinions=(Opinion(classifier="gone", failure=""),), findings=(finding("external.x.y"),)), end())
    text = made.render().decode()
    for name, outcome in (
        ("judge", "answered"),
        ("judge", "failed"),
        ("judge", "allowed_on_failure"),
        ("other", "answered"),
    ):
        assert f'gptgate_classifier_opinions_total{{classifier="{name}",outcome="{outcome}"}} 1.0' in text
    assert 'gptgate_findings_total{kind="external.judge.hate",origin="user"} 1.0' in text
    made.add(intent(), end(opinions=(failed,), failures=("external.judge",)))
    name = 'gptgate_classifier_opinions_total{classifier="judge",outcome="allowed_on_failure"}'
    assert f"{name} 2.0" in made.render().decode()
    assert 'gptgate_findings_total{kind="other",origin="user"} 1.0' in text


def test_sinks_show_their_lag_and_their_failures() -> None:
    lines = metrics().render().decode().splitlines()
    assert 'gptgate_sink_lag_entries{sink="siem"} 3.0' in lines
    assert 'gptgate_sink_failures_total{sink="siem"} 2.0' in lines
    assert 'gptgate_sink_refused_entries_total{sink="siem"} 1.0' in lines


def test_tools_that_nobody_knows_share_a_label() -> None:
    made = metrics()
    for uses in ({"web_search": 2, "made_up": 1}, {"web_search": 1, "also": 4}):
        made.add(intent(), end(usage=Usage(tool_uses=uses)))
    counted = {labels[1]: uses for labels, uses in made._counts[catalog.TOOL_USES].items()}
    assert counted == {"web_search": 3, "other": 5}
