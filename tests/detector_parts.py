"""What tests of patterns are given to look with."""

from typing import Protocol

from gptgate.core.finding import Origin


class Find(Protocol):
    """Kinds and texts of what is found in one text."""

    def __call__(self, text: str, origin: Origin = Origin.USER, is_json: bool = False) -> list[tuple[str, str]]: ...
