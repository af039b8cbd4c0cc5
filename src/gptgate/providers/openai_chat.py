"""POST /v1/chat/completions."""

from collections.abc import Mapping, Sequence
from typing import Any

from gptgate.core.adapter import Answer
from gptgate.core.document import apply_edits, encode_json
from gptgate.core.errors import InvalidField
from gptgate.core.facts import ChatRequest, Permit, RawRequest
from gptgate.core.finding import Origin, Path, Segment
from gptgate.core.snapshot import ModelSpec, ProviderSpec
from gptgate.core.wire import Dialect, Endpoint
from gptgate.providers.fields import (
    MAX_CHOICES,
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
from gptgate.providers.hosted import openai_hosted
from gptgate.providers.obliged import OPENAI_TOOLS, capped, with_system_message, without_tools
from gptgate.providers.openai_common import ROLE_ORIGIN, base_edits, message_segments, output_bound_name, read_usage
from gptgate.providers.openai_stream import OpenAIChatStream
from gptgate.providers.walk import collect, count_media, member

PRICED_TIERS = ("auto", "default", "flex", "priority")
"""Service tiers that can have a price."""
OUTPUT_BOUNDS = ("max_completion_tokens", "max_tokens")
READ = (
    frozenset("model messages stream stream_options service_tier n best_of user".split())
    | frozenset(OUTPUT_BOUNDS)
    | OPENAI_TOOLS
)


class OpenAIChat:
    """Chat completions."""

    endpoint = Endpoint.CHAT
    dialect = Dialect.OPENAI
    path = "/v1/chat/completions"
    can_stream = True
    billed = True

    def read(self, raw: RawRequest, document: dict[str, Any]) -> ChatRequest:
        own_spelling(document, READ)
        model = required_text(document, "model")
        messages = required_list(document, "messages")
        each_object(messages, "messages")
        stream = flag(document, "stream")
        options = document.get("stream_options")
        if options is not None and type(options) is not dict:
            raise InvalidField("'stream_options' must be an object.", param="stream_options")
        priced_choice(document, "service_tier", PRICED_TIERS)
        bounds = [
            bound for name in OUTPUT_BOUNDS if (bound := optional_count(document, name, MAX_OUTPUT_TOKENS)) is not None
        ]
        hosted = openai_hosted(document)
        choices = optional_count(document, "n", MAX_CHOICES) or 1
        best_of = optional_count(document, "best_of", MAX_CHOICES) or 1
        return ChatRequest(
            endpoint=self.endpoint,
            dialect=self.dialect,
            body=raw.body,
            document=document,
            model=model,
            stream=stream,
            wants_usage=type(options) is dict and flag(options, "include_usage"),
            max_output_tokens=max(bounds) if bounds else None,
            choices=max(choices, best_of),
            media=count_media(messages),
            end_user=optional_text(document, "user"),
            segments=_segments(document) + hosted.segments + header_segments(self.dialect, raw.headers),
            tools=tool_names(document),
            service_tier=document.get("service_tier") or "",
            hosted=hosted.tools,
        )

    def encode(self, permit: Permit, model: ModelSpec, provider: ProviderSpec) -> bytes:
        request = permit.request
        edits = base_edits(request, dict(permit.edits), model)
        if request.stream and not request.wants_usage:
            if request.document.get("stream_options") is None:
                edits[("stream_options",)] = b'{"include_usage":true}'
            else:
                edits[("stream_options", "include_usage")] = b"true"
        asked = permit.obligations
        edits.update(capped(request.document, OUTPUT_BOUNDS, asked.max_output_tokens))
        if all(request.document.get(name) is None for name in OUTPUT_BOUNDS):
            # The reservation is a ceiling only if the provider is bound by it too.
            bound = model.max_output_tokens if request.max_output_tokens is None else request.max_output_tokens
            edits[(output_bound_name(provider),)] = encode_json(bound)
        body = without_tools(apply_edits(request.body, edits), OPENAI_TOOLS, asked.strip_tools)
        return with_system_message(body, asked.notice)

    def decode(self, document: dict[str, Any]) -> Answer:
        out: list[Segment] = []
        for key, value in document.items():
            if key == "choices" and type(value) is list:
                for index, choice in enumerate(value):
                    _choice_segments(choice, ("choices", index), out)
            else:
                member(key, value, (), Origin.ASSISTANT, out)
        model = document.get("model")
        usage = read_usage(document.get("usage"), service_tier=document.get("service_tier"))
        return Answer(document, tuple(out), model if type(model) is str else "", usage)

    def repeats(self, edited: Sequence[Path], document: dict[str, Any]) -> Mapping[Path, bytes]:
        choices = document.get("choices")
        edits: dict[Path, bytes] = {}
        for path in edited:
            if len(path) > 2 and path[0] == "choices" and type(choices) is list and path[2] != "logprobs":
                choice = choices[int(path[1])]
                if type(choice) is dict and choice.get("logprobs") is not None:
                    edits[("choices", path[1], "logprobs")] = b"null"
        return edits

    def stream(self, request: ChatRequest, limit: int) -> OpenAIChatStream:
        return OpenAIChatStream(wants_usage=request.wants_usage, limit=limit, choices=request.choices)


def _segments(document: dict[str, Any]) -> tuple[Segment, ...]:
    out: list[Segment] = []
    for key, value in document.items():
        if key == "messages":
            for index, message in enumerate(value):
                role = message.get("role")
                origin = ROLE_ORIGIN.get(role, Origin.OTHER) if type(role) is str else Origin.OTHER
                message_segments(message, ("messages", index), origin, out)
        elif key in ("tools", "functions"):
            member(key, value, (), Origin.TOOL_DEFINITION, out)
        else:
            member(key, value, (), Origin.OTHER, out)
    return tuple(out)


def _choice_segments(choice: Any, path: Path, out: list[Segment]) -> None:
    if type(choice) is not dict:
        collect(choice, path, Origin.ASSISTANT, out)
        return
    for key, value in choice.items():
        if key == "message" and type(value) is dict:
            message_segments(value, (*path, key), Origin.ASSISTANT, out)
        else:
            member(key, value, path, Origin.ASSISTANT, out)
