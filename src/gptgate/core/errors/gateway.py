"""What the gateway itself cannot do."""

from gptgate.core.errors.base import Unavailable


class AuditUnavailable(Unavailable):
    """No durable record can be written, so nothing may pass."""

    code = "audit_unavailable"


class GuardFailed(Unavailable):
    """A guard could not answer; it fails closed."""

    code = "guard_failed"
    retryable = False


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


class CountersUnavailable(Unavailable):
    """The counters that gateways share do not answer, or are not complete, so nothing may be charged to them."""

    code = "counters_unavailable"
    retryable = True
    broken: bool = False
    """The connection broke: who joins the counters again can ask again."""
