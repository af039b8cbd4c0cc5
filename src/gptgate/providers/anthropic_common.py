"""What the Anthropic endpoints share: origins of messages and blocks, and usage."""

from typing import Any

from gptgate.core.facts import Usage
from gptgate.core.finding import Origin, Path, Segment
from gptgate.providers.fields import tier_name, token_count
from gptgate.providers.hosted import TOLD_BY_ANTHROPIC, read_uses
from gptgate.providers.walk import collect, member

ROLE_ORIGIN = {"user": Origin.USER, "assistant": Origin.ASSISTANT, "system": Origin.SYSTEM}
TOOL_RESULTS = ("tool_result", "search_result")
"""How the type of a tool's result ends: each of the provider's own tools has one of its own, such as
``web_search_tool_result``, and there will be more."""
TIER = "service_tier"
TOOL_USE = "server_tool_use"
"""What the uses of the provider's tools are called, both in a usage and as the type of a block of an answer."""
REPORTED = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", TIER, TOOL_USE)
"""What we read of a usage object. A stream reports it in parts, and remembers nothing else."""
GROWING = frozenset({"output_tokens", TOOL_USE})
"""What of it grows with the answer."""


def request_segments(document: dict[str, Any]) -> tuple[Segment, ...]:
    """Every string of a Messages request."""
    out: list[Segment] = []
    for key, value in document.items():
        if key == "messages":
            for index, message in enumerate(value):
                role = message.get("role")
                origin = ROLE_ORIGIN.get(role, Origin.OTHER) if type(role) is str else Origin.OTHER
                for name, child in message.items():
                    if name == "content" and type(child) is list:
                        block_segments(child, ("messages", index, name), origin, out)
                    else:
                        member(name, child, ("messages", index), origin, out)
        elif key == "system":
            member(key, value, (), Origin.SYSTEM, out)
        elif key == "tools":
            member(key, value, (), Origin.TOOL_DEFINITION, out)
        else:
            member(key, value, (), Origin.OTHER, out)
    return tuple(out)


def block_segments(blocks: list[Any], path: Path, origin: Origin, out: list[Segment]) -> None:
    """Segments of content blocks; tool calls and tool results have their own origin whatever the message's role."""
    for index, block in enumerate(blocks):
        kind = block.get("type") if type(block) is dict else None
        collect(block, (*path, index), _block_origin(kind, origin), out)


def _block_origin(kind: Any, origin: Origin) -> Origin:
    if type(kind) is not str or kind == "text":
        return origin
    if kind.endswith("tool_use"):
        return Origin.TOOL_CALL
    return Origin.TOOL_RESULT if kind.endswith(TOOL_RESULTS) else origin


def seen_use(block: Any) -> str:
    """Which tool of the provider's a block of an answer says was used, of those whose uses are counted; else ``""``."""
    if type(block) is not dict or block.get("type") != TOOL_USE:
        return ""
    name = block.get("name")
    return name if type(name) is str and name in TOLD_BY_ANTHROPIC else ""


def read_usage(value: Any, seen: list[str] | tuple[str, ...] = ()) -> Usage | None:
    """Anthropic's usage object; None when it is absent or cannot be believed: a count that is missing is not zero.

    Its `input_tokens` leave out cached reads and writes; ours count them. Where it does not say how often tools were
    used, it was as often as is `seen` in the answer.
    """
    if type(value) is not dict or value.get("input_tokens") is None or value.get("output_tokens") is None:
        return None
    try:
        cache_read = token_count(value.get("cache_read_input_tokens"))
        cache_write = token_count(value.get("cache_creation_input_tokens"))
        fresh = token_count(value.get("input_tokens"))
        output = token_count(value.get("output_tokens"))
        uses = read_uses(value.get(TOOL_USE))
    except ValueError:
        return None
    for name in set(seen).difference(uses):
        uses[name] = seen.count(name)
    return Usage(
        input_tokens=fresh + cache_read + cache_write,
        output_tokens=output,
        cache_read=cache_read,
        cache_write=cache_write,
        service_tier=tier_name(value.get(TIER)),
        tool_uses=uses,
    )
