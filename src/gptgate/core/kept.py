"""What is configured of kept texts."""

from msgspec import Struct

from gptgate.core.secret_ref import SecretRef


class TextSpec(Struct, frozen=True, kw_only=True):
    """How kept texts are kept. `master_key` None: the one in the data folder. `keep_ms` 0: until they are erased.

    `class_keep_ms` are shorter times for texts of requests with a finding of a category, such as ``pii``.
    """

    master_key: SecretRef | None = None
    keep_ms: int = 0
    class_keep_ms: tuple[tuple[str, int], ...] = ()
