"""The OpenAI wire: chat completions, plain and streamed. Shapes as in the public API reference and the official SDK."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gptgate.simulator.job import Frame, Job, Malformed, Result, Usage, pieces
from gptgate.simulator.rules import Prompt, Tool, unversioned
from gptgate.simulator.tokens import MESSAGE_TOKENS, PART_TOKENS, count_tokens

MAX_CHOICES = 128
FINGERPRINT = "fp_simulator"

_encode = msgspec.json.encode
_ABSENT = Raw(b"null")


class _Part(Struct):
    type: str
    text: str = ""


class _Message(Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: Raw = _ABSENT


class _Function(Struct):
    name: str
    parameters: dict[str, Any] = {}


class _Tool(Struct):
    type: str
    function: _Function | None = None


class _NamedTool(Struct):
    name: str = ""


class _Choice(Struct):
    type: str = ""
    function: _NamedTool | None = None


class _StreamOptions(Struct):
    include_usage: bool = False


class _Body(Struct):
    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    tools: Raw = _ABSENT
    tool_choice: str | _Choice | None = None
    service_tier: str | None = None
    web_search_options: Raw = _ABSENT


_decoder = msgspec.json.Decoder(_Body)
_tools = msgspec.json.Decoder(list[_Tool] | None)

_KINDS: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("service_unavailable_error", None),
    529: ("service_unavailable_error", "overloaded"),
}


class OpenAIWire:
    """`gptgate.simulator.job.Wire` for ``/v1/chat/completions``."""

    tells_uses = False
    broken_event = b'data: {"id": "chatcmpl-broken", "choices": [{"delta"\n\n'

    def __init__(self, created: int) -> None:
        self._created = created

    def parse(self, body: bytes, digest: str) -> Job:
        try:
            asked = _decoder.decode(body)
            tools = _offered(asked.tools)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Malformed(f"We could not read your request: {error}") from None
        if not asked.messages:
            raise Malformed("Invalid 'messages': empty array.", "messages")
        choices = 1 if asked.n is None else asked.n
        if not 1 <= choices <= MAX_CHOICES:
            raise Malformed(f"Invalid 'n': expected 1 to {MAX_CHOICES}.", "n")
        bound = asked.max_completion_tokens if asked.max_completion_tokens is not None else asked.max_tokens
        if bound is not None and bound < 1:
            raise Malformed("Invalid 'max_tokens': expected at least 1.", "max_tokens")
        tokens = 0
        for message in asked.messages:
            tokens += MESSAGE_TOKENS + _message_tokens(message)
        if tools:
            tokens += count_tokens(bytes(asked.tools).decode())
        return Job(
            id=digest,
            model=asked.model,
            prompt=_prompt(asked, tools, _hosted(asked)),
            input_tokens=tokens,
            max_tokens=bound,
            choices=choices,
            stream=bool(asked.stream),
            include_usage=asked.stream_options is not None and asked.stream_options.include_usage,
            service_tier="default" if asked.service_tier in (None, "auto") else asked.service_tier,
        )

    def plain(self, job: Job, result: Result, usage: Usage | None) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": result.text, "refusal": None, "annotations": []}
        if result.calls:
            message["content"] = None
            message["tool_calls"] = [
                {"id": _call_id(job, n), "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                for n, c in enumerate(result.calls)
            ]
        finish = _finish(result)
        answer: dict[str, Any] = {
            "id": "chatcmpl-" + job.id,
            "object": "chat.completion",
            "created": self._created,
            "model": job.model,
            "choices": [
                {"index": n, "message": message, "logprobs": None, "finish_reason": finish} for n in range(job.choices)
            ],
        }
        if usage is not None:
            answer["usage"] = _usage(usage)
        answer["service_tier"] = job.service_tier
        answer["system_fingerprint"] = FINGERPRINT
        return _encode(answer)

    def events(
        self, job: Job, result: Result, usage: Usage | None, chunk: int, *, running: bool = False
    ) -> Iterator[Frame]:
        head = (
            b'data: {"id":"chatcmpl-%s","object":"chat.completion.chunk","created":%d,"model":%s,'
            b'"service_tier":%s,"system_fingerprint":"%s","choices":['
        ) % (job.id.encode(), self._created, _encode(job.model), _encode(job.service_tier), FINGERPRINT.encode())
        tail = b'],"usage":null}\n\n' if job.include_usage else b"]}\n\n"
        indexes = [b"%d" % number for number in range(job.choices)]
        closed = b'},"logprobs":null,"finish_reason":null}' + tail
        content = b"null" if result.calls else b'""'
        for index in indexes:
            opening = b'{"index":%s,"delta":{"role":"assistant","content":%s,"refusal":null' % (index, content)
            yield head + opening + closed, 0
        texts = [head + b'{"index":%s,"delta":{"content":' % index for index in indexes]
        for number, piece in enumerate(pieces(result.text, chunk)):
            encoded, ending = _encode(piece), closed
            if running and usage is not None:
                output = count_tokens(result.text[: (number + 1) * chunk]) * job.choices
                so_far = _encode(_usage(Usage(usage.input_tokens, output)))
                ending = b'},"logprobs":null,"finish_reason":null}],"usage":' + so_far + b"}\n\n"
            for text in texts:
                yield text + encoded + ending, len(piece)
        for number, call in enumerate(result.calls):
            for index in indexes:
                calls = head + b'{"index":%s,"delta":{"tool_calls":[' % index
                function = {"name": call.name, "arguments": ""}
                begun = {"index": number, "id": _call_id(job, number), "type": "function", "function": function}
                yield calls + _encode(begun) + b"]" + closed, 0
                for piece in pieces(call.arguments, chunk):
                    grown = {"index": number, "function": {"arguments": piece}}
                    yield calls + _encode(grown) + b"]" + closed, len(piece)
        finish = _finish(result).encode()
        for index in indexes:
            yield head + b'{"index":%s,"delta":{},"logprobs":null,"finish_reason":"%s"}' % (index, finish) + tail, 0
        if job.include_usage and usage is not None:
            yield head + b'],"usage":' + _encode(_usage(usage)) + b"}\n\n", 0
        yield b"data: [DONE]\n\n", 0

    def error(self, status: int, message: str, request_id: str, param: str | None = None) -> bytes:
        kind, code = _KINDS.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
        return _encode({"error": {"message": message, "type": kind, "param": param, "code": code}})

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [(b"x-request-id", request_id.encode()), (b"openai-version", b"2020-10-01")]


def _finish(result: Result) -> str:
    if result.calls:
        return "tool_calls"
    return "length" if result.cut else "stop"


def _call_id(job: Job, number: int) -> str:
    return f"call_{job.id}{number}"


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        **({} if usage.run is None else {"server_tool_use": {f"{usage.run.name}_requests": usage.run.uses}}),
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _offered(raw: Raw) -> tuple[Tool, ...]:
    tools = _tools.decode(raw)
    if tools is None:
        return ()
    functions = [tool.function for tool in tools]
    return tuple(Tool(function.name, function.parameters) for function in functions if function is not None)


def _hosted(asked: _Body) -> dict[str, int | None]:
    """The tools that the provider runs; it takes no bound on their uses."""
    kinds = [tool.type for tool in _tools.decode(asked.tools) or () if tool.type not in ("function", "custom")]
    named: dict[str, int | None] = dict.fromkeys(map(unversioned, kinds))
    return named if bytes(asked.web_search_options) == b"null" else {**named, "web_search": None}


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if part.type == "text") if content else ""


def _message_tokens(message: _Message) -> int:
    content = message.content
    tokens = 0
    if isinstance(content, str):
        tokens = count_tokens(content)
    elif content:
        tokens = sum(count_tokens(part.text) if part.type == "text" else PART_TOKENS for part in content)
    calls = bytes(message.tool_calls)
    if calls != b"null":
        tokens += count_tokens(calls.decode())
    return tokens


def _prompt(asked: _Body, tools: tuple[Tool, ...], hosted: dict[str, int | None]) -> Prompt:
    last = asked.messages[-1]
    choice = asked.tool_choice
    name = choice.function.name if isinstance(choice, _Choice) and choice.function is not None else ""
    if last.role == "tool":
        return Prompt(text="", tool_result=_text(last.content), tools=tools, tool_choice=name, hosted=hosted)
    text = next((_text(message.content) for message in reversed(asked.messages) if message.role == "user"), "")
    return Prompt(text=text, tool_result=None, tools=tools, tool_choice=name, hosted=hosted)
