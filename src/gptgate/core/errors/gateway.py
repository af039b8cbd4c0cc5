"""What the gateway itself cannot do."""

from gptgate.core.errors.base import Unavailable


class AuditUnavailable(Unavailable):
    """No durable record can be written, so nothing may pass."""

    code = "audit_unavailable"


class GuardFailed(Unavailable):
    """A guard could not answer; it fails closed.

    `guard` names it, as ``rule ID``, ``classifier NAME`` or ``detector NAME``, else by what it does. `why` is in words
    of the gateway's own, without any of the request's. Both go on record; `detail` does not.
    """

    code = "guard_failed"
    retryable = False

    def __init__(self, message: str, *, guard: str = "", why: str = "", detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.guard = guard
        self.why = why

    @property
    def spares_detectors(self) -> bool:
        """Whether the guard that failed has no part in finding secrets: a classifier, a rule, the approvals' file."""
        return self.guard.startswith(("classifier ", "rule ")) or self.guard == "approvals"


class ShuttingDown(Unavailable):
    """The gateway drains."""

    code = "shutting_down"
    retryable = True


class AnswerTooLarge(Unavailable):
    """The provider's answer is larger than the configured bound, so it cannot be inspected whole."""

    status = 502
    code = "answer_too_large"
    retryable = False


class InternalFault(Unavailable):
    """A defect of the gateway. The public message says nothing but that."""

    status = 500
    code = "internal_error"

    @classmethod
    def of(cls, defect: Exception, detail: str) -> "InternalFault":
        """The fault that a defect is. `why` names what was raised and where, and nothing that was in it."""
        fault = cls("The gateway failed on this request.", detail=detail)
        frame = defect.__traceback__
        while frame is not None:
            module = frame.tb_frame.f_globals.get("__name__", "")
            if module.startswith("gptgate."):
                fault.why = f"{type(defect).__name__} in {module}.{frame.tb_frame.f_code.co_qualname}"
            frame = frame.tb_next
        return fault


class CountersUnavailable(Unavailable):
    """The counters that gateways share do not answer, or are not complete, so nothing may be charged to them."""

    code = "counters_unavailable"
    retryable = True
    broken: bool = False
    """The connection broke: who joins the counters again can ask again."""
    hint: str = ""
    """For operators: which setting the server does not agree with; empty where waiting may help."""
