"""POST /v1/messages and POST /v1/messages/count_tokens."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gptgate.core.adapter import Answer, StreamCodec
from gptgate.core.document import apply_edits, encode_json, insert_item
from gptgate.core.errors import InternalFault, InvalidField
from gptgate.core.facts import ChatRequest, Permit, RawRequest
from gptgate.core.finding import Origin, Path, Segment
from gptgate.core.snapshot import ModelSpec, ProviderSpec
from gptgate.core.wire import Dialect, Endpoint
from gptgate.providers.anthropic_common import block_segments, read_usage, request_segments, seen_use
from gptgate.providers.anthropic_stream import AnthropicStream
from gptgate.providers.fields import (
    MAX_OUTPUT_TOKENS,
    each_object,
    flag,
    optional_count,
    optional_text,
    own_spelling,
    priced_choice,
    required_list,
    required_text,
    tool_names,
)
from gptgate.providers.headers import header_segments
from gptgate.providers.hosted import anthropic_hosted, bounded_tools
from gptgate.providers.obliged import ANTHROPIC_TOOLS, capped, without_tools
from gptgate.providers.walk import collect, count_media, member

PRICED: dict[str, tuple[str, ...]] = {
    "service_tier": ("auto", "standard_only"),  # others are the provider's to choose: see `Usage.service_tier`
    "speed": ("standard",),
    "inference_geo": ("global",),
}
"""Fields that change the price → the values that cost no more than the list price."""
READ = frozenset({"model", "messages", "system", "stream", "max_tokens", "metadata", *ANTHROPIC_TOOLS, *PRICED})


def _read(endpoint: Endpoint, raw: RawRequest, document: dict[str, Any]) -> ChatRequest:
    own_spelling(document, READ)
    model = required_text(document, "model")
    messages = required_list(document, "messages")
    each_object(messages, "messages")
    metadata = document.get("metadata")
    if metadata is not None and type(metadata) is not dict:
        raise InvalidField("'metadata' must be an object.", param="metadata")
    for name, priced in PRICED.items():
        priced_choice(document, name, priced)
    hosted = anthropic_hosted(document)
    return ChatRequest(
        endpoint=endpoint,
        dialect=Dialect.ANTHROPIC,
        body=raw.body,
        document=document,
        model=model,
        stream=endpoint is Endpoint.MESSAGES and flag(document, "stream"),
        wants_usage=True,
        max_output_tokens=optional_count(document, "max_tokens", MAX_OUTPUT_TOKENS),
        choices=1,
        media=count_media(messages) + count_media(document.get("system")),
        end_user=optional_text(metadata, "user_id") if metadata else "",
        segments=request_segments(document) + hosted.segments + header_segments(Dialect.ANTHROPIC, raw.headers),
        tools=tool_names(document),
        service_tier=document.get("service_tier") or "",
        hosted=hosted.tools,
    )


def _encode(permit: Permit, model: ModelSpec) -> bytes:
    request, asked = permit.request, permit.obligations
    edits = {**permit.edits, **bounded_tools(request, model)} if request.hosted else dict(permit.edits)
    if model.upstream_name != request.model:
        edits[("model",)] = encode_json(model.upstream_name)
    edits.update(capped(request.document, ("max_tokens",), asked.max_output_tokens))
    if asked.max_output_tokens:
        _without_thinking(request.document, edits, asked.max_output_tokens)
    system = request.document.get("system")
    if asked.notice and type(system) is not list:
        _extend_system(system, edits, asked.notice)
    body = without_tools(apply_edits(request.body, edits), ANTHROPIC_TOOLS, asked.strip_tools)
    if asked.notice and type(system) is list:
        body = insert_item(body, "system", len(system), encode_json({"type": "text", "text": asked.notice}))
    return body


def _without_thinking(document: dict[str, Any], edits: dict[Path, bytes], cap: int) -> None:
    """A budget for thinking must be smaller than the bound on the output: one that no longer is switches it off."""
    thinking = document.get("thinking")
    budget = thinking.get("budget_tokens") if type(thinking) is dict else None
    if type(budget) is int and budget >= cap:
        for path in [path for path in edits if path[0] == "thinking"]:
            del edits[path]
        edits[("thinking",)] = b'{"type":"disabled"}'


def _extend_system(system: Any, edits: dict[Path, bytes], notice: str) -> None:
    """The notice behind the system's text, as the other edits leave it; or alone."""
    rewritten = edits.get(("system",))
    text = system if rewritten is None else msgspec.json.decode(rewritten)
    edits[("system",)] = encode_json(f"{text}\n\n{notice}" if type(text) is str and text else notice)


class AnthropicMessages:
    """Messages."""

    endpoint = Endpoint.MESSAGES
    dialect = Dialect.ANTHROPIC
    path = "/v1/messages"
    can_stream = True
    billed = True

    def read(self, raw: RawRequest, document: dict[str, Any]) -> ChatRequest:
        request = _read(self.endpoint, raw, document)
        if request.max_output_tokens is None:
            raise InvalidField("'max_tokens' is missing.", param="max_tokens")
        return request

    def encode(self, permit: Permit, model: ModelSpec, provider: ProviderSpec) -> bytes:
        return _encode(permit, model)

    def decode(self, document: dict[str, Any]) -> Answer:
        out: list[Segment] = []
        seen: list[str] = []
        for key, value in document.items():
            if key == "content" and type(value) is list:
                block_segments(value, ("content",), Origin.ASSISTANT, out)
                seen = [name for name in map(seen_use, value) if name]
            else:
                member(key, value, (), Origin.ASSISTANT, out)
        model = document.get("model")
        usage = read_usage(document.get("usage"), seen)
        return Answer(document, tuple(out), model if type(model) is str else "", usage)

    def repeats(self, edited: Sequence[Path], document: dict[str, Any]) -> Mapping[Path, bytes]:
        return {}

    def stream(self, request: ChatRequest, limit: int) -> AnthropicStream:
        return AnthropicStream(limit=limit)


class AnthropicCountTokens:
    """Counting tokens: free at the provider, yet the prompt goes there, so every guard but the budget looks at it."""

    endpoint = Endpoint.COUNT_TOKENS
    dialect = Dialect.ANTHROPIC
    path = "/v1/messages/count_tokens"
    can_stream = False
    billed = False

    def read(self, raw: RawRequest, document: dict[str, Any]) -> ChatRequest:
        return _read(self.endpoint, raw, document)

    def encode(self, permit: Permit, model: ModelSpec, provider: ProviderSpec) -> bytes:
        return _encode(permit, model)

    def decode(self, document: dict[str, Any]) -> Answer:
        out: list[Segment] = []
        collect(document, (), Origin.ASSISTANT, out)
        return Answer(document, tuple(out), "", None)

    def repeats(self, edited: Sequence[Path], document: dict[str, Any]) -> Mapping[Path, bytes]:
        return {}

    def stream(self, request: ChatRequest, limit: int) -> StreamCodec:
        raise InternalFault("Counting tokens has no stream.")
