"""The commands as processes, without a gateway that runs."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from gptgate.storage.keys import KeyStore
from harness import CONFIG, free_port, write_config
from waiting import PATIENCE_S

SIMULATED = CONFIG.replace(' base_url: "@SIMULATOR@",', "")


def gptgate(*arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "GPTGATE_DATA"}
    if data is not None:
        environment["GPTGATE_DATA"] = str(data)
    command = [sys.executable, "-m", "gptgate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write_config(folder, SIMULATED.replace("sim-embed, provider", "sim-embed, location: local, provider"))
    return folder


def test_check_prints_digest_and_coverage(data: Path) -> None:
    done = gptgate("config", "check", str(data / "gptgate.yaml"))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"{data / 'gptgate.yaml'} is right."
    name, digest = lines[1].split()
    assert (name, len(digest), int(digest, 16) >= 0) == ("digest", 64, True)
    assert lines[3].startswith("ROUTE ")
    assert [line.split()[0] for line in lines[4:12]].count("/v1/chat/completions") == 2
    limits = [line for line in lines if line.startswith("limits ")]
    assert limits == [f"limits           OFF    0 of 1 app limited{limits[0].partition('limited')[2]}"]
    assert limits[0].endswith("everywhere")


def test_check_names_every_problem_on_a_line_of_its_own(data: Path) -> None:
    file = data / "gptgate.yaml"
    file.write_text(file.read_text().replace("team: demo", "team: nobody").replace("version: 1", "version: 2"))
    done = gptgate("config", "check", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert [line.startswith(f"{file}:") for line in lines] == [True, True, False, False]
    assert lines[2] == f"gptgate: {file} cannot be used: 2 problems"
    assert lines[3].startswith("hint: ")


def test_apply_without_a_gateway_says_so(data: Path) -> None:
    done = gptgate("config", "apply", data=data)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == f"gptgate: no gateway runs on {data}"


def test_keys_need_no_running_gateway(data: Path) -> None:
    key = gptgate("keys", "create", "--app", "demo", "--quiet", data=data).stdout.strip()
    key_id = key.split("-")[2]
    done = gptgate("keys", "revoke", key_id, data=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"key {key_id} is revoked\n", "")
    (row,) = json.loads(gptgate("keys", "list", "--format", "json", data=data).stdout)
    assert (row["id"], row["state"], row["models"]) == (key_id, "revoked", [])
    rotated = gptgate("keys", "rotate", key_id, data=data)
    assert rotated.returncode == 1
    assert "is revoked" in rotated.stderr


def test_a_rotated_key_lives_as_long_as_the_old_one_was_given_and_the_old_one_never_longer(data: Path) -> None:
    old = gptgate("keys", "create", "--app", "demo", "--expires", "2h", "-q", data=data).stdout.strip().split("-")[2]
    new = gptgate("keys", "rotate", old, "--overlap", "7d", data=data).stdout.strip().split("-")[2]
    with KeyStore(data) as store:
        records = {record.id: record for record in store.all()}
    assert records[new].expires_ms - records[new].created_ms == 7_200_000
    assert records[old].expires_ms - records[old].created_ms == 7_200_000


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--app", "dem"], 1, ["no app 'dem'", 'did you mean "demo"?']),
        (["--app", "demo", "--model", "sim-gtp"], 1, ["no model 'sim-gtp'", 'did you mean "sim-gpt"?']),
        (["--app", "demo", "--endpoint", "chats"], 2, ['"chats" is not one of']),
        (["--app", "demo", "--network", "10.0.0.0/33"], 2, ["'10.0.0.0/33' is not a network"]),
        (["--app", "demo", "--network", "10.0.0.5/8"], 2, ["write 10.0.0.0/8"]),
        (["--app", "demo", "--expires", "2020-01-01"], 2, ["2020-01-01 is not in the future"]),
        (["--app", "demo", "--expires", "soon"], 2, ["'soon' is not a time"]),
        (["--app", "demo", "--name", "a\x1bb"], 2, ["--name"]),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(data: Path, options: list[str], code: int, said: list[str]) -> None:
    done = gptgate("keys", "create", *options, data=data)
    assert (done.returncode, done.stdout) == (code, "")
    lines = done.stderr.splitlines()
    assert len(lines) == (1 if "--name" in options else 2)
    for text in said:
        assert text in done.stderr
    with KeyStore(data) as store:
        assert store.all() == []


def test_a_model_that_the_app_may_not_use_is_refused(data: Path) -> None:
    file = data / "gptgate.yaml"
    file.write_text(file.read_text().replace("team: demo, budget", "team: demo, models: [sim-gpt], budget"))
    done = gptgate("keys", "create", "--app", "demo", "--model", "sim-claude", data=data)
    assert done.returncode == 1
    assert "app demo may not use model sim-claude" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["keys", "list"], ["keys", "revoke", "abc"], ["audit", "search"], ["audit", "show", "x"], ["usage"]],
)
def test_a_folder_without_a_gateways_data_is_named_and_not_made(tmp_path: Path, arguments: list[str]) -> None:
    missing = tmp_path / "missing"
    done = gptgate(*arguments, "--data", str(missing))
    assert (done.returncode, done.stdout) == (1, "")
    assert str(missing) in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1].startswith("hint: ")
    assert not missing.exists()


def test_an_unknown_key_or_request_is_refused(data: Path) -> None:
    gptgate("keys", "create", "--app", "demo", data=data)
    for arguments in (["keys", "revoke", "nosuchkey"], ["keys", "rotate", "nosuchkey"], ["audit", "show", "x\x1b"]):
        done = gptgate(*arguments, data=data)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no" in done.stderr
        assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["usage", "--by", "colour"],
        ["usage", "--since", "1h", "--until", "2h"],
        ["audit", "search", "--since", "1h", "--until", "2h"],
        ["audit", "search", "--since", "noon"],
        ["simulator", "--faults", "nonsense=1"],
    ],
)
def test_wrong_values_are_wrong_usage(data: Path, arguments: list[str]) -> None:
    gptgate("keys", "create", "--app", "demo", data=data)
    done = gptgate(*arguments, data=data)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("gptgate: ")


def test_empty_records_give_empty_answers(data: Path) -> None:
    gptgate("keys", "create", "--app", "demo", data=data)
    assert json.loads(gptgate("audit", "search", "--format", "json", data=data).stdout) == []
    assert json.loads(gptgate("usage", "--format", "json", data=data).stdout) == []
    assert gptgate("audit", "search", "--format", "csv", data=data).stdout.startswith("seq,id,at_ms,")
    assert gptgate("audit", "search", data=data).stderr == "no request fits\n"


def test_the_simulator_runs_as_a_process_of_its_own() -> None:
    port = free_port()
    command = [sys.executable, "-m", "gptgate", "simulator", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url == f"http://127.0.0.1:{port}"
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "echo: hi"}]}).encode()
        request = urllib.request.Request(
            f"{url}/v1/chat/completions", body, {"Content-Type": "application/json", "Authorization": "Bearer x"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            assert json.load(response)["choices"][0]["message"]["content"] == "hi"
        taken = gptgate("simulator", "--port", str(port))
        assert taken.returncode == 1
        assert f"cannot listen on 127.0.0.1:{port}" in taken.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
