"""Every error of the tree in both dialects' shapes, and the headers that say whether to come again."""

from typing import Any

import msgspec
import pytest

from gptgate.core import errors
from gptgate.core.errors import GateError, Reach, UpstreamError
from gptgate.core.wire import Dialect
from gptgate.http.errors import error_body, error_event, error_headers

PRIVATE = "sk-private-detail"


def _leaves(kind: type[GateError]) -> list[type[GateError]]:
    return [kind, *(leaf for below in kind.__subclasses__() for leaf in _leaves(below))]


def _make(kind: type[GateError], **fields: Any) -> GateError:
    if issubclass(kind, UpstreamError):
        return kind("What the caller may know.", reach=Reach.SENT, detail=PRIVATE, **fields)
    return kind("What the caller may know.", detail=PRIVATE, **fields)


ALL = _leaves(GateError)


@pytest.mark.parametrize("kind", ALL)
def test_an_error_has_the_shape_of_its_dialect_and_no_private_detail(kind: type[GateError]) -> None:
    error = _make(kind)
    openai = msgspec.json.decode(error_body(error, Dialect.OPENAI, "id-1"))
    assert set(openai) == {"error"}
    assert set(openai["error"]) == {"message", "type", "param", "code"}
    assert openai["error"]["code"] == kind.code
    anthropic = msgspec.json.decode(error_body(error, Dialect.ANTHROPIC, "id-1"))
    assert anthropic["type"] == "error"
    assert set(anthropic["error"]) == {"type", "message"}
    assert anthropic["request_id"] == "id-1"
    for dialect in Dialect:
        event = error_event(error, dialect, "id-1")
        assert event.endswith(b"\n\n")
        assert b"data: " in event
        assert PRIVATE.encode() not in event
        assert b"What the caller may know." in event
    assert all(PRIVATE not in value for _, value in error_headers(error))


@pytest.mark.parametrize("kind", ALL)
def test_a_refusal_that_no_retry_mends_says_so(kind: type[GateError]) -> None:
    headers = dict(error_headers(_make(kind)))
    assert headers["x-gptgate-error"] == kind.code
    expected = {True: "true", False: "false", None: None}[kind.retryable]
    assert headers.get("x-should-retry") == expected


@pytest.mark.parametrize(
    ("status", "openai", "anthropic"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "authentication_error", "authentication_error"),
        (403, "permission_error", "permission_error"),
        (404, "not_found_error", "not_found_error"),
        (413, "invalid_request_error", "request_too_large"),
        (418, "invalid_request_error", "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (502, "server_error", "api_error"),
        (504, "timeout_error", "timeout_error"),
        (529, "server_error", "overloaded_error"),
    ],
)
def test_the_type_follows_from_the_status(status: int, openai: str, anthropic: str) -> None:
    error = GateError("m")
    error.status = status
    assert msgspec.json.decode(error_body(error, Dialect.OPENAI, ""))["error"]["type"] == openai
    assert msgspec.json.decode(error_body(error, Dialect.ANTHROPIC, ""))["error"]["type"] == anthropic


@pytest.mark.parametrize(("wait_ms", "seconds"), [(1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")])
def test_the_time_to_wait_is_exact_in_milliseconds_and_never_short_in_seconds(wait_ms: int, seconds: str) -> None:
    headers = dict(error_headers(errors.RateLimited("m", retry_after_ms=wait_ms)))
    assert (headers["retry-after"], headers["retry-after-ms"]) == (seconds, str(wait_ms))


def test_the_param_is_named_where_there_is_one() -> None:
    error = errors.InvalidField("m", param="messages[0]")
    assert msgspec.json.decode(error_body(error, Dialect.OPENAI, ""))["error"]["param"] == "messages[0]"


def test_only_anthropic_error_events_have_a_name() -> None:
    error = errors.PolicyDenied("m")
    assert error_event(error, Dialect.ANTHROPIC, "").startswith(b"event: error\ndata: {")
    assert error_event(error, Dialect.OPENAI, "").startswith(b"data: {")
