"""What is configured of kept texts."""

from collections.abc import Iterable

from msgspec import Struct

from gptgate.core.secret_ref import SecretRef

CONTENTS: tuple[str, ...] = ("none", "redacted", "full")
"""What records may keep of a text, the strictest first."""


def strictest(contents: Iterable[str]) -> str:
    """Raises ValueError where there is none."""
    return min(contents, key=CONTENTS.index)


class TextSpec(Struct, frozen=True, kw_only=True):
    """How kept texts are kept. `master_key` None: the one in the data folder. `keep_ms` 0: until they are erased.

    `class_keep_ms` are shorter times for texts of requests with a finding of a category, such as ``pii``.
    """

    master_key: SecretRef | None = None
    keep_ms: int = 0
    class_keep_ms: tuple[tuple[str, int], ...] = ()
