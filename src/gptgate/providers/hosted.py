"""Tools that the provider runs itself, such as a search of the web or a server of somebody else's.

Threat: what they send and what they read does not pass the gateway, so no detector sees it, and a text that they fetch
can steer the model to send more. Each that a request offers is reported like content that cannot be looked into.

They have fees of their own besides. So each says by which name it is priced, and how often it may be used.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from gptgate.core.document import encode_json
from gptgate.core.errors import InvalidField
from gptgate.core.facts import ChatRequest, HostedTool
from gptgate.core.finding import Origin, Path, Segment
from gptgate.core.snapshot import ModelSpec

TOOL = "tool"
"""What such a segment says that it holds; see `Segment.media`."""
XAI_FIELD = "search_parameters"
OPENAI_FIELDS = {"web_search_options": "web_search", XAI_FIELD: "web_search", "plugins": "plugins"}
"""Fields by which a chat completion offers such tools, beside the list of tools: OpenAI's, xAI's and OpenRouter's. With
the names of what they offer."""
ANTHROPIC_FIELDS = {"mcp_servers": "mcp"}
"""The same of a message."""
_RUN_BY_OPENAI_CALLERS = frozenset({"function", "custom"})
_RUN_BY_ANTHROPIC_CALLERS = ("bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_")
"""How the types of Anthropic's tools begin that the caller runs; a search among the request's own tools is none that
reads anything else."""

TOLD_BY_ANTHROPIC = frozenset({"web_search", "web_fetch"})
"""Tools whose uses are counted in each usage, and which take a bound."""
BOUND = "max_uses"
MOST_USES = 1_000_000
OTHER = "other"
"""The name of what has none that could be the name of a fee."""
_VERSIONED = re.compile(r"([a-z][a-z0-9_]{0,31}?)(?:_[0-9]{8}|_toolset)?")
_REPORTED = re.compile(r"([a-z][a-z0-9_]{0,31})_requests")
MOST_REPORTED = 16


class Hosted(NamedTuple):
    """The tools of a request that the provider runs: as content that is not looked into, and as what they may cost."""

    segments: tuple[Segment, ...]
    tools: tuple[HostedTool, ...]


def openai_hosted(document: dict[str, Any]) -> Hosted:
    """The tools of a chat completion that the caller does not run."""
    return _hosted(document, OPENAI_FIELDS, _RUN_BY_OPENAI_CALLERS.__contains__, frozenset())


def anthropic_hosted(document: dict[str, Any]) -> Hosted:
    """The tools of a message that the caller does not run."""

    def is_callers(kind: str) -> bool:
        return kind == "custom" or kind.startswith(_RUN_BY_ANTHROPIC_CALLERS)

    return _hosted(document, ANTHROPIC_FIELDS, is_callers, TOLD_BY_ANTHROPIC)


def bounded_tools(request: ChatRequest, model: ModelSpec) -> dict[Path, bytes]:
    """Edits that bound how often tools may be used of which the request does not say it. What is reserved for them is a
    ceiling only if the provider is held to it too."""
    if model.price is not None and model.price.free:
        return {}
    return {
        tool.bound: encode_json(model.most_uses(tool.name))
        for tool in request.hosted
        if tool.bound and tool.most is None
    }


def read_uses(reported: Any) -> dict[str, int]:
    """How often tools were used, of a usage's ``server_tool_use``. Raises ValueError for what cannot be believed."""
    uses: dict[str, int] = {}
    if reported is None:
        return uses
    if type(reported) is not dict:
        raise ValueError("not an account of uses")
    for key, count in reported.items():
        named = _REPORTED.fullmatch(key)
        if named is None or count is None:
            continue
        if type(count) is not int or not 0 <= count <= MOST_USES or len(uses) == MOST_REPORTED:
            raise ValueError("not a number of uses")
        uses[named[1]] = count
    return uses


def _hosted(
    document: dict[str, Any], fields: dict[str, str], is_callers: Callable[[str], bool], told: frozenset[str]
) -> Hosted:
    """A type that is not known is the provider's, for there will be more; a tool without one is the caller's."""
    segments: list[Segment] = []
    offered: list[HostedTool] = []
    for field, name in fields.items():
        value = document.get(field)
        if value not in (None, [], False) and not (field == XAI_FIELD and _is_off(value)):
            segments.append(Segment((field,), Origin.TOOL_DEFINITION, "", media=TOOL))
            offered.append(HostedTool(name=name))
    tools = document.get("tools")
    for index, tool in enumerate(tools if type(tools) is list else ()):
        kind = tool.get("type") if type(tool) is dict else None
        if kind is not None and not (type(kind) is str and is_callers(kind)):
            segments.append(Segment(("tools", index), Origin.TOOL_DEFINITION, "", media=TOOL))
            offered.append(_offered(tool, index, fee_name(kind), told))
    return Hosted(tuple(segments), tuple(offered))


def _is_off(search_parameters: object) -> bool:
    """Whether they turn the search off, as some clients do in each request."""
    return type(search_parameters) is dict and search_parameters.get("mode") == "off"


def fee_name(kind: object) -> str:
    """The name by which a tool of this type is priced: without the version."""
    named = _VERSIONED.fullmatch(kind) if type(kind) is str else None
    return OTHER if named is None else named[1]


def _offered(tool: dict[str, Any], index: int, name: str, told: frozenset[str]) -> HostedTool:
    """Where the provider takes no bound, one that the request names holds nobody to it."""
    if name not in told:
        return HostedTool(name=name)
    most = tool.get(BOUND)
    if most is not None and (type(most) is not int or not 1 <= most <= MOST_USES):
        place = f"tools[{index}].{BOUND}"
        raise InvalidField(f"'{place}' must be a whole number from 1 to {MOST_USES}.", param=place)
    return HostedTool(name=name, most=most, bound=("tools", index, BOUND), told=True)
