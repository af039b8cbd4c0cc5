"""What attackers found in other gateways and their packages, by symptom: what can be seen in the source. Each comment
names the advisories."""

import ast
import re
from pathlib import Path

import pytest

import gptgate

SOURCE = Path(gptgate.__file__).parent
LOCKS = sorted((SOURCE.parent.parent / "requirements").glob("*.txt"))
PINNED = r"[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==[^\s;]+( ;[^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
"""A requirement: name, release, where it is for, and the hashes of its files. No address of an index or a file."""
BUILTINS = {"eval", "exec", "compile", "__import__"}
PROGRAMS = ("exec", "fork", "spawn", "popen", "system", "create_subprocess")
ENGINES = {"jinja2", "mako", "subprocess", "multiprocessing", "pickle", "marshal", "shelve", "code", "runpy", "ctypes"}
BESIDES = {"listen.py: ctypes"}
"""glibc is asked to give memory back."""


def run_by(node: ast.AST) -> set[str]:
    """What runs texts as programs or templates, of a name that is called or imported here."""
    match node:
        case ast.Import(names=names):
            return {name.name.partition(".")[0] for name in names} & ENGINES
        case ast.ImportFrom(module=str(module)):
            return {module.partition(".")[0]} & ENGINES
        case ast.Call(func=ast.Name(id=name)):
            return {name} & BUILTINS
        case ast.Call(func=ast.Attribute(value=ast.Name(id="os" | "asyncio"), attr=name)) if name.startswith(PROGRAMS):
            return {name}
    return set()


# GHSA-v4p8-mg3p-g94g, and the two above: a program is started, or a template is run, at somebody's word.
def test_something_in_the_gateway_runs_programs_or_templates() -> None:
    found = {
        f"{file.name}: {name}"
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in run_by(node)
    }
    assert found == BESIDES


# litellm issues 24512, 24518, 24521: another release than the one that was looked at is installed.
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_requirement_is_not_held_to_what_was_looked_at(lock: Path) -> None:
    entries = [
        entry
        for entry in lock.read_text().replace("\\\n", " ").splitlines()
        if entry.strip() and not entry.lstrip().startswith("#")
    ]
    assert entries
    for entry in entries:
        assert re.fullmatch(PINNED, entry)
