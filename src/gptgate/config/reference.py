"""The reference of all settings, derived from the schema."""

from collections.abc import Iterator

from msgspec import Struct

from gptgate.config.schema import ROOT
from gptgate.config.shape import Either, Group, Many
from gptgate.config.types import Scalar


class Setting(Struct, frozen=True):
    """One setting as the reference shows it. `path` is like ``models[].price.input_per_million``.

    `default` is the text a file would hold, ``required``, or in words what its absence means.
    """

    path: str
    type: str
    default: str
    description: str


def _label(kind: Scalar | Group | Many | Either) -> str:
    match kind:
        case Scalar():
            return kind.label
        case Group():
            return "mapping"
        case Many():
            return f"list of {_label(kind.item)}" if isinstance(kind.item, Scalar) else "list of mappings"
        case Either():
            return f"{_label(kind.word)} | mapping"


def _inner(kind: Scalar | Group | Many | Either) -> tuple[Group, str] | None:
    match kind:
        case Group():
            return kind, "."
        case Either():
            return kind.group, "."
        case Many(item=Group() as item):
            return item, "[]."
        case _:
            return None


def _settings(group: Group, prefix: str) -> Iterator[Setting]:
    for field in group.fields:
        path = prefix + field.name
        default = "required" if field.required else field.default if field.default is not None else field.absent
        yield Setting(path, _label(field.type), default, field.description)
        inner = None if field.as_elsewhere else _inner(field.type)
        if inner is not None:
            yield from _settings(inner[0], path + inner[1])


SETTINGS: tuple[Setting, ...] = tuple(_settings(ROOT, ""))
"""Every setting, parents before children, in the order of the file."""
