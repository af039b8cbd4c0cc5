"""Which headers travel, and which never do."""

import pytest

from gptgate.core.snapshot import ProviderKind
from gptgate.core.wire import Dialect
from gptgate.providers.headers import answer_headers, credential_headers, provider_request_id, request_headers

CALLERS = {
    "host": "evil.example",
    "authorization": "Bearer sk-gate-secret",
    "x-api-key": "sk-gate-secret",
    "cookie": "a=b",
    "x-forwarded-for": "1.2.3.4",
    "x-forwarded-host": "evil.example",
    "forwarded": "for=1.2.3.4",
    "content-type": "text/plain",
    "content-length": "3",
    "transfer-encoding": "chunked",
    "user-agent": "OpenAI/Python",
    "x-stainless-lang": "python",
    "openai-organization": "org-of-the-caller",
    "openai-project": "project-of-the-caller",
    "x-gptgate-end-user": "somebody",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": "vendor=1",
    "openai-beta": "assistants=v2",
    "anthropic-version": "2023-01-01",
    "anthropic-beta": "prompt-caching-2024-07-31",
}


def test_only_the_listed_headers_reach_an_openai_provider() -> None:
    assert request_headers(Dialect.OPENAI, CALLERS) == (
        ("content-type", "application/json"),
        ("traceparent", CALLERS["traceparent"]),
        ("tracestate", "vendor=1"),
        ("openai-beta", "assistants=v2"),
    )


def test_only_the_listed_headers_reach_an_anthropic_provider() -> None:
    assert request_headers(Dialect.ANTHROPIC, CALLERS) == (
        ("content-type", "application/json"),
        ("traceparent", CALLERS["traceparent"]),
        ("tracestate", "vendor=1"),
        ("anthropic-version", "2023-01-01"),
        ("anthropic-beta", "prompt-caching-2024-07-31"),
    )


def test_anthropic_gets_a_version_when_the_caller_names_none() -> None:
    assert request_headers(Dialect.ANTHROPIC, {})[1:] == (("anthropic-version", "2023-06-01"),)


def test_each_kind_of_provider_is_shown_the_credential_its_way() -> None:
    assert credential_headers(ProviderKind.ANTHROPIC, "s") == (("x-api-key", "s"),)
    for kind in (ProviderKind.OPENAI, ProviderKind.OPENAI_COMPATIBLE, ProviderKind.SIMULATOR):
        assert credential_headers(kind, "s") == (("authorization", "Bearer s"),)
    for kind in ProviderKind:
        assert credential_headers(kind, "") == ()


def test_nothing_about_the_gateways_own_account_reaches_the_caller() -> None:
    given = {
        "openai-processing-ms": "12",
        "openai-version": "2020-10-01",
        "openai-organization": "our-org",
        "anthropic-organization-id": "our-org",
        "x-ratelimit-remaining-requests": "1",
        "anthropic-ratelimit-tokens-remaining": "1",
        "retry-after": "1",
        "set-cookie": "a=b",
        "location": "https://evil.example",
        "server": "nginx",
        "x-request-id": "req_1",
        "request-id": "req_1",
    }
    assert answer_headers(given) == [("openai-processing-ms", "12"), ("openai-version", "2020-10-01")]


@pytest.mark.parametrize("value", ["€", "caf\xe9", "\udce2\udc82", "a\tb", "a\x7fb"], ids=ascii)
def test_an_answer_header_that_is_not_plain_text_stays_here(value: str) -> None:
    assert answer_headers({"openai-version": value, "openai-processing-ms": "1"}) == [("openai-processing-ms", "1")]


def test_the_providers_request_id_is_read_from_either_header() -> None:
    assert provider_request_id({"x-request-id": "a"}) == "a"
    assert provider_request_id({"request-id": "b"}) == "b"
    assert provider_request_id({}) == ""


@pytest.mark.parametrize("value", ["\udcff", "€", "a\x00b", "\xe9" * 3], ids=ascii)
def test_a_strange_request_id_can_be_stored_and_shown(value: str) -> None:
    """aiohttp reads bytes that are not UTF-8 as lone surrogates, which no database and no log can take."""
    stored = provider_request_id({"x-request-id": value})
    assert stored
    assert stored.isascii()
    assert stored.isprintable()
