"""What is said of a rule's condition before it is ever evaluated."""

from collections.abc import Callable

from msgspec import Struct


class ConditionFault(Struct, frozen=True):
    """Something wrong in a condition's text. `line` and `column` count from 1; both are 0 where no place is known."""

    line: int
    column: int
    message: str
    hint: str = ""


class ConditionReport(Struct, frozen=True, kw_only=True):
    """What a condition looks at (names of facts), and what is wrong with it; nothing when it can be used."""

    uses: frozenset[str]
    faults: tuple[ConditionFault, ...]


Conditions = Callable[[str], ConditionReport]
"""Examines the text of a condition."""

ABOUT_FINDINGS = frozenset({"findings", "kinds", "failures", "risk.score", "risk.parts"})
"""Facts that grow while a stream is read. All others are known when the request has been read."""
