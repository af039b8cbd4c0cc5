"""Keys of kept texts: one for each app and day, wrapped by the master key, which lies elsewhere.

`seal` belongs to the writer's thread; `open_texts` is for commands. Whoever has the database without the master key has
no text. Destroying a data key destroys every text under it, in every copy of the database whose copy of the key row is
destroyed too, or whose master key is.
"""

import os
import sqlite3
from collections.abc import Iterable
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from gptgate.core.events import End, Intent
from gptgate.core.sealing import (
    ANSWER,
    KEY_BYTES,
    NONCE_BYTES,
    REQUEST,
    SALT_BYTES,
    OpenText,
    Sealed,
    commitment_of,
    context,
    is_sealed,
    joined,
    parse,
    plain,
    unsealed,
)
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import SHORTEST_SECRET

DAY_MS = 86_400_000
CACHED = 256
"""Data keys that are kept unwrapped: those of so many apps on a day."""

NEXT_NUMBER = "UPDATE meta SET value = value + 1 WHERE name = 'data_keys' RETURNING value"

Place = tuple[str, int]
"""An app, and the number of a UTC day since 1970."""


class MasterKey:
    """Wraps and unwraps data keys. `fingerprint` says which one it is, and nothing of it."""

    def __init__(self, secret: str) -> None:
        """Raises StorageError for a secret that is too short to be one."""
        if len(secret) < SHORTEST_SECRET:
            raise StorageError(
                f"the master key of kept texts has fewer than {SHORTEST_SECRET} characters",
                hint="make one with: openssl rand -base64 32",
            )
        key = HKDF(SHA256(), KEY_BYTES, None, b"gptgate content v1").derive(secret.encode())
        self._cipher = AESGCM(key)
        self.fingerprint = sha256(b"gptgate master\n" + key).hexdigest()[:16]

    def wrap(self, number: int, place: Place, key: bytes) -> bytes:
        """A data key as it lies in the database."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, _where(number, place))

    def unwrap(self, number: int, place: Place, wrapped: bytes) -> bytes:
        """Raises StorageError when another master key wrapped it, or it was changed."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _where(number, place))
        except InvalidTag:
            raise StorageError(
                f"data key {number} cannot be unwrapped with this master key",
                hint="texts.master_key must name the key that wrapped it",
            ) from None


def _where(number: int, place: Place) -> bytes:
    return f"{number}\n{place[1]}\n{place[0]}".encode("utf-8", "surrogatepass")


def day_of(at_ms: int) -> int:
    """The number of the UTC day."""
    return at_ms // DAY_MS


class Vault:
    """Seals texts. Owned by one thread."""

    def __init__(self, master: MasterKey) -> None:
        self._master = master
        self._keys: dict[Place, tuple[int, AESGCM]] = {}

    def prepare(self, connection: sqlite3.Connection, places: Iterable[Place]) -> None:
        """Have a key for each of these, durable before a text is sealed with it. Not within a transaction.

        A crash after this leaves a key that seals nothing. Raises sqlite3.Error, StorageError.
        """
        for place in places:
            known = self._keys.get(place)
            if known is None or not self._is_there(connection, known[0]):
                if len(self._keys) >= CACHED:
                    self._keys.clear()
                self._keys[place] = self._find(connection, place) or self._make(connection, place)

    def seal(self, place: Place, request_id: str, side: str, text: bytes, salt: bytes = b"") -> bytes:
        """The text as it may lie in the records. `prepare` came before. `salt` where one was committed to already."""
        number, cipher = self._keys[place]
        random = os.urandom(SALT_BYTES + NONCE_BYTES)
        salt, nonce = salt or random[:SALT_BYTES], random[SALT_BYTES:]
        sealed = cipher.encrypt(nonce, salt + text, context(number, request_id, side))
        return joined(Sealed(number, commitment_of(salt, text), nonce, sealed))

    @staticmethod
    def _is_there(connection: sqlite3.Connection, number: int) -> bool:
        """An erasure may have destroyed a key that is still in this memory."""
        return connection.execute("SELECT 1 FROM data_keys WHERE number = ?", (number,)).fetchone() is not None

    def _find(self, connection: sqlite3.Connection, place: Place) -> tuple[int, AESGCM] | None:
        row = connection.execute(
            "SELECT number, wrapped FROM data_keys WHERE app = ? AND day = ? AND master = ? ORDER BY number DESC",
            (*place, self._master.fingerprint),
        ).fetchone()
        return None if row is None else (row[0], AESGCM(self._master.unwrap(row[0], place, row[1])))

    def _make(self, connection: sqlite3.Connection, place: Place) -> tuple[int, AESGCM]:
        key = os.urandom(KEY_BYTES)
        connection.execute("BEGIN IMMEDIATE")
        try:
            (number,) = connection.execute(NEXT_NUMBER).fetchone()
            connection.execute(
                "INSERT INTO data_keys (number, app, day, master, wrapped) VALUES (?, ?, ?, ?, ?)",
                (number, *place, self._master.fingerprint, self._master.wrap(number, place, key)),
            )
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return number, AESGCM(key)


