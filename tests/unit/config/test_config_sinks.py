"""The section `sinks`."""

import pytest

from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.core.beside import SinkKind, SinkSpec
from gptgate.core.snapshot import SecretRef


def loaded(*sinks: str) -> tuple[SinkSpec, ...]:
    return load_text(
        "version: 1\nsinks:\n" + "".join(f"  - {{{sink}}}\n" for sink in sinks), "f.yaml", frozenset()
    ).sinks


def test_what_is_written_decides_how() -> None:
    found = loaded(
        "name: siem, to: 'https://siem.example/in?x=1', credential: env:SIEM, timeout: 3s",
        "name: archive, to: file:/var/log/audit.jsonl",
        "name: log, to: tls://log.example",
        "name: near, to: 'tcp://127.0.0.1:601'",
        "name: six, to: 'tcp://[::1]:601'",
        "name: swarm, to: 'http://log_collector.:80/'",
        "name: trace, to: 'otlp+https://otel.example:4318', credential: env:TOKEN",
        "name: under, to: 'otlp+http://[::1]:4318/in/logs?x=1'",
    )
    assert [(sink.name, sink.kind, sink.to, sink.timeout_ms) for sink in found] == [
        ("archive", SinkKind.FILE, "/var/log/audit.jsonl", 10_000),
        ("log", SinkKind.SYSLOG, "tls://log.example", 10_000),
        ("near", SinkKind.SYSLOG, "tcp://127.0.0.1:601", 10_000),
        ("siem", SinkKind.WEBHOOK, "https://siem.example/in?x=1", 3000),
        ("six", SinkKind.SYSLOG, "tcp://[::1]:601", 10_000),
        ("swarm", SinkKind.WEBHOOK, "http://log_collector.:80/", 10_000),
        ("trace", SinkKind.OTLP, "https://otel.example:4318/v1/logs", 10_000),
        ("under", SinkKind.OTLP, "http://[::1]:4318/in/logs?x=1", 10_000),
    ]
    assert found[3].credential == SecretRef("env", "SIEM")


def test_a_sink_can_be_for_some_kinds_of_entries() -> None:
    (found,) = loaded("name: chat, to: 'https://chat.example/in', only: [budget_threshold, budget_set]")
    assert found.only == ("budget_set", "budget_threshold")


@pytest.mark.parametrize(
    ("sink", "problem"),
    [
        ("name: s, to: 'file:relative'", "not the absolute path of a file"),
        ("name: s, to: 'file:/folder/'", "not the absolute path of a file"),
        ("name: s, to: 'https://user:hunter2@siem.example/'", "must not hold credentials"),
        ("name: s, to: 'tls://log.example/path'", "a syslog server has no path"),
        ("name: s, to: 'udp://log.example'", "not a place for entries"),
        ("name: s, to: 'https://'", "not a URL of a host"),
        ("name: s, to: 'otlp+https://user:hunter2@otel.example'", "must not hold credentials"),
        ("name: s, to: 'otlp://otel.example'", "not a place for entries"),
        ("name: s, to: 'otlp+http://otel.example', credential: env:TOKEN", "would travel in clear"),
        ("name: s, to: 'tcp://log.example:99999'", "not a URL"),
        ("name: s, to: 'https://a..b/x'", "not a URL of a host"),
        ("name: s, to: 'tcp://.log.example'", "not a URL of a host"),
        (f"name: s, to: 'tls://{'a' * 70}.example'", "not a URL of a host"),
        (f"name: s, to: 'tls://{'a.' * 127}example'", "not a URL of a host"),
        ("name: s, to: 'https://a_{}/x'", "not a URL of a host"),
        ("name: s, to: 'file:/x', timeout: 3s", "timeout: has no effect: file has none"),
        ("name: s, to: 'tcp://x:1', credential: env:S", "credential: has no effect: syslog has none"),
        ("name: s, to: 'file:/x', only: [end]", "only: a file is a copy of the log"),
        ("name: s, to: 'https://x', only: [budgets]", "only"),
    ],
)
def test_what_could_not_be_honoured_is_refused(sink: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(sink)
    assert problem in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_two_sinks_cannot_write_into_one_file() -> None:
    with pytest.raises(ConfigError, match="another sink writes into this file"):
        loaded("name: a, to: file:/x", "name: b, to: file:/x")
