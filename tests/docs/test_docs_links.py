"""Links lead somewhere, every page can be found, and the pages hold nothing that is not for readers."""

import ast
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docs.pages import DOCS, ROOT, anchors, blocks, links, name, pages, prose
from docs.tables import read_rows

LATER = {"docs/explanation/benchmarks.md"}
"""Pages that are written in a step of their own; their links are checked as soon as they are there."""

HOSTS = {
    "127.0.0.1",
    "localhost",
    "api.openai.com",
    "api.anthropic.com",
    "openaipublic.blob.core.windows.net",
    "keepachangelog.com",
    "semver.org",
    "c2sp.org",
    "cel.dev",
    "diataxis.fr",
    "www.rfc-editor.org",
}
"""Hosts that the pages may name; whatever ends in `.example` is free too."""

UNFIT = re.compile(r"\b(todo|fixme|tbd|lorem ipsum|index-url|coming soon)\b|/root/|/home/[a-z]|/tmp/", re.IGNORECASE)
LANGUAGES = {"sh", "console", "python", "yaml", "json", "text", "ini", "promql"}
TEST_NAME = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_and_anchors_resolve(page: Path) -> None:
    for line, target in links(page):
        if urlsplit(target).scheme:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if name(file) in LATER and not file.exists():
            continue
        assert file.exists(), f"{name(page)}:{line}: {target} leads nowhere"
        if anchor:
            assert anchor in anchors(file), f"{name(page)}:{line}: {target} names no heading"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md", ROOT / "CHANGELOG.md"}
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        for _, target in links(page):
            file = (page.parent / target.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.exists() and file not in reached:
                reached.add(file)
                waiting.append(file)
    assert reached == set(pages())


@pytest.mark.parametrize("page", pages(), ids=name)
def test_hosts_are_known_and_words_are_fit(page: Path) -> None:
    text = page.read_text()
    for host in re.findall(r"https?://(\[[^\]]*\]|[^/:\s\"'`)}]+)", text):
        assert host in HOSTS or host.endswith(".example"), f"{name(page)} names the host {host}"
    found = UNFIT.search(text)
    assert found is None, f"{name(page)} holds {found[0] if found else ''!r}"


@pytest.mark.parametrize("page", pages(), ids=name)
def test_pages_have_one_title_and_blocks_a_language(page: Path) -> None:
    titles = [line for _, line in prose(page) if line.startswith("# ")]
    assert len(titles) == 1
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: {block.language!r}"


@pytest.mark.parametrize("page", pages(), ids=name)
def test_tests_that_pages_name_exist(page: Path) -> None:
    for file, function in TEST_NAME.findall(page.read_text()):
        path = ROOT / file
        assert path.is_file(), f"{name(page)} names {file}"
        if function:
            functions = {node.name for node in ast.walk(ast.parse(path.read_text())) if hasattr(node, "name")}
            assert function in functions, f"{name(page)} names {file}::{function}"


def test_every_threat_names_the_test_that_holds_its_guard() -> None:
    text = (DOCS / "explanation" / "threat-model.md").read_text()
    heads = [line for line in text.splitlines() if line.startswith("| Threat ")]
    rows = [row for row in read_rows(text) if len(row) == 3 and row[0] not in ("Threat", "Asset")]
    assert len(heads) == 6
    assert len(rows) > 30
    for threat, _, held in rows:
        assert TEST_NAME.search(held), f"no test holds: {threat}"


def test_decisions_are_numbered_and_say_what_was_decided_and_why() -> None:
    files = sorted(file for file in (DOCS / "decisions").glob("*.md") if file.name != "README.md")
    assert [file.name[:4] for file in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
    for file in files:
        headings = [line for _, line in prose(file) if line.startswith("#")]
        assert headings[0].startswith(f"# {int(file.name[:4])}. ")
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in headings, f"{name(file)} lacks {part}"
