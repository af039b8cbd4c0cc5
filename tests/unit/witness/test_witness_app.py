"""The witness over HTTP, after c2sp.org/tlog-witness: what it cosigns, what it refuses, and what it never forgets."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gptgate.audit.growth import GrowingLog, Prover
from gptgate.audit.signing import Signer
from gptgate.audit.witness import SIZE_TYPE, cosignature_in, format_submission
from gptgate.storage.errors import StorageError
from gptgate.witness.app import Witness
from gptgate.witness.heads import EVIDENCE, HEADS, Heads, witness_signer
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import cosigned_at_s, open_checkpoint, parse_note

LOG = Signer("log.example/one", b"\x07" * 32)
STRANGER = Signer("log.example/stranger", b"\x08" * 32)
NOW_S = 1_700_000_000


class Log:
    """A log in memory, of which heads of any size can be had."""

    def __init__(self, entries: list[bytes], signer: Signer = LOG) -> None:
        self.files: dict[str, bytes] = {}
        self.log = GrowingLog()
        self.signer = signer
        for file in self.log.append(entries).files:
            self.files[file.path] = file.data

    def prover(self) -> Prover:
        return Prover(self.log.size, self.files.__getitem__)

    def checkpoint(self, size: int) -> bytes:
        return self.signer.checkpoint(size, self.prover().root(size))

    def submission(self, old: int, new: int) -> bytes:
        return format_submission(old, self.prover().consistency(old, new), self.checkpoint(new))


GOOD = Log([b"entry %d" % number for number in range(300)])
FORK = Log([b"entry %d" % number for number in range(99)] + [b"another %d" % number for number in range(201)])


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def client(tmp_path: Path, reports: list[str]) -> Iterator[TestClient]:
    with heads(tmp_path) as kept:
        yield TestClient(app(tmp_path, kept, reports))


def heads(folder: Path) -> Heads:
    folder.mkdir(exist_ok=True)
    return Heads(folder, {LOG.key.name: LOG.key})


def app(folder: Path, kept: Heads, reports: list[str]) -> Starlette:
    logs = {LOG.key.name: LOG.key}
    return Witness(witness_signer(folder), logs, kept, now_s=lambda: NOW_S, report=reports.append).app()


def test_a_head_that_follows_the_last_one_is_cosigned(client: TestClient, tmp_path: Path) -> None:
    key = witness_signer(tmp_path).key
    for old, new in ((0, 1), (1, 100), (100, 100), (100, 256), (256, 300)):
        answer = client.post("/add-checkpoint", content=GOOD.submission(old, new))
        assert answer.status_code == 200
        line = cosignature_in(GOOD.checkpoint(new), answer.content, key)
        assert cosigned_at_s(parse_note(GOOD.checkpoint(new) + line.encode()), key) == NOW_S
    shown = client.get(f"/checkpoint/{LOG.key.name}").content
    assert open_checkpoint(shown, LOG.key).size == 300
    assert cosigned_at_s(parse_note(shown), key) == NOW_S


def test_a_wrong_old_size_is_told_the_right_one(client: TestClient, reports: list[str]) -> None:
    assert client.get(f"/checkpoint/{LOG.key.name}").status_code == 404
    for old, known in ((5, 0), (0, 100)):
        answer = client.post("/add-checkpoint", content=GOOD.submission(old, 100))
        assert (answer.status_code, answer.text) == (409, f"{known}\n")
        assert answer.headers["content-type"].split(";")[0] == SIZE_TYPE
        client.post("/add-checkpoint", content=GOOD.submission(0, 100))
    assert reports == []


def test_a_log_that_was_rolled_back_gets_nothing_and_is_told_of(
    client: TestClient, tmp_path: Path, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gptgate.witness.heads.MAX_EVIDENCE", 1)
    assert client.post("/add-checkpoint", content=GOOD.submission(0, 200)).status_code == 200
    answer = client.post("/add-checkpoint", content=GOOD.submission(100, 150))
    assert (answer.status_code, answer.text) == (409, "200\n")
    (report,) = reports
    assert "log.example/one signed 150 entries" in report
    assert "after 200 entries" in report
    assert "rolled back" in report
    assert "proves neither" in report
    (evidence,) = (tmp_path / EVIDENCE).iterdir()
    assert evidence.read_bytes() == GOOD.submission(100, 150)
    assert client.post("/add-checkpoint", content=GOOD.submission(200, 200)).status_code == 200
    # Old heads, which anybody can send, take no room of what convicts.
    client.post("/add-checkpoint", content=FORK.submission(200, 200))
    assert sorted(one.read_bytes() for one in (tmp_path / EVIDENCE).iterdir()) == sorted(
        [GOOD.submission(100, 150), FORK.submission(200, 200)]
    )


def test_two_heads_of_one_size_are_a_fork(client: TestClient, tmp_path: Path, reports: list[str]) -> None:
    client.post("/add-checkpoint", content=GOOD.submission(0, 200))
    answer = client.post("/add-checkpoint", content=FORK.submission(200, 200))
    assert (answer.status_code, answer.text) == (409, "200\n")
    assert len(reports) == 1
    assert "log.example/one signed 200 entries" in reports[0]
    (evidence,) = (tmp_path / EVIDENCE).iterdir()
    assert evidence.read_bytes() == FORK.submission(200, 200)


def test_a_head_of_another_history_is_a_fork(client: TestClient, reports: list[str]) -> None:
    client.post("/add-checkpoint", content=GOOD.submission(0, 200))
    assert client.post("/add-checkpoint", content=FORK.submission(200, 300)).status_code == 422
    assert len(reports) == 1
    # What they have in common is no reason to cosign it.
    assert open_checkpoint(client.get(f"/checkpoint/{LOG.key.name}").content, LOG.key).root == GOOD.prover().root(200)


def test_a_good_head_with_a_wrong_proof_is_no_evidence(
    client: TestClient, tmp_path: Path, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can send what anybody can read; it must not take the place of real evidence either."""
    monkeypatch.setattr("gptgate.witness.heads.MAX_EVIDENCE", 1)
    client.post("/add-checkpoint", content=GOOD.submission(0, 200))
    public = client.get(f"/checkpoint/{LOG.key.name}").content
    junk = b"old 200\n" + b"A" * 43 + b"=\n\n" + public
    assert client.post("/add-checkpoint", content=junk).status_code == 422
    assert reports == []
    assert list((tmp_path / EVIDENCE).iterdir()) == []
    for size in (250, 300):
        later = b"old 200\n" + b"A" * 43 + b"=\n\n" + GOOD.checkpoint(size)
        assert client.post("/add-checkpoint", content=later).status_code == 422
    assert len(list((tmp_path / EVIDENCE).iterdir())) == 1
    assert client.post("/add-checkpoint", content=FORK.submission(200, 200)).status_code == 409
    assert FORK.submission(200, 200) in [path.read_bytes() for path in (tmp_path / EVIDENCE).iterdir()]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 0\n", 400),
        (b"new 0\n\n" + GOOD.checkpoint(5), 400),
        (b"old 00\n\n" + GOOD.checkpoint(5), 400),
        (b"old 0\nnot base64\n\n" + GOOD.checkpoint(5), 400),
        (b"old 0\n" + b"\n".join([b"A" * 43 + b"="] * 64) + b"\n\n" + GOOD.checkpoint(5), 400),
        (b"old 6\n\n" + GOOD.checkpoint(5), 400),
        (b"old 0\n\n" + GOOD.checkpoint(5)[:-3], 400),
        (b"old 0\n" + b"A" * 43 + b"=\n\n" + GOOD.checkpoint(5), 422),
        (Log([b"a"], STRANGER).submission(0, 1), 404),
        (Log([b"a"], Signer(LOG.key.name, b"\x09" * 32)).submission(0, 1), 403),
        (b"old 0\n\n" + GOOD.checkpoint(5).replace(b"\n5\n", b"\n6\n"), 403),
        (b"x" * 400_000, 413),
    ],
)
def test_what_is_no_request_gets_no_cosignature(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/add-checkpoint", content=body)
    assert answer.status_code == status
    assert "\u2014" not in answer.text


def test_a_witness_that_starts_again_remembers(tmp_path: Path, reports: list[str]) -> None:
    with heads(tmp_path) as kept:
        TestClient(app(tmp_path, kept, reports)).post("/add-checkpoint", content=GOOD.submission(0, 200))
        key = witness_signer(tmp_path).key
    with heads(tmp_path) as kept:
        again = TestClient(app(tmp_path, kept, reports))
        assert again.post("/add-checkpoint", content=FORK.submission(200, 300)).status_code == 422
        assert again.post("/add-checkpoint", content=GOOD.submission(200, 300)).status_code == 200
        assert witness_signer(tmp_path).key == key


def test_a_witness_that_cannot_remember_does_not_cosign(
    client: TestClient, tmp_path: Path, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gptgate.witness.heads.write_durably", full)
        answer = client.post("/add-checkpoint", content=GOOD.submission(0, 200))
    assert (answer.status_code, "\u2014" in answer.text, len(reports)) == (503, False, 1)
    assert client.post("/add-checkpoint", content=GOOD.submission(0, 200)).status_code == 200


def test_a_witness_whose_memory_is_damaged_does_not_start(tmp_path: Path, reports: list[str]) -> None:
    with heads(tmp_path) as kept:
        TestClient(app(tmp_path, kept, reports)).post("/add-checkpoint", content=GOOD.submission(0, 200))
    (path,) = (tmp_path / HEADS).iterdir()
    path.write_bytes(path.read_bytes().replace(b"200", b"100"))
    with pytest.raises(StorageError, match="is damaged"):
        heads(tmp_path)


async def test_of_two_heads_at_once_one_is_refused(tmp_path: Path, reports: list[str]) -> None:
    with heads(tmp_path) as kept:
        client = TestClient(app(tmp_path, kept, reports))
        bodies = [GOOD.submission(0, size) for size in range(1, 9)]
        answers = await asyncio.gather(
            *(asyncio.to_thread(client.post, "/add-checkpoint", content=body) for body in bodies)
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


def test_a_cosignature_of_another_key_or_text_counts_for_nothing(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/add-checkpoint", content=GOOD.submission(0, 200)).content
    key = witness_signer(tmp_path).key
    with pytest.raises(VerificationError, match="has not cosigned"):
        cosignature_in(GOOD.checkpoint(200), answer, witness_signer(tmp_path / "other").key)
    with pytest.raises(VerificationError, match="does not belong"):
        cosignature_in(GOOD.checkpoint(100), answer, key)
    with pytest.raises(VerificationError):
        cosignature_in(GOOD.checkpoint(200), b"nothing", key)
