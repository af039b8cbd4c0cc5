"""What a dishonest operator can do to the records and the log, and what `gptgate audit verify` says of it."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from audit_logs import SIGNER, Records, sequence
from gptgate.audit.growth import GrowingLog
from gptgate.audit.signing import Signer
from gptgate.cli.audit_verify import verify
from gptgate.cli.failure import UNVERIFIED, CommandError
from gptgate.core.budgets import TopUp
from gptgate.core.events import Intent, encode_event
from gptgate.core.log import log_entry
from gptgate.storage.schema import SPENT_BY_DAYS, SPENT_BY_RECORDS
from gptgate.storage.spending import add_top_up
from gptgate_verify.note import COSIGNATURE, open_checkpoint, parse_note

INTENT = msgspec.json.Decoder(Intent)
SIZE = int(os.environ.get("GPTGATE_TAMPERED", "1500"))
"""Requests; each has two entries. More than one full tile, and a partial one. Everything but the turned bits is quick
enough at 50,000 too."""
FIRST = SIZE - 500
"""Those of the first batches, by the end of which somebody kept a checkpoint."""
KEPT, WHOLE = 2 * FIRST + 1, 2 * SIZE + 1
"""Sizes of the log then, and now."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log in two batches, and a checkpoint that somebody else kept of the first."""
    folder = tmp_path_factory.mktemp("log")
    records = Records(folder)
    records.add([f"r{number}" for number in range(FIRST)])
    records.add_event("config_applied")
    sequence(records)
    shutil.copy(folder / "log" / "checkpoint", folder / "kept")
    records.add([f"s{number}" for number in range(500)])
    sequence(records)
    with closing(sqlite3.connect(records.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    shutil.copytree(original, copy)
    return copy


def run(
    folder: Path,
    *,
    key: str = str(SIGNER.key),
    kept: bool = False,
    seen: Path | None = None,
    witnesses: list[str] | None = None,
) -> str:
    """``""`` when everything is verified, else why not."""
    others = [*([folder / "kept"] if kept else []), *([seen] if seen else [])]
    try:
        verify(proof=None, key=key, checkpoint=others, witness_key=witnesses, data=folder)
    except CommandError as error:
        return error.message if error.exit_code == UNVERIFIED else f"exit code {error.exit_code}"
    return ""


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_what_nobody_touched_is_verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, kept=True) == ""
    assert f"{WHOLE} entries" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE intents SET app = 'other' WHERE seq = 700", "intent 700 (r699): its column app"),
        ("UPDATE intents SET team = CAST(x'8a61' AS TEXT) WHERE seq = 700", "intent 700 (r699): its column team"),
        ("UPDATE ends SET code = CAST(x'8a61' AS TEXT) WHERE seq = 700", "end 700 (r699): its column code"),
        ("UPDATE events SET about = CAST(x'8a61' AS TEXT)", "config_applied 1 (event): its column about"),
        ("UPDATE spending SET model = CAST(x'8a61' AS TEXT)", "cannot count what was spent: "),
        ("UPDATE ends SET cost_nano = 1 WHERE seq = 700", "end 700 (r699): its column cost_nano"),
        ("UPDATE intents SET content = x'61' WHERE seq = 700", "intent 700 (r699): the text beside it"),
        ("UPDATE intents SET content = 'text' WHERE seq = 700", "intent 700 (r699): it holds text"),
        ("UPDATE intents SET salt = NULL WHERE seq = 700", "intent 700 (r699): its text and the text's salt"),
        ("UPDATE intents SET body = replace(body, '\"shop\"', '\"shoq\"') WHERE seq = 700", "intent 700 (r699)"),
        ("UPDATE events SET body = x'7b7d'", "config_applied 1"),
        ("UPDATE events SET at_ms = 2", "config_applied 1 (event): its column at_ms"),
        ("UPDATE events SET about = 'r1'", "config_applied 1 (event): its column about"),
        ("DELETE FROM ends WHERE seq = 700", "end 700: it is missing in the records"),
        (f"DELETE FROM intents WHERE seq = {SIZE}", f"intent {SIZE}: it is missing in the records"),
        ("DELETE FROM intents WHERE seq = 700", "intent 700: it is missing in the records"),
        ("DELETE FROM intents WHERE seq IN (1, 2)", "intent 1: it is missing in the records"),
        ("DELETE FROM events", "event 1: it is missing in the records"),
        (f"DELETE FROM log_batches WHERE size = {WHOLE}", f"the records know of a log of {KEPT} entries"),
        (
            f"UPDATE log_batches SET intents_to = {FIRST - 1}, ends_to = {FIRST + 1} WHERE size = {KEPT}",
            "it is not what was logged",
        ),
    ],
)
def test_a_changed_row_is_found_and_named(folder: Path, statement: str, place: str) -> None:
    change(folder, statement)
    assert place in run(folder)


