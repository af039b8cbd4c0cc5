"""The log with its key: `core.ports.TransparencyLog`."""

from collections.abc import Sequence

from gptgate.audit.growth import GrowingLog
from gptgate.audit.signing import Signer
from gptgate.core.log import Growth, ReadFile
from gptgate_verify.merkle import VerificationError
from gptgate_verify.note import open_checkpoint


class SignedLog:
    """A growing log that signs its heads."""

    def __init__(self, log: GrowingLog, signer: Signer) -> None:
        self._log = log
        self._signer = signer

    @classmethod
    def resume(cls, signer: Signer, checkpoint: bytes | None, read: ReadFile) -> "SignedLog":
        """Go on from the last checkpoint; None begins a new log.

        Raises VerificationError when the checkpoint is not this key's, or the files are not those that it signed.
        """
        if checkpoint is None:
            return cls(GrowingLog(), signer)
        head = open_checkpoint(checkpoint, signer.key)
        log = GrowingLog.resume(head.size, read)
        if log.root() != head.root:
            raise VerificationError(f"the log's files are not those of its checkpoint over {head.size} entries")
        return cls(log, signer)

    @property
    def size(self) -> int:
        return self._log.size

    def append(self, entries: Sequence[bytes]) -> Growth:
        """See `core.ports.TransparencyLog`."""
        return self._log.append(entries)

    def checkpoint(self) -> bytes:
        """See `core.ports.TransparencyLog`."""
        return self._signer.checkpoint(self._log.size, self._log.root())
