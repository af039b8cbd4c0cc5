"""One meaning, one digest."""

import hashlib
import json

from msgspec.structs import replace

from gptgate.config.canonical import canonical_bytes
from gptgate.config.load import load_text

TEXT = "version: 1\nproviders: [{name: s, kind: simulator}]\nmodels: [{name: m, provider: s}]\nteams: [{name: t}]\n"


def test_the_digest_is_the_hash_of_the_canonical_form() -> None:
    found = load_text(TEXT, "f", ())
    data = canonical_bytes(found)
    assert found.digest == hashlib.sha256(data).hexdigest()
    assert "digest" not in json.loads(data)
    assert canonical_bytes(replace(found, digest="x")) == data


def test_the_canonical_form_is_sorted_and_compact() -> None:
    data = canonical_bytes(load_text(TEXT, "f", ()))
    assert json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == data


def test_the_digest_of_a_known_configuration_stays() -> None:
    # A change here changes what every earlier record refers to: the canonical form needs a new version then.
    assert load_text("version: 1", "f", ()).digest == hashlib.sha256(EMPTY).hexdigest()


def test_the_digest_covers_what_recognises_findings() -> None:
    one, other = (load_text(TEXT, "f", (), detectors=digest) for digest in ("a", "b"))
    assert one.detectors == "a"
    assert one.digest != other.digest


EMPTY = (
    b'{"apps":{},"budgets":[{"amount":null,"amounts":{},"guard":"","least_output_tokens":1024,"match":[],"mode":"hard","name":"apps",'
    b'"over_ms":0,"scope":["app"],"thresholds":[],"time_zone":"UTC","unit":"usd","window":"month"}],"classifiers":{},"counters":null,"custom":[],"detectors":"","guards":{"failed_authentications":null,"ignored_retry_after":null,"prompt_bytes":0,"prompt_tokens":0,"repeated_requests":null},"limits":[],"max_log_lag_ms":900000,"models":{},"packs":[],"providers":{},"rules":[],"server":{"body_timeout_ms":30000,"budget_wait_ms":120000,"budget_waiters":64,"control_host":"127.0.0.1",'
    b'"control_port":8081,"data_host":"127.0.0.1","data_port":8080,"drain_ms":20000,"header_timeout_ms":10000,'
    b'"keep_alive_ms":75000,"max_answer_bytes":33554432,"max_body_bytes":10485760,"outgrown":"extend","risk_header":false,"sse_keep_alive_ms":15000,'
    b'"store_timeout_ms":5000},"sinks":[],"teams":[],"texts":{"class_keep_ms":[],"keep_ms":0,"master_key":null},"witnesses":[]}'
)
