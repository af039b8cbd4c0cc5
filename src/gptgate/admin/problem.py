"""The control plane's one error shape: ``application/problem+json`` (RFC 9457)."""

import msgspec
from starlette.responses import Response

TITLES = {
    "host_not_allowed": "The request names a host that is not this control plane",
    "origin_not_allowed": "Requests from web pages are refused",
    "unauthorized": "The admin token is missing or wrong",
    "not_found": "There is no such path",
    "method_not_allowed": "The path does not take this method",
    "not_ready": "The gateway is not ready",
    "config_invalid": "The configuration was rejected; the one in use stays",
    "internal_error": "The control plane failed on this request",
}
"""What each code means, whatever the occasion; `detail` says what happened this time."""

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def json_response(content: object, status: int = 200) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(msgspec.json.encode(content), status, HEADERS, "application/json")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    title: str = "",
    headers: dict[str, str] | None = None,
    **more: object,
) -> Response:
    """A problem answer. `code` is stable and documented; `more` are extension members."""
    body: dict[str, object] = {
        "type": f"urn:gptgate:problem:{code}",
        "title": title or TITLES[code],
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    return Response(msgspec.json.encode(body), status, HEADERS | (headers or {}), "application/problem+json")
