"""What is said of a rule's condition before it is ever evaluated."""

from collections.abc import Callable

from msgspec import Struct


class ConditionFault(Struct, frozen=True):
    """Something wrong in a condition's text. `line` and `column` count from 1; both are 0 where no place is known."""

    line: int
    column: int
    message: str
    hint: str = ""


class ConditionName(Struct, frozen=True):
    """A name that a condition looks for among names of which there are only so many.

    `of` is the fact whose names they are, or ``origin`` for whose words a finding stands in. `begins`: a name that
    begins so is looked for.
    """

    line: int
    column: int
    of: str
    value: str
    begins: bool = False


class ConditionReport(Struct, frozen=True, kw_only=True):
    """What a condition looks at (names of facts), the names that it looks for, and what is wrong with it; nothing when
    it can be used."""

    uses: frozenset[str]
    faults: tuple[ConditionFault, ...]
    names: tuple[ConditionName, ...] = ()


Conditions = Callable[[str], ConditionReport]
"""Examines the text of a condition."""

ABOUT_FINDINGS = frozenset({"findings", "kinds", "failures", "risk.score", "risk.parts"})
"""Facts that grow while a stream is read. All others are known when the request has been read."""
