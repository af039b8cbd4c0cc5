"""The built-in packs of rules: versioned files beside this module, in the layout of `schema.PACK`."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from gptgate.config.document import compose
from gptgate.config.problem import ConfigError
from gptgate.config.reader import Reader, Section
from gptgate.config.schema_policy import PACK

PACKS = ("baseline", "strict", "gdpr", "developer-tools")
"""Every pack there is. A new one is a file and a word here."""


@dataclass(frozen=True)
class Pack:
    """A pack. `rules` are sections as they stand in a configuration."""

    name: str
    version: int
    description: str
    rules: tuple[Section, ...]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@lru_cache(maxsize=len(PACKS))
def load_pack(name: str) -> Pack:
    """The installed version of a pack. Raises KeyError for an unknown name."""
    if name not in PACKS:
        raise KeyError(name)
    reader = Reader(f"pack {name}")
    text = files("gptgate.config").joinpath("pack_files", f"{name}.yaml").read_text(encoding="utf-8")
    root = reader.group(compose(text, reader.file), PACK, "")
    if root is None or reader.problems:
        raise ConfigError(reader.problems)
    return Pack(
        name=root.get("pack"),
        version=root.get("version"),
        description=root.get("description"),
        rules=root.sections("rules"),
    )
