"""A file or a text → Snapshot, or every problem in it at once."""

from collections.abc import Collection
from pathlib import Path

from gptgate.config.build import build
from gptgate.config.checks import check, packs_of
from gptgate.config.custom import ExamineCustom
from gptgate.config.document import MAX_BYTES, compose
from gptgate.config.files import read_regular
from gptgate.config.problem import ConfigError, Problem
from gptgate.config.reader import Reader
from gptgate.config.schema import ROOT
from gptgate.core.condition import Conditions
from gptgate.core.snapshot import Snapshot


def load_file(
    path: Path,
    kinds: Collection[str],
    *,
    conditions: Conditions | None = None,
    detectors: str = "",
    customs: ExamineCustom | None = None,
) -> Snapshot:
    """The Snapshot that a file describes. `kinds` are the kinds of findings that the installed detectors can report,
    `detectors` is their digest. `conditions` examines the conditions of rules; without it a rule can have none.
    `customs` examines the words and patterns of `policy.custom`; without it there can be none.

    Raises ConfigError with all problems: not readable, too large, not UTF-8, and whatever `load_text` refuses.
    """
    file = str(path)
    try:
        # One byte past the bound is enough to know; a huge file is not read whole.
        data = read_regular(path, MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(file, 0, "", f"cannot be read: {error.strerror}")]) from None
    if len(data) > MAX_BYTES:
        raise ConfigError([Problem(file, 0, "", f"the file is larger than {MAX_BYTES} bytes")])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(file, line, "", "is not UTF-8 text")]) from None
    return load_text(text, file, kinds, conditions=conditions, detectors=detectors, customs=customs)


def load_text(
    text: str,
    name: str,
    kinds: Collection[str],
    *,
    conditions: Conditions | None = None,
    detectors: str = "",
    customs: ExamineCustom | None = None,
) -> Snapshot:
    """The Snapshot that a text describes; `name` stands for the file in problems.

    A syntax error ends the reading; every other problem is collected, and all are raised together as ConfigError,
    in the order of lines. The same arguments always give the same result.
    """
    node = compose(text, name)
    reader = Reader(name)
    root = reader.group(node, ROOT, "")
    if root is not None:
        check(root, kinds, conditions, customs, reader)
    if root is None or reader.problems:
        raise ConfigError(sorted(reader.problems, key=lambda problem: (problem.line, problem.path, problem.message)))
    return build(root, packs_of(root, reader), detectors)
