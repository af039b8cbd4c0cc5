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
    │   ├── RetryAfterIgnored     429 retry_after_ignored   └── OverBudget           (what is left is too little)
    │   ├── StreamOutgrown        429 stream_outgrown           ├── SessionLimited   429 session_limited
    │   ├── BodiesLimited         429 bodies_limited            │
    │   └── ClientGone            499 client_disconnected       └── BudgetExceeded   429 budget_exceeded
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
        ├── CountersUnavailable   503 counters_unavailable
        ├── GuardFailed           503 guard_failed
        ├── ShuttingDown          503 shutting_down
        ├── AnswerTooLarge        502 answer_too_large
        └── InternalFault         500 internal_error

A refusal that a retry cannot mend has `retryable = False` and is rendered with ``x-should-retry: false``.
"""

from gptgate.core.errors.base import (
    ClientError,
    GateError,
    Reach,
    Unavailable,
    UpstreamError,
)
from gptgate.core.errors.caller import (
    AddressNotAllowed,
    ApprovalRequired,
    BodyTimeout,
    BodyTooLarge,
    ClientGone,
    DialectMismatch,
    EndpointNotAllowed,
    InvalidField,
    InvalidKey,
    KeyExpired,
    KeyRevoked,
    MalformedRequest,
    MethodNotAllowed,
    MissingKey,
    ModelNotAllowed,
    ModelNotFound,
    PolicyDenied,
    PriceUnknown,
    RedactionImpossible,
    RouteNotFound,
)
from gptgate.core.errors.gateway import (
    AnswerTooLarge,
    AuditUnavailable,
    CountersUnavailable,
    GuardFailed,
    InternalFault,
    ShuttingDown,
)
from gptgate.core.errors.limits import (
    AuthenticationsLimited,
    BodiesLimited,
    BudgetExceeded,
    ConcurrencyLimited,
    ExceedsLimit,
    OverBudget,
    PromptTooLarge,
    RateLimited,
    RepeatedRequest,
    RetryAfterIgnored,
    SessionLimited,
    StreamOutgrown,
)
from gptgate.core.errors.upstream import (
    UpstreamBroken,
    UpstreamCredential,
    UpstreamFailed,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)

__all__ = [
    "AddressNotAllowed",
    "AnswerTooLarge",
    "ApprovalRequired",
    "AuditUnavailable",
    "AuthenticationsLimited",
    "BodiesLimited",
    "BodyTimeout",
    "BodyTooLarge",
    "BudgetExceeded",
    "ClientError",
    "ClientGone",
    "ConcurrencyLimited",
    "CountersUnavailable",
    "DialectMismatch",
    "EndpointNotAllowed",
    "ExceedsLimit",
    "GateError",
    "GuardFailed",
    "InternalFault",
    "InvalidField",
    "InvalidKey",
    "KeyExpired",
    "KeyRevoked",
    "MalformedRequest",
    "MethodNotAllowed",
    "MissingKey",
    "ModelNotAllowed",
    "ModelNotFound",
    "OverBudget",
    "PolicyDenied",
    "PriceUnknown",
    "PromptTooLarge",
    "RateLimited",
    "Reach",
    "RedactionImpossible",
    "RepeatedRequest",
    "RetryAfterIgnored",
    "RouteNotFound",
    "SessionLimited",
    "ShuttingDown",
    "StreamOutgrown",
    "Unavailable",
    "UpstreamBroken",
    "UpstreamCredential",
    "UpstreamError",
    "UpstreamFailed",
    "UpstreamLimited",
    "UpstreamOverloaded",
    "UpstreamRefused",
    "UpstreamTimeout",
    "UpstreamUnreachable",
]
