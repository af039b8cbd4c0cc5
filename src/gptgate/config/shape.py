"""What the tables of settings are made of."""

from dataclasses import dataclass

from gptgate.config.types import Scalar


@dataclass(frozen=True)
class Field:
    """One setting. `default` is written as the file would write it and read by the same type.

    Without a default a setting is either `required` or may be absent; `absent` then says what its absence means.
    `as_elsewhere`: the settings below it are described at another place of the reference.
    """

    name: str
    type: "Scalar | Group | Many | Either"
    description: str
    default: str | None = None
    required: bool = False
    absent: str = ""
    as_elsewhere: bool = False


@dataclass(frozen=True)
class Group:
    """A mapping with known keys."""

    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Many:
    """A list. `key` names the field of a group's items that must be unique."""

    item: "Scalar | Group"
    key: str = ""


@dataclass(frozen=True)
class Either:
    """A single word or a mapping."""

    word: Scalar
    group: Group
