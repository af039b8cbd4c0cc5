"""What a request may cost for tools that its provider runs: fees for each use, beside the tokens.

A request is charged for as many uses as it may come to, and settled for those that the answer tells of. A tool whose
uses no answer tells of was used as often as it may have been.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from gptgate.core.errors import PriceUnknown
from gptgate.core.facts import ChatRequest, HostedTool, Permit, Usage
from gptgate.core.ports import Price
from gptgate.core.snapshot import ModelSpec

Uses = Mapping[str, int]
NO_USES: Uses = MappingProxyType({})


def offered(permit: Permit, price: Price) -> tuple[HostedTool, ...]:
    """The tools that the provider may run for this request."""
    tools = () if permit.obligations.strip_tools else permit.request.hosted
    if not price.always:
        return tools
    named = {tool.name for tool in tools}
    return (*tools, *[HostedTool(name=name) for name in price.always if name not in named])


def unpriced_tool(permit: Permit, price: Price) -> str:
    """The first tool of which nobody knows what it costs; empty where there is none."""
    return next((tool.name for tool in offered(permit, price) if price.fee(tool.name) is None), "")


def refuse_unpriced(permit: Permit, model: ModelSpec, price: Price) -> None:
    """An unknown fee is a refusal, never zero, as an unknown price is. Raises PriceUnknown."""
    tool = unpriced_tool(permit, price)
    if tool:
        raise PriceUnknown(
            f"What the provider's tool '{tool}' costs with model '{model.name}' is not known. Set "
            f"'provider_tools: [{{name: {tool}, per_thousand_uses: ...}}]' for it under 'models' in the gateway's "
            "configuration.",
            param="tools",
        )


def most_uses(permit: Permit, model: ModelSpec, price: Price) -> Uses:
    """How often each tool with a fee may be used, at most."""
    tools = offered(permit, price)
    if not tools:
        return NO_USES
    uses: dict[str, int] = {}
    for tool in tools:
        if price.fee(tool.name):
            most = model.most_uses(tool.name) if tool.most is None else tool.most
            uses[tool.name] = uses.get(tool.name, 0) + most
    return uses


def with_untold(usage: Usage, request: ChatRequest, most: Uses) -> Usage:
    """The usage with the uses of those tools of which it should have told and did not."""
    told = {tool.name for tool in request.hosted if tool.told}
    untold = {name: uses for name, uses in most.items() if name not in told and name not in usage.tool_uses}
    return replace(usage, tool_uses={**usage.tool_uses, **untold}) if untold else usage


def covers_uses(price: Price, usage: Usage) -> bool:
    """Whether it is known what all of the tools cost that were used."""
    return all(price.fee(name) is not None for name, uses in usage.tool_uses.items() if uses)
