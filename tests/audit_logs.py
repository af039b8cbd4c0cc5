"""A data folder with records and a log, for the tests of the log."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gptgate.audit.signed_log import SignedLog
from gptgate.audit.signing import Signer
from gptgate.cli.audit_verify import verify
from gptgate.cli.failure import CommandError
from gptgate.core.events import encode_event
from gptgate.core.log import commitment, log_entry
from gptgate.storage.folder import create_folder
from gptgate.storage.log_folder import LogFolder
from gptgate.storage.rows import INSERT_END, INSERT_INTENT, end_values, intent_values, next_seq
from gptgate.storage.schema import connect, migrate
from gptgate.storage.sequencer import Sequencer
from gptgate_verify.merkle import leaf_hash, root_of
from gptgate_verify.note import open_checkpoint
from gptgate_verify.tiles import bundle_path, tiles_of, unpack_bundle
from storage_samples import end, intent

SIGNER = Signer("log.example/test", b"\x07" * 32)


class Records:
    """The records and the log of one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = create_folder(folder)
        self.files = LogFolder(folder)
        with closing(connect(self.path, busy_ms=1000)) as connection:
            migrate(connection)

    def add(self, names: list[str], *, ends: bool = True) -> None:
        """Requests, each with its end, as the writer writes them."""
        with closing(connect(self.path, busy_ms=1000)) as connection:
            connection.execute("BEGIN")
            for seq, name in enumerate(names, next_seq(connection)):
                asked = intent(name, at_ms=seq)
                connection.execute(
                    INSERT_INTENT, intent_values(seq, asked, encode_event(asked), b"asked " + name.encode())
                )
                if ends:
                    connection.execute(INSERT_END, end_values(end(name), None))
            connection.execute("COMMIT")

    def add_event(self, kind: str) -> None:
        with closing(connect(self.path, busy_ms=1000)) as connection:
            connection.execute("INSERT INTO events (at_ms, type, body) VALUES (1, ?, ?)", (kind, b'{"at_ms":1}'))

    def open_log(self) -> SignedLog:
        return SignedLog.resume(SIGNER, self.files.checkpoint(), self.files.read)

    def sequencer(self) -> Sequencer:
        return Sequencer(self.path, self.files, self.open_log(), busy_ms=1000)

    def rows(self) -> list[bytes]:
        """The entries that the rows of all tables come to, in no order."""
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(
                "SELECT 'intent', body, content, salt FROM intents UNION ALL "
                "SELECT 'end', body, content, salt FROM ends UNION ALL SELECT type, body, NULL, NULL FROM events"
            ).fetchall()
        return [
            log_entry(kind, body, None if salt is None else commitment(salt, content))
            for kind, body, content, salt in found
        ]

    def entries(self) -> list[bytes]:
        """The log's entries, which have to be those of the signed checkpoint."""
        note = self.files.checkpoint()
        if note is None:
            return []
        head = open_checkpoint(note, SIGNER.key)
        found = [
            entry
            for number, width in tiles_of(head.size, 0)
            for entry in unpack_bundle(self.files.read(bundle_path(number, width)), width)
        ]
        assert root_of(map(leaf_hash, found)) == head.root
        return found


def sequence(records: Records) -> None:
    """Give every record its place in the log."""
    sequencer = records.sequencer()
    sequencer.start()
    assert sequencer.stop(30)
    assert sequencer.fault == ""


def unverified(folder: Path) -> str:
    """Why `gptgate audit verify` does not verify it; empty when it does."""
    try:
        verify(proof=None, key=str(SIGNER.key), checkpoint=None, witness_key=None, data=folder)
    except CommandError as error:
        return error.message
    return ""