def test_a_row_that_is_changed_with_its_columns_is_found(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        (body,) = connection.execute("SELECT body FROM intents WHERE seq = 700").fetchone()
        forged: Intent = replace(INTENT.decode(body), app="other")
        connection.execute("UPDATE intents SET app = 'other', body = ? WHERE seq = 700", (encode_event(forged),))
    assert "intent 700 (r699): it is not what was logged" in run(folder)


def test_two_rows_that_are_swapped_are_found(folder: Path) -> None:
    change(
        folder,
        "UPDATE intents SET seq = -1 WHERE seq = 700",
        "UPDATE intents SET seq = 700 WHERE seq = 701",
        "UPDATE intents SET seq = 701 WHERE seq = -1",
    )
    assert "intent 700 (r700)" in run(folder)


def test_a_row_that_is_put_in_between_is_found(folder: Path) -> None:
    change(
        folder,
        "UPDATE ends SET seq = -seq - 1 WHERE seq >= 700",
        "UPDATE ends SET seq = -seq WHERE seq < 0",
        "INSERT INTO ends SELECT 700, 'new', at_ms, app, window, state, status, code, effect, answered_model, "
        "input_tokens, output_tokens, cost_nano, usage_source, body, content, salt, fees_nano FROM ends "
        "WHERE seq = 1",
    )
    assert "end 700 (new)" in run(folder)


def test_an_entry_of_the_log_that_is_changed_is_named(folder: Path) -> None:
    bundle = folder / "log" / "tile" / "entries" / "002"
    bundle.write_bytes(bundle.read_bytes().replace(b'"shop"', b'"shoq"', 1))
    assert "entry 512 is not the one that was logged" in run(folder)


def rewrite(folder: Path, signer: Signer, entries: list[bytes]) -> None:
    """A whole new log, well-formed, over these entries."""
    shutil.rmtree(folder / "log")
    records = Records(folder)
    log = GrowingLog()
    records.files.write(log.append(entries), signer.checkpoint(log.size, log.root()))


def test_a_file_in_the_place_of_the_log_is_found(folder: Path) -> None:
    shutil.rmtree(folder / "log")
    (folder / "log").write_bytes(b"")
    assert "log cannot be read" in run(folder)


def test_a_log_that_is_written_anew_with_another_key_is_found(folder: Path) -> None:
    entries = Records(folder).entries()
    rewrite(folder, Signer(SIGNER.key.name, b"\x08" * 32), entries)
    assert "none of the expected keys has signed this" in run(folder)


def test_a_log_that_is_written_anew_with_the_same_key_is_found_by_a_checkpoint_kept_elsewhere(folder: Path) -> None:
    """Whoever holds the key can make a log that is sound in itself. That is what witnesses are for."""
    with closing(sqlite3.connect(folder / "gptgate.db")) as connection, connection:
        (body,) = connection.execute("SELECT body FROM intents WHERE seq = 700").fetchone()
        forged = encode_event(replace(INTENT.decode(body), app="other"))
        statement = "UPDATE intents SET app = 'other', body = ?, content = NULL, salt = NULL WHERE seq = 700"
        connection.execute(statement, (forged,))
        connection.execute("DELETE FROM spending")
        connection.execute(f"INSERT INTO spending {SPENT_BY_RECORDS}")
        connection.execute("DELETE FROM spending_days")
        connection.execute(f"INSERT INTO spending_days {SPENT_BY_DAYS}")
    entries = Records(folder).entries()
    (at,) = [index for index, entry in enumerate(entries) if b'"id":"r699"' in entry and b'"type":"intent"' in entry]
    entries[at] = log_entry("intent", forged, None)
    rewrite(folder, SIGNER, entries)
    assert run(folder) == ""
    assert f"the first {KEPT} entries are not those of a checkpoint" in run(folder, kept=True)


def test_a_tail_that_is_cut_off_is_found_by_a_checkpoint_kept_elsewhere(folder: Path) -> None:
    entries = Records(folder).entries()[:1000]
    rewrite(folder, SIGNER, entries)
    assert f"a checkpoint of it with {KEPT} is known" in run(folder, kept=True)


def test_an_old_copy_of_everything_is_found_by_a_checkpoint_kept_elsewhere(original: Path, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    records = Records(folder)
    records.add([f"r{number}" for number in range(100)])
    sequence(records)
    shutil.copy(original / "kept", folder / "kept")
    assert run(folder) == ""
    assert f"a checkpoint of it with {KEPT} is known" in run(folder, kept=True)


def test_a_text_that_was_erased_leaves_the_log_verifiable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "UPDATE intents SET content = NULL, salt = NULL WHERE seq = 700")
    assert run(folder, kept=True) == ""
    assert "erased since: 1" in capsys.readouterr().out


def logical(folder: Path) -> object:
    """Everything that the database says; an error when it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{(folder / 'gptgate.db').as_uri()}?mode=ro", uri=True)) as connection:
            return list(connection.iterdump())
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return repr(error)


def flips(folder: Path, path: Path, count: int, seed: int, unseen: Callable[[], bool]) -> int:
    """Turn single bits of a file, one at a time; how many were not noticed although they change something."""
    choose = random.Random(seed)
    data = path.read_bytes()
    missed = 0
    for _ in range(count):
        at, bit = choose.randrange(len(data)), choose.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        missed += run(folder) == "" and not unseen()
    path.write_bytes(data)
    return missed


def test_no_bit_of_the_log_can_be_turned(folder: Path) -> None:
    top = folder / "log"
    paths = sorted(path for path in top.rglob("*") if path.is_file())
    assert len(paths) > 25
    for seed, path in enumerate(paths):
        assert flips(folder, path, 3, seed, lambda: False) == 0, path


def test_a_turned_bit_of_the_database_is_noticed_or_says_nothing(folder: Path) -> None:
    """A bit in space that no table uses changes nothing that anybody could read."""
    before = logical(folder)
    assert flips(folder, folder / "gptgate.db", 60, 1, lambda: logical(folder) == before) == 0


def test_a_signed_head_fits_its_entries(folder: Path) -> None:
    head = open_checkpoint((folder / "kept").read_bytes(), SIGNER.key)
    assert head.size == KEPT


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE spending SET nano = nano + 1 WHERE app = 'shop'", "the sums of the quarter of an hour at 0 ms"),
        ("UPDATE spending SET team = 'other'", "the sums of the quarter of an hour at 0 ms (shop)"),
        ("DELETE FROM spending", "the sums of the quarter of an hour at 0 ms"),
        (
            "INSERT INTO spending SELECT slot_ms + 900000, team, app, key_id, end_user, session, model, provider, "
            "requests, refused, billed, input_tokens, output_tokens, tokens, usd, nano, unknown_usd, unknown_nano "
            "FROM spending",
            "the sums of the quarter of an hour at 900000 ms",
        ),
        (
            "INSERT INTO top_ups VALUES (1, 'month', '[\"shop\"]', 5, 100, 'me', NULL, NULL, NULL, NULL, 0)",
            "top-up 1 is not what its event says",
        ),
    ],
)
def test_money_that_is_not_that_of_the_records_is_found(folder: Path, statement: str, place: str) -> None:
    change(folder, statement)
    assert place in run(folder)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("DROP TRIGGER ends_spending", "the database is damaged: its trigger ends_spending is not the gateway's"),
        (
            "CREATE TRIGGER mine AFTER INSERT ON ends BEGIN UPDATE ends SET cost_nano = 0 WHERE id = new.id; END",
            "the database is damaged: its trigger mine is not the gateway's",
        ),
        ("CREATE TABLE mine (a)", "the database is damaged: its table mine is not the gateway's"),
    ],
)
def test_tables_and_triggers_that_are_not_the_gateways_are_found(folder: Path, statement: str, place: str) -> None:
    change(folder, statement)
    assert place in run(folder)


def test_an_open_request_that_recovery_would_pass_by_is_found(folder: Path) -> None:
    records = Records(folder)
    records.add(["open"], ends=False)
    sequence(records)
    assert run(folder) == ""
    change(folder, f"UPDATE meta SET value = {SIZE + 2} WHERE name = 'ended_before'")
    assert run(folder) == f"not verified: intent {SIZE + 1} (open) has no end, and is marked as if it had"


def test_an_event_that_is_not_even_text_is_named(folder: Path) -> None:
    change(
        folder,
        "UPDATE ends SET body = CAST(substr(body, 1, 60) AS BLOB) || x'ff' || substr(body, 62) WHERE seq = 700",
        "UPDATE ends SET body = CAST(body AS BLOB) WHERE seq = 700",
    )
    assert "end 700 (r699): its event cannot be read" in run(folder)


def test_a_top_up_is_what_its_event_says(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    records = Records(folder)
    records.add(["a"])
    add_top_up(folder, TopUp("month", ("shop",), 5, 100), "me")
    sequence(records)
    assert run(folder) == ""
    change(folder, "UPDATE top_ups SET amount = 1000")
    assert run(folder).endswith("top-up 1 is not what its event says")
    change(folder, "DELETE FROM top_ups")
    assert run(folder).endswith("top-up 1 is not what its event says")


def test_a_key_that_was_swapped_under_the_log_is_found(folder: Path) -> None:
    (folder / "log.key").write_bytes(b"\x07" * 32)
    assert run(folder) == ""
    (folder / "log.key").write_bytes(b"\x08" * 32)
    assert run(folder) == "not verified: log.key is not the key that has signed the log: it was swapped"
    (folder / "log.key").write_bytes(b"short")
    assert "log.key cannot be read" in run(folder)


WITNESS = Signer("witness.example/w", b"\x09" * 32, COSIGNATURE)
AT_S = 1_700_000_000


def cosign(note: bytes) -> bytes:
    """The note with the cosignature of WITNESS."""
    return note + WITNESS.cosignature(parse_note(note).text, AT_S).encode()


def test_what_a_witness_has_cosigned_is_still_there(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = tmp_path / "seen"
    seen.write_bytes((folder / "kept").read_bytes())
    again = [str(WITNESS.key)]
    assert "no checkpoint here that witness.example/w has cosigned" in run(folder, seen=seen, witnesses=again)
    seen.write_bytes(cosign(seen.read_bytes()))
    assert run(folder, seen=seen, witnesses=again) == ""
    assert f"Cosigned by witness.example/w: the first {KEPT} entries, at 2023-11-14" in capsys.readouterr().out
    entries = Records(folder).entries()
    rewrite(folder, SIGNER, entries[:1000])
    assert f"a checkpoint of it with {KEPT} is known" in run(folder, seen=seen, witnesses=again)


def test_a_cosignature_of_nobody_counts_for_nothing(folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    other = Signer(WITNESS.key.name, b"\x0a" * 32, COSIGNATURE)
    seen.write_bytes(cosign((folder / "kept").read_bytes()))
    assert "has cosigned" in run(folder, seen=seen, witnesses=[str(other.key)])
    line = WITNESS.cosignature("another text\n", AT_S).encode()
    seen.write_bytes((folder / "kept").read_bytes() + line)
    assert "does not belong to this text" in run(folder, seen=seen, witnesses=[str(WITNESS.key)])
    assert run(folder, witnesses=[str(SIGNER.key)]) == "exit code 2"


def test_what_the_gateway_noted_of_its_witnesses_must_be_in_the_log_too(folder: Path) -> None:
    log = Records(folder).files
    log.keep_witnessed("w", cosign((folder / "kept").read_bytes()))
    assert run(folder, witnesses=[str(WITNESS.key)]) == ""
    log.keep_witnessed("w", SIGNER.checkpoint(KEPT, b"\x01" * 32))
    assert "the log has forked" in run(folder)
    log.keep_witnessed("w", SIGNER.checkpoint(WHOLE + 1, b"\x01" * 32))
    assert f"a checkpoint of it with {WHOLE + 1} is known" in run(folder)


def test_two_heads_of_one_size_are_shown_to_be_a_fork(folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.write_bytes(SIGNER.checkpoint(KEPT, b"\x01" * 32))
    found = run(folder, kept=True, seen=seen)
    assert found == (
        f"not verified: the log has forked: it signed two different heads of {KEPT} entries, "
        f"in {folder / 'kept'} and in {seen}"
    )
    seen.write_bytes(SIGNER.checkpoint(WHOLE, b"\x01" * 32))
    assert f"two different heads of {WHOLE} entries" in run(folder, seen=seen)
