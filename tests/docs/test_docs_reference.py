"""The reference says what the code says: nothing undocumented, nothing documented that is gone."""

import ast
import re
from pathlib import Path

import pytest

import gptgate
from docs.pages import DOCS, ROOT, name, pages
from docs.tables import BLOCK, MISSING, TABLES, error_classes, filled, read_rows
from gptgate.cli.main import command_names
from gptgate.http import errors as rendered
from gptgate.pipeline.policy_facts import TAG_HEADERS
from gptgate.telemetry.catalog import CODES

UPDATE = "run `python -m docs.tables` in the folder tests, and write the cells that it could not know"
SOURCE = Path(gptgate.__file__).parent
HEADER_FILES = ("http", "pipeline", "providers/headers.py", "auth/authenticate.py")
HEADER = re.compile(r"[a-z]+(-[a-z]+)+|authorization|traceparent|tracestate|connection|allow")
NO_HEADERS = frozenset({"no-cache"})
"""Literals of those files that look like a header's name and are none."""


@pytest.mark.parametrize("page", pages(), ids=name)
def test_tables_are_those_of_the_code(page: Path) -> None:
    text = page.read_text()
    assert filled(text) == text, f"{name(page)} is behind the code: {UPDATE}"
    assert MISSING not in text, f"{name(page)} has a row without its meaning: {UPDATE}"


def test_every_table_stands_on_exactly_one_page() -> None:
    found = [match[2] for page in pages() for match in BLOCK.finditer(page.read_text())]
    assert sorted(found) == sorted([*TABLES, "commands"])


def test_a_row_that_is_new_or_gone_is_noticed() -> None:
    page = (DOCS / "reference" / "errors.md").read_text()
    row = next(line for line in page.splitlines(keepends=True) if line.startswith("| `policy_denied` |"))
    assert MISSING in filled(page.replace(row, ""))
    invented = page.replace(row, row + row.replace("policy_denied", "policy_invented"))
    assert filled(invented) == page
    assert filled(page.replace("| 403 |", "| 418 |", 1)) == page


def test_every_code_that_a_caller_can_meet_is_in_the_table() -> None:
    table = next(m[3] for m in BLOCK.finditer((DOCS / "reference" / "errors.md").read_text()) if m[2] == "errors")
    documented = [row[0].strip("`") for row in read_rows(table)[1:]]
    assert len(documented) == len(set(documented)) == len(error_classes())
    # The class `Unavailable` only groups others.
    assert set(documented) == CODES - {"unavailable"}


def test_every_command_has_its_section() -> None:
    headings = re.findall(r"^### gptgate (.+)$", (DOCS / "reference" / "commands.md").read_text(), re.MULTILINE)
    assert sorted(headings) == command_names()


def _literals() -> set[str]:
    """Header names in the code that reads callers' requests and writes their answers."""
    files: list[Path] = []
    for part in HEADER_FILES:
        path = SOURCE / part
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    found: set[str] = set()
    for file in files:
        tree = ast.parse(file.read_text())
        texts = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, ast.Module)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and node.value not in texts:
                text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                if HEADER.fullmatch(text):
                    found.add(text)
    return found - NO_HEADERS


def test_every_header_is_documented() -> None:
    text = (DOCS / "reference" / "headers.md").read_text()
    tables = re.findall(r"<!-- headers: (?:in|out) -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert len(tables) == 2
    documented = {row[0].strip("`") for table in tables for row in read_rows(table)[1:]}
    assert documented == _literals() | {f"{TAG_HEADERS}NAME"}


def test_types_of_errors_are_those_that_the_renderer_knows() -> None:
    text = (DOCS / "reference" / "errors.md").read_text()
    for kind in {*rendered.OPENAI_TYPES.values(), *rendered.ANTHROPIC_TYPES.values()}:
        assert f"`{kind}`" in text


def test_every_make_target_is_documented() -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()
    text = (DOCS / "reference" / "commands.md").read_text()
    assert sorted(re.findall(r"^\| `make (\w+)` \|", text, re.MULTILINE)) == sorted(targets)


def test_every_runtime_dependency_has_its_reason() -> None:
    files = [ROOT / "requirements" / file for file in ("run.in", "valkey.in", "parquet.in", "tokenizers.in")]
    lines = [line for file in files for line in file.read_text().splitlines() if not line.startswith("-c ")]
    wanted = {re.split(r"[ ;<>=\[]", line)[0] for line in lines if line.strip()}
    text = (DOCS / "decisions" / "0011-dependencies.md").read_text()
    rows = read_rows("\n".join(line for line in text.splitlines() if line.startswith("|")))[1:]
    reasons = {row[0].strip("`"): row[-1] for row in rows}
    assert set(reasons) == wanted
    assert all(len(reason) > 20 for reason in reasons.values())
