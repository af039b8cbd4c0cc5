"""Node tree + schema → sections of values that still know their lines. Collects problems, never stops at the first."""

from dataclasses import dataclass, field
from typing import Any

import yaml

from gptgate.config.document import Node, line_of, tag_of
from gptgate.config.problem import Problem, did_you_mean, shown
from gptgate.config.shape import Either, Field, Group, Many
from gptgate.config.types import DEFAULT_TAG, Scalar, Wrong

SECRET_KEYS = frozenset({"api_key", "apikey", "key", "secret", "token", "password", "api_token"})


@dataclass(frozen=True)
class Value:
    """A value and where it stands; a default stands where its section begins."""

    value: Any
    line: int
    path: str


@dataclass(frozen=True)
class Section:
    """A mapping that was read. A field that is absent or wrong is not in `fields`; `written` names those in the file,
    right or wrong."""

    line: int
    path: str
    fields: dict[str, Value] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """The field's value, None where there is none."""
        found = self.fields.get(name)
        return None if found is None else found.value

    def section(self, name: str) -> "Section":
        """A nested mapping; an empty one where it could not be read."""
        found = self.get(name)
        return found if isinstance(found, Section) else Section(self.line, self.path)

    def items(self, name: str) -> tuple[Value, ...]:
        """The items of a list; none where it is absent."""
        found = self.get(name)
        return found if isinstance(found, tuple) else ()

    def sections(self, name: str) -> tuple["Section", ...]:
        """The items of a list of mappings that could be read."""
        return tuple(item.value for item in self.items(name) if isinstance(item.value, Section))

    def line_of(self, name: str) -> int:
        """The field's line, or that of the whole section."""
        found = self.fields.get(name)
        return self.line if found is None else found.line


class Reader:
    """Reads one file; `problems` grows."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def report(self, line: int, path: str, message: str, hint: str = "") -> None:
        """Note a problem and go on."""
        self.problems.append(Problem(self.file, line, path, message, hint))

    def group(self, node: Node, group: Group, path: str) -> Section | None:
        """Read a mapping by its schema. None, with a problem noted, when it is no mapping."""
        if not isinstance(node, yaml.MappingNode):
            self._wrong_type(node, path, "a mapping (key: value)")
            return None
        section = Section(line_of(node), path)
        known = {member.name: member for member in group.fields}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            name = self._key(key_node, path, seen)
            if name is None:
                continue
            if name not in known:
                self._unknown(key_node, name, path, tuple(known))
                continue
            value = self._value(value_node, known[name].type, _join(path, name))
            if value is not None:
                section.fields[name] = Value(value, line_of(key_node), _join(path, name))
        section.written.update(seen)
        self._absent(section, group, seen)
        return section

    def _key(self, node: Node, path: str, seen: dict[str, int]) -> str | None:
        line = line_of(node)
        if not isinstance(node, yaml.ScalarNode):
            self.report(line, path, "a key must be a plain word")
            return None
        name = str(node.value)
        if name in seen:
            self.report(line, path, f"the key {shown(name)} is written twice; the first is on line {seen[name]}")
            return None
        seen[name] = line
        return name

    def _unknown(self, node: Node, name: str, path: str, known: tuple[str, ...]) -> None:
        hint = did_you_mean(name, known)
        if "credential" in known and name.lower().replace("-", "_") in SECRET_KEYS:
            hint = "secrets stand as a reference: credential: env:NAME"
        self.report(line_of(node), path, f"unknown key {shown(name)}", hint or "known here: " + ", ".join(known))

    def _absent(self, section: Section, group: Group, seen: dict[str, int]) -> None:
        for member in group.fields:
            if member.name in seen:
                continue
            path = _join(section.path, member.name)
            if member.required:
                self.report(
                    section.line, path, "is missing", "version: 1, at the top of the file" if path == "version" else ""
                )
            elif member.default is not None:
                section.fields[member.name] = Value(self._default(member, section, path), section.line, path)

    def _default(self, member: Field, section: Section, path: str) -> Any:
        match member.type:
            case Group():
                nested = Section(section.line, path)
                self._absent(nested, member.type, {})
                return nested
            case Many():
                return ()
            case Scalar():
                return member.type.parse(member.default or "", DEFAULT_TAG)
            case Either():
                raise TypeError(f"{path}: a setting of two shapes has no default")

    def _value(self, node: Node, kind: Scalar | Group | Many | Either, path: str) -> Any:
        match kind:
            case Scalar():
                return self._scalar(node, kind, path)
            case Group():
                return self.group(node, kind, path)
            case Many():
                return self._many(node, kind, path)
            case Either():
                if isinstance(node, yaml.MappingNode):
                    return self.group(node, kind.group, path)
                return self._scalar(node, kind.word, path, "or a mapping: " + kind.group.fields[0].name + ", …")

    def _scalar(self, node: Node, kind: Scalar, path: str, otherwise: str = "") -> Any:
        if not isinstance(node, yaml.ScalarNode) or tag_of(node) == "null":
            self._wrong_type(node, path, kind.label)
            return None
        try:
            return kind.parse(str(node.value), tag_of(node))
        except Wrong as wrong:
            self.report(line_of(node), path, wrong.message, wrong.hint or otherwise)
            return None

    def _many(self, node: Node, kind: Many, path: str) -> tuple[Value, ...] | None:
        if not isinstance(node, yaml.SequenceNode):
            self._wrong_type(node, path, "a list")
            return None
        if not node.value and isinstance(kind.item, Scalar):
            # Such a list narrows something down. Read as "none" or as "all", it would surprise somebody.
            self.report(line_of(node), path, "an empty list is ambiguous", "remove the line to mean all of them")
            return None
        items: list[Value] = []
        first: dict[object, int] = {}
        for index, item_node in enumerate(node.value):
            item_path = f"{path}[{index}]"
            value = self._value(item_node, kind.item, item_path)
            if value is None:
                continue
            item = Value(value, line_of(item_node), item_path)
            items.append(item)
            self._unique(item, kind.key, first)
        return tuple(items)

    def _unique(self, item: Value, key: str, first: dict[object, int]) -> None:
        name, line, path = item.value, item.line, item.path
        if isinstance(name, Section):
            line, path = name.line_of(key), _join(path, key)
            name = name.get(key)
            if name is None:
                return
        if name in first:
            self.report(line, path, f"{shown(str(name))} is written twice; the first is on line {first[name]}")
        else:
            first[name] = line

    def _wrong_type(self, node: Node, path: str, expected: str) -> None:
        found = {"map": "a mapping", "seq": "a list", "null": "nothing"}.get(tag_of(node), "a single value")
        hint = "write a value, or remove the line" if found == "nothing" else ""
        self.report(line_of(node), path, f"expected {expected}, found {found}", hint)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
