"""Limits: how often, how much at a time. What a configuration says of them, and what a request is charged."""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class Dimension(StrEnum):
    """What a limit counts apart: each value of it has a counter of its own."""

    GLOBAL = "global"
    TEAM = "team"
    APP = "app"
    KEY = "key"
    END_USER = "end_user"
    SESSION = "session"
    MODEL = "model"
    PROVIDER = "provider"


class Unit(StrEnum):
    """What a limit counts. The last two are in flight at a time, the others flow in a window."""

    REQUESTS = "requests"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    TOTAL_TOKENS = "total_tokens"
    CONCURRENT_REQUESTS = "concurrent_requests"
    CONCURRENT_STREAMS = "concurrent_streams"


TOKEN_UNITS = frozenset({Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS, Unit.TOTAL_TOKENS})
"""Units whose charge is a ceiling until the usage is known."""

CONCURRENT_UNITS = frozenset({Unit.CONCURRENT_REQUESTS, Unit.CONCURRENT_STREAMS})
"""Units that are given back when the request is over."""


class LimitSpec(Struct, frozen=True, kw_only=True, eq=False):
    """A limit. There is a counter for each combination of values of `scope`; `window_ms` is 0 for concurrent units.

    `apps` (those of the teams that the configuration names among them), `models` and `providers` narrow it down; empty
    means all. Compared by identity: a counter takes over what a new configuration says when the object is another.
    """

    name: str
    scope: tuple[Dimension, ...]
    unit: Unit
    amount: int
    window_ms: int = 0
    apps: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()


REPEATED_REQUESTS = "guards.repeated_requests"
PROMPT = "guards.prompt"
FAILED_AUTHENTICATIONS = "guards.failed_authentications"
IGNORED_RETRY_AFTER = "guards.ignored_retry_after"
SESSION = "guards.session"
GUARD_NAMES = (REPEATED_REQUESTS, PROMPT, FAILED_AUTHENTICATIONS, IGNORED_RETRY_AFTER, SESSION)
"""The guards as records and metrics name them."""


class GuardSpec(Struct, frozen=True, kw_only=True):
    """Guards against loops and floods; one that is None or 0 is off. That of sessions is made of budgets."""

    repeated_requests: LimitSpec | None = None
    failed_authentications: LimitSpec | None = None
    ignored_retry_after: LimitSpec | None = None
    prompt_bytes: int = 0
    prompt_tokens: int = 0


class Charge(NamedTuple):
    """What a request takes of one counter. `key` begins with the limit's name, so no two limits share a counter."""

    spec: LimitSpec
    key: str
    amount: int


class Standing(NamedTuple):
    """How a counter with a window stands: whole units left, and the time until all of them are back."""

    unit: Unit
    limit: int
    remaining: int
    full_in_ns: int


def shown_duration(duration_ms: int) -> str:
    """In words: ``1 minute``, ``90 seconds``."""
    for size, word in ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second")):
        if duration_ms % size == 0:
            count = duration_ms // size
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    return f"{duration_ms} ms"


def shown_window(window_ms: int) -> str:
    """What comes after "per": ``minute``, ``90 seconds``."""
    return shown_duration(window_ms).removeprefix("1 ")
