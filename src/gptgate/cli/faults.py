"""What is wrong with a file's values, in the file's own words and at its own line."""

import re
from collections.abc import Mapping, Sequence

import msgspec
import yaml

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
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_NO_CHOICE = re.compile(r"Invalid enum value '?(.*?)'?", re.DOTALL)
_KIND = re.compile(r"Expected `([a-z |]+)`, got `([a-z]+)`")
_LENGTH = re.compile(r"Expected `array` of length (>= )?(\d+)(?:, got \d+)?")
_BOUND = re.compile(r"Expected `int` ([<>]=) (-?\d+)")


def fault(
    error: msgspec.ValidationError, choices: Mapping[str, Sequence[str]], node: yaml.Node | None = None
) -> tuple[str, int]:
    """The sentence, and the line where the value stands that it is about; 0 without a `node`.

    `choices` are the words that a field takes, and, under ``""``, the names of all fields.
    """
    match = _PLACE.fullmatch(str(error))
    said, place = (match[1], match[2] or "$") if match else (str(error), "$")
    steps = [name or int(number) for name, number in _STEP.findall(place)]
    named = [step for step in steps if isinstance(step, str)]
    if unknown := _UNKNOWN.fullmatch(said):
        steps.append(unknown[1])
    where = f"`{'.'.join(named)}`: " if named else ""
    return where + _words(said, choices.get(named[-1] if named else "", ()), choices.get("", ())), _line(node, steps)


def _words(said: str, choices: Sequence[str], fields: Sequence[str]) -> str:
    if missing := _MISSING.fullmatch(said):
        return f"the field `{missing[1]}` is missing"
    if unknown := _UNKNOWN.fullmatch(said):
        return _with_hint(f"there is no field {shown(unknown[1])} here", did_you_mean(unknown[1], fields))
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


def _line(node: yaml.Node | None, steps: Sequence[str | int]) -> int:
    """The line of the innermost value on the way; that of its name where it is one of several fields."""
    if node is None:
        return 0
    line = node.start_mark.line + 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            pair = node.value[step], node.value[step]
        else:
            pair = None
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line