class Seals:
    """What the writer does to texts: it seals them, where there is a vault."""

    def __init__(self, vault: Vault | None) -> None:
        self._vault = vault

    def prepare(self, connection: sqlite3.Connection, texts: Iterable[tuple[Intent | End, bytes | None]]) -> None:
        """Have the keys for these; see `Vault.prepare`."""
        if self._vault is not None:
            places = {(event.app, day_of(event.at_ms)) for event, text in texts if text is not None}
            self._vault.prepare(connection, places)

    def seal(self, event: Intent | End, text: bytes | None) -> bytes | None:
        """The text as it may lie in the records."""
        if text is None or self._vault is None:
            return None if text is None else unsealed(text)
        side = REQUEST if isinstance(event, Intent) else ANSWER
        return self._vault.seal((event.app, day_of(event.at_ms)), event.id, side, text)


def text_opener(connection: sqlite3.Connection, master: MasterKey) -> OpenText:
    """What opens texts of these records, with this master key.

    It raises StorageError for a text whose key was destroyed or is wrapped by another master key, and for one that was
    changed or moved.
    """

    def open_text(stored: bytes, request_id: str, side: str) -> bytes:
        if not is_sealed(stored):
            return plain(stored)
        what = f"the {side} of {request_id}"
        try:
            sealed = parse(stored)
        except ValueError as error:
            raise StorageError(f"{what} cannot be opened: {error}") from None
        row = connection.execute(
            "SELECT app, day, master, wrapped FROM data_keys WHERE number = ?", (sealed.number,)
        ).fetchone()
        if row is None:
            raise StorageError(f"{what} cannot be opened: its data key was destroyed")
        app, day, fingerprint, wrapped = row
        if fingerprint != master.fingerprint:
            raise StorageError(
                f"{what} cannot be opened: it is under master key {fingerprint}",
                hint="gptgate audit rewrap, with the old master key",
            )
        cipher = AESGCM(master.unwrap(sealed.number, (app, day), wrapped))
        try:
            opened = cipher.decrypt(sealed.nonce, sealed.cipher, context(sealed.number, request_id, side))
        except InvalidTag:
            raise StorageError(f"{what} cannot be opened: it was changed", hint="gptgate audit verify") from None
        salt, text = opened[:SALT_BYTES], opened[SALT_BYTES:]
        if commitment_of(salt, text) != sealed.commitment:
            raise StorageError(f"{what} is not the text that was logged", hint="gptgate audit verify")
        return text

    return open_text


class WrappedKeys(Struct, frozen=True):
    """`wrong` names a data key that its master key does not unwrap, ``""`` when there is none. `untried` are those that
    another master key wrapped than the one that is here, `tried` those that it unwraps."""

    wrong: str
    untried: int
    tried: int


def try_data_keys(connection: sqlite3.Connection, master: MasterKey | None) -> WrappedKeys:
    """Unwrap every data key that this master key wrapped. Raises sqlite3.Error."""
    untried = tried = 0
    for number, app, day, fingerprint, wrapped in connection.execute(
        "SELECT number, app, day, master, CAST(wrapped AS BLOB) FROM data_keys ORDER BY number"
    ):
        if master is None or fingerprint != master.fingerprint:
            untried += 1
            continue
        try:
            master.unwrap(number, (app, day), wrapped)
        except (StorageError, ValueError):
            # Also of too few bytes.
            return WrappedKeys(f"data key {number} was changed: its master key does not unwrap it", untried, tried)
        tried += 1
    return WrappedKeys("", untried, tried)


def rewrap(connection: sqlite3.Connection, old: MasterKey, new: MasterKey) -> int:
    """Wrap every data key with another master key; how many there were. Within the caller's transaction.

    The texts stay as they are, and so does the log. Raises StorageError when a key cannot be unwrapped.
    """
    rows = connection.execute(
        "SELECT number, app, day, master, wrapped FROM data_keys WHERE master <> ?", (new.fingerprint,)
    ).fetchall()
    for number, app, day, fingerprint, wrapped in rows:
        if fingerprint != old.fingerprint:
            raise StorageError(f"data key {number} is under master key {fingerprint}, which is neither of the two")
        connection.execute(
            "UPDATE data_keys SET master = ?, wrapped = ? WHERE number = ?",
            (new.fingerprint, new.wrap(number, (app, day), old.unwrap(number, (app, day), wrapped)), number),
        )
    return len(rows)
