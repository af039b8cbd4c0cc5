"""What a request may be made of for the provider's count of it to bound the next one: texts, calls and their results.

Providers have parts of a few bytes that stand for much more: references to tools that were not loaded, searches that
they run themselves, documents that they fetch. There will be others. So what is known to be all there is, is named
here, and anything else is not.
"""

from typing import Any, Literal

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder

_NONE = Raw(b"")


class _Text(Struct, tag="text", forbid_unknown_fields=True):
    text: str
    cache_control: Raw = _NONE
    citations: None = None


class _Refusal(Struct, tag="refusal", forbid_unknown_fields=True):
    refusal: str


class _Thinking(Struct, tag="thinking", forbid_unknown_fields=True):
    thinking: str | list[_Text]
    signature: str = ""
    closed: bool = True


class _HiddenThinking(Struct, tag="redacted_thinking", forbid_unknown_fields=True):
    data: str


class _Direct(Struct, tag="direct", forbid_unknown_fields=True):
    pass


class _ToolUse(Struct, tag="tool_use", forbid_unknown_fields=True):
    id: str
    name: str
    input: Raw
    cache_control: Raw = _NONE
    caller: _Direct | None = None
    toolset_name: None = None


class _ToolResult(Struct, tag="tool_result", forbid_unknown_fields=True):
    tool_use_id: str
    content: str | list[_Text] | None = None
    is_error: bool | None = None
    cache_control: Raw = _NONE
    toolset_name: None = None


class _Called(Struct, forbid_unknown_fields=True):
    name: str
    arguments: Raw = _NONE
    input: str = ""


class _Call(Struct, forbid_unknown_fields=True):
    id: str = ""
    type: Literal["function", "custom"] = "function"
    index: int = 0
    function: _Called | None = None
    custom: _Called | None = None


class _Message(Struct, forbid_unknown_fields=True):
    role: str
    content: str | list[_Text | _Refusal | _Thinking | _HiddenThinking | _ToolUse | _ToolResult] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    function_call: _Called | None = None
    reasoning: Raw = _NONE
    reasoning_content: Raw = _NONE
    reasoning_details: Raw = _NONE
    audio: None = None
    annotations: tuple[()] | None = None


class _Function(Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    parameters: Raw = _NONE
    format: Raw = _NONE
    strict: bool | None = None


class _Tool(Struct, forbid_unknown_fields=True):
    type: Literal["function", "custom"] | None = None
    function: _Function | None = None
    custom: _Function | None = None
    name: str = ""
    description: str = ""
    input_schema: Raw = _NONE
    input_examples: Raw = _NONE
    strict: bool | None = None
    eager_input_streaming: bool | None = None
    cache_control: Raw = _NONE


class _Output(Struct, forbid_unknown_fields=True):
    effort: Raw = _NONE
    format: Raw = _NONE


_MESSAGE = Decoder(_Message)
_ANY = Decoder(Raw)
_FIELDS: dict[str, Decoder[Any]] = {
    "system": Decoder(str | list[_Text] | None),
    "tools": Decoder(list[_Tool] | None),
    "functions": Decoder(list[_Function] | None),
    "output_config": Decoder(_Output | None),
    **dict.fromkeys(
        "model tool_choice function_call parallel_tool_calls thinking reasoning_effort verbosity response_format "
        "output_format speed inference_geo".split(),
        _ANY,
    ),
}


def are_plain(fields: dict[str, bytes]) -> bool:
    """Whether the provider finds the same in these fields, in every request that has them."""
    if not fields.keys() <= _FIELDS.keys():
        return False
    try:
        for name, value in fields.items():
            _FIELDS[name].decode(value)
    except DecodeError:
        return False
    return True


def reasons(message: bytes) -> bool | None:
    """Whether a message holds reasoning, beside texts, calls and results; None where it holds something else too."""
    try:
        read = _MESSAGE.decode(message)
    except DecodeError:
        return None
    if read.reasoning or read.reasoning_content or read.reasoning_details:
        return True
    return type(read.content) is list and any(type(block) in (_Thinking, _HiddenThinking) for block in read.content)
