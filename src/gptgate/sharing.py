"""Opens the shared counters where a configuration has them; without, none of their code is loaded."""

from __future__ import annotations

import ssl
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from gptgate.config.problem import ConfigError, Problem
from gptgate.config.secrets import resolve
from gptgate.core.errors import CountersUnavailable
from gptgate.core.ports import Clock
from gptgate.core.snapshot import Snapshot
from gptgate.extras import require_counters
from gptgate.storage.errors import StorageError
from gptgate.treasury import Treasury

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gptgate.core.beside import CountersSpec
    from gptgate.core.budgets import BudgetSpec
    from gptgate.core.shared import Counters
    from gptgate.shared.ledger import OwnLedger
    from gptgate.shared.service import SharedService


def own_ledger(snapshot: Snapshot) -> OwnLedger | None:
    """The ledger of a gateway that shares its counters; None where it does not. Raises ConfigError."""
    if snapshot.counters is None:
        return None
    require_counters(snapshot)
    ledger: OwnLedger = import_module("gptgate.shared.ledger").OwnLedger()
    return ledger


class Sharing:
    """The shared counters of a running gateway, or none. The caller must `close`."""

    def __init__(
        self, snapshot: Snapshot, folder: Path, clock: Clock, treasury: Treasury, logger: FilteringBoundLogger
    ) -> None:
        """Raises ConfigError when the password, the certificates or the key are not there, and StorageError."""
        self.service: SharedService | None = None
        spec = snapshot.counters
        if spec is None:
            return
        password = resolve(spec.credential) if spec.credential else ""
        _check_certificates(spec)
        make = import_module("gptgate.shared.service").SharedService
        try:
            self.service = make(spec, password, folder, treasury.ledger, clock, treasury.report, logger)
        except (OSError, ValueError) as error:
            raise StorageError(f"cannot read or write what is known of the shared counters: {error}") from error

    @property
    def counters(self) -> Counters | None:
        return self.service.counters if self.service is not None else None

    async def agree(self) -> None:
        """Raises ConfigError when the server is there and will not have this gateway: another password, no right to do
        what it must, a certificate that nobody here trusts."""
        if self.service is not None:
            try:
                await self.service.agree()
            except CountersUnavailable as error:
                raise ConfigError([Problem("counters", 0, "", error.detail, error.hint)]) from None

    def start(self, budgets: Sequence[BudgetSpec], treasury: Treasury) -> None:
        """Join the counters, in the event loop that serves, and tell them from now on what the treasury learns."""
        if self.service is not None:
            self.service.start(budgets)
            treasury.shared = self.service.change
            treasury.adopt = self.service.counters.adopt

    def readiness(self) -> list[str]:
        """Why nothing can be admitted; empty when it can."""
        return self.service.readiness() if self.service is not None else []

    async def close(self, deadline_ms: int) -> None:
        """Tell the counters what they do not know yet."""
        if self.service is not None:
            await self.service.close(deadline_ms)


def _check_certificates(spec: CountersSpec) -> None:
    if spec.ca:
        try:
            ssl.create_default_context(cafile=spec.ca)
        except OSError as error:
            message = f"cannot read certificates from {spec.ca}: {error}"
            raise ConfigError([Problem("counters.ca", 0, "", message, "a file of certificates in PEM")]) from None
    if spec.cert:
        try:
            # Whoever would be asked for a password is not there.
            ssl.create_default_context().load_cert_chain(spec.cert, spec.key or None, password="")
        except (OSError, ValueError) as error:
            files = f"{spec.cert} and {spec.key}" if spec.key else spec.cert
            message = f"cannot use the certificate and the key in {files}: {error}"
            hint = "files in PEM: a certificate, and the key that belongs to it, without a password"
            raise ConfigError([Problem("counters.cert", 0, "", message, hint)]) from None
