"""Which headers travel, and how each kind of provider is shown the gateway's credential."""

import re
from collections.abc import Mapping

from gptgate.core.finding import Origin, Segment
from gptgate.core.snapshot import ProviderKind
from gptgate.core.wire import Dialect

DEFAULT_ANTHROPIC_VERSION = "2023-06-01"
PASSED = {
    Dialect.OPENAI: ("traceparent", "tracestate", "openai-beta"),
    Dialect.ANTHROPIC: ("traceparent", "tracestate", "anthropic-version", "anthropic-beta"),
}
"""Request headers that reach the provider. Everything else stays here, the caller's key above all."""

JUDGED = frozenset({"tracestate", "openai-beta", "anthropic-version", "anthropic-beta"})
"""Those of them in which anything could stand. (A `traceparent` is let in at the edge when it is one.)"""

RETURNED = {
    "openai-processing-ms": re.compile("[0-9]{1,9}"),
    "openai-version": re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
"""Answer headers that reach the caller, and their forms: nothing else gets out by them. Rate-limit headers speak of the
gateway's own account, so they do not."""


def request_headers(dialect: Dialect, given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers for the provider, without its credential."""
    headers = [("content-type", "application/json")]
    headers.extend((name, given[name]) for name in PASSED[dialect] if name in given)
    if dialect is Dialect.ANTHROPIC and "anthropic-version" not in given:
        headers.append(("anthropic-version", DEFAULT_ANTHROPIC_VERSION))
    return tuple(headers)


def header_segments(dialect: Dialect, given: Mapping[str, str]) -> tuple[Segment, ...]:
    """What the provider reads in headers, to be judged like the body. Nothing can be cut out there."""
    return tuple(
        Segment(("header", name), Origin.OTHER, given[name], True)
        for name in PASSED[dialect]
        if name in JUDGED and given.get(name, DEFAULT_ANTHROPIC_VERSION) != DEFAULT_ANTHROPIC_VERSION
    )


def credential_headers(kind: ProviderKind, secret: str) -> tuple[tuple[str, str], ...]:
    """How the gateway authenticates itself at a provider of this kind; none for an empty secret."""
    if not secret:
        return ()
    if kind is ProviderKind.ANTHROPIC:
        return (("x-api-key", secret),)
    return (("authorization", f"Bearer {secret}"),)


def answer_headers(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """The provider's answer headers that the caller may see, as far as they have their form."""
    return [(name, given[name]) for name, form in RETURNED.items() if name in given and form.fullmatch(given[name])]


def provider_request_id(given: Mapping[str, str]) -> str:
    """The provider's own id of the request in printable ASCII, ``""`` when it gave none.

    Bytes that are not UTF-8 arrive as lone surrogates, which no store and no log can take; they come out escaped.
    """
    text = given.get("x-request-id") or given.get("request-id") or ""
    return text if _is_plain(text) else ascii(text)[1:-1]


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
