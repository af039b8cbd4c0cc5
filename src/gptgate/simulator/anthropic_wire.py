"""The Anthropic wire: messages, plain and streamed, and count_tokens. Shapes as in the public API reference and SDK."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gptgate.simulator.job import Frame, Job, Malformed, Result, Usage, pieces
from gptgate.simulator.rules import Prompt, Tool, unversioned
from gptgate.simulator.tokens import MESSAGE_TOKENS, PART_TOKENS, count_tokens

_encode = msgspec.json.encode
_ABSENT = Raw(b"null")


class _Block(Struct):
    type: str
    text: str = ""
    content: "str | list[_Block] | None" = None
    input: Raw = _ABSENT


class _Message(Struct):
    role: str
    content: str | list[_Block]


class _Tool(Struct):
    name: str = ""
    type: str | None = None
    input_schema: dict[str, Any] = {}
    max_uses: int | None = None

    @property
    def is_callers(self) -> bool:
        """Whether the caller runs it."""
        return self.type is None or self.type == "custom" or self.type.startswith(_RUN_BY_CALLERS)


class _Choice(Struct):
    type: str
    name: str = ""


class _Body(Struct):
    model: str
    messages: list[_Message]
    max_tokens: int | None = None
    system: str | list[_Block] | None = None
    stream: bool = False
    tools: Raw = _ABSENT
    tool_choice: _Choice | None = None


_RUN_BY_CALLERS = ("bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_")
_TOLD = frozenset({"web_search", "web_fetch"})
"""Tools whose uses a usage counts."""

_decoder = msgspec.json.Decoder(_Body)
_tools = msgspec.json.Decoder(list[_Tool] | None)

_KINDS: dict[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class AnthropicWire:
    """`gptgate.simulator.job.Wire` for ``/v1/messages``; with ``counting`` for ``/v1/messages/count_tokens``."""

    tells_uses = True
    broken_event = b'event: content_block_delta\ndata: {"type": "content_block_delta", "index"\n\n'

    def __init__(self, *, counting: bool = False) -> None:
        self._counting = counting

    def parse(self, body: bytes, digest: str) -> Job:
        try:
            asked = _decoder.decode(body)
            tools = _offered(asked.tools)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Malformed(str(error)) from None
        if not asked.messages:
            raise Malformed("messages: at least one message is required", "messages")
        if asked.max_tokens is None and not self._counting:
            raise Malformed("max_tokens: Field required", "max_tokens")
        if asked.max_tokens is not None and asked.max_tokens < 1:
            raise Malformed("max_tokens: must be greater than or equal to 1", "max_tokens")
        tokens = _tokens(asked.system)
        for message in asked.messages:
            tokens += MESSAGE_TOKENS + _tokens(message.content)
        if tools:
            tokens += count_tokens(bytes(asked.tools).decode())
        return Job(
            id=digest,
            model=asked.model,
            prompt=_prompt(asked, [tool for tool in tools if tool.is_callers], _hosted(tools)),
            input_tokens=tokens,
            max_tokens=asked.max_tokens,
            choices=1,
            stream=asked.stream,
            include_usage=True,
            service_tier="standard",
        )

    def plain(self, job: Job, result: Result, usage: Usage | None) -> bytes:
        if self._counting:
            return _encode({"input_tokens": job.input_tokens})
        content: list[dict[str, Any]] = [
            {"type": "tool_use", "id": _call_id(job, n), "name": c.name, "input": Raw(c.arguments.encode())}
            for n, c in enumerate(result.calls)
        ]
        if not content:
            content = [*_run_blocks(job, result), {"type": "text", "text": result.text}]
        message = _message(job, content, _stop_reason(result))
        if usage is not None:
            message["usage"] = {**_usage(usage.input_tokens, usage.output_tokens, job.service_tier), **_uses(usage)}
        return _encode(message)

    def events(
        self, job: Job, result: Result, usage: Usage | None, chunk: int, *, running: bool = False
    ) -> Iterator[Frame]:
        message = _message(job, [], None)
        if usage is not None:
            message["usage"] = _usage(usage.input_tokens, 1, job.service_tier)
        yield _event("message_start", {"message": message}), 0
        yield b'event: ping\ndata: {"type":"ping"}\n\n', 0
        if result.calls:
            yield from _call_events(job, result, chunk)
        else:
            blocks = _run_blocks(job, result)
            yield from _block_events(blocks)
            yield from _text_events(result.text, chunk, usage if running else None, len(blocks))
        ending: dict[str, Any] = {"delta": {"stop_reason": _stop_reason(result), "stop_sequence": None}}
        if usage is not None:
            ending["usage"] = _usage(usage.input_tokens, usage.output_tokens, "")
            del ending["usage"]["service_tier"]
            ending["usage"].update(_uses(usage))
        yield _event("message_delta", ending), 0
        yield b'event: message_stop\ndata: {"type":"message_stop"}\n\n', 0

    def error(self, status: int, message: str, request_id: str, param: str | None = None) -> bytes:
        kind = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return _encode({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id})

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [(b"request-id", request_id.encode())]


def _event(kind: str, fields: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), _encode({"type": kind, **fields}))


def _run_blocks(job: Job, result: Result) -> list[dict[str, Any]]:
    """Each use of a provider's tool, with what came of it."""
    run = result.run
    if run is None:
        return []
    blocks: list[dict[str, Any]] = []
    for number in range(run.uses):
        used = f"srvtoolu_{job.id}{number}"
        blocks.append({"type": "server_tool_use", "id": used, "name": run.name, "input": {"query": "simulated"}})
        blocks.append({"type": f"{run.name}_tool_result", "tool_use_id": used, "content": []})
    return blocks


