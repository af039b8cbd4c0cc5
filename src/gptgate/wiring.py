"""What the composition root puts in besides packages: clock, ids, the edge's observer, the audit log's opening."""

import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from structlog.typing import FilteringBoundLogger

from gptgate.audit.signed_log import SignedLog
from gptgate.audit.signing import Signer
from gptgate.config.canonical import canonical_bytes
from gptgate.config.problem import ConfigError, Problem
from gptgate.config.secrets import resolve
from gptgate.core.ids import uuid7
from gptgate.core.kept import TextSpec
from gptgate.core.ports import Clock
from gptgate.core.snapshot import Snapshot
from gptgate.detectors import TextInspector
from gptgate.detectors.canary import Canaries
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import content_secret, create_folder
from gptgate.storage.log_folder import KEY_NAME, LogFolder, load_or_make_seed
from gptgate.storage.schema import storage_errors
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.vault import MasterKey, Vault
from gptgate.telemetry.log import LineWriter
from gptgate.telemetry.sink import Telemetry
from gptgate.upstream.target import Target
from gptgate_verify import VerificationError
from gptgate_verify.note import is_signed_by

FORMER_MS = 24 * 60 * 60 * 1000
"""How long a credential is looked for after it was exchanged, at the least."""
AT_RESTART = {
    "data_host": "data",
    "data_port": "data",
    "control_host": "control",
    "control_port": "control",
    "header_timeout_ms": "header_timeout",
    "keep_alive_ms": "keep_alive",
    "drain_ms": "drain",
    "store_timeout_ms": "store_timeout",
}
"""Fields of the Snapshot's server → the settings that give them, which a running gateway cannot change."""


class SystemClock:
    """`core.ports.Clock` from the operating system."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    # The function itself: it is called a dozen times a request.
    monotonic_ns = staticmethod(time.monotonic_ns)


class IdSource:
    """Request ids: UUIDv7 with randomness from the operating system, fetched for many ids at once."""

    _BATCH = 256

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._random = b""
        self._position = 0

    def __call__(self) -> str:
        start = self._position
        if start >= len(self._random):
            self._random, start = os.urandom(10 * self._BATCH), 0
        self._position = start + 10
        return uuid7(self._clock.wall_ms(), self._random[start : start + 10])


def open_audit_log(files: LogFolder) -> SignedLog:
    """The data folder's audit log, signed by its key; both are made at the first start. Raises StorageError."""
    folder = files.path.parent
    with storage_errors("open the audit log"):
        checkpoint = files.checkpoint()
        if checkpoint is not None and not (folder / KEY_NAME).exists():
            raise StorageError(f"there is an audit log in {folder}, and no {KEY_NAME}", hint=f"restore {KEY_NAME}")
        signer = Signer.of_installation(load_or_make_seed(folder))
        if checkpoint is not None and not is_signed_by(checkpoint, signer.key):
            raise StorageError(
                f"{folder / KEY_NAME} is not the key that signed the audit log", hint="restore the log's own key"
            )
        try:
            return SignedLog.resume(signer, checkpoint, files.read)
        except VerificationError as error:
            raise StorageError(
                f"the audit log in {files.path} is damaged: {error}", hint="restore it; see `gptgate audit verify`"
            ) from error


def master_key(folder: Path, texts: TextSpec) -> MasterKey:
    """The master key of kept texts: the configured one, or the folder's own, made at the first start.

    Raises ConfigError, StorageError.
    """
    return MasterKey(content_secret(folder) if texts.master_key is None else resolve(texts.master_key))


def open_store(folder: Path, clock: SystemClock, snapshot: Snapshot) -> SqliteStore:
    """The data folder's records, in its log, with their texts sealed. Raises ConfigError, StorageError."""
    create_folder(folder)
    return SqliteStore.open(
        folder,
        clock=clock,
        timeout_ms=snapshot.server.store_timeout_ms,
        open_log=open_audit_log,
        vault=Vault(master_key(folder, snapshot.texts)),
    )


def configuration_event(snapshot: Snapshot) -> dict[str, object]:
    """What the audit log says of a configuration: all of it. Secrets stand in it as references only."""
    return {"digest": snapshot.digest, "configuration": msgspec.Raw(canonical_bytes(snapshot))}


class Credentials:
    """The gateway's own credentials: those in force, and those that were until lately.

    A credential that was exchanged often works on for a while, and is in texts of before. So a former one is looked for
    until the first configuration that comes into force a day after.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._current: frozenset[str] = frozenset()
        self._former: dict[str, int] = {}
        """Credential → until when, in Unix milliseconds, it is looked for."""

    def change(self, targets: Iterable[Target], others: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
        """These are in force from now on. All that are looked for."""
        own = [secret.decode("latin-1") for target in targets for secret in target.secrets]
        current = frozenset((*own, *(secret for secrets in others for secret in secrets.values())))
        now_ms = self._clock.wall_ms()
        gone = dict.fromkeys(sorted(self._current - current), now_ms + FORMER_MS)
        self._former = {
            secret: until_ms
            for secret, until_ms in (self._former | gone).items()
            if until_ms > now_ms and secret not in current
        }
        self._current = current
        return (*sorted(current), *self._former)


def informed(
    inspector: TextInspector, snapshot: Snapshot, credentials: Iterable[str], canaries: Canaries
) -> TextInspector:
    """The inspector, which also knows these credentials, and canaries where a rule plants some."""
    plants = any(rule.obligations.canary for rule in snapshot.rules)
    return inspector.knowing(credentials, canaries if plants else None)


class Edge:
    """`http.app.EdgeObserver`: strangers are counted, defects are logged."""

    def __init__(self, telemetry: Telemetry, logger: FilteringBoundLogger) -> None:
        self._telemetry = telemetry
        self._logger = logger

    def unauthenticated(self, code: str, peer: str) -> None:
        self._telemetry.unauthenticated(code, peer)

    def defect(self, request_id: str, detail: str) -> None:
        self._logger.error("a request failed by a defect of the gateway", request_id=request_id, detail=detail)


def check_unchanged(config: Path, old: Snapshot, new: Snapshot) -> None:
    """No inert configuration: an address cannot change under a listening socket, nor what is in flight be counted
    elsewhere, nor the master key change under today's keys of texts, so it is refused, not ignored.

    Raises ConfigError.
    """
    changed = {
        f"server.{setting}"
        for field, setting in AT_RESTART.items()
        if getattr(old.server, field) != getattr(new.server, field)
    }
    if old.counters != new.counters:
        changed.add("counters")
    if old.texts.master_key != new.texts.master_key:
        changed.add("texts.master_key")
    if changed:
        problem, hint = "takes effect at a restart only", "restart the gateway, or take the change back"
        raise ConfigError([Problem(str(config), 0, name, problem, hint) for name in sorted(changed)])


def standard_output() -> LineWriter:
    """Request lines go to standard output past the interpreter's buffer; see `LineWriter`."""
    sys.stdout.flush()
    return LineWriter(open(sys.stdout.fileno(), "wb", buffering=0, closefd=False))
