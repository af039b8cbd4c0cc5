"""The shape of the source: no god files, no long functions, no broad excepts but the two that are explained."""

import ast
from pathlib import Path

import pytest

import gptgate

SOURCE = Path(gptgate.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
MAX_FILE = 400
MAX_FUNCTION = 60
BROAD_EXCEPTS = {"pipeline/gate.py": 1, "pipeline/exchange.py": 1}
"""Where a defect is turned into a recorded refusal; see the comments there."""


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring and without the functions that it defines."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    for statement in function.body:
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if is_text or isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            lines -= (statement.end_lineno or statement.lineno) - statement.lineno + 1
    return lines


def _name(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_files_and_functions_stay_short(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= MAX_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert _own_lines(node) <= MAX_FUNCTION, node.name


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_broad_excepts_stand_only_where_a_defect_becomes_a_recorded_refusal(file: Path) -> None:
    broad = [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or getattr(node.type, "id", "") == "Exception")
    ]
    assert len(broad) == BROAD_EXCEPTS.get(_name(file), 0)


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_module_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text())), "a module needs a docstring"


def test_the_order_of_the_steps_is_the_order_of_the_design() -> None:
    """The numbered comments of the gate read 2 to 10 from top to bottom, as the design's table does."""
    text = (SOURCE / "pipeline" / "gate.py").read_text()
    numbers = [
        int(line.split()[1])
        for line in text.splitlines()
        if line.strip().startswith("# ") and line.split()[1].isdigit()
    ]
    assert numbers == list(range(2, 11))
