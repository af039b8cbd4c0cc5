"""Every refusal and failure the gateway can answer with, in one tree.

    GateError                     status, stable code, public message; a private detail that no renderer sends
    ├── ClientError               the caller must change something
    │   ├── MalformedRequest      400 invalid_json          ├── PolicyDenied         403 policy_denied
    │   ├── InvalidField          400 invalid_request       ├── RedactionImpossible  403 redaction_impossible
    │   ├── DialectMismatch       400 dialect_not_supported ├── PriceUnknown         403 price_unknown
    │   ├── MissingKey            401 missing_api_key       ├── RouteNotFound        404 route_not_found
    │   ├── InvalidKey            401 invalid_api_key       ├── ModelNotFound        404 model_not_found
    │   ├── KeyExpired            401 api_key_expired       ├── MethodNotAllowed     405 method_not_allowed
    │   ├── KeyRevoked            401 api_key_revoked       ├── BodyTimeout          408 body_timeout
    │   ├── AddressNotAllowed     403 address_not_allowed   ├── BodyTooLarge         413 body_too_large
    │   ├── ApprovalRequired      403 approval_required     │
    │   ├── ModelNotAllowed       403 model_not_allowed     ├── RateLimited          429 rate_limited
    │   ├── EndpointNotAllowed    403 endpoint_not_allowed  ├── ConcurrencyLimited   429 concurrency_limited
    │   ├── ExceedsLimit          429 exceeds_limit         ├── RepeatedRequest      429 repeated_request
    │   ├── PromptTooLarge        413 prompt_too_large      ├── AuthenticationsLimited  429 authentications_limited
    │   └── ClientGone            499 client_disconnected   └── BudgetExceeded       429 budget_exceeded
    ├── UpstreamError             the provider; `reach` says how far the request got, so whether it may be billed
    │   ├── UpstreamUnreachable   502 upstream_unreachable  (not sent)
    │   ├── UpstreamTimeout       504 upstream_timeout      (sent)
    │   ├── UpstreamBroken        502 upstream_broken       (sent or answered, then unreadable)
    │   ├── UpstreamRefused       the provider's own status: upstream_refused
    │   ├── UpstreamCredential    502 upstream_credential   (the provider rejects the gateway's own credential)
    │   ├── UpstreamLimited       429 upstream_rate_limited
    │   └── UpstreamFailed        502 upstream_failed
    │       └── UpstreamOverloaded  529 or 503 upstream_overloaded
    └── Unavailable               the gateway itself
        ├── AuditUnavailable      503 audit_unavailable
        ├── GuardFailed           503 guard_failed
        ├── ShuttingDown          503 shutting_down
        ├── AnswerTooLarge        502 answer_too_large
        └── InternalFault         500 internal_error

A refusal that a retry cannot mend has `retryable = False` and is rendered with ``x-should-retry: false``.
"""

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
    """The name of the limit or guard that refused the request."""
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


class MalformedRequest(ClientError):
    """The body is not strict JSON: bad syntax, duplicate keys, NaN, too deep, not UTF-8."""

    code = "invalid_json"


class InvalidField(ClientError):
    """A field that the gateway must read has a wrong type or value."""


class DialectMismatch(ClientError):
    """The model's provider speaks another dialect than the endpoint."""

    code = "dialect_not_supported"


class MissingKey(ClientError):
    """No API key was presented."""

    status = 401
    code = "missing_api_key"


class InvalidKey(ClientError):
    """The presented key is not one of ours, or its secret does not match."""

    status = 401
    code = "invalid_api_key"


class KeyExpired(ClientError):
    """The key was good once."""

    status = 401
    code = "api_key_expired"


class KeyRevoked(ClientError):
    """The key was revoked."""

    status = 401
    code = "api_key_revoked"


class AddressNotAllowed(ClientError):
    """The key may not be used from the caller's address."""

    status = 403
    code = "address_not_allowed"


class ModelNotAllowed(ClientError):
    """The key or its app may not use this model."""

    status = 403
    code = "model_not_allowed"


class EndpointNotAllowed(ClientError):
    """The key may not use this endpoint."""

    status = 403
    code = "endpoint_not_allowed"


class PolicyDenied(ClientError):
    """A rule denied the request or its answer."""

    status = 403
    code = "policy_denied"


class ApprovalRequired(ClientError):
    """A rule holds the request up until somebody approves it; `param` is the id of the approval."""

    status = 403
    code = "approval_required"


class RedactionImpossible(ClientError):
    """A rule asks to redact something that cannot be cut out without changing the request's structure."""

    status = 403
    code = "redaction_impossible"


class PriceUnknown(ClientError):
    """The model has no known price: unknown is not zero."""

    status = 403
    code = "price_unknown"


class RouteNotFound(ClientError):
    """No such path."""

    status = 404
    code = "route_not_found"


class ModelNotFound(ClientError):
    """The gateway offers no model of this name."""

    status = 404
    code = "model_not_found"


class MethodNotAllowed(ClientError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"


class BodyTimeout(ClientError):
    """The body did not arrive in time."""

    status = 408
    code = "body_timeout"


class BodyTooLarge(ClientError):
    """The body is larger than the configured bound."""

    status = 413
    code = "body_too_large"


class RateLimited(ClientError):
    """Too many requests or tokens in the window; `retry_after_ms` is exact."""

    status = 429
    code = "rate_limited"
    retryable = True


class ConcurrencyLimited(ClientError):
    """Too many requests in flight."""

    status = 429
    code = "concurrency_limited"
    retryable = True


class ExceedsLimit(ClientError):
    """The request alone may take more tokens than a whole limit has."""

    status = 429
    code = "exceeds_limit"


class RepeatedRequest(ClientError):
    """The app sends one and the same request again and again."""

    status = 429
    code = "repeated_request"


class PromptTooLarge(ClientError):
    """The request is larger than the configuration allows prompts to be."""

    status = 413
    code = "prompt_too_large"


class AuthenticationsLimited(ClientError):
    """Too many keys from this address were refused; for a while none is looked at."""

    status = 429
    code = "authentications_limited"


class BudgetExceeded(ClientError):
    """The request's ceiling does not fit in what is left of a budget."""

    status = 429
    code = "budget_exceeded"


class ClientGone(ClientError):
    """The caller hung up before the answer was complete. Recorded; there is nobody to render it to."""

    status = 499
    code = "client_disconnected"


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


class UpstreamUnreachable(UpstreamError):
    """No connection; nothing was sent."""

    code = "upstream_unreachable"


class UpstreamTimeout(UpstreamError):
    """The provider did not answer, or fell silent, within the configured time."""

    status = 504
    code = "upstream_timeout"


class UpstreamBroken(UpstreamError):
    """The answer was cut, or could not be read."""

    code = "upstream_broken"


class UpstreamRefused(UpstreamError):
    """The provider refused the request for a reason in the request itself (its own 4xx)."""

    code = "upstream_refused"
    retryable = False


class UpstreamCredential(UpstreamError):
    """The provider rejects the gateway's credential: the operator's fault, never shown as the caller's 401."""

    code = "upstream_credential"
    retryable = False


class UpstreamLimited(UpstreamError):
    """The provider limits the gateway."""

    status = 429
    code = "upstream_rate_limited"


class UpstreamFailed(UpstreamError):
    """The provider failed (5xx)."""


class UpstreamOverloaded(UpstreamFailed):
    """The provider says that it is overloaded."""

    status = 529
    code = "upstream_overloaded"


class Unavailable(GateError):
    """The gateway itself cannot serve."""

    status = 503
    code = "unavailable"


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
