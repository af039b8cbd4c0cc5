"""What the OpenAI endpoints share: origins of messages, usage, and the bound on the output."""

from typing import Any

from gptgate.core.document import encode_json
from gptgate.core.facts import ChatRequest, Usage
from gptgate.core.finding import Origin, Path, Segment
from gptgate.core.snapshot import ModelSpec, ProviderKind, ProviderSpec
from gptgate.providers.fields import tier_name, token_count
from gptgate.providers.hosted import read_uses
from gptgate.providers.walk import collect, member

ROLE_ORIGIN = {
    "system": Origin.SYSTEM,
    "developer": Origin.DEVELOPER,
    "user": Origin.USER,
    "assistant": Origin.ASSISTANT,
    "tool": Origin.TOOL_RESULT,
    "function": Origin.TOOL_RESULT,
}


def message_segments(message: dict[str, Any], path: Path, origin: Origin, out: list[Segment]) -> None:
    """Segments of one message, with its tool calls under their own origin and their arguments marked as JSON."""
    for key, value in message.items():
        here = (*path, key)
        if key == "tool_calls" and type(value) is list:
            for index, call in enumerate(value):
                tool_call_segments(call, (*here, index), out)
        elif key == "function_call":
            function_segments(value, here, out)
        else:
            member(key, value, path, origin, out)


def tool_call_segments(call: Any, path: Path, out: list[Segment]) -> None:
    """Segments of one tool call."""
    if type(call) is not dict:
        collect(call, path, Origin.TOOL_CALL, out)
        return
    for key, value in call.items():
        if key == "function":
            function_segments(value, (*path, key), out)
        else:
            member(key, value, path, Origin.TOOL_CALL, out)


def function_segments(function: Any, path: Path, out: list[Segment]) -> None:
    """Segments of a called function; its arguments are a string that holds JSON."""
    if type(function) is not dict:
        collect(function, path, Origin.TOOL_CALL, out)
        return
    for key, value in function.items():
        if key == "arguments" and type(value) is str:
            out.append(Segment((*path, key), Origin.TOOL_CALL, value, False, True))
        else:
            member(key, value, path, Origin.TOOL_CALL, out)


def read_usage(value: Any, *, has_output: bool = True, service_tier: Any = None) -> Usage | None:
    """OpenAI's usage object; None when it is absent or cannot be believed: a count that is missing is not zero, and a
    part is not more than the whole.

    `has_output` is False for endpoints whose usage has no output tokens. `service_tier` is what the answer says of it.
    """
    if type(value) is not dict or value.get("prompt_tokens") is None:
        return None
    if has_output and value.get("completion_tokens") is None:
        return None
    details = value.get("prompt_tokens_details")
    try:
        input_tokens = token_count(value.get("prompt_tokens"))
        output_tokens = token_count(value.get("completion_tokens"))
        cache_read = token_count(details.get("cached_tokens")) if type(details) is dict else 0
        audio_input, image_input = _kinds(details, input_tokens)
        audio_output, image_output = _kinds(value.get("completion_tokens_details"), output_tokens)
        tier = tier_name(service_tier)
        uses = read_uses(value.get("server_tool_use"))
    except ValueError:
        return None
    if cache_read > input_tokens:
        return None
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read=cache_read,
        service_tier=tier,
        audio_input=audio_input,
        audio_output=audio_output,
        image_input=image_input,
        image_output=image_output,
        tool_uses=uses,
    )


def _kinds(details: Any, whole: int) -> tuple[int | None, int | None]:
    """How many of so many tokens were audio and images, each None where it is not said. Raises ValueError for counts
    that cannot be."""
    if type(details) is not dict:
        return None, None
    audio, image = details.get("audio_tokens"), details.get("image_tokens")
    told = 0 if audio is None else token_count(audio)
    if image is not None:
        told += token_count(image)
    if told > whole:
        raise ValueError("more tokens of some kinds than there are")
    return audio, image


def base_edits(request: ChatRequest, edits: dict[Path, bytes], model: ModelSpec) -> dict[Path, bytes]:
    """The permit's edits and the provider's own name of the model."""
    if model.upstream_name != request.model:
        edits[("model",)] = encode_json(model.upstream_name)
    return edits


def output_bound_name(provider: ProviderSpec) -> str:
    """The field that bounds the output. Local servers know the older name only."""
    return "max_completion_tokens" if provider.kind is ProviderKind.OPENAI else "max_tokens"
