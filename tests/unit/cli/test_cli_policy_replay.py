"""`gptgate policy replay`: why a request is not decided on again."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from audit_logs import Records
from gptgate.cli.main import execute
from gptgate.core.events import EndState, encode_event
from gptgate.storage.rows import INSERT_END, INSERT_INTENT, end_values, intent_values, next_seq
from gptgate.storage.schema import connect
from harness import CONFIG, write_config
from storage_samples import end, intent

OLDER = "recorded by a version that did not keep what its rules saw"
WHY: list[tuple[str, dict[str, Any], dict[str, Any] | None, str]] = [
    ("refused", {}, {"state": EndState.REFUSED, "code": "rate_limited"}, "refused with rate_limited before a decision"),
    ("gone", {}, {"state": EndState.ABANDONED}, "abandoned before a decision: the gateway stopped"),
    ("running", {}, None, "not decided on yet: no end is on record"),
    ("old", {"rules": ("deny-attacks",)}, {"state": EndState.REFUSED, "code": "policy_denied"}, OLDER),
    ("list", {"endpoint": "models"}, {"state": EndState.COMPLETED}, "lists of models, on which no rule decides"),
    ("older", {}, {"state": EndState.COMPLETED}, OLDER),
]


def test_every_request_that_has_no_decision_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = Records(tmp_path / "data")
    with closing(connect(records.path, busy_ms=1000)) as connection:
        for name, asked, ended, _ in WHY:
            one = intent(name, at_ms=1_795_392_000_000, **asked)
            connection.execute(INSERT_INTENT, intent_values(next_seq(connection), one, encode_event(one), None))
            if ended is not None:
                connection.execute(INSERT_END, end_values(end(name, **ended), None))
    folder = records.path.parent
    write_config(folder, CONFIG, simulator="http://127.0.0.1:1")
    command = ["policy", "replay", "--since", "2026-11-01", "--data", str(folder)]
    assert execute([*command, "--format", "json"]) == 0
    skipped: dict[str, int] = {}
    for *_, why in WHY:
        skipped[why] = skipped.get(why, 0) + 1
    assert json.loads(capsys.readouterr().out)["skipped"] == skipped
    assert execute(command) == 0
    assert "2 not replayed: recorded by a version" in capsys.readouterr().out
