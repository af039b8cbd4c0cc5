"""What is wrong with a file's values, in the file's own words and at its own line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard, get_args

import msgspec
import yaml
from msgspec import structs

from gptgate.cli.text import counted
from gptgate.config.problem import did_you_mean, shown

KINDS: dict[str, str] = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "yes or no",
    "object": "fields with values",
    "array": "a list",
    "null": "nothing",
}
"""What values are called by msgspec → by people."""
_PLACE = re.compile(r"(.*?)(?: - at `(\$.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_MISSING_FIELD = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_NO_CHOICE = re.compile(r"Invalid enum value '?(.*?)'?", re.DOTALL)
_KIND = re.compile(r"Expected `([a-z |]+)`, got `([a-z]+)`")
_LENGTH = re.compile(r"Expected `array` of length (>= )?(\d+)(?:, got \d+)?")
_BOUND = re.compile(r"Expected `int` ([<>]=) (-?\d+)")


Step = str | int
"""The name of a field, or a place in a list."""


def faults(
    found: object,
    kind: type[msgspec.Struct],
    choices: Mapping[str, Sequence[str]],
    node: yaml.Node | None,
    under: tuple[Step, ...] = (),
) -> Iterator[tuple[str, int]]:
    """All mistakes of a value that shall be of this kind, each as `fault` gives it: the library stops at the first.

    `under` is the way to the value, which begins at `node`.
    """
    if not isinstance(found, dict):
        yield from _first(found, kind, choices, node, under)
        return
    fields = {field.name: field for field in structs.fields(kind)}
    for name, value in found.items():
        if name not in fields:
            yield _placed(_unknown(str(name), choices.get("", ())), under), line_at(node, (*under, name))
            continue
        parts = [part for part in (fields[name].type, *get_args(fields[name].type)) if _is_struct(part)]
        if parts and isinstance(value, dict):
            yield from faults(value, parts[0], choices, node, (*under, name))
        else:
            yield from _first(value, fields[name].type, choices, node, (*under, name))
    for name, field in fields.items():
        if field.required and name not in found:
            yield _placed(_missing(name), under), line_at(node, under)


def _is_struct(part: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(part, type) and issubclass(part, msgspec.Struct)


def _first(
    value: object, kind: Any, choices: Mapping[str, Sequence[str]], node: yaml.Node | None, under: tuple[Step, ...]
) -> Iterator[tuple[str, int]]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield fault(error, choices, node, under)


def fault(
    error: msgspec.ValidationError,
    choices: Mapping[str, Sequence[str]],
    node: yaml.Node | None = None,
    under: tuple[Step, ...] = (),
) -> tuple[str, int]:
    """The sentence, and the line where the value stands that it is about; 0 without a `node`.

    `choices` are the words that a field takes, and, under ``""``, the names of all fields. `under` is the way from the
    node to what the error is about.
    """
    match = _PLACE.fullmatch(str(error))
    said, place = (match[1], match[2] or "$") if match else (str(error), "$")
    way = [*under, *(name or int(number) for name, number in _STEP.findall(place))]
    named = [step for step in way if isinstance(step, str)]
    words = _placed(_words(said, choices.get(named[-1] if named else "", ()), choices.get("", ())), way)
    if unknown := _UNKNOWN_FIELD.fullmatch(said):
        way.append(unknown[1])
    return words, line_at(node, way)


def _placed(words: str, way: Sequence[Step]) -> str:
    """A sentence behind the name of what it is about."""
    named = [step for step in way if isinstance(step, str)]
    return f"`{'.'.join(named)}`: {words}" if named else words


def _missing(name: str) -> str:
    return f"the field `{name}` is missing"


def _unknown(name: str, fields: Sequence[str]) -> str:
    return _with_hint(f"there is no field {shown(name)} here", did_you_mean(name, fields))


def _words(said: str, choices: Sequence[str], fields: Sequence[str]) -> str:
    if missing := _MISSING_FIELD.fullmatch(said):
        return _missing(missing[1])
    if unknown := _UNKNOWN_FIELD.fullmatch(said):
        return _unknown(unknown[1], fields)
    if choice := _NO_CHOICE.fullmatch(said):
        near = did_you_mean(choice[1], choices) or f"one of {', '.join(choices)}"
        return _with_hint(f"{shown(choice[1])} is none of the words that may stand here", near)
    if kind := _KIND.fullmatch(said):
        wanted = " or ".join(KINDS.get(one, one) for one in kind[1].split(" | ") if one != "null")
        return f"expected {wanted}, got {KINDS.get(kind[2], kind[2])}"
    if bound := _BOUND.fullmatch(said):
        return f"expected a whole number of at {'most' if bound[1] == '<=' else 'least'} {bound[2]}"
    if length := _LENGTH.fullmatch(said):
        return f"expected a list of {'at least ' if length[1] else ''}{counted(int(length[2]), 'item')}"
    # What our own types say is said for people already.
    return "a value that cannot stand here" if said.startswith(("Expected", "Invalid", "Object")) else said


def _with_hint(message: str, hint: str) -> str:
    return f"{message} (hint: {hint})" if hint else message


def line_at(node: yaml.Node | None, way: Sequence[Step]) -> int:
    """The line of the innermost value on the way; that of its name where it is one of several fields. 0 without a
    node."""
    line = 0 if node is None else node.start_mark.line + 1
    for step in way:
        pair = _pair_at(node, step)
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line


def node_at(node: yaml.Node | None, way: Sequence[Step]) -> yaml.Node | None:
    """Where the value at the end of the way stands; None where it cannot be told, as behind a merge of fields."""
    for step in way:
        pair = _pair_at(node, step)
        node = None if pair is None else pair[1]
    return node


def _pair_at(node: yaml.Node | None, step: Step) -> tuple[yaml.Node, yaml.Node] | None:
    """The name and the value of a field; of a list the item for both."""
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None
