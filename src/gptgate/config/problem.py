"""What is wrong with a configuration, said all at once."""

import difflib
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

SHOWN_CHARACTERS = 32
SHOWN_KIND = 64
KIND = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*\.([a-z0-9_]+|\*)")
"""A kind of finding or a prefix, with its full stop: without one it could be a key that somebody put there."""


class Problem(Struct, frozen=True):
    """One thing to mend. `line` counts from 1 and is 0 where no line can be named; `path` is like ``models[1].name``.

    Holds no value of a setting that may be a secret.
    """

    file: str
    line: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        head = ": ".join(part for part in (place, self.path) if part)
        tail = f" (hint: {self.hint})" if self.hint else ""
        return f"{head}: {self.message}{tail}"


class ConfigError(Exception):
    """A configuration that cannot be used, with every problem that was found. ``str`` gives one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def shown(text: str) -> str:
    """A value as a message may quote it. A long one is only described: it may be a key in the wrong place."""
    if len(text) > SHOWN_CHARACTERS:
        return f"a value of {len(text)} characters"
    return '"' + "".join(c if c.isprintable() else "?" for c in text) + '"'


def shown_kind(text: str) -> str:
    """As `shown`, where a kind of finding stands: what has the form of one is a name, and quoted at its length."""
    return f'"{text}"' if len(text) <= SHOWN_KIND and KIND.fullmatch(text) else shown(text)


def did_you_mean(text: str, known: Sequence[str]) -> str:
    """A hint that names the nearest known word, or ``""``."""
    near = difflib.get_close_matches(text[:SHOWN_CHARACTERS], known, n=1)
    return f'did you mean "{near[0]}"?' if near else ""
