"""What the caller must change."""

from gptgate.core.errors.base import ClientError


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
    allowed: str = ""
    """The method that the path takes."""


class BodyTimeout(ClientError):
    """The body did not arrive in time."""

    status = 408
    code = "body_timeout"


class BodyTooLarge(ClientError):
    """The body is larger than the configured bound."""

    status = 413
    code = "body_too_large"


class ClientGone(ClientError):
    """The caller hung up before the answer was complete. Recorded; there is nobody to render it to."""

    status = 499
    code = "client_disconnected"
