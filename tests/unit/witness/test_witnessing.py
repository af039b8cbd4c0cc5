"""The log is shown to its witnesses: what each gets, what a failing one costs, how a rolled-back log is found out."""

import asyncio
import hmac
import json
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, MutableMapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import structlog

from audit_logs import Records
from gptgate.audit.signing import Signer
from gptgate.core.beside import WitnessKind, WitnessSpec
from gptgate.core.snapshot import SecretRef
from gptgate.storage.copies import Copies
from gptgate.storage.log_folder import load_or_make_seed
from gptgate.storage.sequencer import Sequencer
from gptgate.telemetry.metrics import Metrics
from gptgate.wiring import open_audit_log
from gptgate.witness.senders import ATTEMPTS
from gptgate.witnessing import Standing, Witnessing
from gptgate_verify.note import VerifierKey, cosigned_at_s, open_checkpoint, parse_note
from storage_samples import SystemClock
from waiting import PATIENCE_S, eventually
from witness_server import Outside, outside

SECRET = "a secret that signs"


class Folder:
    """A data folder whose log grows when it is told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = Records(path)
        self.key: VerifierKey = Signer.of_installation(load_or_make_seed(path)).key

    def grow(self, *names: str) -> None:
        self.records.add(list(names))
        files = self.records.files
        sequencer = Sequencer(self.records.path, files, open_audit_log(files), busy_ms=30_000)
        sequencer.start()
        assert sequencer.stop(PATIENCE_S)
        assert sequencer.fault == ""

    def size(self) -> int:
        checkpoint = self.records.files.checkpoint()
        return 0 if checkpoint is None else open_checkpoint(checkpoint, self.key).size

    def events(self, kind: str) -> list[dict[str, object]]:
        with closing(sqlite3.connect(self.records.path)) as connection:
            rows = connection.execute("SELECT body FROM events WHERE type = ?", (kind,)).fetchall()
        return [json.loads(body) for (body,) in rows]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "data")


@pytest.fixture
async def out(folder: Folder, tmp_path: Path) -> AsyncIterator[Outside]:
    (tmp_path / "witness").mkdir()
    async with outside(tmp_path / "witness", folder.key) as running:
        yield running


class Office:
    """`Witnessing` with one witness."""

    def __init__(self, folder: Folder, spec: WitnessSpec) -> None:
        self.metrics = Metrics(kinds=(), in_flight=lambda: 0, queues={})
        self.lines: list[str] = []
        logger = structlog.wrap_logger(None, processors=[self._log])
        self.witnessing = Witnessing(folder.path, SystemClock(), self.metrics, logger)
        self.witnessing.change([spec], {spec.name: SECRET})
        self.standing: Standing = self.witnessing._standings[spec.name]

    def _log(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
        self.lines.append(str(event["event"]))
        raise structlog.DropEvent

    async def until_failed(self, times: int) -> None:
        await eventually(lambda: self.standing.failures >= times)

    async def until_taken(self, size: int) -> None:
        await eventually(lambda: self.standing.taken is not None and self.standing.taken.size == size)


def spec(kind: WitnessKind, **fields: Any) -> WitnessSpec:
    given: dict[str, Any] = {"path": "", "url": "", "key": "", "credential": None, "timeout_ms": 30_000, **fields}
    return WitnessSpec(name="w", kind=kind, every_ms=10, **given)


def tlog(out: Outside) -> WitnessSpec:
    return spec(WitnessKind.TLOG, url=out.url, key=str(out.key))


async def test_a_witness_cosigns_the_log_as_it_grows(folder: Folder, out: Outside) -> None:
    office = Office(folder, tlog(out))
    for names in (["a"], [f"r{number}" for number in range(400)], ["b", "c"]):
        folder.grow(*names)
        await office.until_taken(folder.size())
        note = folder.records.files.witnessed()["w"]
        assert open_checkpoint(note, folder.key).size == folder.size()
        assert cosigned_at_s(parse_note(note), out.key) == 1_700_000_000
    await office.witnessing.close()
    assert office.witnessing.forks() == []
    assert (out.reports, office.lines) == ([], [])
    assert b'outcome="taken",witness="w"} 3.0' in office.metrics.render()
    assert office.witnessing.status() == []


async def test_a_witness_that_knows_more_than_the_folder_says_which_size(folder: Folder, out: Outside) -> None:
    folder.grow("a")
    office = Office(folder, tlog(out))
    await office.until_taken(2)
    await office.witnessing.close()
    # A crash between its answer and the note of it.
    shutil.rmtree(folder.records.files.path / "witness")
    folder.grow("b")
    office = Office(folder, tlog(out))
    await office.until_taken(4)
    await office.witnessing.close()
    assert office.witnessing.forks() == []


async def test_a_copy_of_each_head_is_kept_and_none_is_changed(folder: Folder, tmp_path: Path) -> None:
    place = tmp_path / "mount" / "gptgate"
    office = Office(folder, spec(WitnessKind.FILE, path=str(place)))
    copies = []
    for name in ("a", "b", "c"):
        folder.grow(name)
        await office.until_taken(folder.size())
        copies.append((folder.records.files.checkpoint(), folder.size()))
    await office.witnessing.close()
    (log,) = place.iterdir()
    assert [(path.read_bytes(), int(path.name)) for path in sorted(log.iterdir())] == copies


async def test_a_webhook_gets_the_signed_head(folder: Folder, out: Outside) -> None:
    hook = spec(WitnessKind.WEBHOOK, url=f"{out.url}/hook/v1", credential=SecretRef("env", "X"))
    folder.grow("a")
    office = Office(folder, hook)
    await office.until_taken(2)
    await office.witnessing.close()
    ((path, headers, body),) = out.receiver.got
    assert path == "/hook/v1"
    assert open_checkpoint(body, folder.key).size == 2
    signed = headers["x-gptgate-timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, sha256).hexdigest()
    assert headers["x-gptgate-signature"] == f"v1={expected}"
    assert SECRET not in str(headers)


async def test_a_witness_that_fails_is_counted_told_once_and_tried_again(folder: Folder, out: Outside) -> None:
    hook = spec(WitnessKind.WEBHOOK, url=f"{out.url}/hook", credential=SecretRef("env", "X"))
    out.receiver.status = 503
    folder.grow("a")
    office = Office(folder, hook)
    await eventually(lambda: office.standing.failures >= 3)
    assert office.lines == ["a witness has not taken the log's head"]
    (shown,) = office.witnessing.status()
    assert (shown["problem"], shown["taken_entries"]) == ("it answered with status 503", None)
    assert office.witnessing.behind(2) == {("w",): 2}
    assert office.witnessing.forks() == []
    out.receiver.status = 204
    await office.until_taken(2)
    assert office.standing.problem == ""
    await office.witnessing.close()


async def test_a_witness_that_is_not_there_harms_nobody(folder: Folder, tmp_path: Path) -> None:
    folder.grow("a")
    (tmp_path / "file").write_bytes(b"")
    for one in (
        spec(WitnessKind.WEBHOOK, url="http://127.0.0.1:1/", credential=SecretRef("env", "X")),
        spec(WitnessKind.FILE, path=str(tmp_path / "file" / "below")),
    ):
        office = Office(folder, one)
        await office.until_failed(2)
        assert office.standing.problem
        await office.witnessing.close()


def roll_back(folder: Folder, old: Path) -> None:
    """Put an old copy of the whole folder in its place."""
    shutil.rmtree(folder.path)
    shutil.copytree(old, folder.path)


@pytest.mark.parametrize("kind", [WitnessKind.TLOG, WitnessKind.FILE])
@pytest.mark.parametrize("regrown", [0, 1, 2, 3])
async def test_a_log_that_was_rolled_back_is_found_out(
    folder: Folder, out: Outside, tmp_path: Path, kind: WitnessKind, regrown: int
) -> None:
    """Whether it stands still, or is shorter, as long or longer than what was seen."""
    witness = tlog(out) if kind is WitnessKind.TLOG else spec(kind, path=str(tmp_path / "copies"))
    folder.grow("a")
    old = tmp_path / "old"
    shutil.copytree(folder.path, old)
    folder.grow("b")
    folder.grow("c")
    office = Office(folder, witness)
    await office.until_taken(6)
    await office.witnessing.close()
    roll_back(folder, old)
    for number in range(regrown):
        folder.grow(f"other-{number}")
    office = Office(folder, witness)
    await eventually(lambda: office.standing.reported)
    (reason,) = office.witnessing.forks()
    assert reason.startswith("the audit log has forked, says witness w: ")
    assert office.lines == ["the audit log has forked"]
    (event,) = folder.events("log_forked")
    assert (event["witness"], event["size"]) == ("w", 2 + 2 * regrown)
    assert event.keys() == {"at_ms", "witness", "problem", "size", "root"}
    assert b'gptgate_witness_checkpoints_total{outcome="forked",witness="w"}' in office.metrics.render()
    await office.witnessing.close()


async def test_a_folder_whose_note_of_a_witness_is_not_in_the_log_is_told(folder: Folder, tmp_path: Path) -> None:
    folder.grow("a")
    signer = Signer.of_installation(load_or_make_seed(folder.path))
    folder.records.files.keep_witnessed("w", signer.checkpoint(2, b"\x01" * 32))
    office = Office(folder, spec(WitnessKind.FILE, path=str(tmp_path / "copies")))
    await eventually(lambda: office.standing.fork)
    assert office.standing.fork == "it took a head of 2 entries that is not in the log here"
    await office.witnessing.close()


async def test_an_answer_that_is_no_cosignature_is_a_failure(folder: Folder, out: Outside, tmp_path: Path) -> None:
    """Of another key, or of a receiver that says yes to everything."""
    (tmp_path / "other").mkdir()
    async with outside(tmp_path / "other", folder.key) as other:
        folder.grow("a")
        for url in (out.url, f"{out.url}/hook"):
            office = Office(folder, spec(WitnessKind.TLOG, url=url, key=str(other.key)))
            await office.until_failed(1)
            assert office.standing.problem.startswith("its answer is no cosignature")
            await office.witnessing.close()
    assert folder.records.files.witnessed() == {}


async def test_a_witness_that_says_nonsense_is_a_failure(folder: Folder, out: Outside) -> None:
    folder.grow("a")
    out.receiver.status = 409
    office = Office(folder, spec(WitnessKind.TLOG, url=f"{out.url}/hook", key=str(out.key)))
    await eventually(lambda: office.standing.failures >= 1)
    assert office.standing.problem == "it does not say which size it has seen"
    assert len(out.receiver.got) < ATTEMPTS * (office.standing.failures + 1)
    await office.witnessing.close()


@pytest.mark.parametrize(
    ("status", "body", "claim"),
    [
        (409, b"999999\n", "it has seen 999999 entries, the log here has 2"),
        (409, b"0\n", "it has cosigned another head of 0 entries"),
        (422, b"", "what it has cosigned of 0 entries is not in the log here"),
    ],
)
async def test_a_witness_that_lies_convicts_nobody(
    folder: Folder, out: Outside, status: int, body: bytes, claim: str
) -> None:
    folder.grow("a")
    out.receiver.status, out.receiver.body = status, body
    office = Office(folder, spec(WitnessKind.TLOG, url=f"{out.url}/hook", key=str(out.key)))
    await eventually(lambda: office.standing.failures >= 2)
    assert office.standing.problem == f"{claim}; it shows no signed head that would prove it (status {status})"
    assert office.witnessing.forks() == []
    assert folder.events("log_forked") == []
    await office.witnessing.close()


async def test_a_folder_that_hangs_holds_nothing_but_its_own_thread(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, calls = threading.Event(), list[int]()
    newest = Copies.newest

    def hang(copies: Copies) -> tuple[Path, bytes] | None:
        calls.append(1)
        assert free.wait(PATIENCE_S)
        return newest(copies)

    monkeypatch.setattr(Copies, "newest", hang)
    folder.grow("a")
    office = Office(folder, spec(WitnessKind.FILE, path=str(tmp_path / "copies"), timeout_ms=50))
    await eventually(lambda: office.standing.failures >= 1)
    assert office.standing.problem == "its folder did not answer in time"
    await eventually(lambda: office.standing.failures >= 2)
    assert office.standing.problem == "its folder still hangs"
    assert calls == [1]
    await asyncio.wait_for(asyncio.to_thread(int), PATIENCE_S)
    free.set()
    await office.until_taken(2)
    await office.witnessing.close()


async def test_a_body_that_does_not_come_holds_no_connection(out: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.witness.app.BODY_TIMEOUT_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(out.url.rsplit(":", 1)[1]))
    writer.write(b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold 0")
    assert (await asyncio.wait_for(reader.read(), PATIENCE_S)).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_witnesses_come_and_go_with_the_configuration(folder: Folder, tmp_path: Path) -> None:
    folder.grow("a")
    first, second = (spec(WitnessKind.FILE, path=str(tmp_path / name)) for name in ("one", "two"))
    office = Office(folder, first)
    await office.until_taken(2)
    before = office.standing
    office.witnessing.change([first], {"w": SECRET})
    assert office.witnessing._standings["w"] is before
    office.witnessing.change([second], {"w": SECRET})
    office.standing = office.witnessing._standings["w"]
    await office.until_taken(2)
    assert before.task is not None
    assert before.task.done()
    office.witnessing.change([], {})
    assert office.witnessing.status() == []
    await office.witnessing.close()
