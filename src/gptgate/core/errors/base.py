"""The trunk of the tree of errors."""

from enum import StrEnum
from typing import ClassVar

from gptgate.core.limit import Standing


class Reach(StrEnum):
    """How far a request to a provider got. Only NOT_SENT proves that nothing can have been billed."""

    NOT_SENT = "not_sent"
    SENT = "sent"
    ANSWERED = "answered"


class GateError(Exception):
    """Base of the tree. `message` is for the caller; `detail` is for the operator's log only and never rendered.

    `param` names the offending request field where there is one. `retry_after_ms` is set where waiting helps.
    """

    status: int = 500
    code: ClassVar[str] = "internal_error"
    upstream_us: int = 0
    """How much of the request's time was spent waiting for the provider."""
    retryable: bool | None = None
    """False: a retry cannot help. True: it can. None: say nothing and leave it to the client's own rules."""
    limit: str = ""
    """The name of the limit, guard or budget that refused the request."""
    guard: str = ""
    why: str = ""
    """The guard that could not answer, and why, where that is known: for the record."""
    standing: tuple[Standing, ...] = ()
    """How the caller's limits stand."""

    def __init__(
        self, message: str, *, param: str | None = None, detail: str = "", retry_after_ms: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.detail = detail
        self.retry_after_ms = retry_after_ms


class ClientError(GateError):
    """The caller must change the request, the key, or the time of asking."""

    status = 400
    code = "invalid_request"
    retryable = False


class UpstreamError(GateError):
    """A provider did not answer as it should. `reach` decides whether the reservation may be given back."""

    status = 502
    code = "upstream_failed"

    def __init__(
        self,
        message: str,
        *,
        reach: Reach,
        detail: str = "",
        retry_after_ms: int | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, detail=detail, retry_after_ms=retry_after_ms)
        self.reach = reach
        if status is not None:
            self.status = status


class Unavailable(GateError):
    """The gateway itself cannot serve."""

    status = 503
    code = "unavailable"
