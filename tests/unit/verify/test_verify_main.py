"""`python -m gptgate_verify` on a folder and on a proof: what it proves, and what witnesses must have cosigned."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gptgate.audit.growth import GrowingLog, Prover
from gptgate.audit.signing import Signer
from gptgate_verify.__main__ import main
from gptgate_verify.note import COSIGNATURE, parse_note
from gptgate_verify.proof import format_proof

LOG = Signer("log.example/test", b"\x07" * 32)
WITNESSES = [Signer(f"w{number}.example/w", bytes([number]) * 32, COSIGNATURE) for number in (1, 2, 3)]
KEYS = [argument for witness in WITNESSES for argument in ("--witness", str(witness.key))]
AT_S = 1_800_000_000


class Folder:
    """A log of 300 entries in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        log = GrowingLog()
        growth = log.append([b"entry %d" % number for number in range(300)])
        for file in growth.files:
            (path / file.path).parent.mkdir(parents=True, exist_ok=True)
            (path / file.path).write_bytes(file.data)
        self.prover = Prover(300, lambda name: (path / name).read_bytes())
        (path / "checkpoint").write_bytes(self.head(300))

    def head(self, size: int, *cosigners: Signer, root: bytes | None = None) -> bytes:
        """The log's head at a size, cosigned."""
        root = root or self.prover.root(size)
        text = parse_note(LOG.checkpoint(size, root)).text
        return LOG.checkpoint(size, root, [one.cosignature(text, AT_S) for one in cosigners])

    def noted(self, name: str, note: bytes) -> None:
        """What the gateway noted down of a witness."""
        (self.path / "witness").mkdir(exist_ok=True)
        (self.path / "witness" / name).write_bytes(note)


