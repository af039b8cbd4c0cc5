"""What obligations do to a body, in either dialect: a lower bound on the answer, no tools, a notice to the model."""

from collections.abc import Iterable
from typing import Any

from gptgate.core.document import drop_members, encode_json, insert_item
from gptgate.core.finding import Path
from gptgate.providers.hosted import ANTHROPIC_FIELDS, OPENAI_FIELDS

OPENAI_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", *OPENAI_FIELDS})
"""Fields by which a chat completion offers tools, the provider's own among them."""
ANTHROPIC_TOOLS = frozenset({"tools", "tool_choice", *ANTHROPIC_FIELDS})
"""The same of a message."""


def capped(document: dict[str, Any], names: Iterable[str], cap: int) -> dict[Path, bytes]:
    """Edits that lower these bounds on the output, where the document states them, to the cap; 0 caps nothing."""
    if not cap:
        return {}
    return {(name,): encode_json(cap) for name in names if (bound := document.get(name)) is not None and bound > cap}


def without_tools(body: bytes, names: frozenset[str], strip: bool) -> bytes:
    """The body without its tools, where a rule strips them."""
    return drop_members(body, names) if strip else body


def with_system_message(body: bytes, notice: str) -> bytes:
    """A chat completion with a system message more, at the front, so that a rule's notice is never behind a turn."""
    return insert_item(body, "messages", 0, encode_json({"role": "system", "content": notice})) if notice else body
