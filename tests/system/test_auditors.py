"""Kept texts are for auditors, and every reading is on record."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from live_gateway import SIMULATED, Live

MASTER = "the-master-key-of-this-test-is-quite-long"
TEXT = "marzipan-observatory"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("data")
    (folder / "master").write_text(MASTER + "\n")
    gateway = Live(folder, "", SIMULATED + f"texts: {{master_key: 'file:{folder}/master', keep: 30d}}\n")
    gateway.start()
    yield gateway
    assert gateway.terminate() == 0


@pytest.fixture(scope="module")
def request_id(live: Live) -> str:
    assert live.call(live.new_key(), f"echo: {TEXT}") == 200
    return str(live.rows()[0]["id"])


def events(live: Live, kind: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(live.folder / "gptgate.db")) as connection:
        rows = connection.execute("SELECT body FROM events WHERE type = ? ORDER BY seq", (kind,)).fetchall()
    return [json.loads(body) for (body,) in rows]


def test_without_a_token_nobody_reads(live: Live, request_id: str) -> None:
    for token in ("", "gptgate-auditor-guessed"):
        done = live.command("audit", "show", request_id, "--content", token=token)
        assert (done.returncode, done.stdout) == (1, "")
        assert "kept texts are for auditors" in done.stderr
        assert "guessed" not in done.stderr
    assert events(live, "content_read") == []
    assert TEXT not in live.command("audit", "show", request_id).stdout


def test_an_auditor_reads_and_it_is_on_record(live: Live, request_id: str) -> None:
    made = live.command("audit", "auditors", "add", "Ada Auditor")
    token = made.stdout.strip()
    assert "GPTGATE_AUDITOR_TOKEN" in made.stderr
    shown = live.command("audit", "show", request_id, "--content", token=token)
    assert shown.returncode == 0, shown.stderr
    assert TEXT in shown.stdout
    (read,) = events(live, "content_read")
    assert (read["by"], read["request_id"]) == ("Ada Auditor", request_id)
    assert "content_read" in live.command("audit", "trace", request_id).stdout
    assert live.command("audit", "auditors", "list").stdout.splitlines()[1].startswith("Ada Auditor")
    assert live.command("audit", "auditors", "add", "Ada Auditor").returncode == 1
    assert token.encode() not in b"".join(path.read_bytes() for path in live.folder.rglob("*") if path.is_file())
    assert live.command("audit", "auditors", "remove", "Ada Auditor").returncode == 0
    assert live.command("audit", "show", request_id, "--content", token=token).returncode == 1
    assert live.command("audit", "auditors", "remove", "Ada Auditor").returncode == 1


def test_texts_are_searched_by_auditors_only_and_it_is_on_record(live: Live, request_id: str) -> None:
    words = ("audit", "search", "--contains", "MARZIPAN-observ", "--format", "json")
    refused = live.command(*words)
    assert (refused.returncode, refused.stdout) == (1, "")
    token, before = live.auditor("Sue"), len(events(live, "content_read"))
    found = live.command(*words, token=token)
    assert [row["id"] for row in json.loads(found.stdout)] == [request_id]
    assert json.loads(live.command(*words, "--user", "nobody", token=token).stdout) == []
    assert json.loads(live.command(*words, "--contains", "not-there", token=token).stdout) == []
    noted = events(live, "content_read")[before:]
    assert [(one["by"], one["found"]) for one in noted] == [("Sue", 1), ("Sue", 0), ("Sue", 0)]
    assert noted[0]["searched_texts"] >= 2
    assert "marzipan" not in repr(noted).lower()


def test_nothing_lies_in_clear_and_the_master_key_is_nowhere(live: Live, request_id: str) -> None:
    files = [path for path in live.folder.rglob("*") if path.is_file() and path.name != "master"]
    for secret in (TEXT, MASTER):
        assert [path.name for path in files if secret.encode() in path.read_bytes()] == []
    assert not (live.folder / "content.key").exists(), "the configured one is used"


def test_another_master_key_takes_over(live: Live, request_id: str, tmp_path: Path) -> None:
    token = live.auditor("Rota")
    config = live.folder / "gptgate.yaml"
    (live.folder / "master").rename(tmp_path / "old")
    (tmp_path / "new").write_text("another-master-key-that-is-long-enough")
    before = config.read_text()
    config.write_text(before.replace(f"file:{live.folder}/master", f"file:{tmp_path}/new"))
    refused = live.command("config", "apply")
    assert refused.returncode == 1
    assert "takes effect at a restart only" in refused.stderr
    away = live.command("audit", "show", request_id, "--content", token=token)
    assert "audit rewrap" in away.stderr
    done = live.command("audit", "rewrap", "--from", f"file:{tmp_path}/old")
    assert done.stdout.startswith("1 key of texts is wrapped with master key "), done.stderr
    assert TEXT in live.command("audit", "show", request_id, "--content", token=token).stdout
    (rewrapped,) = events(live, "content_keys_rewrapped")
    assert rewrapped["keys"] == 1
    assert live.command("audit", "verify").returncode == 0