@pytest.fixture
def log(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def run(*arguments: object) -> int:
    return main([str(LOG.key), *map(str, arguments)])


def test_k_of_n_witnesses_and_how_much_they_have_seen(log: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(log.path) == 0
    log.noted("one", log.head(300, WITNESSES[0]))
    log.noted("two", log.head(120, WITNESSES[1]))
    assert run(log.path, *KEYS, "--at-least", "2") == 0
    told = capsys.readouterr().out
    assert "cosigned by 2 of 3 witnesses; 2 of them saw 120 entries" in told
    assert "w1.example/w: 300 entries, 2027-01-15T08:00:00Z" in told
    assert run(log.path, *KEYS, "--at-least", "1") == 0
    assert "1 of them saw 300 entries" in capsys.readouterr().out
    assert run(log.path, *KEYS) == 3
    assert "2 of 3 witnesses have cosigned, 3 must: not w3.example/w" in capsys.readouterr().err


def test_a_checkpoint_from_elsewhere_is_held_against_the_log(
    log: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(log.head(200, *WITNESSES))
    assert run(log.path, "--checkpoint", kept, *KEYS) == 0
    for size, root, told in ((200, b"\x01" * 32, "forked"), (301, b"\x01" * 32, "checkpoint of it with 301")):
        kept.write_bytes(log.head(size, *WITNESSES, root=root))
        assert run(log.path, "--checkpoint", kept, *KEYS) == 3
        assert told in capsys.readouterr().err


def test_two_heads_of_one_size_are_a_fork(log: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    log.noted("one", log.head(120))
    log.noted("two", log.head(120, root=b"\x01" * 32))
    assert run(log.path) == 3
    assert "two different heads of one size" in capsys.readouterr().err


def test_a_cosignature_that_is_not_the_witness_s_own_is_refused(
    log: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = Signer("w1.example/w", b"\x09" * 32, COSIGNATURE)
    log.noted("one", log.head(300, stranger))
    assert run(log.path, *KEYS[:2]) == 3
    assert "0 of 1 witnesses" in capsys.readouterr().err
    forged = log.head(300, WITNESSES[0]).replace(b"\n300\n", b"\n299\n")
    text = parse_note(forged).text
    cosigned = WITNESSES[0].cosignature(text.replace("299", "300"), AT_S)
    log.noted("one", LOG.checkpoint(299, log.prover.root(299), [cosigned]))
    assert run(log.path, *KEYS[:2]) == 3
    assert "w1.example/w does not belong to this text" in capsys.readouterr().err


def test_a_proof_s_own_checkpoint_must_be_cosigned(
    log: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.proof"
    for cosigners, code in ((WITNESSES[:2], 0), (WITNESSES[:1], 3)):
        path.write_bytes(format_proof(b"entry 7", 7, log.prover.inclusion(7, 300), log.head(300, *cosigners)))
        assert run(path, *KEYS, "--at-least", "2") == code
    told = capsys.readouterr()
    assert "cosigned by 2 of 3" in told.out
    assert "1 of 3 witnesses have cosigned, 2 must" in told.err


def test_what_cannot_be_looked_at_is_not_called_wrong(
    log: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none.proof") == 2
    assert run(log.path, "--checkpoint", tmp_path / "none") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("could not check") == 2
    assert "not verified" not in told.err
    (log.path / "tile" / "entries" / "000").unlink()
    assert run(log.path) == 3, "a file that the log must have is not the reader's affair"


def test_a_reader_who_has_gone_is_no_failure_of_the_log(log: Folder) -> None:
    command = [sys.executable, "-m", "gptgate_verify", str(LOG.key), str(log.path)]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_called_proven_before_all_of_it_is(log: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(log.path, "--witness", WITNESSES[0].key) == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert "not verified" in told.err


@pytest.mark.parametrize("keys", [[str(LOG.key)], [str(WITNESSES[0].key)] * 2, ["nonsense"]])
def test_what_is_no_set_of_witnesses_says_nothing_of_the_log(
    log: Folder, keys: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(log.path, *[argument for key in keys for argument in ("--witness", key)]) == 2
    assert capsys.readouterr().err.startswith("could not check: --witness: ")


def test_what_is_another_thing_than_was_asked_for_says_nothing_of_the_log(
    log: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "README.md").write_text("# A program\n\nWords.\n")
    (other / "package.json").write_text('{"name": "x"}')
    (other / "stranger").write_bytes(Signer("other.example/log", b"\x01" * 32).checkpoint(3, b"\x01" * 32))
    for arguments, said in (
        ((other / "README.md",), "README.md is no proof"),
        ((other / "package.json",), "package.json is no proof"),
        ((log.path / "checkpoint",), "checkpoint is no proof"),
        ((other,), f"there is no log in {other}; "),
        ((log.path, "--checkpoint", other / "README.md"), "README.md is no checkpoint of this log: "),
        ((log.path, "--checkpoint", other / "stranger"), "stranger is no checkpoint of this log: "),
    ):
        assert run(*arguments) == 2, said
        assert said in capsys.readouterr().err
    assert main([str(other / "README.md"), str(log.path)]) == 2
    assert "KEY is the line that" in capsys.readouterr().err
    (log.path / "checkpoint").unlink()
    assert run(log.path) == 3, "a log that has lost its checkpoint is not whole"


def test_an_entry_is_shown_a_line_for_each_field_and_whole_as_json(
    log: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = json.dumps({"type": "intent", "body": {"end_user": "a\u202eb\x9b"}}, ensure_ascii=False).encode()
    grown = GrowingLog()
    grown.append([entry])
    path = tmp_path / "one.proof"
    path.write_bytes(format_proof(entry, 0, [], LOG.checkpoint(1, grown.root(), [])))
    assert run(path) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0] == "log.example/test: entry 0 of 1, as signed:"
    assert '    "type": "intent",' in told.splitlines()
    assert told.replace("\n", "").isprintable()
    assert run(path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"log": "log.example/test", "size": 1, "index": 0, "entry": json.loads(entry)}


def test_as_json_a_log_says_how_much_its_witnesses_saw(log: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    log.noted("one", log.head(120, WITNESSES[0]))
    assert run(log.path, *KEYS[:2], "--json") == 0
    seen = [{"witness": "w1.example/w", "size": 120, "at": "2027-01-15T08:00:00Z"}]
    assert json.loads(capsys.readouterr().out) == {
        "log": "log.example/test",
        "size": 300,
        "cosigned": [{"size": 120, "witnesses": seen}],
    }


@pytest.mark.parametrize(
    "arguments",
    [[], ["--at-least", "0", *KEYS], ["--at-least", "x", *KEYS], ["--at-least", "4", *KEYS], ["--checkpoint", "x"]],
)
def test_what_is_no_command_is_usage(tmp_path: Path, arguments: list[str]) -> None:
    proof = tmp_path / "a.proof"
    proof.write_bytes(b"")
    with pytest.raises(SystemExit) as caught:
        main([*([str(LOG.key), str(proof)] if arguments else []), *arguments])
    assert caught.value.code == 2
