"""The log's entries in their order, as lines."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from audit_logs import SIGNER, Records
from gptgate.core.log import MAX_ENTRY_BYTES
from gptgate.storage.entries import LogEntries
from gptgate.storage.erasure import Erasure, erase
from gptgate.storage.errors import StorageError
from gptgate.storage.events import insert_event
from gptgate.storage.schema import connect
from gptgate_verify.merkle import leaf_hash, root_of
from gptgate_verify.note import open_checkpoint


def sequenced(records: Records) -> None:
    sequencer = records.sequencer()
    sequencer.start()
    assert sequencer.stop(10)
    assert sequencer.fault == ""


def event(records: Records, **fields: object) -> None:
    with closing(connect(records.path, busy_ms=1000)) as connection:
        insert_event(connection, 7, "config_applied", fields)


def everything(folder: Path, start: int = 0) -> list[bytes]:
    entries, found = LogEntries(folder), []
    while lines := entries.read(start):
        assert [line.index for line in lines] == list(range(start, start + len(lines)))
        found += [line.data for line in lines]
        start += len(lines)
    return found


def test_the_bytes_of_the_lines_are_those_that_the_checkpoint_signs(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add([f"r{number}" for number in range(300)])
    event(records, digest="d")
    sequenced(records)
    records.add(["later"])
    event(records, digest="large" * 20_000)
    sequenced(records)
    lines = everything(tmp_path)
    hashes = []
    for index, data in enumerate(lines):
        head = b'{"index":%d,"entry":' % index
        assert data.startswith(head)
        end = data.index(b',"v":1}') + len(b',"v":1}')
        hashes.append(leaf_hash(data[len(head) : end]))
    signed = open_checkpoint(records.files.read("checkpoint"), SIGNER.key)
    assert (signed.size, signed.root) == (len(lines), root_of(hashes))


def test_a_large_event_is_there_with_its_body(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for number in range(2):
        records.add([f"a{number}"])
        event(records, digest=str(number) * MAX_ENTRY_BYTES)
        event(records, digest="small")
        sequenced(records)
    documents = [json.loads(line) for line in everything(tmp_path)]
    large = [one for one in documents if "body" in one]
    assert [one["body"]["digest"][0] for one in large] == ["0", "1"]
    assert all("body_sha256" in one["entry"] and one["entry"]["type"] == "config_applied" for one in large)


def test_it_begins_where_it_is_told_and_ends_at_the_checkpoint(tmp_path: Path) -> None:
    records = Records(tmp_path)
    assert (LogEntries(tmp_path).size(), LogEntries(tmp_path).read(0)) == (0, [])
    records.add([f"r{number}" for number in range(200)])
    sequenced(records)
    records.add(["not yet"])
    assert LogEntries(tmp_path).size() == 400
    assert len(everything(tmp_path, 399)) == 1
    assert everything(tmp_path, 255) == everything(tmp_path)[255:]
    assert everything(tmp_path, 400) == []


def test_an_erasure_changes_no_line(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add(["a", "b"])
    sequenced(records)
    before = everything(tmp_path)
    assert erase(tmp_path, Erasure(app="shop"), 9, "test") == 2
    assert everything(tmp_path) == before


def test_damage_is_said(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.add(["a"])
    sequenced(records)
    (bundle,) = (path for path in (records.files.path / "tile" / "entries").rglob("*") if path.is_file())
    bundle.write_bytes(b"\x00\x05x")
    with pytest.raises(StorageError, match="cut off"):
        LogEntries(tmp_path).read(0)
    bundle.unlink()
    with pytest.raises(StorageError, match="has no file"):
        LogEntries(tmp_path).read(0)
    (records.files.path / "checkpoint").write_bytes(b"nonsense")
    with pytest.raises(StorageError, match="checkpoint is damaged"):
        LogEntries(tmp_path).size()
