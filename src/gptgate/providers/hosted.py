"""Tools that the provider runs itself, such as a search of the web or a server of somebody else's.

Threat: what they send and what they read does not pass the gateway, so no detector sees it, and a text that they fetch
can steer the model to send more. Each that a request offers is reported like content that cannot be looked into.
"""

from collections.abc import Callable
from typing import Any

from gptgate.core.finding import Origin, Segment

TOOL = "tool"
"""What such a segment says that it holds; see `Segment.media`."""
OPENAI_FIELDS = ("web_search_options", "search_parameters", "plugins")
"""Fields by which a chat completion offers such tools, beside the list of tools: OpenAI's, xAI's and OpenRouter's."""
ANTHROPIC_FIELDS = ("mcp_servers",)
"""The same of a message."""
_RUN_BY_OPENAI_CALLERS = frozenset({"function", "custom"})
_RUN_BY_ANTHROPIC_CALLERS = ("bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_")
"""How the types of Anthropic's tools begin that the caller runs; a search among the request's own tools is none that
reads anything else."""


def openai_hosted(document: dict[str, Any]) -> tuple[Segment, ...]:
    """The tools of a chat completion that the caller does not run."""
    return _hosted(document, OPENAI_FIELDS, _RUN_BY_OPENAI_CALLERS.__contains__)


def anthropic_hosted(document: dict[str, Any]) -> tuple[Segment, ...]:
    """The tools of a message that the caller does not run."""
    return _hosted(
        document, ANTHROPIC_FIELDS, lambda kind: kind == "custom" or kind.startswith(_RUN_BY_ANTHROPIC_CALLERS)
    )


def _hosted(
    document: dict[str, Any], fields: tuple[str, ...], is_callers: Callable[[str], bool]
) -> tuple[Segment, ...]:
    """A type that is not known is the provider's, for there will be more; a tool without one is the caller's."""
    found = [
        Segment((name,), Origin.TOOL_DEFINITION, "", media=TOOL)
        for name in fields
        if document.get(name) not in (None, [], False)
    ]
    tools = document.get("tools")
    for index, tool in enumerate(tools if type(tools) is list else ()):
        kind = tool.get("type") if type(tool) is dict else None
        if kind is not None and not (type(kind) is str and is_callers(kind)):
            found.append(Segment(("tools", index), Origin.TOOL_DEFINITION, "", media=TOOL))
    return tuple(found)
