"""The one place where an error of the data plane becomes bytes, in the dialect of the caller.

OpenAI: ``{"error": {"message", "type", "param", "code"}}``. Anthropic: ``{"type": "error", "error": {"type",
"message"}, "request_id"}``. The stable gptgate code stands in ``x-gptgate-error`` in both.
"""

from gptgate.core.document import encode_json
from gptgate.core.errors import GateError, MethodNotAllowed
from gptgate.core.wire import Dialect

OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
}
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(error: GateError, dialect: Dialect, request_id: str) -> bytes:
    """The JSON that tells the caller what happened. Never the error's private detail."""
    if dialect is Dialect.ANTHROPIC:
        fallback = "invalid_request_error" if error.status < 500 else "api_error"
        kind = ANTHROPIC_TYPES.get(error.status, fallback)
        return encode_json(
            {"type": "error", "error": {"type": kind, "message": error.message}, "request_id": request_id}
        )
    fallback = "invalid_request_error" if error.status < 500 else "server_error"
    kind = OPENAI_TYPES.get(error.status, fallback)
    return encode_json({"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}})


def error_headers(error: GateError) -> list[tuple[str, str]]:
    """The headers that tell a client whether, when and how to try again."""
    headers = [("x-gptgate-error", error.code)]
    if isinstance(error, MethodNotAllowed) and error.allowed:
        headers.append(("allow", error.allowed))
    if error.retryable is not None:
        headers.append(("x-should-retry", "true" if error.retryable else "false"))
    if error.retry_after_ms is not None:
        headers.append(("retry-after", str(-(-error.retry_after_ms // 1000))))
        headers.append(("retry-after-ms", str(error.retry_after_ms)))
    return headers


def error_event(error: GateError, dialect: Dialect, request_id: str) -> bytes:
    """The event that ends a stream that failed after its first byte. Nothing that claims a regular end follows it."""
    body = error_body(error, dialect, request_id)
    return b"event: error\ndata: " + body + b"\n\n" if dialect is Dialect.ANTHROPIC else b"data: " + body + b"\n\n"