def _block_events(blocks: list[dict[str, Any]]) -> Iterator[Frame]:
    """Blocks that come whole; the input of a use comes behind its beginning."""
    for index, block in enumerate(blocks):
        begun = {**block, "input": {}} if "input" in block else block
        yield _event("content_block_start", {"index": index, "content_block": begun}), 0
        if "input" in block:
            delta = {"type": "input_json_delta", "partial_json": _encode(block["input"]).decode()}
            yield _event("content_block_delta", {"index": index, "delta": delta}), 0
        yield _event("content_block_stop", {"index": index}), 0


def _uses(usage: Usage) -> dict[str, Any]:
    run = usage.run
    if run is None or run.name not in _TOLD:
        return {}
    return {"server_tool_use": {f"{name}_requests": run.uses if name == run.name else 0 for name in sorted(_TOLD)}}


def _text_events(text: str, chunk: int, running: Usage | None, index: int) -> Iterator[Frame]:
    """With `running`, an interim `message_delta` says after each piece what the text has come to."""
    yield _event("content_block_start", {"index": index, "content_block": {"type": "text", "text": ""}}), 0
    head = (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
        b'"delta":{"type":"text_delta","text":'
    ) % index
    for number, piece in enumerate(pieces(text, chunk)):
        yield head + _encode(piece) + b"}}\n\n", len(piece)
        if running is not None:
            so_far = _usage(running.input_tokens, count_tokens(text[: (number + 1) * chunk]), "")
            del so_far["service_tier"]
            yield _event("message_delta", {"delta": {"stop_reason": None, "stop_sequence": None}, "usage": so_far}), 0
    yield _event("content_block_stop", {"index": index}), 0


def _call_events(job: Job, result: Result, chunk: int) -> Iterator[Frame]:
    for number, call in enumerate(result.calls):
        block = {"type": "tool_use", "id": _call_id(job, number), "name": call.name, "input": {}}
        yield _event("content_block_start", {"index": number, "content_block": block}), 0
        for piece in pieces(call.arguments, chunk):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield _event("content_block_delta", {"index": number, "delta": delta}), len(piece)
        yield _event("content_block_stop", {"index": number}), 0


def _message(job: Job, content: list[dict[str, Any]], stop_reason: str | None) -> dict[str, Any]:
    return {
        "id": "msg_" + job.id,
        "type": "message",
        "role": "assistant",
        "model": job.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
    }


def _usage(input_tokens: int, output_tokens: int, service_tier: str) -> dict[str, Any]:
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
        "service_tier": service_tier,
    }


def _stop_reason(result: Result) -> str:
    if result.calls:
        return "tool_use"
    return "max_tokens" if result.cut else "end_turn"


def _call_id(job: Job, number: int) -> str:
    return f"toolu_{job.id}{number}"


def _offered(raw: Raw) -> list[_Tool]:
    tools = _tools.decode(raw) or []
    for tool in tools:
        if tool.is_callers and not tool.name:
            raise Malformed("tools: name: Field required", "tools")
    return tools


def _hosted(tools: list[_Tool]) -> dict[str, int | None]:
    """The tools that the provider runs, with their bounds."""
    return {unversioned(tool.type): tool.max_uses for tool in tools if tool.type is not None and not tool.is_callers}


def _text(content: str | list[_Block] | None) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.text for block in content if block.type == "text") if content else ""


def _tokens(content: str | list[_Block] | None) -> int:
    if isinstance(content, str):
        return count_tokens(content)
    tokens = 0
    for block in content or ():
        if block.type == "text":
            tokens += count_tokens(block.text)
        elif block.type == "tool_result":
            tokens += _tokens(block.content)
        elif block.type == "tool_use":
            tokens += count_tokens(bytes(block.input).decode())
        else:
            tokens += PART_TOKENS
    return tokens


def _prompt(asked: _Body, callers: list[_Tool], hosted: dict[str, int | None]) -> Prompt:
    tools = tuple(Tool(tool.name, tool.input_schema) for tool in callers)
    last = asked.messages[-1].content
    name = asked.tool_choice.name if asked.tool_choice is not None else ""
    result = None
    if not isinstance(last, str):
        results = [_text(block.content) for block in last if block.type == "tool_result"]
        result = "\n".join(results) if results else None
    if result is not None:
        return Prompt(text=_text(last), tool_result=result, tools=tools, tool_choice=name, hosted=hosted)
    text = next((_text(message.content) for message in reversed(asked.messages) if message.role == "user"), "")
    return Prompt(text=text, tool_result=None, tools=tools, tool_choice=name, hosted=hosted)
