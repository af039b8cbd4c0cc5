"""Each complaint about other gateways, and each finding of attackers, has its test, or the reason why none can be."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from docs.complaints import FOUND, NOT_OURS

TESTS = Path(__file__).parent.parent
THREADS = {thread: where for part in FOUND for thread, where in part.items()}


@cache
def named_in(file: str) -> dict[str, str]:
    """The tests of a file, each with the comment above it."""
    text = (TESTS / file).read_text()
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            first = min(one.lineno for one in (node, *node.decorator_list)) - 1
            while first and lines[first - 1].startswith("#"):
                first -= 1
            found[node.name] = "\n".join(lines[first : node.end_lineno])
    return found


@pytest.mark.parametrize("thread", THREADS)
def test_each_complaint_has_its_test(thread: str) -> None:
    file, name = THREADS[thread]
    assert name in named_in(file), f"there is no {name} in tests/{file}"
    number = thread.rpartition("#")[2]
    if "complaints" in file and re.fullmatch("[0-9]+|GHSA-.*", number):
        assert number in named_in(file)[name], "the test names its threads"


def test_each_complaint_stands_once_and_what_cannot_happen_has_a_reason() -> None:
    assert len(THREADS) == sum(len(part) for part in FOUND)
    assert not THREADS.keys() & NOT_OURS.keys()
    assert all(reason.endswith(".") for reason in NOT_OURS.values())


@pytest.mark.parametrize(
    "file", sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*complaints_*.py"))
)
def test_each_test_that_is_named_after_a_complaint_names_one_that_is_listed(file: str) -> None:
    numbers = {thread.rpartition("#")[2] for thread in THREADS}
    mapped = {name for where, name in THREADS.values() if where == file}
    for name, text in named_in(file).items():
        assert name in mapped or numbers & set(re.findall(r"[0-9]+|GHSA-[a-z0-9-]+", text)), name
