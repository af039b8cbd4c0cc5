"""Typed reading of the request fields that the gateway must understand. Everything else passes through unread."""

from typing import Any

from gptgate.core.errors import InvalidField

MAX_OUTPUT_TOKENS = 10_000_000
MAX_CHOICES = 128


def required_text(document: dict[str, Any], name: str) -> str:
    """A string that must be there and not be empty."""
    value = document.get(name)
    if type(value) is not str or not value:
        what = "is missing" if name not in document else "must be a string that is not empty"
        raise InvalidField(f"'{name}' {what}.", param=name)
    return value


def optional_text(document: dict[str, Any], name: str) -> str:
    """A string, or ``""`` when absent or null."""
    value = document.get(name)
    if value is None:
        return ""
    if type(value) is not str:
        raise InvalidField(f"'{name}' must be a string.", param=name)
    return value


def own_spelling(document: dict[str, Any], names: frozenset[str]) -> None:
    """Refuse a field that differs only in case from one of `names`, which the gateway reads.

    Go's JSON reader, with which some local servers read, takes both for the same field, and the last one holds.
    """
    for key in document:
        if key not in names and key.casefold() in names:
            name = key.casefold()
            raise InvalidField(f"'{name}' must be spelled like this, in lower case.", param=name)


def flag(document: dict[str, Any], name: str) -> bool:
    """A boolean, False when absent or null."""
    value = document.get(name)
    if value is None:
        return False
    if type(value) is not bool:
        raise InvalidField(f"'{name}' must be true or false.", param=name)
    return value


def optional_count(document: dict[str, Any], name: str, maximum: int) -> int | None:
    """A whole number from 1 to `maximum`, None when absent or null. Booleans and floats are not numbers here."""
    value = document.get(name)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= maximum:
        raise InvalidField(f"'{name}' must be a whole number from 1 to {maximum}.", param=name)
    return value


def priced_choice(document: dict[str, Any], name: str, priced: tuple[str, ...]) -> None:
    """Refuse a value of a field that changes the price in a way that the gateway does not price."""
    value = document.get(name)
    if value is not None and value not in priced:
        allowed = ", ".join(f"'{choice}'" for choice in priced)
        raise InvalidField(f"'{name}' must be one of {allowed}: the gateway prices no other.", param=name)


def required_list(document: dict[str, Any], name: str) -> list[Any]:
    """A list that must be there and not be empty."""
    value = document.get(name)
    if type(value) is not list or not value:
        what = "is missing" if name not in document else "must be a list that is not empty"
        raise InvalidField(f"'{name}' {what}.", param=name)
    return value


def each_object(items: list[Any], name: str) -> None:
    """Refuse a list that holds anything but objects."""
    for index, item in enumerate(items):
        if type(item) is not dict:
            raise InvalidField(f"'{name}[{index}]' must be an object.", param=f"{name}[{index}]")


def tool_names(document: dict[str, Any]) -> tuple[str, ...]:
    """The names of the tools that a request declares, in any dialect's way; ``""`` for one without a name.

    Lenient, for every string of a tool is judged as text anyway, and the provider refuses what it cannot read.
    """
    names: list[str] = []
    for field in ("tools", "functions"):
        declared = document.get(field)
        names += [_tool_name(tool) for tool in declared] if type(declared) is list else []
    return tuple(names)


def _tool_name(tool: Any) -> str:
    """Anthropic's tools have their name at the top, OpenAI's under the member that their type names."""
    if type(tool) is not dict:
        return ""
    kind = tool.get("type")
    inner = tool.get(kind) if type(kind) is str else None
    name = (inner if type(inner) is dict else tool).get("name")
    return name if type(name) is str else ""


def tier_name(value: object) -> str:
    """The service tier that a provider reports, ``""`` when it reports none. What is no name of one is ``other``, whose
    price nobody knows."""
    if value is None:
        return ""
    return value if type(value) is str and value.isidentifier() and len(value) <= 32 else "other"


def token_count(value: object) -> int:
    """A token count that a provider reports, 0 when absent; anything but a sane whole number raises ValueError."""
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= 1_000_000_000:
        raise ValueError("not a token count")
    return value
